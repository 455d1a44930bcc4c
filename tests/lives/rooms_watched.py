"""Whom access rules, leavers, identity providers, ends and absences may act on, judged from outside."""

from __future__ import annotations

from models.audit import APP
from models.timed_access import TimedState
from rules.case import OPEN, CaseState
from rules.changes import ChangeKind
from rules.deeds import Deed
from rules.farewell import LeaverState
from rules.roster import Origin
from rules.rule import Mode
from rules.topics import AnswerKind
from tests.lives.calls import TAKES, Call
from tests.lives.moment import Moment, Row

_GAVE = {"leave_group": ChangeKind.JOIN_GROUP.value, "revoke_role": ChangeKind.ASSIGN_ROLE.value}


def check_access_rule(call: Call, case: Row, run: Row, first: Moment, disturbed: bool) -> None:
    """It gives to who is inside and not led out, and takes from who is outside what it gave itself."""
    rule, account_id, having = (
        first.access_rules.get(run["origin_id"]),
        case["account_id"],
        first.having[call.who],
    )
    if rule is None or having is None:
        return
    assert rule["mode"] == Mode.LIVE, f"{call} by an access rule that only lists"
    inside = not having.groups.isdisjoint(rule["sources"])
    if call.kind in TAKES:
        given = (rule["id"], account_id, _GAVE[call.kind], call.about)
        assert given in first.given, f"{call}, which {rule['name']} never gave"
        still = call.about in rule["groups"] or call.about in [role[0] for role in rule["roles"]]
        assert disturbed or not (inside and still), f"{call} on who is still inside"
    else:
        assert disturbed or inside, f"{call} on who is outside"
        if not (having.groups or having.roles):
            assert account_id not in first.gone, f"{call} on whom a provider has let go"


def check_leaver(call: Call, run: Row, first: Moment, after: Moment) -> None:
    leaver = first.leavers[run["origin_id"]]
    confirmed = (LeaverState.HANDING_OVER, LeaverState.ENDING)
    assert leaver["state"] in confirmed, f"{call} on a leaver who was {leaver['state']}"
    assert leaver["ends_at"] is None or leaver["ends_at"] <= after.now, f"{call} before their end"


def check_provider(call: Call, case: Row, first: Moment, last: Moment) -> None:
    """What the provider says while the deed is under way may come in time for it, or too late."""
    ends = case["deed"] in (Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE_ACCESS)
    if ends:
        assert case["account_id"] in first.gone | last.gone, f"{call} on whom the provider has, and active"
    elif case["deed"] != Deed.TAKE_BACK:
        assert case["account_id"] not in first.gone & last.gone, f"{call} on whom the provider has let go"


def check_ticket(call: Call, case: Row, run: Row, first: Moment) -> None:
    """What has begun goes on; before, the rule is on, and the ticket open and of whoever raised it."""
    before = first.cases.get(case["id"])
    if before is not None and before["changes"] is not None:
        return
    sent = next((each for each in first.sent if each["run_id"] == run["id"]), None)
    if sent is None:
        return
    assert run["origin_id"] in first.taking, f"{call} by a ticket rule that is off"
    ticket = first.tickets.get(sent["issue_id"])
    assert ticket is not None, f"{call} for a ticket that is gone"
    assert ticket == ("open", sent["account_id"]), f"{call} for a ticket that is {ticket}"


_SAID_IN = {
    AnswerKind.ASK_BACK: (CaseState.ACTED, CaseState.UNDO_SKIPPED),
    AnswerKind.KEEP: (CaseState.WARNED, CaseState.ACTING),
    AnswerKind.AWAY: (CaseState.WARNED,),
    AnswerKind.GIVE_UP: (CaseState.WARNED,),
}


def check_answers(last: Moment, after: Moment) -> None:
    """Nobody says anything about what is over, by however old a link."""
    for case_id, kind in after.answers - last.answers:
        before = last.cases.get(case_id)
        if before is not None and kind in _SAID_IN:
            assert before["state"] in _SAID_IN[AnswerKind(kind)], f"{kind} of who is {before['state']}"


def check_caps(first: Moment, after: Moment) -> None:
    """By itself access is given back while there are seats for everybody who gets theirs back."""
    new = after.given_back - first.given_back
    if not new or after.cap is None:
        return
    coming = sum(case["state"] in OPEN and case["undoes"] in first.granted for case in first.cases.values())
    for case_id in new:
        for product in after.cases[case_id]["earlier"]["products"]:
            if product not in first.seats or product not in after.seats:
                continue
            taken = min(first.seats[product], after.seats[product])
            assert taken + coming < after.cap, f"{taken} seats and {coming} coming, for the cap {after.cap}"


def check_end(call: Call, case: Row, run: Row, first: Moment, last: Moment) -> None:
    """Access ends when its day is over, or an operator said so, and not when they said something else since."""
    timed, before = last.ends.get(case["undoes"]), last.cases.get(case["id"])
    if run["origin"] != Origin.TIMED or timed is None:
        return
    if last is not first and before is not None and before["state"] == CaseState.ACTING:
        return
    is_over = (timed["prolonged_until"] or timed["ends_on"]) < last.today
    ending = timed["state"] == TimedState.ENDING or (timed["state"] == TimedState.OPEN and is_over)
    assert ending, f"{call}, though the end is {timed}"


def check_who_comes_back(last: Moment, after: Moment) -> None:
    """By itself nobody is restored who has gone meanwhile."""
    for case in after.cases.values():
        run = after.runs[case["run_id"]]
        if case["id"] in last.cases or case["deed"] != Deed.RESTORE or run["undoes"] or run["origin"]:
            continue
        if run["requested_by"] == APP:
            account_id = case["account_id"]
            assert account_id not in last.leaving & after.leaving, f"is leaving, and restored: {case}"
            assert account_id not in last.gone & after.gone, f"was let go, and is restored: {case}"
            last_day = last.last_days.get(account_id)
            assert last_day is None or last_day >= last.today, f"their last day is over: {case}"
