"""The preview of a file of rules in a terminal: the same verdicts, nothing is stored, nothing happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import NotFound, NotReady
from models.audit import APP
from models.organization import Organization
from models.rule import rules_of
from rules.case import CaseState
from rules.deeds import CAPABILITIES, Deed
from rules.plan import plan
from rules.rule import Rule
from rules.rule_file import BadRule
from rules.seats import seats_freed
from rules.sentence import sentence_of
from rules.verdict import Ground, Verdict
from services.candidates import candidates
from services.ground import ground_of
from services.previews import require_fresh_sync
from services.rule_exchange import checked_rules, read_file, with_group_ids
from services.rule_plans import is_worth_a_row
from services.scope import count_scope
from services.toolbox import Toolbox

_MARKS = {CaseState.PLANNED: "+", CaseState.GUARDED: "!", CaseState.NOT_POSSIBLE: "x", CaseState.SPARED: "."}


def plan_file(tools: Toolbox, text: str, organization_id: str | None) -> Iterator[str]:
    """The lines of the preview of every rule in the file, as they are worked out.

    Without `organization_id` there must be only one organization. Raises BadRule, NotReady without an organization
    or a fresh complete sync, and NotFound.
    """
    # Names, reasons and the file itself are anybody's words, and a terminal obeys control characters.
    yield from map(printable, _lines(tools, text, organization_id))


def _lines(tools: Toolbox, text: str, organization_id: str | None) -> Iterator[str]:
    now = tools.clock()
    with tools.begin() as session:
        organization_id = _organization(session, organization_id)
        ground = ground_of(tools, session, organization_id, APP, now)
        known = {stored.name: stored.id for stored in rules_of(session, organization_id)}
        found = with_group_ids(read_file(text), ground.organization)
        rules, problems = checked_rules(session, organization_id, found, known)
        if problems:
            raise BadRule(tuple(problems))
        for rule in rules:
            require_fresh_sync(session, organization_id, now, timedelta(hours=rule.fresh_hours))
            yield rule.name
            yield f"  {sentence_of(rule, ground.organization)}"
            yield from _people(session, organization_id, rule, known.get(rule.name), ground, now)
            yield ""


def _people(
    session: Session, organization_id: str, rule: Rule, rule_id: str | None, ground: Ground, now: datetime
) -> Iterator[str]:
    counts: Counter[CaseState] = Counter()
    touched = seats = 0
    people = candidates(session, organization_id, rule, rule_id, ground.organization, now, ground.today)
    for person, verdict in plan(rule, people, ground, now):
        if not is_worth_a_row(verdict):
            continue
        action = rule.steps[verdict.step].action
        counts[verdict.state] += 1
        if verdict.state is CaseState.PLANNED:
            touched += action.deed is not Deed.LIST
            seats += seats_freed(action, person.seen.facts, ground.organization)
        yield _line(person.seen.facts.name, action.deed, verdict)
    scope = count_scope(session, organization_id, rule.who, ground.organization)
    chosen, guarded, impossible = (
        counts[state] for state in (CaseState.PLANNED, CaseState.GUARDED, CaseState.NOT_POSSIBLE)
    )
    yield f"  {chosen:,} of {scope:,} chosen, {guarded:,} guarded, {impossible:,} not possible."
    yield f"  Seats that would become free: {seats:,}."
    objection = rule.brake.objection(touched, scope)
    if objection is not None:
        yield f"  Live, its brake would stop it: {objection}"


def _line(name: str, deed: Deed, verdict: Verdict) -> str:
    what = CAPABILITIES[deed].words if verdict.state is CaseState.PLANNED else "left alone"
    return f"  {_MARKS[verdict.state]} {name:<32.32}  {what:<34.34}  {verdict.reason}"


def printable(line: str) -> str:
    """Without control characters: names and files are anybody's words, and a terminal obeys."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _organization(session: Session, organization_id: str | None) -> str:
    known = session.scalars(select(Organization.id).order_by(Organization.id)).all()
    if organization_id is None and len(known) == 1:
        return known[0]
    if not known:
        raise NotReady(
            "Rollcall does not know your organization yet.", "Save an Admin API key under Configure Token."
        )
    if organization_id is None or organization_id not in known:
        names = ", ".join(known)
        raise NotFound(
            "Which organization is meant is not clear.", f"Name one with --organization. Known: {names}."
        )
    return organization_id
