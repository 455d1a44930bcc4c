"""Profiles: what newcomers get, kept by name; each is checked against the organization as it is now."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.audit import Event
from models.profile import Profile, find_profile, profiles_of
from models.run import Case, Run
from rules.case import CaseState
from rules.deeds import Action, Deed
from rules.numbers import whole_number
from rules.organization import OrganizationFacts
from rules.profile import Term, Trouble, troubles_of
from rules.roster import Access, Origin
from services.audit import record
from services.doors import require_organization
from services.ground import day_in, organization_facts
from services.profile_uses import given_for_good, uses_of
from services.protecting import typed_day
from services.roster_words import action_in_words, product_words
from services.scim_members import look_again_by_profile
from services.toolbox import Toolbox

MOST_PROFILES = 100
MOST_DAYS = 3650
MOST_GROUPS = 50
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500
_DIVIDES = frozenset("|;\n")
"""What stands between two names in a field of a file."""


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile as people see it: what it gives in words, what of it cannot be given, how many were invited with it.

    `uses` is what gives it by itself (services.profile_uses).
    """

    profile: Profile
    gives: str
    troubles: tuple[Trouble, ...]
    invited: int = 0
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody filled in; `roles` as "role resource id"."""

    name: str = ""
    description: str = ""
    roles: Sequence[str] = ()
    groups: Sequence[str] = ()
    days: str = ""
    until: str = ""


def list_profiles(tools: Toolbox, caller: Caller) -> list[ProfileView]:
    """The organization's profiles, by name."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        facts, today = organization_facts(session, organization_id), day_in(session, organization_id, now)
        invited = _invited(session, organization_id)
        found = [
            ProfileView(
                each,
                in_words(each.access, facts),
                troubles_of_profile(each, facts, today),
                invited.get(each.id, 0),
            )
            for each in profiles_of(session, organization_id)
        ]
        session.expunge_all()
        return found


def look_at_profile(tools: Toolbox, caller: Caller, profile_id: str) -> ProfileView:
    """One profile. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        profile = require_profile(session, organization_id, profile_id)
        facts = organization_facts(session, organization_id)
        today = day_in(session, organization_id, tools.clock())
        uses = tuple(uses_of(session, organization_id, profile_id))
        session.expunge(profile)
        return ProfileView(
            profile, in_words(profile.access, facts), troubles_of_profile(profile, facts, today), uses=uses
        )


def save_profile(tools: Toolbox, caller: Caller, profile_id: str | None, typed: Typed) -> Profile:
    """Keeps a new profile, or changes one. Who was let in with it before keeps what they got; whom a provider's group
    gives it follow it.

    Raises Invalid with the field that is wrong, NotFound, Conflict when there are enough.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    name, description = _checked_name(typed.name), _checked_description(typed.description)
    days = _checked_days(typed.days)
    with tools.begin() as session:
        access = _checked_access(typed, organization_facts(session, organization_id))
        term = Term(days, typed_day("until", typed.until, day_in(session, organization_id, now)))
        profile = (
            require_profile(session, organization_id, profile_id)
            if profile_id is not None
            else _new(session, organization_id, caller, now)
        )
        _require_free_name(session, profile, name)
        if term:
            _require_not_for_good(session, profile, term)
        if profile_id is not None and access != profile.access:
            look_again_by_profile(session, organization_id, profile_id, now)
        profile.name, profile.name_key, profile.description = name, name.casefold(), description
        profile.roles, profile.groups = [list(role) for role in access.roles], list(access.groups)
        profile.days, profile.until, profile.changed_at = term.days, term.until, now
        session.add(profile)
        event = Event.PROFILE_CREATED if profile_id is None else Event.PROFILE_CHANGED
        _record(session, event, profile, caller, now)
        session.flush()
        session.expunge(profile)
        return profile


def remove_profile(tools: Toolbox, caller: Caller, profile_id: str) -> Profile:
    """Forgets a profile; nobody loses what they got with it. Raises NotFound, and Conflict while something names it."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        profile = require_profile(session, organization_id, profile_id)
        if uses := uses_of(session, organization_id, profile_id):
            raise Conflict(
                f"“{profile.name}” is still given by {', '.join(uses)}.",
                "Choose another profile there first.",
            )
        _record(session, Event.PROFILE_REMOVED, profile, caller, tools.clock())
        session.delete(profile)
        session.flush()
        return profile


def organization_now(tools: Toolbox, caller: Caller) -> OrganizationFacts:
    """Products, groups and what they grant, to choose from."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return organization_facts(session, organization_id)


def access_of(session: Session, organization_id: str, profile_id: str) -> Access:
    """What a profile gives. Raises NotFound."""
    return require_profile(session, organization_id, profile_id).access


def troubles_of_profile(
    profile: Profile, organization: OrganizationFacts, today: date
) -> tuple[Trouble, ...]:
    """Why nobody could be given this profile today; empty when everybody could."""
    return (*troubles_of(profile.access, organization), *profile.term.troubles(today))


def require_profile(session: Session, organization_id: str, profile_id: str) -> Profile:
    """A profile of this organization. Raises NotFound."""
    profile = find_profile(session, organization_id, profile_id)
    if profile is None:
        raise NotFound("This profile does not exist, or not any more.", "Look at the list of profiles.")
    return profile


def in_words(access: Access, organization: OrganizationFacts) -> str:
    """Jira on acme.atlassian.net, joins designers."""
    return action_in_words(
        Action(Deed.GIVE_ACCESS, join=access.groups, roles=access.roles),
        {group.id: group.name for group in organization.groups.values()},
        {each.resource_id: product_words(each.key, each.host) for each in organization.products.values()},
    )


def _invited(session: Session, organization_id: str) -> dict[str, int]:
    """Profile id → how many people got something by an invitation with this profile alone."""
    acted = select(func.count()).where(
        Case.organization_id == Run.organization_id,
        Case.run_id == Run.id,
        Case.state == CaseState.ACTED.value,
        # Whoever has it for longer was counted when they got it.
        Case.deed != Deed.PROLONG.value,
    )
    query = (
        select(Run.origin_id, func.sum(acted.scalar_subquery()))
        .where(
            Run.organization_id == organization_id,
            Run.origin == Origin.INVITE.value,
            Run.origin_id != "",
        )
        .group_by(Run.origin_id)
    )
    return {profile_id: int(people) for profile_id, people in session.execute(query)}


def _new(session: Session, organization_id: str, caller: Caller, now: datetime) -> Profile:
    if len(profiles_of(session, organization_id)) >= MOST_PROFILES:
        raise Conflict(
            f"Your organization has {MOST_PROFILES} profiles already, and no more fit.",
            "Remove one that nobody uses.",
        )
    return Profile(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        created_by=caller.account_id or "",
        created_at=now,
    )


def _require_free_name(session: Session, profile: Profile, name: str) -> None:
    query = select(Profile.id).where(
        Profile.organization_id == profile.organization_id, Profile.name_key == name.casefold()
    )
    with session.no_autoflush:
        other = session.scalar(query)
    if other is not None and other != profile.id:
        raise Invalid("name", f"There is a profile “{name}” already.", "Choose another name.")


def _require_not_for_good(session: Session, profile: Profile, term: Term) -> None:
    """What an identity provider or an access rule gives ends when these say so, and not by itself."""
    with session.no_autoflush:
        giver = given_for_good(session, profile.organization_id, profile.id)
    if giver is not None:
        raise Invalid(
            "days" if term.days is not None else "until",
            f"{giver} gives this profile for as long as it holds there.",
            "Leave this empty, or choose another profile there first.",
        )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("name", "A profile needs a name.", "Say whom it is for, such as Designers.")
    if len(name.casefold()) > LONGEST_NAME:
        raise Invalid("name", f"At most {LONGEST_NAME} characters fit here.", "Shorten the name.")
    if _DIVIDES & set(name):
        raise Invalid(
            "name",
            "A name has no “|” and no “;” in it: in a file they stand between two names.",
            "Leave them out.",
        )
    return name


def _checked_description(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_DESCRIPTION:
        raise Invalid("description", f"At most {LONGEST_DESCRIPTION} characters fit here.", "Shorten it.")
    return text


def _checked_days(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    days = whole_number(text, MOST_DAYS)
    if not days:
        raise Invalid(
            "days",
            f"Write a number of days from 1 to {MOST_DAYS:,}.",
            "Leave it empty for access without an end.",
        )
    return days


def _checked_access(typed: Typed, organization: OrganizationFacts) -> Access:
    chosen = [
        (resource_id, role) for role, _, resource_id in (each.partition(" ") for each in typed.roles) if role
    ]
    access = Access(tuple(dict.fromkeys(chosen)), tuple(dict.fromkeys(typed.groups)))
    if len(access.groups) > MOST_GROUPS:
        raise Invalid("groups", f"At most {MOST_GROUPS} groups.", "Untick some.")
    if not access:
        raise Invalid(
            "roles", "A profile that gives nothing is of no use.", "Choose a product, or tick a group."
        )
    for trouble in troubles_of(access, organization):
        raise Invalid(trouble.field, trouble.sentence, trouble.next_step)
    return access


def _record(session: Session, event: Event, profile: Profile, caller: Caller, now: datetime) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=profile.organization_id,
        client_key=caller.tenant,
        result=profile.name,
        details={"profile": profile.id, "name": profile.name},
    )
