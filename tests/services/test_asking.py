"""Atlassian is asked beforehand whether the accounts of a preview may be changed; its reason becomes the verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connect.caller import Caller
from models.credential import CredentialKind
from models.organization import Organization
from models.people import Person
from models.run import Run
from services import asking, credentials, rule_runs, rules, run_progress
from tests.services.workers import Killed, die, with_something_between
from tests.world import ACME, GLOBEX, World

pytestmark = pytest.mark.slow

GOOGLE = asking.REFUSALS["externalDirectory.google"]
ASKED = r"/users/[^/]+/manage$"
DEACTIVATE = {"when": {"not_seen": 60}, "then": {"deed": "deactivate"}, "grace": 0}


def people(world: World, count: int = 3) -> tuple[list[str], list[str]]:
    """(whose accounts were once synced from Google, whose were not); all of them long idle."""
    synced = [one["account_id"] for one in world.directory() if one["kind"] == "google-synced"]
    assert synced
    return [world.arrange(account_id, groups=["jira-users"]) for account_id in synced], world.people(count)


def rule_about(world: World, ana: Caller, account_ids: list[str], step: dict[str, Any] = DEACTIVATE) -> str:
    return rules.save_rule(world.tools, ana, world.rule_data(step, who={"people": account_ids}))


def ask(world: World) -> int:
    """The worker's part; how many previews were taken up."""
    leased = asking.lease_previews(world.tools)
    for organization_id, run_id, _occasion in leased:
        while asking.ask_some(world.tools, organization_id, run_id):
            pass
    return len(leased)


def plan_of(world: World, run_id: str) -> dict[str, tuple[Any, ...]]:
    return {
        account_id: (case.state, case.deed, case.step, case.why, case.because, case.reason, case.groups)
        for account_id, case in world.cases(run_id).items()
    }


def test_google_synced_people_are_said_beforehand_and_the_run_agrees(world: World) -> None:
    ana = world.store_key()
    synced, others = people(world)
    world.sync(ana)
    rule_id = rule_about(world, ana, [*synced, *others])
    preview = world.approve_rule(ana, rule_id)
    view = run_progress.show_run(world.tools, ana, preview)
    assert (view.asking, view.chosen) == (True, len(synced + others))
    assert len(world.requests(ASKED)) == 0, "a preview does not wait for it"
    assert ask(world) == 1
    assert len(world.requests(ASKED)) == len(synced + others)
    expected = dict.fromkeys(synced, "not_possible") | dict.fromkeys(others, "planned")
    assert world.states(preview) == expected
    cases = [world.case(preview, account_id) for account_id in synced]
    assert {(case.reason, case.why) for case in cases} == {(GOOGLE, "atlassian")}
    view = run_progress.show_run(world.tools, ana, preview)
    assert (view.asking, view.chosen) == (False, len(others))
    # The next preview knows it at once, and the live run is what both said.
    again = rule_runs.preview_rule(world.tools, ana, rule_id)
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    assert plan_of(world, preview) == plan_of(world, again) == plan_of(world, run_id)
    world.act()
    assert world.states(run_id) == expected | dict.fromkeys(others, "acted")
    assert all(world.effects_by(account_id) == {} for account_id in synced)


def test_an_account_that_cannot_be_asked_about_keeps_nobody_else_from_being(world: World) -> None:
    ana = world.store_key()
    synced, others = people(world)
    unconfirmed = world.arrange(others[0], groups=["jira-users"], email_verified=0)
    gone = others[1]
    world.sync(ana)
    rule_id = rule_about(world, ana, [*synced, *others])
    preview = world.approve_rule(ana, rule_id)
    world.api("DELETE", f"/v2/orgs/{{org}}/directories/{{directory}}/users/{gone}")
    assert ask(world) == 1
    expected = dict.fromkeys([*synced, unconfirmed], "not_possible") | dict.fromkeys(others[1:], "planned")
    assert world.states(preview) == expected
    assert world.case(preview, unconfirmed).reason.startswith("The account has never confirmed its e-mail")


def test_an_account_that_nobody_may_manage_yet_is_said_to_be_that(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, email_verified=0)
    world.sync(ana)
    run_id = world.run_rule(ana, world.rule(ana, DEACTIVATE, who={"people": [person]}))
    assert world.states(run_id) == {person: "refused"}
    assert world.case(run_id, person).reason.startswith("The account has never confirmed its e-mail address")
    assert world.effects_by(person) == {}


def test_only_a_preview_that_chose_somebody_for_such_a_deed_asks(world: World) -> None:
    ana = world.store_key()
    synced, others = people(world, 1)
    world.sync(ana)
    suspend = {"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0}
    later = {"when": {"not_seen": 400}, "then": {"deed": "deactivate"}, "grace": 0}
    for number, steps in enumerate([[suspend], [later], [suspend, later]]):
        data = world.rule_data(*steps, name=f"Rule {number}", who={"people": [*synced, *others]})
        preview = rule_runs.preview_rule(world.tools, ana, rules.save_rule(world.tools, ana, data))
        assert run_progress.show_run(world.tools, ana, preview).asking is False
    run_id = world.run_rule(ana, world.rule(ana, suspend, who={"people": synced}))
    assert world.stored(Run, ACME, run_id).ask_at is None
    assert ask(world) == 0
    assert world.requests(ASKED) == []
    assert set(world.states(run_id).values()) == {"acted"}, "a suspension is not Google's affair"


def test_one_worker_at_a_time_until_its_lease_is_over(world: World) -> None:
    ana = world.store_key()
    synced, others = people(world)
    world.sync(ana)
    preview = world.approve_rule(ana, rule_about(world, ana, [*synced, *others]))
    ((organization_id, run_id, first),) = asking.lease_previews(world.tools)
    assert (organization_id, run_id) == (ACME, preview)
    assert asking.lease_previews(world.tools) == []
    with pytest.raises(Killed):
        asking.ask_some(with_something_between(world.tools, die("after", "privileges")), ACME, preview)
    world.clock.offset += asking.LEASE - timedelta(seconds=5)
    assert asking.lease_previews(world.tools) == []
    world.later(seconds=6)
    ((_, _, second),) = asking.lease_previews(world.tools)
    assert first != second, "another occasion is another workflow"
    assert asking.ask_some(world.tools, ACME, preview) is True
    assert asking.ask_some(world.tools, ACME, preview) is False
    assert world.stored(Run, ACME, preview).ask_at is None
    world.later(hours=1)
    assert asking.lease_previews(world.tools) == []
    assert set(map(world.states(preview).get, synced)) == {"not_possible"}


def test_s19_a_preview_is_asked_about_behind_its_own_door_alone(world: World) -> None:
    ana = world.store_key()
    world.synced("globex")
    synced, _ = people(world, 1)
    world.sync(ana)
    preview = world.approve_rule(ana, rule_about(world, ana, synced))
    assert asking.ask_some(world.tools, GLOBEX, preview) is False
    assert world.requests(ASKED) == []
    assert world.stored(Run, ACME, preview).ask_at is not None


def test_atlassian_asks_to_wait(world: World) -> None:
    """What was answered before stays; the rest is asked when the pause is over, for nobody sooner."""
    ana = world.store_key()
    synced, others = people(world)
    world.sync(ana)
    first = world.approve_rule(ana, rule_about(world, ana, [*synced, *others]))
    world.fault(ASKED, "429", seconds=300, skip=2)
    assert ask(world) == 1
    answered = [one for one in world.rows(Person) if one.asked_at is not None]
    assert len(answered) == 2
    until = world.stored(Run, ACME, first).ask_at
    assert world.stored(Organization, ACME).paused_until == until
    assert timedelta(seconds=290) < until - world.clock() <= timedelta(seconds=310)
    count = len(world.requests(ASKED))
    # Another preview of the same organization waits as well.
    data = world.rule_data(DEACTIVATE, name="Second", who={"people": others})
    second = rule_runs.preview_rule(world.tools, ana, rules.save_rule(world.tools, ana, data))
    assert ask(world) == 0
    assert len(world.requests(ASKED)) == count
    assert run_progress.show_run(world.tools, ana, first).asking is True
    world.clock.offset += until + timedelta(seconds=1) - world.clock()
    assert ask(world) == 2
    assert world.states(first) == dict.fromkeys(synced, "not_possible") | dict.fromkeys(others, "planned")
    assert len(world.requests(ASKED)) == count + len(synced + others) - 2, "nobody twice"
    assert [world.stored(Run, ACME, one).ask_at for one in (first, second)] == [None, None]


@pytest.mark.parametrize("kind", ["503", "reset"])
def test_an_atlassian_that_is_down_is_asked_later(world: World, kind: str) -> None:
    ana = world.store_key()
    synced, others = people(world, 1)
    world.sync(ana)
    preview = world.approve_rule(ana, rule_about(world, ana, [*synced, *others]))
    world.fault(ASKED, kind, times=None)
    assert ask(world) == 1
    assert "not_possible" not in world.states(preview).values()
    assert run_progress.show_run(world.tools, ana, preview).asking is True
    assert ask(world) == 0, "not at once"
    world.clear_faults()
    world.clock.offset += asking.LEASE + timedelta(seconds=1)
    assert ask(world) == 1
    assert world.states(preview) == dict.fromkeys(synced, "not_possible") | dict.fromkeys(others, "planned")


def test_without_a_key_nobody_is_asked_and_the_deed_says_what_is_wrong(world: World) -> None:
    ana = world.store_key()
    synced, _ = people(world, 1)
    world.sync(ana)
    preview = world.approve_rule(ana, rule_about(world, ana, synced))
    credentials.forget(world.tools, ana, CredentialKind.ADMIN_KEY)
    assert ask(world) == 1
    assert world.stored(Run, ACME, preview).ask_at is None
    assert set(world.states(preview).values()) == {"planned"}


def test_an_answer_is_believed_for_seven_days(world: World) -> None:
    ana = world.store_key()
    synced, others = people(world, 1)
    world.sync(ana)
    rule_id = rule_about(world, ana, [*synced, *others])
    expected = dict.fromkeys(synced, "not_possible") | dict.fromkeys(others, "planned")
    world.approve_rule(ana, rule_id)
    ask(world)
    asked_at = world.stored(Person, ACME, synced[0]).asked_at
    count = len(world.requests(ASKED))

    def preview_at(moment: timedelta) -> str:
        world.clock.offset += asked_at + moment - world.clock()
        world.sync(ana)
        return rule_runs.preview_rule(world.tools, ana, rule_id)

    # Within a day, nobody is asked twice; then, those who may be changed are asked anew.
    assert world.states(preview_at(timedelta(hours=23))) == expected
    ask(world)
    assert len(world.requests(ASKED)) == count
    assert world.states(preview_at(timedelta(days=6, hours=23))) == expected
    ask(world)
    assert len(world.requests(ASKED)) == count + len(others)
    # Meanwhile the account may have left Google's directory: the old answer is no reason any more.
    last = preview_at(timedelta(days=7))
    assert world.states(last) == dict.fromkeys([*synced, *others], "planned")
    world.sandbox.cloud.directory("acme").change(synced[0], {"kind": "employee"}, {})
    ask(world)
    assert world.states(last) == expected | {synced[0]: "planned"}
    assert len(world.requests(ASKED)) == count + len(others) + len(synced)
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    assert plan_of(world, run_id) == plan_of(world, last)
    world.act()
    assert world.effects_by(synced[0]) == {"disable": 1}
