"""What somebody typed about a ticket rule, checked field by field against what exists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from connect.errors import Invalid
from models.profile import Profile, find_profile
from models.tenant import Product, Tenant, doors_of
from models.ticket import TicketRule
from rules.numbers import whole_number
from rules.organization import OrganizationFacts
from rules.profile import troubles_of
from rules.roster import Access
from services.ground import organization_facts

LONGEST_NAME = 100
MOST_TYPES = 30
MOST_CHOICES = 50
LONGEST_DAYS = 3650
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII
)


@dataclass(frozen=True, slots=True)
class TicketWish:
    """The form of a rule, as typed. `gives_kind` is "profile" or "groups"; `request_types` and `domains` are lists
    with commas or line breaks between them."""

    name: str = ""
    client_key: str = ""
    project: str = ""
    request_types: str = ""
    domains: str = ""
    groups: tuple[str, ...] = ()
    person: str = "reporter"
    person_field: str = ""
    gives_kind: str = "profile"
    profile_id: str = ""
    gives: tuple[str, ...] = ()
    days: str = ""
    with_approval: bool = True
    comments: bool = False


def fill_in(session: Session, rule: TicketRule, wish: TicketWish) -> None:
    """Puts what was typed into the rule. Raises Invalid with the first field that is wrong; the rule is thrown away
    then."""
    organization = organization_facts(session, rule.organization_id)
    rule.name = _name(wish.name)
    rule.client_key = _door(session, rule.organization_id, wish.client_key)
    rule.project = _project(wish.project)
    rule.request_types = _request_types(wish.request_types)
    rule.domains = _domains(wish.domains)
    rule.groups = _known_groups("groups", wish.groups, organization)
    if not rule.domains and not rule.groups:
        raise Invalid(
            "domains",
            "Nobody is said to qualify.",
            "Name an e-mail domain here, or a group below, or both.",
        )
    _what_it_gives(session, rule, wish, organization)
    rule.days = _days(wish.days)
    rule.person_field = _person_field(wish)
    rule.with_approval, rule.comments = wish.with_approval, wish.comments


def jira_doors(session: Session, organization_id: str) -> list[Tenant]:
    """The Jira sites of the organization in which the app is installed: there are tickets."""
    return [door for door in doors_of(session, organization_id) if door.product == Product.JIRA]


def _name(value: str) -> str:
    name = " ".join(value.replace("\0", "").split())
    if not name:
        raise Invalid("name", "The rule needs a name.", "Say what it is for, such as “Design tools”.")
    if len(name) > LONGEST_NAME:
        raise Invalid("name", f"At most {LONGEST_NAME} characters fit here.", "Shorten the name.")
    return name


def _door(session: Session, organization_id: str, wanted: str) -> str:
    doors = {door.client_key for door in jira_doors(session, organization_id)}
    if not doors:
        raise Invalid(
            "client_key",
            "Rollcall is in none of your Jira sites, and tickets are in Jira.",
            "Install it in Jira, and save the Admin API key there.",
        )
    # Ids of others are never looked up, only compared (S20).
    if wanted not in doors:
        raise Invalid("client_key", "This is not one of your Jira sites.", "Choose one of the list.")
    return wanted


def _project(value: str) -> str:
    project = value.strip().upper()
    if not _PROJECT.fullmatch(project):
        raise Invalid(
            "project",
            "This is not the key of a project." if project else "The project is missing.",
            "It stands before the number of each ticket: HELP for HELP-12.",
        )
    return project


def _list(value: str) -> list[str]:
    parts = (" ".join(part.split()) for part in re.split(r"[,;\n]", value.replace("\0", "")))
    return list(dict.fromkeys(part for part in parts if part))


def _request_types(value: str) -> list[str]:
    found = _list(value)
    if len(found) > MOST_TYPES or any(len(each) > LONGEST_NAME for each in found):
        raise Invalid(
            "request_types",
            f"At most {MOST_TYPES} request types of {LONGEST_NAME} characters fit here.",
            "Leave it empty to take every request type.",
        )
    return found


def _domains(value: str) -> list[str]:
    found = [each.lower().lstrip("@").rstrip(".") for each in re.split(r"[\s,;]+", value.strip()) if each]
    for domain in found:
        if not _DOMAIN.fullmatch(domain):
            raise Invalid(
                "domains", f"“{domain[:60]}” is not a domain.", "Write what stands behind the @: example.com."
            )
    if len(found) > MOST_CHOICES:
        raise Invalid("domains", f"At most {MOST_CHOICES} domains fit here.", "Use a group instead.")
    return list(dict.fromkeys(found))


def _known_groups(field: str, chosen: Sequence[str], organization: OrganizationFacts) -> list[str]:
    found = list(dict.fromkeys(chosen))
    if len(found) > MOST_CHOICES:
        raise Invalid(field, f"At most {MOST_CHOICES} groups fit here.", "Choose fewer.")
    if any(group_id not in organization.groups for group_id in found):
        raise Invalid(field, "One of these groups does not exist any more.", "Take it off the list.")
    return found


def _what_it_gives(
    session: Session, rule: TicketRule, wish: TicketWish, organization: OrganizationFacts
) -> None:
    rule.profile_id, rule.gives = None, []
    if wish.gives_kind == "profile":
        rule.profile_id = _profile(session, rule.organization_id, wish.profile_id, organization).id
        return
    rule.gives = _known_groups("gives", wish.gives, organization)
    if not rule.gives:
        raise Invalid("gives", "A rule that gives nothing is of no use.", "Tick at least one group.")
    _require_possible("gives", Access(groups=tuple(rule.gives)), organization)


def _profile(
    session: Session, organization_id: str, profile_id: str, organization: OrganizationFacts
) -> Profile:
    profile = find_profile(session, organization_id, profile_id) if profile_id else None
    if profile is None:
        raise Invalid(
            "profile_id", "Choose a profile.", "There is none yet? Make one under Profiles, or give groups."
        )
    _require_possible("profile_id", profile.access, organization)
    return profile


def _require_possible(field: str, access: Access, organization: OrganizationFacts) -> None:
    """What cannot be given is said at once, not with the first ticket."""
    for trouble in troubles_of(access, organization):
        raise Invalid(field, trouble.sentence, trouble.next_step)


def _days(value: str) -> int | None:
    value = value.strip()
    if not value:
        return None
    days = whole_number(value, LONGEST_DAYS)
    if not days:
        raise Invalid(
            "days", "This is not a number of days.", f"From 1 to {LONGEST_DAYS}, or nothing: no end."
        )
    return days


def _person_field(wish: TicketWish) -> str:
    if wish.person != "field":
        return ""
    field = " ".join(wish.person_field.replace("\0", "").split())
    if not field or len(field) > LONGEST_NAME:
        raise Invalid(
            "person_field", "Which field is it?", "Type its name as the request form shows it, or its id."
        )
    if not wish.with_approval:
        # Whoever may raise a ticket could write anybody's address into it.
        raise Invalid(
            "with_approval",
            "Access for somebody else is given only after an operator has agreed.",
            "Choose “after an operator has agreed”, or give it to the reporter.",
        )
    return field
