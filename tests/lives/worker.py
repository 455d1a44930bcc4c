"""Time, and the worker's part: one round over all that is due, workers that die, and what comes between two effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from rules.case import UNFINISHED
from services import (
    absences,
    access_rule_runs,
    acting,
    directory_reading,
    give_backs,
    leaver_last_days,
    leaver_work,
    orders,
    rereading,
    rule_runs,
    runs,
    scim_changes,
    syncing,
    timed_access,
)
from services.directory_reading import SyncStep
from services.footing import Footing
from services.leasing import LEASE
from services.toolbox import Toolbox
from tests.lives.stage import Acts, Stage
from tests.world import ACME, SETTLE

Part = Callable[[Stage, Toolbox], None]


def read(life: Stage, tools: Toolbox) -> None:
    """What a worker was reading when it died, DBOS lets the next one go on with."""
    life.reading = life.reading or syncing.due_syncs(tools)
    for organization_id, sync_id, attempt in life.reading:
        if syncing.take_up(tools, organization_id, sync_id, attempt):
            while directory_reading.take_pages(tools, organization_id, sync_id) == SyncStep.MORE:
                pass
    life.reading = []
    due = rereading.lease_due(tools)
    if due:
        rereading.reread(tools, ACME, [(row_id, attempt) for _, row_id, attempt in due])


def begin_runs(_life: Stage, tools: Toolbox) -> None:
    absences.bring_back(tools)
    give_backs.give_back_within_caps(tools)
    for _, rule_id, due_at in rule_runs.due_rules(tools):
        rule_runs.start_due(tools, ACME, rule_id, due_at)


def look_what_is_due(_life: Stage, tools: Toolbox) -> None:
    """Ends of access, identity providers, access rules, last days."""
    for due in timed_access.due_ends(tools):
        timed_access.look(tools, *due)
    for connection in scim_changes.due_connections(tools):
        scim_changes.follow_up(tools, *connection)
    for rule in access_rule_runs.due_access_rules(tools):
        access_rule_runs.evaluate(tools, *rule)
    leaver_last_days.begin_by_last_day(tools)


def lead_leavers(_life: Stage, tools: Toolbox) -> None:
    for _ in range(100):
        due = leaver_work.due_leavers(tools)
        if not due:
            return
        for organization_id, leaver_id, attempt in due:
            if leaver_work.take_up(tools, organization_id, leaver_id, attempt):
                while leaver_work.advance(tools, organization_id, leaver_id):
                    pass
    raise AssertionError("the work does not end")


def act_on_people(life: Stage, tools: Toolbox) -> None:
    """Always in the same order: a life that is lived again is the same life."""
    for _ in range(100):
        order = {case.id: turn for turn, case in enumerate(life.cases(*UNFINISHED))}
        due = sorted(orders.lease_due_cases(tools), key=lambda one: order[one[1]])
        if not due:
            break
        with closing(Footing(tools, ACME)) as footing:
            for _, case_id, attempt in due:
                acting.act_on_case(footing, case_id, attempt)
    else:
        raise AssertionError("the work does not end")
    runs.finish_runs(tools)


PARTS: tuple[Part, ...] = (read, begin_runs, look_what_is_due, lead_leavers, act_on_people)


def work(life: Stage) -> None:
    with life.watch.step(calls=True):
        for part in PARTS:
            part(life, life.tools)


def pass_time(life: Stage, **time: float) -> None:
    life.world.later(**time)
    if timedelta(**time) >= SETTLE:
        life.cast.show_all()


def a_moment_passes(life: Stage) -> None:
    pass_time(life, **life.pick({"seconds": 1}, {"seconds": 4}, {"minutes": 3}, {"hours": 5}))
    work(life)


def days_pass(life: Stage) -> None:
    """The worker does what is left of today, the directory is read some other day, and work goes on."""
    work(life)
    pass_time(life, days=life.pick(1, 1, 2, 3, 5, 8, 15))
    sync(life)
    work(life)


def sync(life: Stage) -> None:
    with life.allowed():
        syncing.request_sync(life.tools, life.cast.callers["ana"])
    with life.watch.step():
        read(life, life.tools)


def another_worker(life: Stage) -> None:
    """Whoever held something for too long is taken for dead."""
    life.world.later(seconds=LEASE.total_seconds() + 1)
    work(life)


ACTS: Acts = {a_moment_passes: 12, days_pass: 16, sync: 3}
