"""A group that the provider deletes and pushes anew gives what it gave: nobody has to map it once more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.profile import find_profile
from models.scim import ScimFormerGroup, ScimGroup
from services.audit import record
from services.directory import upsert


def remember(session: Session, group: ScimGroup, now: datetime) -> None:
    """What a group gives that is being deleted."""
    if group.profile_id is None:
        return
    row = {
        "organization_id": group.organization_id,
        "connection_id": group.connection_id,
        "display_name_key": group.display_name_key,
        "external_id": group.external_id,
        "profile_id": group.profile_id,
        "deleted_at": now,
    }
    upsert(session, ScimFormerGroup, [row])


def give_as_before(session: Session, group: ScimGroup, now: datetime) -> None:
    """A new group by the name of one that was deleted is that one, unless the provider knows them by two ids."""
    key = (group.organization_id, group.connection_id, group.display_name_key)
    former = session.get(ScimFormerGroup, key)
    if former is None:
        return
    another = former.external_id and group.external_id and former.external_id != group.external_id
    profile = find_profile(session, group.organization_id, former.profile_id)
    session.delete(former)
    # One that ends by itself was none that a group could give.
    if another or profile is None or profile.term:
        return
    group.profile_id = profile.id
    record(
        session,
        Event.SCIM_MAPPED,
        at=now,
        actor=APP,
        organization_id=group.organization_id,
        result=f"Profile “{profile.name}”, as before the provider deleted this group",
        details={"connection": group.connection_id, "group": group.id},
    )
