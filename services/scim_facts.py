"""What decides about people of an identity provider: their groups' profiles, the directory, what others want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import not_, or_, select
from sqlalchemy.orm import Session

from models.people import IS_AWAY, Person
from models.profile import profiles_of
from models.scim import ScimConnection, ScimGroup, ScimUser, groups_by_user
from rules.deeds import Deed
from rules.organization import OrganizationFacts
from rules.person import PersonFacts
from rules.roster import Access
from rules.scim import NO_ACCESS, Endings, Known
from services.candidates import people_as_candidates


def endings_of(found: ScimConnection, organization: OrganizationFacts) -> Endings:
    """What the connection's words mean."""
    return Endings(Deed(found.when_inactive), Deed(found.when_deleted), tuple(sorted(organization.products)))


def know(
    session: Session, organization_id: str, users: Sequence[ScimUser], organization: OrganizationFacts
) -> dict[str, Known]:
    """Id of a SCIM user → what decides about them. Whoever is found in the directory is remembered by account id."""
    people = _people(session, organization_id, users, organization)
    for user in users:
        if user.id in people:
            _belongs_to(user, people[user.id].account_id)
    _inherit(session, organization_id, users)
    said = said_of(session, organization_id, users)
    return {user_id: replace(known, person=people.get(user_id)) for user_id, known in said.items()}


def said_of(session: Session, organization_id: str, users: Sequence[ScimUser]) -> dict[str, Known]:
    """The same as far as providers say it: without the directory."""
    profiles = {profile.id: profile.access for profile in profiles_of(session, organization_id)}
    groups = groups_by_user(session, organization_id, [user.id for user in users])
    others = _others(session, organization_id, users, profiles)
    again = _again(session, organization_id, users)
    return {
        user.id: Known(
            active=user.active,
            deleted=user.deleted_at is not None,
            wanted=NO_ACCESS if user.id in again else _wanted(groups.get(user.id, ()), profiles),
            given=access_from(user.given),
            others=others.get(user.id, NO_ACCESS),
            taken=Deed(user.taken) if user.taken else None,
            invited=user.invited,
            has_address=bool(user.email),
            again=user.id in again,
        )
        for user in users
    }


def access_from(words: dict[str, Any] | None) -> Access:
    words = words or {}
    return Access(tuple((one[0], one[1]) for one in words.get("roles", ())), tuple(words.get("groups", ())))


def access_to(access: Access) -> dict[str, Any] | None:
    return {"roles": [list(one) for one in access.roles], "groups": list(access.groups)} if access else None


def _wanted(groups: Iterable[ScimGroup], profiles: Mapping[str, Access]) -> Access:
    """The profiles of these groups together."""
    found = NO_ACCESS
    for group in groups:
        found = found | profiles.get(group.profile_id or "", NO_ACCESS)
    return found


def _people(
    session: Session, organization_id: str, users: Sequence[ScimUser], organization: OrganizationFacts
) -> dict[str, PersonFacts]:
    """Who they are in the directory: by an account id that is known and here, else by a verified address."""
    here = _here(session, organization_id, users)
    found = _accounts(session, organization_id, [user for user in users if user.account_id not in here])
    ids = {user.id: account_id for user in users if (account_id := found.get(user.id) or user.account_id)}
    candidates = people_as_candidates(session, organization_id, sorted(set(ids.values())), organization)
    return {
        user_id: candidates[account_id].seen.facts
        for user_id, account_id in ids.items()
        if account_id in candidates
    }


def _here(session: Session, organization_id: str, users: Sequence[ScimUser]) -> set[str]:
    """The accounts of these people that the directory shows, and that have not gone."""
    query = select(Person.account_id).where(
        Person.organization_id == organization_id,
        Person.account_id.in_({user.account_id for user in users if user.account_id}),
        Person.left_at.is_(None),
        not_(IS_AWAY),
    )
    return set(session.scalars(query))


def _belongs_to(user: ScimUser, account_id: str) -> None:
    """What was given and taken, was another account's."""
    if user.account_id and user.account_id != account_id:
        user.given, user.taken = None, ""
    user.account_id = account_id


def _inherit(session: Session, organization_id: str, users: Sequence[ScimUser]) -> None:
    """What a name that is gone has brought, taken or begun is from then on that of a name that is here."""
    here = {
        (user.connection_id, user.account_id): user
        for user in users
        if user.account_id and user.active and user.deleted_at is None
    }
    query = select(ScimUser).where(
        ScimUser.organization_id == organization_id,
        ScimUser.account_id.in_({account_id for _, account_id in here}),
        or_(ScimUser.active.is_(False), ScimUser.deleted_at.is_not(None)),
        ScimUser.case_id.is_(None),
    )
    for gone in session.scalars(query) if here else ():
        heir = here.get((gone.connection_id, gone.account_id or ""))
        if heir is not None:
            heir.given = access_to(access_from(heir.given) | access_from(gone.given))
            heir.taken = heir.taken or gone.taken
            heir.leaver_id = heir.leaver_id or gone.leaver_id
            gone.given, gone.taken, gone.leaver_id = None, "", None


def _accounts(session: Session, organization_id: str, users: Sequence[ScimUser]) -> dict[str, str]:
    """User id → the account with one of their addresses. Whose account is known and has gone, has one that is here."""
    addresses = {
        user.id: [each for each in (user.email, user.user_name_key.strip()) if each] for user in users
    }
    wanted = {address for theirs in addresses.values() for address in theirs}
    query = select(Person.address, Person.account_id, Person.email_verified, IS_AWAY).where(
        Person.organization_id == organization_id, Person.left_at.is_(None), Person.address.in_(wanted)
    )
    accounts: dict[tuple[str, bool], dict[str, bool]] = {}
    for address, account_id, verified, is_gone in session.execute(query) if wanted else ():
        accounts.setdefault((address, bool(is_gone)), {})[account_id] = verified is not False
    return {user.id: _meant(user, addresses[user.id], accounts) for user in users}


def _meant(
    user: ScimUser, theirs: Sequence[str], accounts: Mapping[tuple[str, bool], Mapping[str, bool]]
) -> str:
    """Who is here comes first, then who has gone; of their addresses the one to which an invitation would go."""
    gone = (False,) if user.account_id else (False, True)
    for place in [(address, is_gone) for is_gone in gone for address in theirs]:
        # Nobody has proven an address that no invitation of ours was sent to.
        found = [each for each, proven in accounts.get(place, {}).items() if proven or user.invited]
        if found:
            # Two accounts with one address: nobody can say which one is meant.
            return found[0] if len(found) == 1 else ""
    return ""


def _others(
    session: Session, organization_id: str, users: Sequence[ScimUser], profiles: Mapping[str, Access]
) -> dict[str, Access]:
    """User id → what others whom a provider calls by another name, or another provider, want for the same person."""
    accounts = {user.account_id for user in users if user.account_id}
    if not accounts:
        return {}
    query = select(ScimUser).where(
        ScimUser.organization_id == organization_id,
        ScimUser.account_id.in_(accounts),
        ScimUser.deleted_at.is_(None),
        or_(ScimUser.active.is_(True), ScimUser.case_id.is_not(None)),
    )
    present: dict[str, list[ScimUser]] = {}
    for user in session.scalars(query):
        present.setdefault(user.account_id or "", []).append(user)
    groups = groups_by_user(session, organization_id, [user.id for each in present.values() for user in each])
    found: dict[str, Access] = {}
    for user in users:
        for other in present.get(user.account_id or "", ()):
            if other.id != user.id:
                wanted = _wanted(groups.get(other.id, ()), profiles)
                found[user.id] = found.get(user.id, NO_ACCESS) | wanted
    return found


def _again(session: Session, organization_id: str, users: Sequence[ScimUser]) -> set[str]:
    """Who of them is gone, while the same connection has somebody active with their account."""
    gone = [user for user in users if user.account_id and (user.deleted_at is not None or not user.active)]
    query = select(ScimUser.connection_id, ScimUser.account_id).where(
        ScimUser.organization_id == organization_id,
        ScimUser.account_id.in_({user.account_id for user in gone}),
        ScimUser.deleted_at.is_(None),
        ScimUser.active.is_(True),
    )
    here = {tuple(row) for row in session.execute(query)} if gone else set()
    return {user.id for user in gone if (user.connection_id, user.account_id) in here}


def word_of(found: ScimConnection, user: ScimUser) -> str:
    """What the provider said last about somebody, as a reason."""
    if user.deleted_at is not None:
        return f"“{found.name}” has deleted them."
    return f"“{found.name}” says that they are {'active' if user.active else 'not active'}."
