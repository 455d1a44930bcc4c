"""Leavers who wait for an operator: what holds them up, or that nobody has decided yet."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from models.leaver import Leaver, LeaverOrigin
from models.leaver_list import HELD_UP, Standing
from rules.farewell import CHOOSING, WORKING
from rules.topics import Topic
from services.matter import Matter

# Asked on every page: not built anew each time.
_WAITING = (
    select(Leaver)
    .where(
        Leaver.organization_id == bindparam("organization_id"),
        or_(
            HELD_UP,
            and_(
                Leaver.state.in_([state.value for state in CHOOSING]),
                or_(Leaver.origin != LeaverOrigin.BY_HAND.value, Leaver.ends_at <= bindparam("now")),
            ),
        ),
    )
    .order_by(Leaver.id)
)


def about_leavers(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    """Those who are held up, those whose moment is over, then those that began by themselves; each with the place where

    it is solved.
    """
    waiting = session.scalars(_WAITING, {"organization_id": organization_id, "now": now}).all()
    held_up = [leaver for leaver in waiting if leaver.state in WORKING]
    undecided = [leaver for leaver in waiting if leaver.state in CHOOSING]
    late = [leaver for leaver in undecided if leaver.ends_at is not None and leaver.ends_at <= now]
    coming = [leaver for leaver in undecided if leaver not in late]
    return [
        *_matter(
            held_up,
            "leaver cannot",
            "leavers cannot",
            "go on: something has to be done by hand first",
            "warning",
        ),
        *_matter(
            late,
            "person",
            "people",
            "should have left by now: nobody has confirmed how",
            "warning",
            "late",
        ),
        *_matter(coming, "person is", "people are", "about to leave: say who takes over", "info"),
    ]


def _matter(
    found: list[Leaver], one: str, several: str, what: str, severity: str, kind: str = ""
) -> list[Matter]:
    if not found:
        return []
    who = f"1 {one}" if len(found) == 1 else f"{len(found):,} {several}"
    path = f"/app/leavers/{found[0].id}" if len(found) == 1 else f"/app/leavers?show={Standing.WAITING}"
    return [
        Matter(
            Topic.LEAVER_WAITS,
            f"leavers-{kind or severity}-{_which(found)}",
            severity,
            f"{who} {what}.",
            "Look at them",
            path,
            people=len(found),
        )
    ]


def _which(found: list[Leaver]) -> str:
    """Whoever joins them makes it a new matter, and so does another attempt that was in vain."""
    words = [f"{leaver.id}:{leaver.attempt if leaver.state in WORKING else ''}" for leaver in found]
    return sha256(" ".join(words).encode()).hexdigest()[:16]
