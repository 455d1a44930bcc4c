"""The rest of a rule's scope: with the cases it is everybody whom the rule is about, each once and with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connect.caller import Caller
from connect.errors import NotFound
from models.people import Membership, Person, Seat
from services import rule_runs, rules, run_progress
from services.left_alone import LeftAlone, left_alone
from tests.world import ACME, World

pytestmark = pytest.mark.slow


def pages(world: World, caller: Caller, run_id: str, text: str = "", per_page: int = 7) -> list[LeftAlone]:
    """All pages, one after the other; each is full but the last one."""
    found: list[LeftAlone] = []
    page = 1
    while True:
        rows, total = left_alone(world.tools, caller, run_id, text=text, page=page, per_page=per_page)
        found += rows
        if page * per_page >= total:
            assert len(found) == total
            return found
        assert len(rows) == per_page
        page += 1


def preview_of(world: World, ana: Caller, *steps: dict[str, Any], **data: Any) -> str:
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(*steps, **data))
    return rule_runs.preview_rule(world.tools, ana, rule_id)


def test_everybody_is_a_case_or_in_the_rest_once(world: World) -> None:
    ana = world.synced()
    world.synced("globex")
    groups = world.groups()
    here = [one for one in world.rows(Person) if one.organization_id == ACME and one.left_at is None]
    members = {
        one.account_id
        for one in world.rows(Membership)
        if (one.organization_id, one.group_id) == (ACME, groups["jira-users"]["id"])
    }
    seats = {one.account_id for one in world.rows(Seat) if one.product_key == "confluence"}
    scopes: list[tuple[dict[str, Any], Callable[[Person], bool]]] = [
        ({}, lambda _one: True),
        ({"account": "external"}, lambda one: one.claim_status == "unmanaged"),
        ({"source": "synced"}, lambda one: one.management_source == "synced"),
        ({"groups": [groups["jira-users"]["id"]]}, lambda one: one.account_id in members),
        ({"not_groups": [groups["jira-users"]["id"]]}, lambda one: one.account_id not in members),
        ({"products": ["confluence"]}, lambda one: one.account_id in seats),
        ({"people": [here[0].account_id, here[9].account_id]}, lambda one: one in (here[0], here[9])),
    ]
    with_cases = with_rest = 0
    for number, (who, is_about) in enumerate(scopes):
        step = {"when": {"not_seen": 60}, "then": {"deed": "list"}}
        preview = preview_of(world, ana, step, name=f"Rule {number}", who=who)
        cases, rest = [*world.cases(preview)], [one.account_id for one in pages(world, ana, preview)]
        expected = {one.account_id for one in here if is_about(one)}
        assert Counter([*cases, *rest]) == Counter(expected), who
        assert run_progress.show_run(world.tools, ana, preview).scope == len(expected)
        with_cases, with_rest = with_cases + len(cases), with_rest + len(rest)
    assert min(with_cases, with_rest) > 30


def test_the_reasons_say_why(world: World) -> None:
    ana = world.synced()
    preview = preview_of(world, ana, {"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0})
    people = {one.account_id: one for one in world.rows(Person) if one.organization_id == ACME}
    begins = {"seen": "Was here ", "never": "Never came; added ", "unknown": "Nobody can say when"}
    found = pages(world, ana, preview)
    suspended = 0
    for one in found:
        person = people[one.account_id]
        assert one.name == person.name
        if person.status == "suspended" and one.reason == "Is suspended already.":
            suspended += 1
            continue
        begin = begins[person.activity] if person.seat_count else "Has no seat in any product."
        assert one.reason.startswith(begin), person.activity
        if person.activity == "seen":
            days = (world.clock() - person.seen_at).days
            assert days < 60
            ago = {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
            assert f" {ago}, in " in one.reason
    assert 0 < suspended < len(found) / 2
    assert {people[one.account_id].activity for one in found} == {"seen", "never", "unknown"}
    assert [one.name for one in found] == sorted(one.name for one in found)


def test_a_name_narrows_and_a_page_too_far_is_the_last_one(world: World) -> None:
    ana = world.synced()
    preview = preview_of(world, ana)
    everybody = pages(world, ana, preview)
    letters = everybody[0].name[:3].upper()
    found = pages(world, ana, preview, letters, per_page=2)
    assert found == [one for one in everybody if letters in one.name.upper()] != []
    assert pages(world, ana, preview, "%") == []
    assert left_alone(world.tools, ana, preview, text="zzz", page=9, per_page=7) == ([], 0)
    rows, total = left_alone(world.tools, ana, preview, text="", page=99, per_page=7)
    assert total == len(everybody)
    assert rows == everybody[-((total - 1) % 7 + 1) :]


def test_the_reason_is_as_of_now(world: World) -> None:
    ana = world.store_key()
    idle, fresh = world.people(2, idle=50)
    world.change(fresh, last_active={"jira-software": world.clock().isoformat()})
    world.sync(ana)
    preview = preview_of(world, ana, who={"people": [idle, fresh]})
    before = {one.account_id: one.reason for one in pages(world, ana, preview)}
    assert before == {idle: "Was here 50 days ago, in Jira.", fresh: "Was here today, in Jira."}
    world.clock.offset += timedelta(days=45)
    after = {one.account_id: one.reason for one in pages(world, ana, preview)}
    assert after[idle] == "Has become idle since this preview."
    assert after[fresh] == "Was here 45 days ago, in Jira."


def test_s19_another_organizations_rest_is_not_there(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    mine, theirs = preview_of(world, ana), preview_of(world, gina)
    for caller, run_id in [(gina, mine), (ana, theirs), (ana, "nothing")]:
        with pytest.raises(NotFound):
            left_alone(world.tools, caller, run_id, text="", page=1, per_page=7)
    acme = {one.account_id for one in pages(world, ana, mine)}
    globex = {one.account_id for one in pages(world, gina, theirs)}
    assert acme
    assert globex
    everybody = {(one.organization_id, one.account_id) for one in world.rows(Person)}
    assert {(ACME, account_id) for account_id in acme} <= everybody
    assert not {(ACME, account_id) for account_id in globex - acme} & everybody


def test_a_run_without_a_rule_has_no_rest(world: World) -> None:
    ana = world.synced()
    run_id = world.begin_run(ana, world.changeable(1))
    assert left_alone(world.tools, ana, run_id, text="", page=1, per_page=7) == ([], 0)
