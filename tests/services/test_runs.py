"""Runs: a preview with a verdict for everybody, confirmed once, stopped, tried again, taken back (S46, S48, S51)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert

from connect.caller import Caller
from connect.errors import AppError, Conflict, Invalid, NotFound, NotReady
from models.people import Person
from models.run import Run
from models.sync import Sync
from rules.deeds import Deed
from rules.filters import PeopleFilter
from services import previews, retrying, run_progress, runs, undoing
from tests.services.workers import with_something_between
from tests.world import ACCOUNTS, ACME, SETTLE, World

GUARDED, NOT_POSSIBLE, PLANNED = "guarded", "not_possible", "planned"


def settled(world: World) -> None:
    world.later(seconds=SETTLE.total_seconds() + 1)


def finished(world: World, account_ids: list[str]) -> str:
    """A run that suspended them all."""
    run_id = world.begin_run(world.caller("ana"), account_ids)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    settled(world)
    return run_id


def test_s48_a_preview_has_a_verdict_for_everybody(world: World) -> None:
    """Told from what the sandbox knows, not from our rows."""
    ana = world.synced()
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=None, filter=None)
    states = world.states(run_id)
    directory = world.directory()
    assert states.keys() == {one["account_id"] for one in directory}
    for one in directory:
        state = states[one["account_id"]]
        if (
            one["account_id"] == ACCOUNTS["ana"]
            or "atlassian/org-admin" in one["platform_roles"]
            or one["kind"] in {"bot", "service-account", "other-site-owner"}
        ):
            assert state == GUARDED
        elif one["account_status"] != "active" or one["membership"] != "active" or one["source"] == "synced":
            assert state == NOT_POSSIBLE
        else:
            assert state == PLANNED
    assert {GUARDED, NOT_POSSIBLE, PLANNED} == set(states.values())
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.total, view.state, view.can_confirm, view.can_stop) == (
        len(directory),
        "preview",
        True,
        False,
    )
    assert view.chosen == view.to_do == list(states.values()).count(PLANNED)
    assert view.requested_by_name == "Ana Marić"
    assert run_progress.list_runs(world.tools, ana) == ([], 0), "a preview is no run yet"
    assert world.requests("/suspend$") == []


def test_the_same_people_for_restoring(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    run_id = previews.preview(sqlite_world.tools, ana, Deed.RESTORE, account_ids=None, filter=None)
    chosen = {account_id for account_id, state in sqlite_world.states(run_id).items() if state == PLANNED}
    assert chosen == {
        one["account_id"]
        for one in sqlite_world.directory()
        if (one["membership"], one["account_status"]) == ("suspended", "active") and one["source"] != "synced"
    }
    assert GUARDED not in sqlite_world.states(run_id).values()


def test_a_selection_and_a_filter(world: World) -> None:
    ana = world.synced()
    people = world.changeable(3)

    def chosen(**selection: object) -> set[str]:
        run_id = previews.preview(
            world.tools, ana, Deed.SUSPEND, **{"account_ids": None, "filter": None} | selection
        )
        return set(world.states(run_id))

    assert chosen(account_ids=people) == set(people)
    assert chosen(account_ids=[people[0], people[0], "a-stranger", ACCOUNTS["gina"]]) == {people[0]}
    name = world.stored(Person, ACME, people[0]).name
    assert people[0] in chosen(filter=PeopleFilter(text=name))
    assert chosen(filter=PeopleFilter(text=name), account_ids=people) <= set(people)
    for nobody in ({"account_ids": []}, {"account_ids": ["a-stranger"]}, {"filter": PeopleFilter(text="¬")}):
        with pytest.raises(Invalid) as refused:
            chosen(**nobody)
        assert refused.value.field == "people"
    with pytest.raises(Invalid):
        chosen(account_ids=[ACCOUNTS["gina"]])


def test_s46_a_preview_needs_a_fresh_complete_sync(world: World) -> None:
    ana = world.store_key()
    people = world.changeable(1)

    def preview() -> str:
        return previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=people, filter=None)

    with pytest.raises(NotReady, match="no_complete_sync"):
        preview()
    world.sync(ana)
    (sync,) = world.rows(Sync)
    with world.tools.begin() as session:
        # However long it took: what was read first is as old as its beginning.
        session.get_one(Sync, sync.id).finished_at = sync.started_at + timedelta(hours=9)
    preview()
    world.clock.offset += sync.started_at + timedelta(hours=48) - world.clock() - timedelta(seconds=5)
    preview()
    world.later(seconds=10)
    with pytest.raises(NotReady, match="stale_sync") as refused:
        preview()
    assert "Overview" in refused.value.next_step


@pytest.mark.slow
def test_at_most_5_000_people(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    (pattern,) = [person for person in world.rows(Person) if person.account_id == world.changeable(1)[0]]
    columns = {
        column.key: getattr(pattern, column.key) for column in Person.metadata.tables["person"].columns
    }
    crowd = [columns | {"account_id": f"crowd-{number:05}"} for number in range(previews.MOST_PEOPLE)]
    with world.tools.begin() as session:
        session.execute(insert(Person), crowd)
    with pytest.raises(Invalid) as refused:
        previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=None, filter=None)
    assert "5,000" in refused.value.sentence
    assert refused.value.next_step
    ids = [person["account_id"] for person in crowd]
    with pytest.raises(Invalid):
        previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[*ids, pattern.account_id], filter=None)
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=ids, filter=None)
    assert run_progress.show_run(world.tools, ana, run_id).chosen == previews.MOST_PEOPLE


def test_confirmed_once(world: World) -> None:
    ana = world.synced()
    people = world.changeable(2)
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=people, filter=None)
    together, outcomes = threading.Barrier(4), []

    def ask() -> None:
        together.wait()
        try:
            runs.confirm(world.tools, ana, run_id)
            outcomes.append("confirmed")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["confirmed", "conflict", "conflict", "conflict"]
    assert len(world.audit("run:confirmed")) == 1
    world.act()
    with pytest.raises(Conflict):
        runs.confirm(world.tools, ana, run_id)
    assert all(world.calls(person) == 1 for person in people)


def test_a_preview_that_cannot_be_confirmed(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    nobody = previews.preview(
        sqlite_world.tools, ana, Deed.SUSPEND, account_ids=[ACCOUNTS["ana"], ACCOUNTS["priya"]], filter=None
    )
    with pytest.raises(Conflict, match="conflict"):
        runs.confirm(sqlite_world.tools, ana, nobody)
    assert not run_progress.show_run(sqlite_world.tools, ana, nobody).can_confirm
    old = previews.preview(
        sqlite_world.tools, ana, Deed.SUSPEND, account_ids=sqlite_world.changeable(1), filter=None
    )
    sqlite_world.later(hours=25)
    with pytest.raises(Conflict):
        runs.confirm(sqlite_world.tools, ana, old)
    previews.purge_previews(sqlite_world.tools)
    assert sqlite_world.rows(Run) == []


def test_a_preview_of_many_is_forgotten_a_few_at_a_time(sqlite_world: World) -> None:
    """On SQLite nobody else writes in the meantime."""
    ana = sqlite_world.synced()
    people = sqlite_world.changeable(5)
    run_id = previews.preview(sqlite_world.tools, ana, Deed.SUSPEND, account_ids=people, filter=None)
    sqlite_world.later(hours=25)
    left: list[int] = []

    def count(when: str, _what: str) -> None:
        if when == "after":
            left.append(len(sqlite_world.cases(run_id)))

    previews.purge_previews(with_something_between(sqlite_world.tools, count), most=2)
    assert left == [5, 3, 1, 0]
    assert sqlite_world.rows(Run) == []


def test_stop_cancels_whoever_waits(world: World) -> None:
    ana = world.synced()
    done, waiting = world.changeable(2)
    run_id = world.begin_run(ana, [done, waiting])
    world.fault(f"/users/{waiting}/suspend$", "503")
    world.act()
    later = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[waiting], filter=None)
    assert world.states(run_id) == {done: "acted", waiting: "acting"}
    other = world.begin_run(ana, world.changeable(4)[2:])
    runs.stop(world.tools, ana, other)
    assert set(world.states(other).values()) == {"cancelled"}
    view = run_progress.show_run(world.tools, ana, other)
    assert (view.state, view.can_stop, view.can_undo, view.to_do) == ("stopped", False, False, 0)
    settled(world)
    world.act()
    assert all(world.calls(person) == 0 for person in world.states(other))
    with pytest.raises(Conflict):
        runs.stop(world.tools, ana, other)
    with pytest.raises(Conflict):
        runs.stop(world.tools, ana, later)
    (entry,) = world.audit("run:stopped")
    assert (entry.actor, entry.run_id) == (ACCOUNTS["ana"], other)


def test_retry_failed(world: World) -> None:
    ana = world.synced()
    good, landed, lost = world.changeable(3)
    run_id = world.begin_run(ana, [good, landed, lost])
    with pytest.raises(Conflict):
        retrying.retry_failed(world.tools, ana, run_id)
    world.fault(f"/users/{landed}/suspend$", "reset", after=True)
    world.fault(f"/users/{landed}/suspend$", "reset", times=None)
    world.fault(f"/users/{lost}/suspend$", "503", times=None)
    # Nobody can be read any more either: what landed cannot be found out.
    world.act()
    world.fault("/users/search$", "503", times=None)
    world.given_up()
    assert world.states(run_id) == {good: "acted", landed: "failed", lost: "failed"}
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.state, view.can_retry, view.can_undo) == ("finished", True, True)
    world.clear_faults()
    retrying.retry_failed(world.tools, ana, run_id)
    assert run_progress.show_run(world.tools, ana, run_id).state == "running"
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    assert world.case(run_id, landed).reason == "Found done after an interruption."
    assert all(world.effects(person)["suspend"] == 1 for person in (good, landed, lost))
    with pytest.raises(Conflict):
        retrying.retry_failed(world.tools, ana, run_id)
    assert [entry.result for entry in world.audit("run:retried")] == ["2 people"]


def test_s51_undo_gives_back_what_was_taken_and_no_more(world: World) -> None:
    ana = world.synced()
    one, by_hand, gone = world.changeable(3)
    untouched = next(
        person["account_id"]
        for person in world.directory()
        if (person["membership"], person["account_status"]) == ("suspended", "active")
    )
    run_id = world.begin_run(ana, [one, by_hand, gone, untouched, ACCOUNTS["priya"]])
    world.act()
    settled(world)
    world.change(by_hand, membership_status="active")
    world.control("DELETE", f"/people/{gone}")
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.states(undo).keys() == {one, by_hand, gone}, "nobody whom the run did not change"
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert world.states(undo) == {one: "acted", by_hand: "spared", gone: "spared"}
    assert world.states(run_id) == {
        one: "undone",
        by_hand: "undo_skipped",
        gone: "undo_skipped",
        untouched: NOT_POSSIBLE,
        ACCOUNTS["priya"]: GUARDED,
    }
    assert world.case(run_id, by_hand).reason == "Has everything back already."
    assert "No longer" in world.case(run_id, gone).reason
    assert world.effects(one) == {"suspend": 1, "restore": 1}
    assert world.calls(by_hand, "restore") == world.calls(untouched, "restore") == 0
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.undone_by, view.undoes) == (undo, None)
    assert run_progress.show_run(world.tools, ana, undo).undoes == run_id
    assert not run_progress.show_run(world.tools, ana, undo).can_undo
    assert {entry.subject for entry in world.audit("case:undone")} == {one}
    assert {entry.subject for entry in world.audit("case:undo_skipped")} == {by_hand, gone}
    with pytest.raises(Conflict):
        undoing.preview_undo(world.tools, ana, undo)


def test_s51_undo_skips_whom_a_later_run_changed(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    first = finished(world, [person])
    world.change(person, membership_status="active")
    world.sync(ana)
    second = finished(world, [person])
    undo = undoing.preview_undo(world.tools, ana, first)
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert world.states(undo) == {person: "spared"}
    assert world.case(first, person).reason == "A later run changed this person."
    assert world.case(first, person).state == "undo_skipped"
    assert world.effects(person)["restore"] == 0
    # The later run itself can be taken back.
    undo = undoing.preview_undo(world.tools, ana, second)
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert world.states(second) == {person: "undone"}
    assert world.effects(person)["restore"] == 1


def test_s51_undone_twice_restores_once(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = finished(world, [person])
    undos = [undoing.preview_undo(world.tools, ana, run_id) for _ in range(2)]
    for undo in undos:
        runs.confirm(world.tools, ana, undo)
    world.act()
    settled(world)
    world.act()
    assert sorted(world.states(undo)[person] for undo in undos) == ["acted", "spared"]
    assert world.calls(person, "restore") == 1
    # And when somebody suspended them again, by hand, that is theirs.
    world.change(person, membership_status="suspended")
    with pytest.raises(Conflict):
        undoing.preview_undo(world.tools, ana, run_id)


def test_s51_an_undo_that_was_skipped_may_be_tried_again(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = finished(sqlite_world, [person])
    sqlite_world.change(person, management_source="synced")
    for expected in ("undo_skipped", "undone"):
        undo = undoing.preview_undo(sqlite_world.tools, ana, run_id)
        runs.confirm(sqlite_world.tools, ana, undo)
        sqlite_world.act()
        assert sqlite_world.states(run_id) == {person: expected}
        sqlite_world.change(person, management_source="invited")
        settled(sqlite_world)
    assert sqlite_world.effects(person) == {"suspend": 1, "restore": 1}


def test_an_undo_right_after_the_run(sqlite_world: World) -> None:
    """Without a sync in between, and while Atlassian may still be settling."""
    ana = sqlite_world.synced()
    people = sqlite_world.changeable(2)
    run_id = sqlite_world.begin_run(ana, people)
    with pytest.raises(Conflict):
        undoing.preview_undo(sqlite_world.tools, ana, run_id)
    sqlite_world.act()
    undo = undoing.preview_undo(sqlite_world.tools, ana, run_id)
    runs.confirm(sqlite_world.tools, ana, undo)
    sqlite_world.act()
    assert set(sqlite_world.states(run_id).values()) == {"undone"}
    assert {sqlite_world.stored(Person, ACME, person).status for person in people} == {"active"}


def test_figures(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    people = sqlite_world.changeable(4)
    run_id = sqlite_world.begin_run(ana, [*people, ACCOUNTS["ana"]])
    sqlite_world.later(seconds=10)
    sqlite_world.fault(f"/users/{people[3]}/suspend$", "503")
    sqlite_world.act()
    view = run_progress.show_run(sqlite_world.tools, ana, run_id)
    assert (view.total, view.chosen, view.done, view.to_do) == (5, 4, 3, 1)
    assert 0.2 < view.per_second < 0.31
    assert view.seconds_left in {3, 4, 5}
    rows = {row.account_id: row.seat_count for row in sqlite_world.rows(Person)}
    assert view.seats == sum(rows[person] for person in people)
    assert [one.id for one in run_progress.list_runs(sqlite_world.tools, ana)[0]] == [run_id]


def test_every_run_is_on_some_page(world: World) -> None:
    ana = world.synced()
    taken_back = finished(world, world.changeable(3))
    undo = undoing.preview_undo(world.tools, ana, taken_back, None)
    runs.confirm(world.tools, ana, undo)
    world.act()
    world.later(seconds=1)
    previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=world.changeable(1), filter=None)
    newest = world.begin_run(ana, world.changeable(2))
    ids = [newest, undo, taken_back]
    pages = [run_progress.list_runs(world.tools, ana, offset=at, limit=2) for at in (0, 2, 4)]
    assert [([run.id for run in page], total) for page, total in pages] == [
        (ids[:2], 3),
        (ids[2:], 3),
        ([], 3),
    ]
    # The list says of each run what its own page says.
    assert run_progress.list_runs(world.tools, ana)[0] == [
        run_progress.show_run(world.tools, ana, run_id) for run_id in ids
    ]
    listed = {run.id: run for run in pages[0][0] + pages[1][0]}
    assert (listed[taken_back].undone_by, listed[taken_back].by_deed) == (undo, {Deed.SUSPEND: 3})
    assert (listed[newest].undone_by, listed[newest].by_deed, listed[newest].chosen) == (None, {}, 2)


def test_s19_a_run_of_another_organization_does_not_exist(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    run_id = world.begin_run(ana, world.changeable(1))
    before = world.dump()
    for deed in (run_progress.show_run, runs.confirm, runs.stop, retrying.retry_failed, undoing.preview_undo):
        with pytest.raises(NotFound):
            deed(world.tools, gina, run_id)
    with pytest.raises(AppError, match="no_organization"):
        run_progress.show_run(world.tools, Caller("a-stranger", "ana", ana.via), run_id)
    assert run_progress.list_runs(world.tools, gina) == ([], 0)
    assert world.dump() == before
