"""The review queue: who waits, and what an operator says about them, one by one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from connect.caller import Caller
from connect.errors import Conflict, Invalid
from models.protected import Protected
from models.run import Case, Run
from rules.case import CaseState
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin, unknown_account
from services import reviews, rule_runs, rules, run_progress, runs
from services.matters import matters as matters_of
from services.roster import begin_roster
from services.selection import MOST_AT_ONCE
from tests.services.workers import before_it_is_written
from tests.world import ACCOUNTS, ACME, World

pytestmark = pytest.mark.slow


def in_review(world: World, count: int, *steps: dict[str, Any]) -> tuple[Caller, str, dict[str, str]]:
    """(operator, run, account id → case id) of people who wait."""
    ana = world.store_key()
    people = world.people(count)
    world.sync(ana)
    data = world.rule_data(*steps, name="Idle people", mode="review", who={"people": people})
    rule_id = rules.save_rule(world.tools, ana, data)
    rules.switch_on(world.tools, ana, rule_id)
    run_id = world.run_rule(ana, rule_id)
    assert set(world.states(run_id).values()) == {"review"}
    return ana, run_id, {person: world.case(run_id, person).id for person in people}


def test_the_queue_page_by_page(world: World) -> None:
    ana, run_id, cases = in_review(world, 3)
    found, counts = reviews.queue(world.tools, ana)
    assert counts == {CaseState.REVIEW: 3}
    assert [one.case.name for one in found] == sorted(world.case(run_id, person).name for person in cases)
    assert {one.rule_name for one in found} == {"Idle people"}
    assert all(one.person is not None and one.run.id == run_id for one in found)
    assert [len(reviews.queue(world.tools, ana, offset=offset, limit=2)[0]) for offset in (0, 2, 4)] == [
        2,
        1,
        0,
    ]
    reviews.hold(world.tools, ana, [next(iter(cases.values()))])
    held, counts = reviews.queue(world.tools, ana, state=CaseState.HELD)
    assert (len(held), counts) == (1, {CaseState.REVIEW: 2, CaseState.HELD: 1})
    matters = {one.sentence for one in matters_of(world.tools, ACME)}
    assert "3 people wait for your decision." in matters


def test_approved_held_protected_and_noted(world: World) -> None:
    ana, run_id, cases = in_review(world, 4)
    priya = world.caller("priya")
    approved, held, protected, noted = cases
    assert reviews.approve(world.tools, priya, [cases[approved], cases[approved]]) == 1
    assert reviews.hold(world.tools, ana, [cases[held]]) == 1
    assert (
        reviews.spare_and_protect(
            world.tools, ana, [cases[protected]] * 2, reason=" Needed in May ", until=""
        )
        == 1
    )
    assert reviews.note(world.tools, ana, [cases[noted]], " ask their manager ") == 1
    world.act()
    assert world.states(run_id) == {
        approved: "acted", held: "held", protected: "spared", noted: "review",
    }  # fmt: skip
    assert world.case(run_id, approved).approved_by == ACCOUNTS["priya"]
    assert world.case(run_id, protected).reason == "Protected: Needed in May"
    assert world.case(run_id, noted).note == "ask their manager"
    (entry,) = world.rows(Protected)
    assert (entry.kind, entry.value, entry.reason) == ("person", protected, "Needed in May")
    events = ["case:approved", "case:held", "case:spared", "case:noted", "protected:added"]
    assert [
        (one.event, one.actor, one.subject) for one in world.audit(*events) if one.actor != "rollcall"
    ] == [
        ("case:approved", ACCOUNTS["priya"], approved),
        ("case:held", ACCOUNTS["ana"], held),
        ("protected:added", ACCOUNTS["ana"], protected),
        ("case:spared", ACCOUNTS["ana"], protected),
        ("case:noted", ACCOUNTS["ana"], noted),
    ]
    # Held once is held; who was held may still be approved.
    reviews.hold(world.tools, ana, [cases[held]])
    assert len(world.audit("case:held")) == 1
    reviews.approve(world.tools, ana, [cases[held], cases[noted]])
    world.act()
    assert run_progress.show_run(world.tools, ana, run_id).state == "finished"
    assert world.calls(protected) == 0


def test_who_has_no_account_yet_is_protected_once_they_are_here(world: World) -> None:
    """An entry for their stand-in would protect nobody."""
    ana = world.synced()
    uma = next(one for one in world.directory() if one["account_id"] == ACCOUNTS["uma"])
    access = Access(groups=(world.groups()["contractors"]["id"],))
    addresses = ("nora@elsewhere.example", uma["email"])
    with world.tools.begin() as session:
        run = begin_roster(
            session,
            world.tools,
            ACME,
            [Entry(Deed.INVITE, email=email, access=access) for email in addresses],
            Origin.CSV,
            "",
            by=str(ana.account_id),
            now=world.clock(),
            review=True,
        )
        session.flush()
        cases = {case.email: case for case in session.scalars(select(Case).where(Case.run_id == run.id))}
        # She had no account when her row was read.
        cases[uma["email"]].account_id = unknown_account(uma["email"])
        ids = {email: case.id for email, case in cases.items()}
    with pytest.raises(Conflict) as problem:
        reviews.spare_and_protect(world.tools, ana, list(ids.values()), reason="Board", until="")
    assert problem.value.sentence.startswith("nora@elsewhere.example cannot be protected yet")
    assert "Refuse it, and nobody is invited" in problem.value.next_step
    assert world.rows(Protected) == []
    assert reviews.spare_and_protect(world.tools, ana, [ids[uma["email"]]], reason="Board", until="") == 1
    [entry] = world.rows(Protected)
    assert (entry.kind, entry.value) == ("person", ACCOUNTS["uma"])


@pytest.mark.parametrize("first", ["approved", "stopped"])
def test_of_two_operators_who_decide_at_once_the_second_comes_too_late(
    sqlite_world: World, first: str
) -> None:
    world = sqlite_world
    ana, run_id, cases = in_review(world, 1)
    [(person, case_id)] = cases.items()

    def decide() -> None:
        if first == "approved":
            reviews.approve(world.tools, world.caller("priya"), [case_id])
            world.act()
        else:
            runs.stop(world.tools, world.caller("priya"), run_id)

    second = reviews.leave if first == "approved" else reviews.approve
    with before_it_is_written(world.tools, ("UPDATE", "INSERT"), decide), pytest.raises(Conflict):
        second(world.tools, ana, [case_id])
    assert world.states(run_id) == {person: "acted" if first == "approved" else "cancelled"}


def test_s49_whoever_came_back_while_they_waited_is_spared_though_approved(world: World) -> None:
    ana, run_id, cases = in_review(world, 1)
    (person,) = cases
    world.signal(person)
    reviews.approve(world.tools, ana, list(cases.values()))
    world.act()
    assert (world.states(run_id), world.calls(person)) == ({person: "spared"}, 0)


def test_an_approved_person_is_still_warned_first(world: World) -> None:
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 3, "warn": [3]}
    ana, run_id, cases = in_review(world, 1, step)
    (person,) = cases
    world.later(days=10)
    reviews.approve(world.tools, ana, list(cases.values()))
    world.act()
    assert (world.states(run_id), world.calls(person)) == ({person: "warned"}, 0)
    world.later(days=3)
    world.act()
    assert world.states(run_id) == {person: "acted"}


@pytest.mark.parametrize("deed", [reviews.approve, reviews.hold])
def test_what_cannot_be_decided(world: World, deed: Callable[..., int]) -> None:
    ana, run_id, cases = in_review(world, 1)
    for selection in ([], [f"case-{number}" for number in range(MOST_AT_ONCE + 1)]):
        with pytest.raises(Invalid) as invalid:
            deed(world.tools, ana, selection)
        assert invalid.value.field == "cases"
    with pytest.raises(Conflict):
        deed(world.tools, ana, ["no-such-case"])
    with pytest.raises(Invalid):
        reviews.note(world.tools, ana, list(cases.values()), "n" * 501)
    for reason, until, field in (("", "", "reason"), ("Why", "1999-01-01", "until"), ("Why", "May", "until")):
        with pytest.raises(Invalid) as invalid:
            reviews.spare_and_protect(world.tools, ana, list(cases.values()), reason=reason, until=until)
        assert invalid.value.field == field
    assert set(world.states(run_id).values()) == {"review"}
    assert world.rows(Protected) == []
    runs.stop(world.tools, ana, run_id)
    with pytest.raises(Conflict):
        deed(world.tools, ana, list(cases.values()))


def test_s19_nobody_decides_about_another_organization(world: World) -> None:
    _ana, _run_id, cases = in_review(world, 2)
    gina = world.synced("globex")
    before = world.dump()
    ids = list(cases.values())
    deeds: list[Callable[[], Any]] = [
        lambda: reviews.approve(world.tools, gina, ids),
        lambda: reviews.hold(world.tools, gina, ids),
        lambda: reviews.note(world.tools, gina, ids, "mine"),
        lambda: reviews.spare_and_protect(world.tools, gina, ids, reason="Mine", until=""),
    ]
    for deed in deeds:
        with pytest.raises(Conflict):
            deed()
    assert reviews.queue(world.tools, gina) == ([], {})
    assert world.dump() == before


def test_whoever_waits_is_not_chosen_again(world: World) -> None:
    ana, run_id, cases = in_review(world, 2)
    held, _other = cases
    reviews.hold(world.tools, ana, [cases[held]])
    again = rule_runs.run_now(world.tools, ana, world.stored(Run, ACME, run_id).rule_id)
    assert {case.why for case in world.cases(again).values()} == {"under_way"}
