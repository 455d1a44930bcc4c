"""Groups to choose from: the largest at once, the others by a part of their name. A directory may have thousands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.people import Group, Membership
from services.doors import require_organization
from services.summary import summary
from services.toolbox import Toolbox

MOST_FOUND = 50

Choice = tuple[str, str]
"""Group id, and its name with the number of its people."""


@dataclass(frozen=True, slots=True)
class GroupChoices:
    """By name. `more`: there are others, to be searched for."""

    groups: list[Choice]
    more: bool


def group_choices(tools: Toolbox, caller: Caller, chosen: Iterable[str] = ()) -> GroupChoices:
    """The largest groups, and those that are chosen already, also when they are gone by now."""
    organization_id = require_organization(tools, caller)
    # Counted once per sync: counting the members of hundreds of groups would be felt on each page.
    found = {
        group_id: _words(name, people)
        for group_id, name, people in summary(tools, organization_id).facets.groups
    }
    with tools.begin() as session:
        missing = [group_id for group_id in chosen if group_id and group_id not in found]
        if missing:
            found |= dict(_named(session, organization_id, Group.group_id.in_(missing)))
            found |= _gone(session, organization_id, missing)
        others = select(Group.group_id).where(
            Group.organization_id == organization_id,
            Group.gone.is_(False),
            Group.group_id.not_in(list(found)),
        )
        more = session.scalar(others.limit(1)) is not None
    return GroupChoices(sorted(found.items(), key=lambda choice: choice[1].casefold()), more)


def find_groups(tools: Toolbox, caller: Caller, text: str, but: Iterable[str] = ()) -> list[Choice]:
    """Groups with this in their name, the first MOST_FOUND, without those that are chosen already."""
    organization_id = require_organization(tools, caller)
    like = Group.name.icontains(text, autoescape=True) & Group.group_id.not_in(list(but))
    with tools.begin() as session:
        return _named(session, organization_id, like, MOST_FOUND)


def _named(
    session: Session, organization_id: str, condition: ColumnElement[bool], most: int | None = None
) -> list[Choice]:
    people = (
        select(func.count())
        .where(Membership.organization_id == organization_id, Membership.group_id == Group.group_id)
        .scalar_subquery()
    )
    query = select(Group.group_id, Group.name, people).where(
        Group.organization_id == organization_id, Group.gone.is_(False), condition
    )
    rows = session.execute(query.order_by(func.lower(Group.name), Group.group_id).limit(most))
    return [(group_id, _words(name, count)) for group_id, name, count in rows]


def _gone(session: Session, organization_id: str, group_ids: list[str]) -> dict[str, str]:
    query = select(Group.group_id, Group.name).where(
        Group.organization_id == organization_id, Group.gone.is_(True), Group.group_id.in_(group_ids)
    )
    return {group_id: f"{name} (gone)" for group_id, name in session.execute(query)}


def _words(name: str, people: int) -> str:
    return f"{name} ({people:,})"
