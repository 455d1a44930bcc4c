"""Time, and the worker's part: one round over all that is due, workers that die, and what comes between two effects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta

from rules.case import UNFINISHED, CaseState
from services import (
    absences,
    access_rule_runs,
    acting,
    directory_reading,
    give_backs,
    leaver_last_days,
    orders,
    rereading,
    rule_runs,
    runs,
    scim_changes,
    syncing,
    ticket_calls,
    ticket_leases,
    timed_access,
)
from services.directory_reading import SyncStep
from services.footing import Footing
from services.leasing import LEASE
from services.orders import AT_WORK
from services.toolbox import Toolbox
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.services import leavers
from tests.world import ACME, SETTLE

Part = Callable[[Stage, Toolbox], None]
DEEDS = "/(suspend|restore|memberships|assign|revoke)|/lifecycle/"
"""The paths by which somebody is changed."""


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


def lead_leavers(life: Stage, tools: Toolbox) -> None:
    leavers.work(life.world, tools)


def act_on_people(life: Stage, tools: Toolbox) -> None:
    """Always in the same order: a life that is lived again is the same life."""
    for _ in range(100):
        cases = life.cases(*UNFINISHED)
        order = {case.id: turn for turn, case in enumerate(cases)}
        due = sorted(orders.lease_due_cases(tools), key=lambda one: order[one[1]])
        if not due:
            break
        with closing(Footing(tools, ACME)) as footing:
            for _, case_id, attempt in due:
                life.take_in_hand(cases[order[case_id]])
                acting.act_on_case(footing, case_id, attempt)
    else:
        raise AssertionError("the work does not end")
    runs.finish_runs(tools)


def look_at_tickets(_life: Stage, tools: Toolbox) -> None:
    for ticket in ticket_leases.lease_due(tools):
        ticket_calls.work(tools, *ticket)


def send_mails(life: Stage, tools: Toolbox) -> None:
    life.world.deliver(tools)


PARTS: tuple[Part, ...] = (
    read,
    begin_runs,
    look_what_is_due,
    look_at_tickets,
    lead_leavers,
    act_on_people,
    send_mails,
)


def work(life: Stage, *, but: Sequence[Part] = ()) -> None:
    """`but`: what nobody comes to now."""
    with life.watch.step(calls=True):
        for part in PARTS:
            if part not in but:
                part(life, life.tools)


def pass_time(life: Stage, **time: float) -> None:
    life.world.later(**time)
    if timedelta(**time) >= SETTLE:
        life.cast.show_all()


def a_moment_passes(life: Stage) -> None:
    pass_time(life, **life.pick({"seconds": 1}, {"seconds": 4}, {"minutes": 3}, {"hours": 5}))
    work(life)


def days_pass(life: Stage) -> None:
    """The worker does what is left of today, the directory is read some other day; for people and mails it is not

    their turn yet: in whatever comes then.
    """
    work(life)
    pass_time(life, days=life.pick(1, 1, 2, 3, 5, 8, 15))
    sync(life)
    work(life, but=(act_on_people, send_mails))


def sync(life: Stage) -> None:
    with life.allowed():
        syncing.request_sync(life.tools, life.cast.callers["ana"])
    with life.watch.step():
        read(life, life.tools)


def another_worker(life: Stage) -> None:
    """Whoever held something for too long is taken for dead. From the first call on nobody holds it so long."""
    calling = any(case.id in life.in_hand for case in life.cases(CaseState.ACTING))
    held = LEASE if calling else life.pick(LEASE, AT_WORK, AT_WORK)
    pass_time(life, seconds=held.total_seconds() + 1)
    work(life)


def nobody_knows_what_came_of_it(life: Stage) -> None:
    """The deed is done, and the answer lost."""
    if not life.is_work_due:
        raise NothingToDo
    life.world.fault(DEEDS, life.pick("reset", "503", "html"), after=True, skip=life.pick(0, 0, 1))
    work(life)


def a_storm(life: Stage) -> None:
    """Atlassian is busy, slow or away while people are acted on."""
    if not life.is_work_due:
        raise NothingToDo
    times, skip = life.pick(1, 3, 12), life.pick(0, 1, 2)
    life.world.fault(life.pick("/users/", DEEDS), life.pick("429", "503", "reset"), times=times, skip=skip)
    work(life)


ACTS: Acts = {a_moment_passes: 8, days_pass: 9, sync: 1}
ACTS_AT_WORK: Acts = {a_moment_passes: 3, days_pass: 2, sync: 1, nobody_knows_what_came_of_it: 8, a_storm: 6}
"""While somebody waits for the worker."""
