"""A worker that dies at any call, an Atlassian that shows changes late, people who change: one case, at random."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rules.case import CHANGED, IN_QUEUE, OPEN, UNFINISHED, CaseState
from rules.changes import Change, ChangeKind
from rules.deeds import Action
from tests.rules.one_case import DEEDS, GOES_WELL, a_new_case, the_undo_of
from tests.rules.worker import Attempt, Died, Row, work

BY_OTHERS = [
    Change(ChangeKind.RESTORE),
    Change(ChangeKind.SUSPEND),
    Change(ChangeKind.JOIN_GROUP, "c"),
    Change(ChangeKind.JOIN_GROUP, "a"),
    Change(ChangeKind.LEAVE_GROUP, "b"),
]
outcomes = st.lists(
    st.sampled_from(
        ["done"] * 6 + ["refused", "rate limited", "lost before", "lost after", "dies before", "dies after"]
    ),
    min_size=4,
    max_size=4,
)
attempts = st.builds(
    Attempt,
    outcomes=outcomes,
    slow=st.sampled_from([0, 0, 30, 50]).map(lambda seconds: timedelta(seconds=seconds)),
    late=st.integers(0, 39).map(lambda seconds: timedelta(seconds=seconds)),
    gives_up=st.booleans(),
    reachable=st.sampled_from([True, True, False]),
)


class OneCase(RuleBasedStateMachine):
    @initialize(
        action=st.sampled_from(DEEDS),
        mode=st.sampled_from(["review", "live"]),
        grace=st.sampled_from([0, 0, 14]),
    )
    def begin(self, action: Action, mode: str, grace: int) -> None:
        begins_in = CaseState.REVIEW if mode == "review" else CaseState.PLANNED
        self.world, self.case = a_new_case(action, begins_in, grace)
        self.before = self.world.real.copy()
        self.original: Row | None = None

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.case.state in UNFINISHED)
    @rule(attempt=attempts)
    def the_worker_looks(self, attempt: Attempt) -> None:
        try:
            work(self.world, self.case, attempt)
        except Died:
            self.case.look_at = self.world.now
        self._mark_undone()

    @precondition(lambda self: self.case.state is CaseState.WARNED)
    @rule(
        what=st.sampled_from(["keep", "keep, for review", "gives up", "away", "away, for review", "nothing"])
    )
    def the_person_answers(self, what: str) -> None:
        """By the link in the warning: the row changes at once, the worker finds it so."""
        match what:
            case "keep" | "away":
                self.case.kept = what == "keep"
                self.case.to(CaseState.SPARED)
            case "keep, for review" | "away, for review":
                self.case.to(CaseState.ANSWERED)
            case "gives up":
                self.case.due_at = self.case.look_at = self.world.now

    @precondition(lambda self: self.case.state is CaseState.ANSWERED)
    @rule(granted=st.booleans())
    def an_operator_decides_about_the_answer(self, granted: bool) -> None:
        self._decide(granted=granted)

    @precondition(lambda self: self.case.state in IN_QUEUE)
    @rule(what=st.sampled_from(["approve", "approve", "hold", "look again"]))
    def an_operator_decides(self, what: str) -> None:
        state = self.case.state
        if what == "approve":
            self._approve()
        elif what == "hold" and state is not CaseState.HELD:
            self.case.to(CaseState.HELD)
        elif what == "look again" and state is CaseState.HELD:
            self.case.to(CaseState.REVIEW)

    @rule(what=st.sampled_from(["nothing"] * 7 + ["leaves", "becomes guarded", "keeps", "stop", "off", "on"]))
    def something_happens(self, what: str) -> None:
        """Mostly nothing does: otherwise few cases would get as far as acting."""
        match what:
            case "leaves":
                self.world.in_directory = False
            case "becomes guarded":
                self.world.guarded = replace(self.world.guarded, key_holders=frozenset({"uma"}))
            case "keeps":
                self.case.kept = self.case.kept or self.case.state is CaseState.WARNED
            case "stop":
                self.case.stop()
                self._mark_undone()
            case "off" | "on":
                # An undo is no deed of the rule.
                self.case.rule_on = what == "on" or self.original is not None

    @rule(change=st.none() | st.none() | st.none() | st.sampled_from(BY_OTHERS))
    def somebody_else_changes_the_person(self, change: Change | None) -> None:
        if change is not None and self.case.state not in UNFINISHED - {CaseState.ACTING}:
            self.world.somebody_changes(change)

    @precondition(lambda self: self.case.state is CaseState.FAILED and self.case.running)
    @rule()
    def retry(self) -> None:
        self.case.to(CaseState.PLANNED)
        self.case.look_at = self.world.now
        self.case.due_at = self.world.now

    @precondition(lambda self: self.original is None and self.case.state in CHANGED and self.case.landed)
    @rule()
    def undo(self) -> None:
        self.original = self.case
        self.all_is_known = set(self.world.effective) <= self.case.landed
        self.case = the_undo_of(self.world, self.case)

    @invariant()
    def s55_whoever_keeps_it_is_not_acted_on(self) -> None:
        if hasattr(self, "case") and self.case.state is CaseState.ACTED and self.original is None:
            assert not self.case.kept or self.case.acting_since is not None

    def _decide(self, *, granted: bool) -> None:
        self.case.kept = granted
        self.case.to(CaseState.SPARED if granted else CaseState.WARNED)

    def _approve(self) -> None:
        if self.case.state is CaseState.COULD_NOT_WARN:
            self.case.due_at = self.world.now
        self.case.to(CaseState.PLANNED)
        self.case.look_at = self.world.now

    def _mark_undone(self) -> None:
        if self.original is None or self.case.state in OPEN or self.original.state is CaseState.UNDONE:
            return
        if self.case.state is CaseState.ACTED:
            self.original.to(CaseState.UNDONE)
            if not self.world.changed_by_others and self.all_is_known and self.world.in_directory:
                assert self.world.real == self.before, "S51: gives back exactly what was taken"
        elif self.case.state is CaseState.SPARED and self.original.state is not CaseState.UNDO_SKIPPED:
            self.original.to(CaseState.UNDO_SKIPPED)

    @invariant()
    def s50_nothing_is_done_twice(self) -> None:
        # Only what somebody else has changed back may be changed again.
        world = getattr(self, "world", None)
        assert world is None or world.changed_by_others or max(world.effective.values(), default=0) <= 1

    @invariant()
    def s50_what_landed_is_not_forgotten(self) -> None:
        if not hasattr(self, "case") or self.world.changed_by_others or not self.world.in_directory:
            return
        case, happened = self.case, set(self.world.effective)
        if case.state is CaseState.ACTED:
            assert happened == set(case.begun or ())
        # After a failure nobody knows what came of the last call: a retry finds it out.
        if case.state not in OPEN and case.state is not CaseState.FAILED:
            assert happened <= case.landed
        if happened:
            assert case.earlier is not None
            assert case.state in CHANGED | UNFINISHED | {CaseState.ANSWERED}

    def teardown(self) -> None:
        """With nothing more going wrong, the case comes to an end: nobody is lost."""
        if not hasattr(self, "case"):
            return
        for _ in range(6):
            if self.case.state is CaseState.ANSWERED:
                self._decide(granted=False)
            if self.case.state in IN_QUEUE:
                self._approve()
            if self.case.state in UNFINISHED:
                work(self.world, self.case, GOES_WELL)
                self._mark_undone()
        assert self.case.state not in OPEN
        self.s50_nothing_is_done_twice()
        self.s50_what_landed_is_not_forgotten()


TestOneCase = OneCase.TestCase
TestOneCase.settings = settings(max_examples=3 * settings.default.max_examples, stateful_step_count=15)
