"""What operators do about rules, runs and cases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.answer import Answer, Decision
from models.organization import Seats
from models.protected import Protected
from rules.case import IN_QUEUE, CaseState, RunState
from rules.deeds import Deed
from services import (
    answer_queue,
    previews,
    protecting,
    retrying,
    reviews,
    rule_runs,
    rules,
    runs,
    undoing,
)
from services.notice_settings import set_notice_settings
from services.previews import Purpose
from tests.lives.cast import PEOPLE
from tests.lives.stage import Acts, Stage

KINDS = ("suspend", "suspend", "pause", "ladder", "access", "groups")


def steps_of(kind: str, groups: dict[str, str], more: dict[str, Any]) -> list[dict[str, Any]]:
    match kind:
        case "suspend":
            return [{"when": {"not_seen": 10, "never": 10}, "then": {"deed": "suspend"}} | more]
        case "pause":
            then = {"then": {"deed": "suspend"}, "pause": 4, "comes_back": True}
            return [{"when": {"not_seen": 6}} | then | more]
        case "ladder":
            return [
                {"when": {"not_seen": 5}, "then": {"deed": "tell"}},
                {"when": {"not_seen": 9, "never": 9}, "then": {"deed": "suspend"}} | more,
                {"when": {"suspended": 5}, "then": {"deed": "deactivate"}, "grace": 0},
            ]
        case "access":
            then = {"deed": "remove_access", "products": ["jira-software"]}
            return [{"when": {"not_seen": 8, "never": 8}, "then": then} | more]
        case _:
            leave, join = [groups["jira-users"]], [groups["confluence-users"]]
            change = {"deed": "change_groups", "leave": leave, "join": join}
            return [{"when": {"not_seen": 7}, "then": change} | more]


def write_a_rule(life: Stage) -> None:
    """A new one, or, when there are three, another version of one of them; looked at, switched on, mostly run."""
    kind, grace = life.pick(*KINDS), life.pick(0, 0, 2, 5)
    more: dict[str, Any] = {"grace": grace} | ({"answer": life.pick("keep", "review")} if grace else {})
    old = life.one(life.rules) if len(life.rules) > 2 else None
    data = life.world.rule_data(
        *steps_of(kind, life.cast.groups, more),
        name=f"Rule {life.rules.index(old) if old else len(life.rules)}",
        mode=life.pick("live", "live", "live", "live", "live", "review", "audit"),
        who={"people": [life.cast.ids[name] for name in PEOPLE]},
        brake={"number": life.pick(*["none"] * 8, 6), "share": "none"},
        schedule={"every": "day", "at": "06:00"},
    )
    run, caller = life.pick(True, True, False), life.operator()
    with life.allowed():
        rule_id = rules.save_rule(life.tools, caller, data, old)
        if old is None:
            life.rules.append(rule_id)
        life.world.approve_rule(caller, rule_id)
        if run:
            rule_runs.run_now(life.tools, caller, rule_id)


def run_a_rule(life: Stage) -> None:
    rule_id, caller = life.one(life.rules), life.operator()
    with life.allowed():
        rule_runs.run_now(life.tools, caller, rule_id)


def switch_a_rule(life: Stage) -> None:
    rule_id, caller = life.one(life.rules), life.operator()
    on = life.pick(True, False, False) if rule_id in life.in_hand else life.pick(True, True, False)
    with life.allowed():
        if on:
            life.world.approve_rule(caller, rule_id)
        else:
            rules.switch_off(life.tools, caller, rule_id)


def delete_a_rule(life: Stage) -> None:
    rule_id, caller = life.one(life.rules), life.operator()
    with life.allowed():
        rules.delete_rule(life.tools, caller, rule_id)
        life.rules.remove(rule_id)


def change_people_by_hand(life: Stage) -> None:
    deed = life.pick(Deed.SUSPEND, Deed.RESTORE)
    suspended = [name for name in PEOPLE if life.cast.is_suspended(name)]
    ids = [life.cast.ids[name] for name in life.some(suspended if deed is Deed.RESTORE else PEOPLE)]
    days, comes_back, caller = life.pick(None, 1, 2, 20), life.pick(True, True, False), life.operator()
    ends_on = None if days is None else life.day(days)
    purpose = Purpose("Leave", "", ends_on, comes_back) if deed is Deed.SUSPEND else None
    with life.allowed():
        run_id = previews.preview(life.tools, caller, deed, account_ids=ids, filter=None, purpose=purpose)
        runs.confirm(life.tools, caller, run_id)


def stop_a_run(life: Stage) -> None:
    run, caller = life.one(life.runs(RunState.RUNNING, RunState.BRAKED)), life.operator()
    with life.allowed():
        runs.stop(life.tools, caller, run.id)


def take_back_a_run(life: Stage) -> None:
    run = life.one(life.runs(RunState.FINISHED, RunState.STOPPED))
    caller = life.operator()
    with life.allowed():
        runs.confirm(life.tools, caller, undoing.preview_undo(life.tools, caller, run.id))


def take_back_one_case(life: Stage) -> None:
    """Also of a run that goes on with others."""
    changed = [
        case for case in life.cases(CaseState.ACTED, CaseState.FAILED, CaseState.SPARED) if case.changed
    ]
    case, caller = life.one(changed), life.operator()
    with life.allowed():
        undo = undoing.preview_undo(life.tools, caller, case.run_id, case.account_id)
        runs.confirm(life.tools, caller, undo)


def try_again(life: Stage) -> None:
    case, caller = life.one(life.cases(CaseState.FAILED)), life.operator()
    with life.allowed():
        retrying.retry_failed(life.tools, caller, case.run_id)


def let_a_braked_run_go(life: Stage) -> None:
    run, caller = life.one(life.runs(RunState.BRAKED)), life.operator()
    with life.allowed():
        rule_runs.release_brake(life.tools, caller, run.id)


def review(life: Stage) -> None:
    ids = [case.id for case in life.some(life.cases(*IN_QUEUE))]
    what, caller = life.pick("approve", "approve", "approve", "hold", "leave", "protect"), life.operator()
    with life.allowed():
        match what:
            case "approve":
                reviews.approve(life.tools, caller, ids)
            case "hold":
                reviews.hold(life.tools, caller, ids)
            case "leave":
                reviews.leave(life.tools, caller, ids)
            case _:
                reviews.spare_and_protect(life.tools, caller, ids, reason="Why not", until="")


def protect(life: Stage) -> None:
    account_id, days, caller = life.cast.ids[life.somebody()], life.pick(None, 3), life.operator()
    until = "" if days is None else life.day(days).isoformat()
    with life.allowed():
        protecting.protect(life.tools, caller, kind="person", value=account_id, reason="Ask Ana", until=until)


def unprotect(life: Stage) -> None:
    entry, caller = life.one(life.rows(select(Protected).order_by(Protected.added_at))), life.operator()
    with life.allowed():
        protecting.unprotect(life.tools, caller, entry.id)


def decide_about_answers(life: Stage) -> None:
    waiting = select(Answer.case_id).where(Answer.decision == Decision.WAITS.value)
    asked = life.some(life.rows(waiting.order_by(Answer.given_at)))
    granted, caller = life.pick(True, True, False), life.operator()
    with life.allowed():
        if granted:
            answer_queue.grant(life.tools, caller, asked, life.day(10).isoformat())
        else:
            answer_queue.refuse(life.tools, caller, asked)


def set_the_cap(life: Stage) -> None:
    """Within which access is given back by itself."""
    above, caller = life.pick(None, 0, 1, 2, 9), life.operator()
    used = [each.usage for each in life.rows(select(Seats)) if each.usage is not None]
    cap = "" if above is None else str(max(used, default=0) + above)
    with life.allowed():
        set_notice_settings(life.tools, caller, privacy="inactive", days="90", give_back_cap=cap)


ACTS: Acts = {
    write_a_rule: 8,
    run_a_rule: 16,
    switch_a_rule: 4,
    delete_a_rule: 1,
    change_people_by_hand: 9,
    stop_a_run: 2,
    take_back_a_run: 8,
    take_back_one_case: 5,
    try_again: 4,
    let_a_braked_run_go: 12,
    review: 8,
    protect: 6,
    unprotect: 2,
    decide_about_answers: 3,
    set_the_cap: 3,
}
