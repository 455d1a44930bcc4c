"""Access with an end whose day is over, and that nobody could take back: it stays until an operator looks at it."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models.run import Run
from models.timed_access import TimedAccess, TimedState
from rules.topics import Topic
from services.matter import Matter

PLACE = "/app/onboarding/ending?show=trouble"
# Asked on every page: not built anew each time.
_STAYS = (
    select(func.count(), func.count(TimedAccess.account_id.distinct()), func.max(Run.created_at))
    .select_from(TimedAccess)
    .outerjoin(Run, (Run.organization_id == TimedAccess.organization_id) & (Run.id == TimedAccess.end_run_id))
    .where(
        TimedAccess.organization_id == bindparam("organization_id"),
        TimedAccess.state == TimedState.NOT_ENDED.value,
    )
)


def about_timed_access(session: Session, organization_id: str) -> list[Matter]:
    """One for all of them, with the place where each can be ended, prolonged or kept."""
    count, people, newest = session.execute(_STAYS, {"organization_id": organization_id}).one()
    if not count:
        return []
    who = "1 person still has" if people == 1 else f"{people:,} people still have"
    sentence = f"{who} access whose last day is over: it could not be ended."
    # Whoever joins them makes it a new matter, and so does another end that was in vain.
    key = f"stays-{count}-{newest}"
    return [Matter(Topic.ACCESS_STAYS, key, "warning", sentence, "Look at it", PLACE, people=people)]
