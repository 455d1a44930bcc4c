"""What has to be done by hand before somebody's access can end, by the person as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from connect.errors import Gone
from models.leaver import Leaver
from models.people import Person
from rules.changes import Snapshot
from rules.deeds import Deed
from rules.farewell import Guide, action_of_ending, obstacles
from services.asking import believed
from services.directory import store_people
from services.doors import opened
from services.ground import ground_of
from services.left_out import half_told, left_out
from services.org_admins import with_org_admins
from services.settling import settling
from services.toolbox import Toolbox


def obstacles_now(tools: Toolbox, leaver: Leaver, asked_by: str) -> tuple[Guide, ...]:
    """What has to be done by hand first, by the person read now. None of it for somebody who is gone already."""
    seen = read_leaver(tools, leaver)
    if seen is None:
        return ()
    now = tools.clock()
    with tools.begin() as session:
        person = session.get(Person, (leaver.organization_id, leaver.account_id))
        ground = ground_of(tools, session, leaver.organization_id, asked_by, now)
        return obstacles(
            action_of_ending(Deed(leaver.deed), ground.organization),
            seen,
            ground,
            revokes=leaver.revoke_tokens,
            in_several_directories=person is not None and person.in_several_directories,
            refusal=believed(person.refusal, person.asked_at, now) if person is not None else "",
        )


def read_leaver(tools: Toolbox, leaver: Leaver) -> Snapshot | None:
    """The person this moment; None when no directory of the organization has them. Memory learns of it too.

    Of a deed of our own it knows better, until Atlassian shows that. Raises Gone when they are there and Atlassian
    knows of no roles: then nobody can say that their access has ended.
    """
    organization_id, account_id = leaver.organization_id, leaver.account_id
    with tools.begin() as session:
        person = session.get(Person, (organization_id, account_id))
        directory_id = person.directory_id if person is not None else "-"
        known = (account_id,) if person is not None and person.is_org_admin else ()
    with opened(tools, organization_id) as gateway:
        try:
            facts = gateway.person(organization_id, directory_id, account_id)
        except Gone:
            return None
        [facts] = with_org_admins(gateway.org_admins, organization_id, [facts], known)
        roles = None
        if leaver.deed == Deed.REMOVE_ACCESS:
            roles = gateway.roles_of(organization_id, directory_id, account_id)
    with tools.begin() as session:
        person = session.get(Person, (organization_id, account_id))
        acted_on = settling(tools, session, organization_id, [account_id])
        if left_out(session, organization_id, facts):
            raise half_told()
        if person is not None and not person.in_several_directories and not acted_on:
            # The run that ends their access is planned from memory: what an operator has just done counts.
            store_people(session, organization_id, directory_id, person.sync_id, [facts], tools.clock())
    return Snapshot(facts, roles)


def guides_to_words(guides: Sequence[Guide]) -> list[dict[str, object]]:
    """Guides as they are kept beside the leaver."""
    return [asdict(guide) for guide in guides]
