"""What DBOS begins by the clock, kept in step with it: clocks are set, and machines sleep."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from dbos import DBOS

from jobs import clockwork
from models.db import is_away
from services.batches import batches

logger = logging.getLogger("rollcall.jobs")

SCHEDULES = {
    "tick": (clockwork.tick, "* * * * * *"),
    "rounds": (clockwork.rounds, "*/10 * * * *"),
    "take": (clockwork.take_over, "*/9 * * * * *"),
    "sweep": (clockwork.sweep, "7 * * * *"),
}
OUT_OF_STEP = timedelta(minutes=1)
"""A clock that is put right by less is no trouble: a few ticks come late, or close together."""


def count_from(now: datetime) -> None:
    """Every worker counts the moments of each schedule from now on, whatever it has come to."""
    DBOS.apply_schedules(
        [
            # DBOS counts anew what has changed.
            {"schedule_name": name, "workflow_fn": deed, "schedule": moments, "context": now.isoformat()}
            for name, (deed, moments) in SCHEDULES.items()
        ]
    )


def keep_in_step(now: datetime) -> None:
    """DBOS goes from each moment to the next one, and asks no more what time it is: behind a clock that was set back it
    waits until the old time has come, and of a night that a machine slept it makes up for every second.
    """
    try:
        last = _last_tick()
        if last is not None and abs(now - last) > OUT_OF_STEP:
            logger.warning("the last tick was for %s, and now it is %s: counting anew", last, now)
            _forget_what_is_to_come(now)
            count_from(now)
    except Exception as trouble:
        # Whatever it is, the heart beats on, and it is looked at again with the next beat.
        logger.warning("the schedules cannot be looked at", exc_info=None if is_away(trouble) else trouble)


def _last_tick() -> datetime | None:
    tick = DBOS.get_schedule("tick")
    fired = tick["last_fired_at"] if tick is not None else None
    return datetime.fromisoformat(fired) if fired else None


def _forget_what_is_to_come(now: datetime) -> None:
    """DBOS does each moment of a schedule once, also one that comes again."""
    for name in SCHEDULES:
        done = DBOS.list_workflows(
            schedule_name=name, status=["SUCCESS", "ERROR"], load_input=False, load_output=False
        )
        # Their ids end with the moment.
        to_come = f"sched-{name}-{now.isoformat(timespec='seconds')}"
        for some in batches(
            [each.workflow_id for each in done if each.workflow_id >= to_come], clockwork.SWEEP
        ):
            DBOS.delete_workflows(list(some))
