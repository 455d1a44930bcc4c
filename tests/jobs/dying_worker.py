"""The worker's part, played by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from services import orders, runs, sending
from services.toolbox import Toolbox
from tests.services.workers import Crash, Killed, act_on, deliver, with_something_between


class DyingWorker:
    """It dies in the middle of every case and delivery, again and again, further each time.

    Of four people next to each other each dies after other steps, so that none is left out.
    """

    def __init__(self, tools: Toolbox) -> None:
        self.offset = timedelta()
        self.deaths = 0
        self.moments: set[int] = set()
        self.tools = replace(tools, clock=self._now)
        self._clock = tools.clock

    def _now(self) -> datetime:
        return self._clock() + self.offset

    def work(self) -> None:
        """Until nothing is due: every attempt gets four moments further than the one before, and dies there."""
        self._die_over(lambda: orders.lease_due_cases(self.tools, limit=50), act_on)
        runs.finish_runs(self.tools)

    def send(self) -> None:
        """Until nothing is on its way any more."""
        self._die_over(lambda: sending.lease_due(self.tools, limit=50), deliver)

    def _die_over(
        self,
        lease: Callable[[], list[tuple[str, str, int]]],
        attempt_at: Callable[[Toolbox, str, str, int], None],
    ) -> None:
        reached: dict[str, int] = {}
        while due := lease():
            for organization_id, row_id, attempt in due:
                reached[row_id] = moment = reached.get(row_id, len(reached) % 4 - 3) + 4
                self.moments.add(moment)
                try:
                    dying = with_something_between(self.tools, Crash(moment))
                    attempt_at(dying, organization_id, row_id, attempt)
                except Killed:
                    self.deaths += 1
            self.offset += orders.AT_WORK + timedelta(seconds=1)
