"""The worker on a machine whose clock can be set: `python worker_with_a_clock.py FILE`, which holds how many seconds
it is wrong by. Only what time it is differs; how long something takes does not, as on a real machine."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import dbos._scheduler

from config import Settings
from jobs.engine import run
from wiring import set_up_logging, toolbox_without_pages

WRONG_BY = Path(sys.argv[1])


class Clock(datetime):
    """The time, as DBOS's schedules ask for it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls.fromtimestamp(datetime.now(UTC).timestamp() + float(WRONG_BY.read_text()), tz)


def clock() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(WRONG_BY.read_text()))


if __name__ == "__main__":
    dbos._scheduler.datetime = Clock  # type: ignore[attr-defined]
    settings = Settings.from_environment(os.environ)
    set_up_logging(settings)
    run(replace(toolbox_without_pages(settings), clock=clock))
