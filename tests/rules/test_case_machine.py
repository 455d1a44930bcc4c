"""A worker that dies at any line, an Atlassian that shows changes late, people who change: one case, driven at random.

The machine plays the worker's protocol (services/acting.py) around the real `decide` and `moved`, and keeps its own
account of what really happened to the person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rules.case import UNFINISHED, Act, CaseState, Deed, Record, Spare, Wait, decide, moved
from rules.guards import Guarded
from rules.person import PersonFacts
from rules.plan import judge
from tests.rules.people import NOW, person

SETTLE = timedelta(seconds=40)
LEFT_AS = {Deed.SUSPEND: "suspended", Deed.RESTORE: "active"}
OUTCOMES = ["done", "refused", "rate limited", "lost before", "lost after", "dies before", "dies after"]


class OneCase(RuleBasedStateMachine):
    @initialize(
        deed=st.sampled_from(Deed), wrong=st.sampled_from([""] * 9 + ["suspended", "synced", "guarded"])
    )
    def begin(self, deed: Deed, wrong: str) -> None:
        self.deed = deed
        self.now = NOW
        self.guarded = Guarded("uma" if wrong == "guarded" else "ana", frozenset())
        self.membership = "suspended" if (deed is Deed.RESTORE) != (wrong == "suspended") else "active"
        self.source = "synced" if wrong == "synced" else "invited"
        self.shown, self.shows_at = self.membership, NOW
        self.in_directory = True
        self.state = judge(deed, self.facts(), self.guarded).state
        self.acting_since: datetime | None = None
        self.look_at = NOW
        self.landed = 0
        self.changed_by_others = False

    def facts(self) -> PersonFacts:
        shown = self.membership if self.now >= self.shows_at else self.shown
        return person(membership_status=shown, status=shown, management_source=self.source)

    def to(self, state: CaseState) -> None:
        self.state = moved(self.state, state)

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(what=st.sampled_from(["nothing"] * 5 + ["active", "suspended", "leaves", "becomes guarded"]))
    def something_happens_to_the_person(self, what: str) -> None:
        """By somebody else's hand. Mostly nothing does: otherwise few cases would get as far as acting."""
        if what == "leaves":
            self.in_directory = False
        elif what == "becomes guarded":
            self.guarded = replace(self.guarded, key_holders=frozenset({"uma"}))
        elif what != "nothing":
            self.changed_by_others = self.changed_by_others or what != self.membership
            self.membership = self.shown = what

    @precondition(lambda self: self.state is CaseState.FAILED)
    @rule()
    def retry(self) -> None:
        self.to(CaseState.PLANNED)
        self.look_at = self.now

    @precondition(lambda self: self.state in UNFINISHED)
    @rule(outcome=st.sampled_from(OUTCOMES), late=st.integers(0, 39), gives_up=st.booleans())
    def work(self, outcome: str, late: int, gives_up: bool) -> None:
        self.now = max(self.now, self.look_at)
        facts = self.facts() if self.in_directory else None
        objection = judge(self.deed, facts, self.guarded).objection if facts is not None else None
        decision = decide(
            deed=self.deed,
            acting_since=self.acting_since,
            facts=facts,
            objection=objection,
            now=self.now,
            settle=SETTLE,
        )
        match decision:
            case Record():
                self.to(CaseState.ACTED)
            case Spare(reason):
                assert reason
                self.to(CaseState.SPARED)
            case Wait(until):
                assert until > self.now, "waiting ends"
                self.look_at = until
            case Act():
                self.act(outcome, timedelta(seconds=late), gives_up=gives_up)

    def act(self, outcome: str, late: timedelta, *, gives_up: bool) -> None:
        assert judge(self.deed, self.facts(), self.guarded).objection is None, "S48, S49"
        assert self.membership != LEFT_AS[self.deed], "S50: asks again for what is done already"
        was_acting = self.state is CaseState.ACTING
        if not was_acting:
            self.to(CaseState.ACTING)
        self.acting_since = self.now
        if outcome in {"done", "lost after", "dies after"}:
            self.call_lands(late)
        if outcome == "done":
            self.to(CaseState.ACTED)
        elif outcome == "refused":
            self.to(CaseState.REFUSED)
            self.acting_since = None
        elif outcome == "rate limited" and not was_acting:
            self.to(CaseState.PLANNED)
            self.acting_since = None
        elif outcome.startswith("lost") and gives_up:
            self.to(CaseState.FAILED)

    def call_lands(self, late: timedelta) -> None:
        if self.membership != LEFT_AS[self.deed]:
            self.landed += 1
            self.shown, self.shows_at = self.membership, self.now + late
            self.membership = LEFT_AS[self.deed]

    @invariant()
    def s50_nobody_is_acted_on_twice(self) -> None:
        # Only a person whom somebody else changed back may be changed again.
        assert getattr(self, "landed", 0) <= 1 or self.changed_by_others

    @invariant()
    def s50_what_landed_is_not_forgotten(self) -> None:
        if getattr(self, "state", None) is CaseState.ACTED and not self.changed_by_others:
            assert self.landed == 1

    def teardown(self) -> None:
        """With nothing more going wrong, the case comes to an end in three looks."""
        if not hasattr(self, "state"):
            return
        for _ in range(3):
            if self.state in UNFINISHED:
                self.work("done", 0, gives_up=False)
        assert self.state not in UNFINISHED
        if self.landed and self.in_directory and not self.changed_by_others:
            assert self.state in {CaseState.ACTED, CaseState.FAILED}


TestOneCase = OneCase.TestCase
TestOneCase.settings = settings(max_examples=3 * settings.default.max_examples, stateful_step_count=15)
