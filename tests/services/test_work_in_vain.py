"""Workflows that ended and left their row as it was: DBOS does each once, but the row is still due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
from dbos import DBOS, SetWorkflowID, WorkflowStatus
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from jobs import cases, clockwork, credential_checks, deliveries, endings, rules, syncs
from jobs.engine import _config
from jobs.workbench import lay_out
from models.credential import Credential
from models.delivery import Delivery
from models.organization import Organization
from models.sync import Sync
from services import sending, syncing
from services.leasing import LEASE
from services.toolbox import Toolbox
from tests.services.test_hook_sending import announce
from tests.services.test_hooks import add
from tests.services.test_timed_access import begin, timed
from tests.services.workers import fault, once, with_something_between
from tests.world import ACME, World


@pytest.fixture
def bench(sqlite_world: World, tmp_path: Path) -> Iterator[World]:
    """DBOS in this process; no clock runs, and no queue is looked at."""
    address = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    settings = replace(sqlite_world.tools.settings, jobs_database_url=address)
    DBOS(config=_config(replace(sqlite_world.tools, settings=settings)))
    DBOS.launch()
    yield sqlite_world
    DBOS.destroy()


def away(tools: Toolbox) -> Toolbox:
    """The database answers nothing."""
    return with_something_between(tools, lambda when, _what: fault() if when == "before" else None)


def be_cut_off() -> None:
    """As PostgreSQL does it that is told to shut down."""
    raise OperationalError("COMMIT", None, Exception("terminating connection due to administrator command"))


def due(world: World, workflow: str) -> Any:
    """What the clock would enqueue now of this kind: the one piece."""
    lay_out(world.tools)
    (piece,) = clockwork.look_around()[workflow]
    return piece


def test_a_sync_that_could_not_be_begun_is_begun_again(bench: World) -> None:
    bench.store_key()
    piece = due(bench, "sync_organization")

    def work(tools: Toolbox) -> None:
        lay_out(tools)
        with SetWorkflowID(syncs.workflow_id(*piece[1:])):
            syncs.sync_organization(*piece)

    with pytest.raises(ZeroDivisionError):
        work(away(bench.tools))
    assert due(bench, "sync_organization") == piece
    with pytest.raises(ZeroDivisionError):
        work(bench.tools)  # DBOS remembers it, and is not made to forget it every second.
    bench.later(seconds=clockwork.IN_VAIN.total_seconds() + 1)
    assert due(bench, "sync_organization") == piece
    work(bench.tools)
    (sync,) = bench.rows(Sync)
    assert sync.state == "complete"


def test_a_sync_that_was_cut_off_while_it_was_taken_up_is_read(bench: World) -> None:
    bench.store_key()
    piece = due(bench, "sync_organization")
    lay_out(with_something_between(bench.tools, once("after", "transaction", be_cut_off)))
    with SetWorkflowID(syncs.workflow_id(*piece[1:])):
        syncs.sync_organization(*piece)
    (sync,) = bench.rows(Sync)
    assert sync.state == "complete"


def test_a_sync_whose_workflow_is_lost_goes_on(bench: World) -> None:
    """Its row came from a backup, or DBOS's tables did."""
    bench.store_key()
    piece = due(bench, "sync_organization")
    assert syncing.take_up(bench.tools, *piece)
    assert due(bench, "sync_organization") == piece
    with SetWorkflowID(syncs.workflow_id(*piece[1:])):
        syncs.sync_organization(*piece)
    (sync,) = bench.rows(Sync)
    assert sync.state == "complete"


def test_a_sync_that_is_being_read_is_nobody_elses(bench: World) -> None:
    bench.store_key()
    piece = due(bench, "sync_organization")
    meanwhile: list[Any] = []
    taken_up = once("after", "transaction", lambda: meanwhile.append(syncs.due(bench.tools)))
    lay_out(with_something_between(bench.tools, taken_up))
    with SetWorkflowID(syncs.workflow_id(*piece[1:])):
        syncs.sync_organization(*piece)
    assert meanwhile == [[]]


def test_a_sync_that_met_a_fault_says_so_as_soon_as_that_can_be_written_down(bench: World) -> None:
    bench.store_key()
    piece = due(bench, "sync_organization")
    transactions = iter([lambda: None, fault, fault])

    def be_away(when: str, what: str) -> None:
        if (when, what) == ("before", "transaction"):
            next(transactions, lambda: None)()

    lay_out(with_something_between(bench.tools, be_away))
    with SetWorkflowID(syncs.workflow_id(*piece[1:])):
        syncs.sync_organization(*piece)
    (sync,) = bench.rows(Sync)
    assert (sync.state, sync.problem) == ("failed", syncing.OUR_FAULT)
    assert [entry.result for entry in bench.audit("sync:failed")] == [syncing.OUR_FAULT]


def test_a_rule_whose_run_could_be_neither_begun_nor_failed_runs_all_the_same(bench: World) -> None:
    ana = bench.synced()
    rule_id = bench.rule(ana, schedule={"every": "day"})
    bench.later(days=2)
    piece = due(bench, "run_rule")

    def work(tools: Toolbox) -> None:
        lay_out(tools)
        with SetWorkflowID(rules.workflow_id(*piece[1:])):
            rules.run_rule(*piece)

    with pytest.raises(ZeroDivisionError):
        work(away(bench.tools))
    bench.later(seconds=clockwork.IN_VAIN.total_seconds() + 1)
    assert due(bench, "run_rule") == piece
    work(bench.tools)
    assert len(bench.runs_of(rule_id)) == 1


def test_people_whose_attempt_could_not_be_written_down_are_acted_on_all_the_same(bench: World) -> None:
    ana = bench.synced()
    (person,) = bench.changeable(1)
    run_id = bench.begin_run(ana, [person])
    piece = due(bench, "act_on_cases")

    def work(tools: Toolbox) -> None:
        lay_out(tools)
        with SetWorkflowID(cases.workflow_id(*piece[1:])):
            cases.act_on_cases(*piece)

    work(away(bench.tools))
    assert bench.states(run_id) == {person: "planned"}
    bench.later(seconds=LEASE.total_seconds() + 1)
    assert due(bench, "act_on_cases") == piece
    work(bench.tools)
    assert bench.states(run_id) == {person: "acted"}
    assert bench.effects(person) == {"suspend": 1, "restore": 0}


def test_a_connection_that_was_cut_in_the_middle_ends_nobody(bench: World) -> None:
    ana = bench.synced()
    (person,) = bench.changeable(1)
    run_id = bench.begin_run(ana, [person])
    piece = due(bench, "act_on_cases")
    lay_out(with_something_between(bench.tools, once("after", "suspend", be_cut_off)))
    with SetWorkflowID(cases.workflow_id(*piece[1:])):
        cases.act_on_cases(*piece)
    assert bench.states(run_id) == {person: "acted"}
    assert bench.effects(person) == {"suspend": 1, "restore": 0}


def test_an_end_that_was_cut_off_comes_as_soon_as_the_database_is_back(bench: World) -> None:
    ana = bench.synced()
    [person] = bench.people(1)
    case_id = begin(bench, ana, person, 3)
    bench.later(days=4)
    # Two look for what is due.
    moments = iter([lambda: None, lambda: None, be_cut_off])

    def between(when: str, what: str) -> None:
        if (when, what) == ("before", "transaction"):
            next(moments, lambda: None)()

    lay_out(with_something_between(bench.tools, between))
    with suppress(OperationalError):
        endings.keep_time()
    assert timed(bench, case_id).state == "open"
    endings.keep_time()
    assert timed(bench, case_id).state == "ending"


def test_a_call_whose_turn_came_while_an_attempt_was_at_work_is_made_when_that_has_died(bench: World) -> None:
    add(bench, bench.store_key())
    announce(bench)
    organization_id, delivery_id, attempt = due(bench, "deliver")
    assert sending._begin(bench.tools, organization_id, delivery_id, attempt) is not None
    with bench.tools.begin() as session:
        # Another machine's clock is fast.
        session.get_one(Delivery, (organization_id, delivery_id)).resume_at = bench.clock()
    piece = due(bench, "deliver")

    def work() -> None:
        with SetWorkflowID(deliveries.workflow_id(*piece[1:])):
            deliveries.deliver(*piece)

    work()
    assert bench.hook_calls() == []
    bench.later(seconds=sending.AT_WORK.total_seconds() + 1)
    assert due(bench, "deliver") == piece
    work()
    (call,) = bench.hook_calls()
    assert call["headers"]["webhook-id"] == delivery_id


def test_what_meets_a_fault_in_a_round_keeps_nothing_else_from_being_done(
    bench: World, caplog: pytest.LogCaptureFixture
) -> None:
    bench.synced()
    bench.later(hours=25)
    with bench.tools.begin() as session:
        session.execute(update(Organization).values(digest="day", time_zone="Nowhere/At all"))
    lay_out(bench.tools)
    clockwork.rounds(bench.clock(), None)
    faults = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert set(faults) == {ZoneInfoNotFoundError}
    assert [check.status for check in checks()] == ["ENQUEUED"]


def test_a_credential_that_waits_for_its_check_waits_once_and_is_checked(bench: World) -> None:
    bench.synced()
    bench.later(hours=25)
    lay_out(bench.tools)
    for _ in range(2):
        clockwork.rounds(bench.clock(), None)
    (check,) = checks()
    (admin_key,) = bench.rows(Credential)
    assert (check.queue_partition_key, check.status) == (ACME, "ENQUEUED")
    credential_checks.check(admin_key.client_key, admin_key.kind)
    (admin_key,) = bench.rows(Credential)
    assert admin_key.checked_at >= bench.clock() - timedelta(minutes=1)


def checks() -> list[WorkflowStatus]:
    return DBOS.list_workflows(name="check_credential")
