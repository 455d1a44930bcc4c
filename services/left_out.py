"""What Atlassian says nothing of when it tells of one person: left out of the answer, or not there any more?

It may leave out what is empty. But of whom it told something before, a page of a sync says that they have lost it: one
answer about one person is too little for that. They may be protected by a group of which it says nothing (S48).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import Unavailable
from models.people import Membership, Seat, find_person
from rules.person import PersonFacts


def left_out(
    session: Session, organization_id: str, facts: PersonFacts, has_left: Collection[str] = ()
) -> frozenset[str]:
    """Which of `facts.untold` they had, as far as known. `has_left`: groups that they may have left since."""
    person = find_person(session, organization_id, facts.account_id) if facts.untold else None
    if person is None:
        return frozenset()
    mine = (organization_id, facts.account_id)
    had: dict[str, bool] = {}
    # What is known of somebody in several directories is not about the one that was asked.
    if not person.in_several_directories:
        groups = select(Membership.group_id).where(
            Membership.organization_id == mine[0],
            Membership.account_id == mine[1],
            Membership.group_id.not_in(has_left),
        )
        seats = select(Seat.resource_id).where(Seat.organization_id == mine[0], Seat.account_id == mine[1])
        had["groups"] = session.scalar(groups.limit(1)) is not None
        had["productAccess"] = session.scalar(seats.limit(1)) is not None
    return frozenset(word for word in facts.untold if had.get(word))


def half_told() -> Unavailable:
    """Nobody can act on what was left out: it is asked again."""
    return Unavailable(
        "Atlassian left out of its answer which groups or products they have.",
        "Sync now, then try again.",
        reason="atlassian_left_out",
    )
