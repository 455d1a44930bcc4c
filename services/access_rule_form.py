"""What somebody fills in about an access rule, checked field by field against the organization as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.access_rule import StoredAccessRule, access_rules_of
from models.profile import find_profile
from rules.access_path import USER_ROLE
from rules.access_rule import circle, may_give
from rules.numbers import whole_number
from rules.organization import OrganizationFacts
from rules.plain_data import BadRule, Problem
from rules.profile import troubles_of
from rules.roster import Access
from services.ground import organization_facts

LONGEST_NAME = 100
MOST_SOURCES = 50
MOST_GROUPS = 50
LARGEST_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class Typed:
    """As it was typed. `products` are resource ids; `number` and `share` may be empty: no limit."""

    name: str = ""
    sources: Sequence[str] = ()
    products: Sequence[str] = ()
    groups: Sequence[str] = ()
    profile: str = ""
    keep: bool = False
    number: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The columns of the rule that was typed."""

    columns: Mapping[str, Any]


def checked(session: Session, organization_id: str, typed: Typed, rule_id: str | None) -> Checked:
    """Raises BadRule with every problem at its field."""
    problems: list[Problem] = []
    facts = organization_facts(session, organization_id)
    others = [each for each in access_rules_of(session, organization_id) if each.id != rule_id]
    name = _name(typed.name, others, problems)
    sources = _sources(typed.sources, facts, problems)
    access = _access(session, organization_id, typed, problems)
    _what_it_gives(access, sources, facts, others, problems, by_profile=bool(typed.profile))
    number = _limit("number", typed.number, LARGEST_NUMBER, problems)
    share = _limit("share", typed.share, 100, problems)
    if problems:
        raise BadRule(tuple(problems))
    return Checked(
        {
            "name": name,
            "name_key": name.casefold(),
            "sources": sources,
            "roles": [list(role) for role in access.roles],
            "groups": list(access.groups),
            "profile_id": typed.profile or None,
            "keep_when_over": typed.keep,
            "brake_number": number,
            "brake_share": share,
        }
    )


def _name(word: str, others: Sequence[StoredAccessRule], problems: list[Problem]) -> str:
    name = " ".join(word.replace("\0", "").split())
    if not name:
        problems.append(Problem("name", "A rule needs a name, such as Designers into Figma."))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", f"At most {LONGEST_NAME} characters fit here. Shorten the name."))
    elif any(each.name_key == name.casefold() for each in others):
        problems.append(Problem("name", "Another access rule has this name. Choose a different one."))
    return name


def _sources(chosen: Sequence[str], facts: OrganizationFacts, problems: list[Problem]) -> list[str]:
    found = list(dict.fromkeys(chosen))
    if not found:
        problems.append(Problem("sources", "Choose the group that the rule follows."))
    elif len(found) > MOST_SOURCES:
        problems.append(Problem("sources", f"At most {MOST_SOURCES} groups. Make a second rule."))
    elif any(each not in facts.groups or facts.groups[each].gone for each in found):
        problems.append(Problem("sources", "A group of these does not exist any more. Choose another one."))
    return found


def _access(session: Session, organization_id: str, typed: Typed, problems: list[Problem]) -> Access:
    if not typed.profile:
        return Access(
            tuple((resource_id, USER_ROLE) for resource_id in dict.fromkeys(typed.products)),
            tuple(dict.fromkeys(typed.groups)),
        )
    profile = find_profile(session, organization_id, typed.profile)
    if profile is None:
        problems.append(
            Problem("profile", "This profile does not exist any more. Choose another one, or none.")
        )
        return Access()
    if typed.products or typed.groups:
        problems.append(
            Problem("profile", "A rule gives a profile, or what you tick here. Untick the one or the other.")
        )
    if profile.term:
        problems.append(
            Problem(
                "profile",
                f"“{profile.name}” ends by itself ({profile.term.words}), but an access rule gives as long as it"
                " holds. Choose a profile without an end.",
            )
        )
    if not may_give(profile.access):
        problems.append(
            Problem(
                "profile", "An access rule makes nobody an administrator or a guest. Choose another profile."
            )
        )
    return profile.access


def _what_it_gives(
    access: Access,
    sources: Sequence[str],
    facts: OrganizationFacts,
    others: Sequence[StoredAccessRule],
    problems: list[Problem],
    *,
    by_profile: bool,
) -> None:
    if any(problem.field == "profile" for problem in problems):
        return
    if not access:
        problems.append(Problem("gives", "Choose a product or a group that they get, or a profile."))
        return
    if len(access.groups) > MOST_GROUPS:
        problems.append(Problem("groups", f"At most {MOST_GROUPS} groups. Make a second rule."))
    for trouble in troubles_of(access, facts):
        field = "profile" if by_profile else {"roles": "products"}.get(trouble.field, trouble.field)
        problems.append(Problem(field, f"{trouble.sentence} Choose another one."))
    same = [group for group in access.groups if group in sources]
    if same:
        words = f"{facts.group_name(same[0])} is what the rule follows: it cannot be what it gives as well."
        problems.append(Problem("groups", words))
        return
    around = circle(_edges(others), sources, access.groups)
    if around is not None:
        rules = ", ".join(f"“{each.name}”" for each in others if around in each.sources) or "Another rule"
        problems.append(
            Problem(
                "groups",
                f"{rules} leads from {facts.group_name(around)} back to a group that this rule follows: "
                "whoever is in would never get out. Choose another group.",
            )
        )


def _edges(rules: Sequence[StoredAccessRule]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rule in rules:
        for source in rule.sources:
            found.setdefault(source, set()).update(rule.groups)
    return found


def _limit(field: str, word: str, largest: int, problems: list[Problem]) -> int | None:
    word = word.strip()
    if not word:
        return None
    number = whole_number(word, largest)
    if number is None:
        problems.append(
            Problem(field, f"Write a whole number from 0 to {largest:,}, or leave it empty: no limit.")
        )
    return number
