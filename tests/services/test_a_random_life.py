"""An organization lives a random life with Rollcall: rules, operators, people, others at Atlassian, faults, time.

What must hold is judged from outside (tests/services/life_watch.py). HYPOTHESIS_PROFILE=search looks for new lives.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from connect.errors import AppError
from models.answer import Answer, Decision
from models.rule import StoredRule
from models.run import Case, Run
from rules.case import IN_QUEUE, UNFINISHED, CaseState, RunState
from rules.deeds import Deed
from rules.rule_file import BadRule
from rules.topics import AnswerKind
from services import (
    absences,
    acting,
    answer_queue,
    answers,
    credential_storing,
    directory_news,
    give_backs,
    orders,
    previews,
    protecting,
    rereading,
    retrying,
    reviews,
    rule_runs,
    rules,
    runs,
    undoing,
)
from services.footing import Footing
from services.keep_links import keep_link
from services.leasing import LEASE
from services.previews import Purpose
from services.syncing import due_syncs
from services.toolbox import Toolbox
from tests import world as worlds
from tests.services.life_cast import PEOPLE, TO_HAVE, Cast
from tests.services.life_watch import Watch
from tests.services.workers import Crash, Killed, with_something_between
from tests.world import ACME, ACME_KEY, Neighbours

people = st.sampled_from(PEOPLE)
somebody = st.sampled_from(PEOPLE[:8])
operators = st.sampled_from(["ana", "ana", "priya", "eve"])
graces = st.sampled_from([0, 0, 0, 3, 14])
which = st.integers(0, 9)
kinds = st.sampled_from(["suspend", "pause", "ladder", "access", "groups"])
SAID = (AnswerKind.KEEP, AnswerKind.KEEP, AnswerKind.GIVE_UP, AnswerKind.AWAY, AnswerKind.ASK_BACK)
HAPPENINGS = (
    "comes", "comes", "suspended", "restored", "out of a group", "into a group", "loses a role", "given a role",
    "leaves", "org admin", "no org admin", "deactivated", "reactivated", "synced", "invited",
)  # fmt: skip
PATHS = (
    "/(suspend|restore)$", "/memberships", "/roles/(assign|revoke)$",
    "/lifecycle/", "/users/search$", "role-assignments",
)  # fmt: skip
NO = (AppError, BadRule)
"""What may be refused: a life goes on."""


def shapes(kind: str, grace: int, groups: dict[str, str], more: dict[str, Any]) -> list[dict[str, Any]]:
    common = {"grace": grace} | more
    match kind:
        case "suspend":
            return [{"when": {"not_seen": 90, "never": 90}, "then": {"deed": "suspend"}} | common]
        case "pause":
            then = {"then": {"deed": "suspend"}, "pause": 20, "comes_back": True}
            return [{"when": {"not_seen": 30}} | then | common]
        case "ladder":
            return [
                {"when": {"not_seen": 30}, "then": {"deed": "tell"}},
                {"when": {"not_seen": 60, "never": 60}, "then": {"deed": "suspend"}} | common,
                {"when": {"suspended": 10}, "then": {"deed": "deactivate"}, "grace": 0},
            ]
        case "access":
            then = {"deed": "remove_access", "products": ["jira-software"]}
            return [{"when": {"not_seen": 30, "never": 30}, "then": then} | common]
        case _:
            change = {
                "deed": "change_groups",
                "leave": [groups["jira-users"]],
                "join": [groups["confluence-users"]],
            }
            return [{"when": {"not_seen": 30}, "then": change} | common]


class Life(RuleBasedStateMachine):
    """Each rule is one thing that somebody does, or that happens."""

    opens: Callable[[], worlds.World]

    @initialize(kind=kinds, grace=graces)
    def begin(self, kind: str = "suspend", grace: int = 0) -> None:
        self.world = type(self).opens()
        self.cast = Cast(self.world)
        self.watch = Watch(self.cast)
        self.rules: list[str] = []
        self.trouble = False
        self.write_a_rule(kind, grace, "live", "keep", 0, "ana", 0, run=True)

    # -- operators ---------------------------------------------------------------------------------------------------

    def _data(self, kind: str, grace: int, mode: str, answer: str, brake: int, number: int) -> dict[str, Any]:
        more: dict[str, Any] = {"answer": answer} if grace else {}
        return self.world.rule_data(
            *shapes(kind, grace, self.cast.groups, more),
            name=f"Rule {number}",
            mode=mode,
            who={"people": [self.cast.ids[name] for name in PEOPLE]},
            brake={"number": brake or "none", "share": "none"},
            schedule={"every": "day", "at": "06:00"},
        )

    @rule(
        kind=kinds, grace=graces, mode=st.sampled_from(["live", "live", "live", "review", "audit"]),
        answer=st.sampled_from(["keep", "review"]), brake=st.sampled_from([0, 0, 0, 0, 0, 2]),
        by=operators, number=which, run=st.booleans(),
    )  # fmt: skip
    def write_a_rule(
        self, kind: str, grace: int, mode: str, answer: str, brake: int, by: str, number: int, run: bool
    ) -> None:
        """A new one, or, when there are three, another version of one of them; looked at and switched on."""
        ana = self.cast.callers[by]
        with self.watch.step(), suppress(*NO):
            old = self.rules[number % len(self.rules)] if len(self.rules) > 2 else None
            number = self.rules.index(old) if old else len(self.rules)
            data = self._data(kind, grace, mode, answer, brake, number)
            rule_id = rules.save_rule(self.world.tools, ana, data, old)
            if old is None:
                self.rules.append(rule_id)
            self.world.approve_rule(ana, rule_id)
            if run:
                rule_runs.run_now(self.world.tools, ana, rule_id)

    @precondition(lambda self: self.rules)
    @rule(number=which, what=st.sampled_from(["off", "on", "run", "run", "run", "delete"]), by=operators)
    def lead_a_rule(self, number: int, what: str, by: str) -> None:
        rule_id, caller, tools = self.rules[number % len(self.rules)], self.cast.callers[by], self.world.tools
        with self.watch.step(), suppress(*NO):
            if what == "off":
                rules.switch_off(tools, caller, rule_id)
            elif what == "on":
                self.world.approve_rule(caller, rule_id)
            elif what == "run":
                rule_runs.run_now(tools, caller, rule_id)
            elif number > 6:
                rules.delete_rule(tools, caller, rule_id)
                self.rules.remove(rule_id)

    @rule(
        deed=st.sampled_from([Deed.SUSPEND, Deed.SUSPEND, Deed.RESTORE]),
        names=st.lists(people, min_size=1, max_size=4, unique=True),
        days=st.sampled_from([None, None, 2, 20]), comes_back=st.booleans(), by=operators,
    )  # fmt: skip
    def change_people_by_hand(
        self, deed: Deed, names: list[str], days: int | None, comes_back: bool, by: str
    ) -> None:
        caller, tools = self.cast.callers[by], self.world.tools
        ends_on = None if days is None else self.world.clock().date() + timedelta(days=days)
        purpose = Purpose("Leave", "", ends_on, comes_back) if deed is Deed.SUSPEND else None
        with self.watch.step(), suppress(*NO):
            ids = [self.cast.ids[name] for name in names]
            run_id = previews.preview(tools, caller, deed, account_ids=ids, filter=None, purpose=purpose)
            runs.confirm(tools, caller, run_id)

    def _run(self, number: int, *states: RunState) -> Run | None:
        with self.world.tools.begin() as session:
            query = (
                select(Run)
                .where(Run.state.in_([state.value for state in states]))
                .order_by(Run.created_at.desc())
            )
            found = session.scalars(query.limit(6)).all()
            session.expunge_all()
        return found[number % len(found)] if found else None

    @precondition(lambda self: self._run(0, RunState.RUNNING, RunState.BRAKED))
    @rule(number=which, by=operators)
    def stop_a_run(self, number: int, by: str) -> None:
        run = self._run(number, RunState.RUNNING, RunState.BRAKED)
        if run is not None:
            with self.watch.step(), suppress(*NO):
                runs.stop(self.world.tools, self.cast.callers[by], run.id)

    @precondition(lambda self: self._run(0, RunState.FINISHED, RunState.STOPPED, RunState.RUNNING))
    @rule(number=which, name=st.none() | somebody, by=operators)
    def take_back_a_run(self, number: int, name: str | None, by: str) -> None:
        run = self._run(number, RunState.FINISHED, RunState.STOPPED, *([RunState.RUNNING] if name else []))
        if run is not None:
            with self.watch.step(), suppress(*NO):
                caller, tools = self.cast.callers[by], self.world.tools
                undo = undoing.preview_undo(tools, caller, run.id, self.cast.ids[name] if name else None)
                runs.confirm(tools, caller, undo)

    @precondition(lambda self: self._cases(CaseState.FAILED))
    @rule(number=which, by=operators)
    def try_again(self, number: int, by: str) -> None:
        with self.world.tools.begin() as session:
            failed = (
                select(Run.id).join(Case, Case.run_id == Run.id).where(Case.state == CaseState.FAILED.value)
            )
            found = session.scalars(failed.order_by(Run.created_at.desc()).distinct()).all()
        if found:
            with self.watch.step(), suppress(*NO):
                retrying.retry_failed(self.world.tools, self.cast.callers[by], found[number % len(found)])

    @precondition(lambda self: self._run(0, RunState.BRAKED))
    @rule(number=which, by=operators)
    def let_a_braked_run_go(self, number: int, by: str) -> None:
        run = self._run(number, RunState.BRAKED)
        if run is not None:
            with self.watch.step(), suppress(*NO):
                rule_runs.release_brake(self.world.tools, self.cast.callers[by], run.id)

    @precondition(lambda self: self._cases(*IN_QUEUE))
    @rule(
        what=st.sampled_from(["approve", "approve", "hold", "leave", "protect"]),
        share=st.integers(1, 3),
        by=operators,
    )
    def review(self, what: str, share: int, by: str) -> None:
        ids = self._cases(*IN_QUEUE)[::share]
        if not ids:
            return
        tools, caller = self.world.tools, self.cast.callers[by]
        with self.watch.step(), suppress(*NO):
            if what == "protect":
                reviews.spare_and_protect(tools, caller, ids, reason="Why not", until="")
            else:
                {"approve": reviews.approve, "hold": reviews.hold, "leave": reviews.leave}[what](
                    tools, caller, ids
                )

    def _cases(self, *states: CaseState) -> list[str]:
        with self.world.tools.begin() as session:
            query = select(Case.id).join(Run, Run.id == Case.run_id)
            query = query.where(Case.state.in_([state.value for state in states]))
            return list(session.scalars(query.order_by(Case.account_id, Run.created_at)))

    @rule(name=people, days=st.sampled_from([None, 3]), by=operators)
    def protect(self, name: str, days: int | None, by: str) -> None:
        until = "" if days is None else (self.world.clock().date() + timedelta(days=days)).isoformat()
        with self.watch.step(), suppress(*NO):
            self._protect(name, until, by)

    def _protect(self, name: str, until: str, by: str) -> None:
        protecting.protect(
            self.world.tools,
            self.cast.callers[by],
            kind="person",
            value=self.cast.ids[name],
            reason="Ask Ana",
            until=until,
        )

    @precondition(lambda self: self.watch.is_protecting)
    @rule(by=operators)
    def unprotect(self, by: str) -> None:
        tools, caller = self.world.tools, self.cast.callers[by]
        with self.watch.step(), suppress(*NO):
            for entry in protecting.list_protected(tools, caller)[:2]:
                protecting.unprotect(tools, caller, entry.id)

    @precondition(lambda self: self._waiting_answers())
    @rule(granted=st.booleans(), share=st.integers(1, 2), by=operators)
    def decide_about_answers(self, granted: bool, share: int, by: str) -> None:
        decide = answer_queue.grant if granted else answer_queue.refuse
        with self.watch.step(), suppress(*NO):
            decide(self.world.tools, self.cast.callers[by], self._waiting_answers()[::share])

    def _waiting_answers(self) -> list[str]:
        with self.world.tools.begin() as session:
            waiting = select(Answer.case_id).where(Answer.decision == Decision.WAITS.value)
            return list(session.scalars(waiting.order_by(Answer.given_at)))

    # -- people ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self._cases(CaseState.WARNED, CaseState.ACTED))
    @rule(
        number=which,
        what=st.sampled_from(SAID),
        days=st.sampled_from([0, 5, 40]),
    )  # fmt: skip
    def answer(self, number: int, what: AnswerKind, days: int) -> None:
        state = CaseState.ACTED if what is AnswerKind.ASK_BACK else CaseState.WARNED
        with self.world.tools.begin() as session:
            query = select(Case.id, Case.account_id).join(Run, Run.id == Case.run_id)
            query = query.where(Case.state.in_([state.value, CaseState.ACTING.value]))
            found = session.execute(query.order_by(Case.account_id, Run.created_at)).all()
        if not found:
            return
        case_id, account_id = found[number % len(found)]
        token = keep_link(self.world.tools, ACME, case_id, account_id).rpartition("/")[2]
        until = (
            (self.world.clock().date() + timedelta(days=days)).isoformat() if what is AnswerKind.AWAY else ""
        )
        with self.watch.step(), suppress(*NO):
            answers.answer(self.world.tools, token, what, words="Because", until=until)

    # -- Atlassian ---------------------------------------------------------------------------------------------------

    @rule(
        name=somebody,
        what=st.sampled_from(HAPPENINGS),
        group=st.sampled_from(TO_HAVE),
        told=st.booleans(),
    )  # fmt: skip
    def something_happens_at_atlassian(self, name: str, what: str, group: str, told: bool) -> None:
        with self.watch.step():
            if self._changed_by_others(name, what, group) and told:
                body = {"user": {"accountId": self.cast.ids[name]}}
                directory_news.note_news(self.world.tools, self.cast.callers["ana"], "user_updated", body)

    def _changed_by_others(self, name: str, what: str, group: str = "jira-users") -> bool:
        changed = self._happens(name, what, group)
        if changed and what != "comes":
            self.watch.note_others(name)
        return changed

    def _happens(self, name: str, what: str, group: str) -> bool:
        cast = self.cast
        return {
            "comes": lambda: cast.change(name, last_active=self.world.clock().isoformat()),
            "suspended": lambda: cast.change(name, membership="suspended"),
            "restored": lambda: cast.change(name, membership="active"),
            "out of a group": lambda: cast.put(name, group, member=False),
            "into a group": lambda: cast.put(name, group, member=True),
            "loses a role": lambda: cast.put_role(name, "jira-software", present=False),
            "given a role": lambda: cast.put_role(name, "jira-software", present=True),
            "leaves": lambda: group == "service-desk-agents" and cast.leave(name),
            "org admin": lambda: cast.change(name, platform_roles="atlassian/org-admin"),
            "no org admin": lambda: name not in ("ana", "priya") and cast.change(name, platform_roles=""),
            "deactivated": lambda: cast.change(name, account_status="inactive"),
            "reactivated": lambda: cast.change(name, account_status="active"),
            "synced": lambda: cast.change(name, source="synced"),
            "invited": lambda: cast.change(name, source="invited"),
        }[what]()

    @rule(
        match=st.sampled_from(PATHS),
        kind=st.sampled_from(["429", "503", "reset", "html", "500"]),
        after=st.booleans(), times=st.sampled_from([1, 1, 2, 5]), skip=st.sampled_from([0, 0, 1]),
    )  # fmt: skip
    def something_goes_wrong(self, match: str, kind: str, after: bool, times: int, skip: int) -> None:
        self.trouble = True
        self.world.fault(match, kind, after=after and kind != "429", times=times, skip=skip, seconds=120)

    @rule()
    def changes_show_late(self) -> None:
        self.trouble = True
        self.world.fault("|".join(PATHS[:3]), "delay-visibility", times=3, seconds=10**6)

    @precondition(lambda self: self.trouble)
    @rule()
    def everything_works(self) -> None:
        self.trouble = False
        self.world.clear_faults()
        self._renew_key()

    @precondition(lambda self: not self.trouble)
    @rule()
    def the_key_expires(self) -> None:
        self.trouble = True
        self.world.control("POST", f"/keys/{ACME_KEY}/expire")

    def _renew_key(self) -> None:
        self.world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
        with self.watch.step():
            expires_on = (self.world.clock() + timedelta(days=300)).date().isoformat()
            caller = self.cast.callers["ana"]
            credential_storing.store_admin_key(self.world.tools, caller, key=ACME_KEY, expires_on=expires_on)

    # -- time and the worker -----------------------------------------------------------------------------------------

    def _pass(self, **time: float) -> None:
        self.world.later(**time)
        if timedelta(**time) >= timedelta(seconds=3):
            self.cast.show_all()

    @rule(
        time=st.sampled_from([{"seconds": 1}, {"seconds": 4}, {"minutes": 3}, {"hours": 5}]),
        works=st.booleans(),
    )
    def time_passes(self, time: dict[str, float], works: bool) -> None:
        self._pass(**time)
        if works:
            self.work()

    @rule(days=st.sampled_from([1, 3, 15, 15, 40, 95, 95]))
    def days_pass(self, days: int) -> None:
        self._pass(days=days)
        self.sync()

    @rule()
    def sync(self) -> None:
        with self.watch.step():
            self.world.sync(self.cast.callers["ana"])

    @rule()
    def work(self) -> None:
        with self.watch.step(calls=True):
            self._round()

    @rule(at=st.integers(1, 25))
    def the_worker_dies(self, at: int) -> None:
        with self.watch.step(calls=True), suppress(Killed):
            self._act(with_something_between(self.world.tools, Crash(at)))

    @rule(
        at=st.integers(1, 25),
        what=st.sampled_from(["stop", "off", "keep", "another worker", "take back", "others", "protect", "sync"]),
        name=somebody,
        happens=st.sampled_from(["suspended", "restored", "out of a group", "into a group", "leaves", "org admin"]),
    )  # fmt: skip
    def something_comes_between(self, at: int, what: str, name: str, happens: str) -> None:
        """While the worker is busy, between two of its effects."""
        left = [at]

        def around(*_moment: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                with suppress(*NO):
                    self._come_between(what, name, happens)

        with self.watch.step(calls=True):
            self._act(with_something_between(self.world.tools, around))

    def _come_between(self, what: str, name: str, happens: str) -> None:
        tools, ana = self.world.tools, self.cast.callers["ana"]
        running, done = self._run(0, RunState.RUNNING), self._run(0, RunState.FINISHED, RunState.STOPPED)
        match what:
            case "stop" if running is not None:
                runs.stop(tools, ana, running.id)
            case "take back" if done is not None:
                runs.confirm(tools, ana, undoing.preview_undo(tools, ana, done.id))
            case "off" if self.rules:
                rules.switch_off(tools, ana, self.rules[-1])
            case "keep":
                self._everybody_keeps_it()
            case "another worker":
                self.world.later(seconds=LEASE.total_seconds() + 1)
                self._act(tools)
            case "others":
                self._changed_by_others(name, happens)
            case "protect":
                self._protect(name, "", "ana")
            case "sync":
                self.world.sync(ana)

    def _everybody_keeps_it(self) -> None:
        tools = self.world.tools
        for case_id in self._cases(CaseState.WARNED, CaseState.ACTING):
            account_id = self.world.stored(Case, ACME, case_id).account_id
            token = keep_link(tools, ACME, case_id, account_id).rpartition("/")[2]
            answers.answer(tools, token, AnswerKind.KEEP)

    def _round(self) -> None:
        tools = self.world.tools
        if due_syncs(tools):
            self.world.read_on()
        due = rereading.lease_due(tools)
        if due:
            rereading.reread(tools, ACME, [(row_id, attempt) for _, row_id, attempt in due])
        absences.bring_back(tools)
        give_backs.give_back_within_caps(tools)
        for _, rule_id, due_at in rule_runs.due_rules(tools):
            rule_runs.start_due(tools, ACME, rule_id, due_at)
        self._act(tools)

    def _act(self, tools: Toolbox) -> None:
        """As World.act, but always in the same order: a life that is lived again is the same life."""
        for _ in range(100):
            order = {case_id: turn for turn, case_id in enumerate(self._cases(*UNFINISHED))}
            due = sorted(orders.lease_due_cases(tools), key=lambda one: order[one[1]])
            if not due:
                break
            with closing(Footing(tools, ACME)) as footing:
                for _, case_id, attempt in due:
                    acting.act_on_case(footing, case_id, attempt)
        else:
            raise AssertionError("the work does not end")
        runs.finish_runs(tools)

    def teardown(self) -> None:
        if not hasattr(self, "watch"):
            return
        try:
            self.world.clear_faults()
            self.cast.show_all()
            self._renew_key()
            self._forget_schedules()
            for _ in range(40):
                self._pass(minutes=11)
                self.work()
                if not self._goes_on():
                    break
                self._pass(days=1)
            self.watch.check_end()
        finally:
            self.world.http.close()

    def _forget_schedules(self) -> None:
        """What is under way goes on, and nothing new begins."""
        with self.world.tools.begin() as session:
            session.execute(update(StoredRule).values(next_run_at=None))

    def _goes_on(self) -> bool:
        """Whether anybody is left whom the worker looks at by itself."""
        with self.world.tools.begin() as session:
            query = (
                select(Case.id)
                .join(Run, Run.id == Case.run_id)
                .where(
                    Case.state.in_([state.value for state in UNFINISHED]),
                    Run.state.in_([RunState.RUNNING.value, RunState.STOPPED.value]),
                )
            )
            return session.scalar(query.limit(1)) is not None


@pytest.mark.slow
@pytest.mark.timeout(3600)  # looking for new lives takes long
def test_a_random_life(neighbours: Neighbours, sqlite_app: Flask) -> None:
    class ThisLife(Life):
        opens = staticmethod(lambda: worlds.build(neighbours, sqlite_app))

    # A life takes seconds.
    lives = max(settings.default.max_examples // 6, 1)
    run_state_machine_as_test(
        ThisLife,
        settings=settings(
            max_examples=lives, stateful_step_count=40, suppress_health_check=list(HealthCheck)
        ),
    )
