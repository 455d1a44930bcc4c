"""What must never happen in a random life, judged by the calls that reached Atlassian."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from models.absence import Absence
from models.answer import GRANTED, Answer
from models.audit import AuditEntry
from models.notice import Notice, NoticeKind
from models.protected import Protected
from models.rule import RuleVersion, StoredRule
from models.run import Case, Run
from rules.case import OPEN, UNFINISHED, CaseState, RunState
from rules.topics import AnswerKind
from tests.services.life_cast import Cast, Having

KINDS = {
    "suspend": "suspend", "restore": "restore", "leave_group": "leave_group", "join_group": "join_group",
    "revoke_role": "revoke_role", "assign_role": "assign_role", "disable": "deactivate", "enable": "reactivate",
}  # fmt: skip
TAKES = {"suspend", "leave_group", "revoke_role", "deactivate"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One change that Atlassian was asked for: `changed` something, or answered `status` without."""

    who: str
    kind: str
    about: str
    changed: bool
    status: int


@dataclass
class Moment:
    """What holds before a step."""

    now: datetime
    cases: dict[str, Row]
    runs: dict[str, Row]
    on: frozenset[str]
    protected: frozenset[str]
    away: frozenset[str]
    kept: dict[tuple[str, str], datetime]
    having: dict[str, Having | None]
    admins: frozenset[str]


@dataclass
class Watch:
    """Follows a life step by step. `changed_by_others`: when somebody else changed each person last."""

    cast: Cast
    last_deed: int = 0
    changed_by_others: dict[str, list[datetime]] = field(default_factory=dict)
    began: dict[str, tuple[datetime, Having | None]] = field(default_factory=dict)
    given: dict[str, datetime] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)

    def note_others(self, name: str) -> None:
        self.changed_by_others.setdefault(name, []).append(self.cast.world.clock())

    @contextmanager
    def step(self, *, calls: bool = False) -> Iterator[None]:
        """`calls`: the worker's. Nobody else asks Atlassian for anything."""
        before = self._moment()
        yield
        made = self._new_calls()
        assert calls or not made, made
        after = self._moment()
        for call in made:
            self._check_call(call, before, after)
        self._check_rows(after)
        self._check_undone(before, after)

    @property
    def is_protecting(self) -> bool:
        with self.cast.world.tools.begin() as session:
            return session.scalar(select(Protected.id).limit(1)) is not None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _new_calls(self) -> list[Call]:
        rows = self.cast.world.sandbox.cloud.store.all(
            "SELECT * FROM deed WHERE id > ? ORDER BY id", (self.last_deed,)
        )
        if rows:
            self.last_deed = rows[-1]["id"]
        return [
            Call(self.cast.names[row["account_id"]], KINDS[row["action"]], row["about"] or "",
                 bool(row["effective"]), row["status"])
            for row in rows
        ]  # fmt: skip

    def _moment(self) -> Moment:
        now = self.cast.world.clock()
        today = now.date()
        chosen = Case.state.not_in([CaseState.GUARDED.value, CaseState.NOT_POSSIBLE.value])
        is_protected = Protected.until.is_(None) | (Protected.until >= today)
        is_on = (StoredRule.is_on, StoredRule.deleted_at.is_(None))
        away = (Absence.ended_at.is_(None), Absence.ends_on >= today)
        said = (Answer.kind == AnswerKind.AWAY.value, Answer.until >= today, Answer.decision.in_(GRANTED))
        with self.cast.world.tools.begin() as session:
            cases = {case.id: _as_row(case) for case in session.scalars(select(Case).where(chosen))}
            runs = {run.id: _as_row(run) for run in session.scalars(select(Run))}
            return Moment(
                now=now,
                cases=cases,
                runs=runs,
                on=frozenset(session.scalars(select(StoredRule.id).where(*is_on))),
                protected=frozenset(session.scalars(select(Protected.value).where(is_protected))),
                away=frozenset(session.scalars(select(Absence.account_id).where(*away)))
                | frozenset(session.scalars(select(Answer.account_id).where(*said))),
                kept=_kept(cases, runs),
                having={name: self.cast.having(name) for name in self.cast.ids},
                admins=frozenset(name for name in self.cast.ids if self.cast.is_org_admin(name)),
            )

    # -- calls -------------------------------------------------------------------------------------------------------

    def _check_call(self, call: Call, before: Moment, after: Moment) -> None:
        account_id = self.cast.ids[call.who]
        disturbed = any(at >= before.now for at in self.changed_by_others.get(call.who, ()))
        assert call.changed or disturbed or call.status not in (204, 404, 409), f"done twice: {call}"
        mine = [
            case
            for case in after.cases.values()
            if case["account_id"] == account_id
            and case != before.cases.get(case["id"])
            and any((row[0], row[1]) == (call.kind, call.about) for row in case["changes"] or ())
        ]
        assert mine, f"nobody wrote down {call}"
        mine = [case for case in mine if _has_made(case, call, before.now)] or mine
        for case in mine:
            assert case["earlier"] is not None, f"nobody wrote down what was before {call}"
            if case["id"] not in self.began:
                self.began[case["id"]] = (before.now, before.having[call.who])
        if call.kind in TAKES:
            for case in mine:
                self._check_taking(call, case, before, after)
        elif call.changed:
            self.given[call.who] = after.now
            if call.kind == "restore":
                self.restored.add(call.who)

    def _check_taking(self, call: Call, case: Row, before: Moment, after: Moment) -> None:
        run = after.runs[case["run_id"]]
        who, account_id, rule_id = call.who, case["account_id"], run["rule_id"]
        state = before.runs.get(run["id"], run)["state"]
        assert run["id"] not in before.runs or state == RunState.RUNNING, f"{call} of a run that was {state}"
        if run["undoes"] is None or call.kind in ("suspend", "deactivate"):
            assert who not in before.admins, f"{call} on an administrator"
            assert who not in ("ana", "bot", "service", "owner"), call
            assert account_id not in (run["requested_by"], run["confirmed_by"]), (
                f"{call} on whoever asked for it"
            )
            assert account_id not in before.protected, f"{call} on somebody protected"
        if rule_id is not None and run["undoes"] is None:
            self._check_rule(call, case, run, before, after)

    def _check_rule(self, call: Call, case: Row, run: Row, before: Moment, after: Moment) -> None:
        who, account_id, rule_id = call.who, case["account_id"], run["rule_id"]
        assert rule_id in before.on, f"{call} by a rule that is off"
        assert account_id not in before.away, f"{call} on somebody away"
        rule = self._definition(rule_id, run["rule_version"])
        patience = min(_patience(step) for step in rule["steps"])
        kept_at = before.kept.get((rule_id, account_id))
        assert kept_at is None or before.now >= kept_at + timedelta(days=patience), f"{call} on who keeps it"
        if who in self.given and call.kind == "suspend" and who in self.restored:
            assert before.now >= self.given[who] + timedelta(days=patience), (
                f"{call} on who was given it back"
            )
        self._check_grace(call, case, rule["steps"][case["step"]], after)

    def _check_grace(self, call: Call, case: Row, step: Row, after: Moment) -> None:
        grace = timedelta(days=step.get("grace", 14))
        if not grace:
            return
        with self.cast.world.tools.begin() as session:
            of_case = (Notice.case_id == case["id"], Notice.kind == NoticeKind.WARNING.value)
            notices = session.execute(select(Notice.created_at, Notice.ends_at).where(*of_case)).all()
            gave_up = session.scalar(
                select(Answer.case_id).where(
                    Answer.case_id == case["id"], Answer.kind == AnswerKind.GIVE_UP.value
                )
            )
            unreachable = session.scalar(
                select(AuditEntry.id).where(
                    AuditEntry.event == "case:could_not_warn",
                    AuditEntry.subject == case["account_id"],
                    AuditEntry.run_id == case["run_id"],
                )
            )
        if gave_up is not None or (unreachable is not None and case["approved_by"] is not None):
            return
        assert notices, f"{call} without a warning"
        ends_at = max(end for _, end in notices)
        began_at = min(at for at, end in notices if end == ends_at)
        assert ends_at <= after.now, f"{call} before the day that the warning names"
        assert began_at + grace <= after.now, f"{call} before the grace is over"

    def _definition(self, rule_id: str, version: int | None) -> Row:
        with self.cast.world.tools.begin() as session:
            found: Row = session.scalars(
                select(RuleVersion.definition).where(
                    RuleVersion.rule_id == rule_id, RuleVersion.version == version
                )
            ).one()
            return found

    # -- rows --------------------------------------------------------------------------------------------------------

    def _check_rows(self, after: Moment) -> None:
        acting = set()
        for case in after.cases.values():
            state, run = CaseState(case["state"]), after.runs[case["run_id"]]["state"]
            if state is CaseState.ACTING:
                assert case["account_id"] not in acting, "two runs act on one person"
                acting.add(case["account_id"])
            if state not in OPEN:
                assert case["resume_at"] is None, f"an end that is looked at again: {case}"
                continue
            assert run not in (RunState.FINISHED.value, RunState.REFUSED.value), (
                f"open in a run that has ended: {case}"
            )
            if run == RunState.STOPPED:
                assert state in UNFINISHED, f"waits in a run that was stopped: {case}"
                assert case["resume_at"] is not None, f"lost in a run that was stopped: {case}"
            if run == RunState.RUNNING and state in UNFINISHED:
                assert case["resume_at"] is not None, f"lost: {case}"

    def _check_undone(self, before: Moment, after: Moment) -> None:
        """S51: whoever nobody changed since has again exactly what they had."""
        for case in after.cases.values():
            was = before.cases.get(case["id"])
            if case["state"] != CaseState.UNDONE or was is None or was["state"] == CaseState.UNDONE:
                continue
            name = self.cast.names[case["account_id"]]
            if case["id"] not in self.began:
                continue
            began_at, having = self.began[case["id"]]
            others = any(at >= began_at for at in self.changed_by_others.get(name, ()))
            if not others and not any(
                _may_differ_by(each, case, began_at, after) for each in after.cases.values()
            ):
                assert after.having[name] == having, f"{name}: {having} became {after.having[name]}"

    # -- at the end --------------------------------------------------------------------------------------------------

    def check_end(self) -> None:
        """Everything that does not wait for an operator has ended, with a trace of each change."""
        moment = self._moment()
        with self.cast.world.tools.begin() as session:
            told = {
                (entry.run_id, entry.subject)
                for entry in session.scalars(select(AuditEntry).where(AuditEntry.event.like("case:%")))
            }
        for case in moment.cases.values():
            state, run = CaseState(case["state"]), moment.runs[case["run_id"]]["state"]
            if run in (RunState.RUNNING.value, RunState.STOPPED.value):
                assert state not in UNFINISHED, f"never ends: {case}"
            if case["id"] in self.began:
                assert (case["run_id"], case["account_id"]) in told, f"no trace of {case}"


def _has_made(case: Row, call: Call, since: datetime) -> bool:
    """Whether this call is known to have landed by this case, or may have, since that moment."""
    if case["acting_since"] is not None:
        return bool(case["acting_since"] >= since)
    return any((row[0], row[1], row[3]) == (call.kind, call.about, True) for row in case["changes"])


def _as_row(found: Case | Run) -> Row:
    return {
        column.key: getattr(found, column.key)
        for column in found.metadata.tables[found.__tablename__].columns
    }


def _kept(cases: dict[str, Row], runs: dict[str, Row]) -> dict[tuple[str, str], datetime]:
    """(rule, account) → when they said last that they still need it."""
    found: dict[tuple[str, str], datetime] = {}
    for case in cases.values():
        rule_id = runs[case["run_id"]]["rule_id"]
        if case["kept_at"] is not None and rule_id is not None:
            key = (rule_id, case["account_id"])
            found[key] = max(case["kept_at"], found.get(key, case["kept_at"]))
    return found


def _may_differ_by(each: Row, undone: Row, began_at: datetime, after: Moment) -> bool:
    """Whether another case has left something behind since, or nobody knows."""
    if each["account_id"] != undone["account_id"] or undone["id"] in (each["id"], each["undoes"]):
        return False
    unknown = each["state"] == CaseState.FAILED and each["acting_since"] is not None
    if not (each["changed"] or unknown) or each["finished_at"] is None or each["finished_at"] <= began_at:
        return False
    original = after.cases.get(each["undoes"] or "", each)
    return CaseState.UNDONE not in (each["state"], original["state"])


def _patience(step: Row) -> int:
    when = step["when"]
    away = [when[each] for each in ("not_seen", "never", "invited") if when.get(each) is not None]
    return int(step.get("kept_for") or min(away, default=30))
