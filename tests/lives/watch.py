"""What must never happen in a random life, judged by the calls that reached Atlassian."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from rules.case import NOT_HERE, OPEN, UNFINISHED, CaseState, RunState
from rules.judging import NOTHING_LEFT
from rules.roster import Origin
from rules.rule import Mode
from services.acting import UNANSWERED
from tests.lives import rooms_watched, rules_watched
from tests.lives.calls import KINDS, TAKES, Call, call_of
from tests.lives.cast import Cast, Having
from tests.lives.moment import Moment, Row, moment_of

_CHANGED_SINCE = (NOTHING_LEFT, "Somebody changed this person since.")


@dataclass
class Watch:
    """Follows a life step by step.

    `changed_by_others`: when somebody else changed each person. `began`: case → when its first call was made, and what
    the person had before. `landed`: the calls that changed somebody, each with the cases that may have made it.
    """

    cast: Cast
    last_deed: int = 0
    changed_by_others: dict[str, list[datetime]] = field(default_factory=dict)
    began: dict[str, tuple[datetime, Having | None]] = field(default_factory=dict)
    given: dict[str, datetime] = field(default_factory=dict)
    landed: list[tuple[Call, list[str]]] = field(default_factory=list)
    moments: tuple[Moment, Moment] | None = None
    latest: Moment | None = None
    may_call: bool = False

    def note_others(self, name: str) -> None:
        self.changed_by_others.setdefault(name, []).append(self.cast.world.clock())

    @contextmanager
    def step(self, *, calls: bool = False) -> Iterator[None]:
        """`calls`: the worker's. Nobody else asks Atlassian for anything.

        One step may come in the middle of another: then what was before it is judged by what held until then.
        """
        outer = self.moments
        # Between two steps only time passes.
        before = (
            moment_of(self.cast) if outer or not self.latest else self.latest.later(self.cast.world.clock())
        )
        if outer is not None:
            self._judge(*outer, before, calls=self.may_call)
        allowed, self.may_call = self.may_call, calls
        self.moments = (before if outer is None else outer[0], before)
        yield
        self.latest = moment_of(self.cast)
        self._judge(*self.moments, self.latest, calls=calls)
        self.moments, self.may_call = (None if outer is None else (outer[0], self.latest)), allowed

    def _judge(self, first: Moment, last: Moment, after: Moment, *, calls: bool) -> None:
        landed = {case_id for _, case_ids in self.landed for case_id in case_ids}
        made = self._new_calls()
        assert calls or not made, made
        assert first.has_door or after.has_door or not made, f"nobody lets us in: {made}"
        for call in made:
            self._check_call(call, first, last, after)
        self._check_rows(after)
        rooms_watched.check_who_comes_back(last, after)
        rooms_watched.check_answers(last, after)
        rooms_watched.check_caps(first, after)
        for case in after.cases.values():
            was = last.cases.get(case["id"])
            if was is None:
                continue
            kept = was["earlier"] == case["earlier"] or case["id"] not in landed
            # A call without an answer may have been made good by others: what they gave is what there is to lose now.
            assert kept or self._others_came_since(case), f"what was before is forgotten: {was}"
            if was["state"] != case["state"]:
                self._check_way_back(case, after)

    def _new_calls(self) -> list[Call]:
        rows = self.cast.world.sandbox.cloud.store.all(
            "SELECT * FROM deed WHERE id > ? ORDER BY id", (self.last_deed,)
        )
        if rows:
            self.last_deed = rows[-1]["id"]
        assert {row["org"] for row in rows} <= {"acme"}, "somebody of another organization was touched"
        return [call_of(row, self.cast.names) for row in rows if row["action"] in KINDS]

    # -- calls -------------------------------------------------------------------------------------------------------

    def _check_call(self, call: Call, first: Moment, last: Moment, after: Moment) -> None:
        disturbed = any(at >= first.now for at in self.changed_by_others.get(call.who, ()))
        assert call.changed or disturbed or call.status not in (204, 404, 409), f"done twice: {call}"
        mine = [
            case
            for case in after.cases.values()
            if case["account_id"] == self.cast.ids[call.who]
            and case != first.cases.get(case["id"])
            and any(call.is_for(row) for row in case["changes"] or ())
        ]
        assert mine, f"nobody wrote down {call}"
        mine = [case for case in mine if _has_made(case, call, first.now)] or mine
        for case in mine:
            assert case["earlier"] is not None, f"nobody wrote down what was before {call}"
            if case["id"] not in self.began and not disturbed:
                _check_earlier(call, case, last.having[call.who])
            self.began.setdefault(case["id"], (last.now, last.having[call.who]))
            self._check_case(call, case, first, last, after)
        if call.changed:
            self.landed.append((call, [case["id"] for case in mine]))
        if call.changed and call.kind == "restore":
            self.given[call.who] = after.now

    def _check_case(self, call: Call, case: Row, first: Moment, last: Moment, after: Moment) -> None:
        run = after.runs[case["run_id"]]
        _check_fences(call, case, run, first, last)
        if run["undoes"] is not None:
            _check_order_of_undos(call, case, run, first)
            rooms_watched.check_end(call, case, run, first, last)
        elif run["origin"] == Origin.ACCESS_RULE:
            rooms_watched.check_access_rule(call, case, run, first, self._has_changed(call.who, first))
        elif run["origin"] == Origin.LEAVER:
            rooms_watched.check_leaver(call, run, first, after)
        elif run["origin"] == Origin.SCIM:
            rooms_watched.check_provider(call, case, first, last)
        elif run["origin"] == Origin.TICKET:
            rooms_watched.check_ticket(call, case, run, first)
        if call.kind not in TAKES:
            return
        self._check_guards(call, case, run, first)
        if run["rule_id"] is not None and run["undoes"] is None:
            rules_watched.check_rule(self.cast, call, case, run, first, after)
            rules_watched.check_given_back(self.cast, call, run, first, self.given.get(call.who))

    def _has_changed(self, name: str, since: Moment) -> bool:
        return any(at >= since.now for at in self.changed_by_others.get(name, ()))

    def _check_guards(self, call: Call, case: Row, run: Row, first: Moment) -> None:
        if run["undoes"] is not None and call.kind not in ("suspend", "deactivate"):
            return
        assert call.who not in first.admins, f"{call} on an administrator"
        assert call.who not in ("ana", "bot", "service", "owner"), call
        asked = (run["requested_by"], run["confirmed_by"])
        assert case["account_id"] not in asked, f"{call} on whoever asked for it"
        assert case["account_id"] not in first.protected, f"{call} on somebody protected"

    # -- rows --------------------------------------------------------------------------------------------------------

    def _check_rows(self, after: Moment) -> None:
        acting, by_rule = set(), set()
        if not after.has_door:
            assert not after.on, "a rule waits for the next door"
            assert Mode.LIVE not in {rule["mode"] for rule in after.access_rules.values()}, after.access_rules
            assert RunState.RUNNING not in {run["state"] for run in after.runs.values()}, after.runs
        for case in after.cases.values():
            state, run = CaseState(case["state"]), after.runs[case["run_id"]]
            if state is CaseState.ACTING:
                assert case["account_id"] not in acting, "two runs act on one person"
                acting.add(case["account_id"])
            if state not in OPEN:
                assert case["resume_at"] is None, f"an end that is looked at again: {case}"
                continue
            if run["origin"] == Origin.ACCESS_RULE and run["undoes"] is None and run["state"] in _GOING:
                key = (run["origin_id"], case["account_id"])
                assert key not in by_rule, f"an access rule has somebody twice in hand: {case}"
                by_rule.add(key)
            _check_not_lost(case, state, RunState(run["state"]))

    def _others_came_since(self, case: Row) -> bool:
        """Whether somebody else changed the person since the case made its first call."""
        began_at = self.began[case["id"]][0]
        return any(
            at >= began_at for at in self.changed_by_others.get(self.cast.names[case["account_id"]], ())
        )

    def _check_way_back(self, case: Row, after: Moment) -> None:
        """S51: whoever nobody changed since has again exactly what they had, and is not left out for being changed."""
        began_at, before = self.began.get(case["id"], (None, None))
        if began_at is None or case["state"] not in (CaseState.UNDONE, CaseState.UNDO_SKIPPED):
            return
        if self._others_came_since(case):
            return
        name = self.cast.names[case["account_id"]]
        if any(_may_differ_by(each, case, began_at, after) for each in after.cases.values()):
            return
        if case["state"] == CaseState.UNDONE:
            assert after.having[name] == before, f"{name}: {before} became {after.having[name]}"
        elif case["reason"].endswith(_CHANGED_SINCE):
            assert after.having[name] == before, f"{name} was left as they are, though nobody changed them"

    # -- when it is calm -----------------------------------------------------------------------------------------------

    def check_calm(self, traced: set[tuple[str, str | None, str | None]]) -> None:
        """Everything that does not wait for an operator has ended, with a trace of each change in the case and in

        the audit; `traced` are the (event, run, person) that it tells of.
        """
        moment = moment_of(self.cast)
        for case in moment.cases.values():
            if moment.runs[case["run_id"]]["state"] in (RunState.RUNNING, RunState.STOPPED):
                assert CaseState(case["state"]) not in UNFINISHED, f"never ends: {case}"
            if case["id"] in self.began:
                self._check_end(case, traced)
        for call, case_ids in self.landed:
            cases = [moment.cases[each] for each in case_ids if each in moment.cases]
            assert any(_knows(case, call) for case in cases), f"nobody knows of {call}: {cases}"

    def _check_end(self, case: Row, traced: set[tuple[str, str | None, str | None]]) -> None:
        event = _EVENTS.get(case["state"])
        if event is not None:
            assert (event, case["run_id"], case["account_id"]) in traced, f"no trace of {case}"
        if case["reason"] == NOTHING_TO_CHANGE and case["changed"]:
            assert self._others_came_since(case), f"done, and left alone for it: {case}"


_GOING = (RunState.RUNNING, RunState.BRAKED)
_EVENTS = {
    CaseState.ACTED: "case:acted", CaseState.FAILED: "case:failed", CaseState.REFUSED: "case:refused",
    CaseState.SPARED: "case:spared", CaseState.UNDONE: "case:undone", CaseState.UNDO_SKIPPED: "case:undo_skipped",
}  # fmt: skip
NOTHING_TO_CHANGE = "Nothing that Rollcall can see is left to change."


def _check_earlier(call: Call, case: Row, had: Having | None) -> None:
    """What undo and everybody who looks at the case believe of the time before it."""
    if had is None:
        return
    earlier = case["earlier"]
    found = (earlier["membership_status"], earlier["account_status"], frozenset(earlier["groups"]))
    assert found == (had.membership, had.account, had.groups), f"{call} on {had}, written down as {found}"


def _check_fences(call: Call, case: Row, run: Row, first: Moment, last: Moment) -> None:
    """What is asked with the deed itself: whoever began before may go on to the end."""
    before = last.cases.get(case["id"])
    if last is not first and before is not None and before["state"] == CaseState.ACTING:
        return
    state = last.runs.get(run["id"], run)["state"]
    assert run["id"] not in last.runs or state == RunState.RUNNING, f"{call} of a run that was {state}"
    if run["rule_id"] is not None and run["undoes"] is None:
        assert run["rule_id"] in last.on, f"{call} by a rule that is off"
        assert before is None or before["kept_at"] is None, f"{call} on who answered that they keep it"


def _check_order_of_undos(call: Call, case: Row, run: Row, first: Moment) -> None:
    """The way back leads from the last run to the first."""
    original = first.cases.get(case["undoes"])
    if original is None or original["finished_at"] is None or run["origin"] == Origin.TIMED:
        return
    for each in first.cases.values():
        undone = first.cases.get(each["undoes"] or "")
        if (
            each["account_id"] == case["account_id"]
            and original["id"] not in (each["id"], each["undoes"])
            and each["changed"]
            and each["state"] != CaseState.UNDONE
            and each["finished_at"] is not None
            and each["finished_at"] > original["finished_at"]
            and (undone is None or undone["finished_at"] < original["finished_at"])
        ):
            raise AssertionError(f"{call} takes back what a later run has changed: {each}")


def _check_not_lost(case: Row, state: CaseState, run: RunState) -> None:
    assert run not in (RunState.FINISHED, RunState.REFUSED), f"open in a run that has ended: {case}"
    if run is RunState.STOPPED:
        assert state in UNFINISHED, f"waits in a run that was stopped: {case}"
    if run is RunState.STOPPED or (run is RunState.RUNNING and state in UNFINISHED):
        assert case["resume_at"] is not None, f"lost: {case}"


def _has_made(case: Row, call: Call, since: datetime) -> bool:
    """Whether this call is known to have landed by this case, or may have, since that moment."""
    if case["acting_since"] is not None:
        return bool(case["acting_since"] >= since)
    return any(call.is_for(row) and row[3] for row in case["changes"])


def _knows(case: Row, call: Call) -> bool:
    """Whether the case tells of the call, or that nobody knows what came of it."""
    unknown = case["state"] == CaseState.FAILED and case["acting_since"] is not None
    done = any(call.is_for(row) and row[3] for row in case["changes"] or ())
    return done or unknown or case["reason"].startswith(UNANSWERED) or case["reason"].endswith(NOT_HERE)


def _may_differ_by(each: Row, undone: Row, began_at: datetime, after: Moment) -> bool:
    """Whether another case has left something behind since, or nobody knows."""
    if each["account_id"] != undone["account_id"] or undone["id"] in (each["id"], each["undoes"]):
        return False
    unknown = each["state"] == CaseState.FAILED and each["acting_since"] is not None
    if each["state"] == CaseState.ACTING:
        return True
    if not (each["changed"] or unknown) or each["finished_at"] is None or each["finished_at"] <= began_at:
        return False
    original = after.cases.get(each["undoes"] or "", each)
    # What was done and taken back since is nothing; done before, and taken back since, it is gone.
    return CaseState.UNDONE not in (each["state"], original["state"]) or original["finished_at"] <= began_at
