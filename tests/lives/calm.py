"""A quiet week: everything works again and is worked off. Then nobody is left in the middle of anything."""

from __future__ import annotations

from sqlalchemy import select, update

from models.rule import StoredRule
from models.run import Case, Run
from rules.case import UNFINISHED, RunState
from tests.lives.calm_watched import check_calm
from tests.lives.doors import everything_works
from tests.lives.stage import Stage
from tests.lives.worker import pass_time, sync, work
from tests.world import ACME


def calm_down(life: Stage) -> None:
    everything_works(life)
    life.cast.show_all()
    _forget_schedules(life)
    for _ in range(40):
        pass_time(life, minutes=11)
        work(life)
        if not _goes_on(life):
            break
        pass_time(life, days=1)
    sync(life)
    for _ in range(3):
        pass_time(life, minutes=11)
        work(life)
    sync(life)
    work(life)
    check_calm(life)


def _forget_schedules(life: Stage) -> None:
    """What is under way goes on, and nothing new begins."""
    with life.tools.begin() as session:
        session.execute(update(StoredRule).where(StoredRule.organization_id == ACME).values(next_run_at=None))


def _goes_on(life: Stage) -> bool:
    """Whether anybody is left whom the worker looks at by itself."""
    going = (RunState.RUNNING.value, RunState.STOPPED.value)
    query = (
        select(Case.id)
        .join(Run, (Run.id == Case.run_id) & (Run.organization_id == Case.organization_id))
        .where(Case.state.in_([state.value for state in UNFINISHED]), Run.state.in_(going))
    )
    return bool(life.rows(query.limit(1)))
