"""The people of a run, page by page, and how many there are of each kind to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.answer import Answer, answers_to
from models.delivery import unsent_mails
from models.people import Person
from models.run import Case
from rules.case import CaseState
from rules.deeds import Deed
from rules.verdict import Why
from services.delays import Delay, delays_of
from services.doors import require_organization
from services.roster_words import access_in_words
from services.toolbox import Toolbox

LATELY = timedelta(days=30)
"""Whoever was seen since then counts as active on the Overview."""
NOT_CHOSEN = (CaseState.GUARDED.value, CaseState.NOT_POSSIBLE.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is filled in narrows.

    With `deed` only the chosen count; `text` is part of a name; `back` are people who came back after the deed.
    """

    state: CaseState | None = None
    deed: Deed | None = None
    why: Why | None = None
    text: str = ""
    new: bool = False
    back: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.state is not None:
            found.append(Case.state == self.state.value)
        if self.deed is not None:
            found += [Case.deed == self.deed.value, Case.state.not_in(NOT_CHOSEN)]
        if self.why is not None:
            found.append(Case.why == self.why.value)
        if self.text:
            found.append(Case.name.icontains(self.text, autoescape=True))
        if self.new:
            found.append(Case.is_new.is_(True))
        if self.back:
            found.append(Case.came_back_at.is_not(None))
        return found


@dataclass(frozen=True, slots=True)
class RunPeople:
    """One page, by name; `total` counts all pages. The others count the whole run, `deeds` only the chosen.

    `answers` are what the people of the page said, `unsent` why their newest mail could not be sent, `access` what a
    roster gives and takes, `delays` why somebody whose turn it was waits: each by case.
    """

    cases: list[Case]
    total: int
    deeds: dict[Deed, int]
    whys: dict[Why, int]
    back: int
    answers: dict[str, list[Answer]]
    unsent: dict[str, str]
    access: dict[str, str]
    delays: dict[str, Delay]


def people_of_run(
    tools: Toolbox, caller: Caller, run_id: str, wanted: Wanted, *, page: int, per_page: int
) -> RunPeople:
    """A page that does not exist shows the last one. Empty for another organization's run."""
    organization_id = require_organization(tools, caller)
    of_run = [Case.organization_id == organization_id, Case.run_id == run_id]
    narrowed = [*of_run, *wanted.conditions()]
    with tools.begin() as session:
        total = session.scalar(select(func.count()).select_from(Case).where(*narrowed)) or 0
        last = max(-(-total // per_page), 1)
        query = select(Case).where(*narrowed).order_by(Case.name, Case.id)
        cases = list(session.scalars(query.offset((min(page, last) - 1) * per_page).limit(per_page)))
        deeds, whys, back = _kinds(session, of_run)
        answers = answers_to(session, organization_id, [case.id for case in cases])
        unsent = unsent_mails(session, organization_id, [case.id for case in cases])
        access = access_in_words(session, organization_id, cases)
        settle = timedelta(seconds=tools.settings.settle_seconds)
        delays = delays_of(session, organization_id, cases, tools.clock(), settle)
        found = RunPeople(cases, total, deeds, whys, back, answers, unsent, access, delays)
        session.expunge_all()
        return found


def seen_lately(tools: Toolbox, caller: Caller, run_id: str) -> int:
    """How many of those whose turn is still to come have used any product lately, whatever they were selected by."""
    organization_id = require_organization(tools, caller)
    query = (
        select(func.count())
        .select_from(Case)
        .join(
            Person, (Person.organization_id == Case.organization_id) & (Person.account_id == Case.account_id)
        )
        .where(
            Case.organization_id == organization_id,
            Case.run_id == run_id,
            Case.state == CaseState.PLANNED.value,
            Person.seen_at > tools.clock() - LATELY,
        )
    )
    with tools.begin() as session:
        return session.scalar(query) or 0


def _kinds(
    session: Session, of_run: Iterable[ColumnElement[bool]]
) -> tuple[dict[Deed, int], dict[Why, int], int]:
    """By deed, by reason, and who came back: one look at all people of the run."""
    back = func.count(Case.came_back_at)
    query = select(Case.state, Case.deed, Case.why, func.count(), back).where(*of_run)
    deeds: Counter[Deed] = Counter()
    whys: Counter[Why] = Counter()
    returned = 0
    for state, deed, why, people, came_back in session.execute(
        query.group_by(Case.state, Case.deed, Case.why)
    ):
        if state not in NOT_CHOSEN:
            deeds[Deed(deed)] += people
        if why:
            whys[Why(why)] += people
        returned += came_back
    return dict(deeds), dict(whys), returned
