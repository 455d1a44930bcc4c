"""Absences that are over and whose people could not be restored: they would come back, and cannot log in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models.absence import NOT_RESTORED
from models.audit import APP
from models.people import Person
from models.run import Case, Run
from rules.deeds import Deed
from rules.plan import LATEST_RETURN
from rules.roster import Origin
from rules.topics import Topic
from services.matter import Matter

# Asked on every page: not built anew each time.
# By itself Rollcall restores at the end of an absence, and at an identity provider's word.
_COMING_BACK = select(Run.id).where(
    Run.organization_id == bindparam("organization_id"),
    Run.created_at > bindparam("since"),
    Run.requested_by == APP,
    Run.origin == Origin.BY_HAND.value,
    Run.deed == Deed.RESTORE.value,
    Run.undoes.is_(None),
)
_STILL_SUSPENDED = (
    select(Run.id, func.count())
    .join(Case, (Case.organization_id == Run.organization_id) & (Case.run_id == Run.id))
    .join(Person, (Person.organization_id == Case.organization_id) & (Person.account_id == Case.account_id))
    .where(
        Case.organization_id == bindparam("organization_id"),
        Case.run_id.in_(bindparam("run_ids", expanding=True)),
        Case.state.in_([state.value for state in NOT_RESTORED]),
        Person.status == "suspended",
        Person.left_at.is_(None),
        # Who was restored by others, and suspended once more, is a matter of that.
        Person.status_since.is_(None) | (Person.status_since <= Run.created_at),
    )
    .group_by(Run.id, Run.created_at)
    .order_by(Run.created_at.desc())
)


def about_absences(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    """One for everybody; it leads to the run of those whose absence was over last."""
    asked = {"organization_id": organization_id, "since": now - LATEST_RETURN}
    # Without the runs' ids, a database would rather read all cases there ever were.
    run_ids = session.scalars(_COMING_BACK, asked).all()
    if not run_ids:
        return []
    found = session.execute(_STILL_SUSPENDED, {"organization_id": organization_id, "run_ids": run_ids}).all()
    if not found:
        return []
    people = sum(count for _run_id, count in found)
    who = "1 person is" if people == 1 else f"{people:,} people are"
    whose = "their absence is over, and Rollcall could not restore them."
    # Whoever joins them makes it a new matter.
    key = f"not-restored-{found[0][0]}-{people}"
    return [
        Matter(
            Topic.NOT_RESTORED,
            key,
            "warning",
            f"{who} still suspended: {whose}",
            "Look at the run",
            f"/app/runs/{found[0][0]}",
            people=people,
        )
    ]
