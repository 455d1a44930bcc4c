"""Audit: who did what to whom. Reading and exporting; there is nothing else to do here (S52)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from connect.errors import Invalid
from models.audit import APP, AuditEntry, entries_of
from models.people import find_person
from models.people_search import count_people, find_people
from rules.filters import PeopleFilter
from rules.numbers import LARGEST_ID, whole_number
from services import exports
from services.doors import organization_of
from services.names import names_of
from services.operators import list_operators
from views import show
from views.access import api, caller, operator_only, tools
from views.audit_words import EVENTS, event_groups
from views.downloads import download

blueprint = Blueprint("audit", __name__, url_prefix="/app/audit")
PER_PAGE = 100
WORDS = ("event", "person", "actor", "since", "until", "before")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    words = _words()
    organization_id = organization_of(tools(), caller())
    problem: Invalid | None = None
    entries: list[AuditEntry] = []
    with tools().begin() as session:
        try:
            query = _query(session, organization_id or "", words)
            entries = entries_of(session, organization_id, caller().tenant, limit=PER_PAGE + 1, **query)
        except Invalid as refused:
            problem = refused
        about = {entry.actor for entry in entries} | {entry.subject for entry in entries}
        names = names_of(session, organization_id, about)
        session.expunge_all()
    shown = entries[:PER_PAGE]
    kept = {word: value for word, value in words.items() if word != "before"}
    return show.place(
        "audit/index.html",
        tab="audit",
        title="Audit",
        entries=shown,
        names=names,
        words=words,
        filter_words=kept,
        older=kept | {"before": str(shown[-1].id)} if len(entries) > PER_PAGE else None,
        address=show.address("audit", words),
        event_groups=event_groups(),
        actors=_actors(),
        problem=problem,
    )


@blueprint.get("/export")
@api
@operator_only
def export() -> Response:
    organization_id = organization_of(tools(), caller())
    with tools().begin() as session:
        query = _query(session, organization_id or "", _words())
    query.pop("before_id", None)
    return download(exports.audit_csv(tools(), caller(), **query), "rollcall-audit.csv")


def _words() -> dict[str, str]:
    found = {word: request.args.get(word, "").strip()[:200] for word in WORDS}
    return {word: value for word, value in found.items() if value}


def _query(session: Session, organization_id: str, words: dict[str, str]) -> dict[str, Any]:
    """The words of the filter as entries_of wants them. Raises Invalid("person" | "since" | "until" | "event")."""
    query: dict[str, Any] = {}
    if "event" in words:
        if words["event"] not in EVENTS:
            raise Invalid("event", "There is no such event.", "Choose one of the list.")
        query["event"] = words["event"]
    if "actor" in words:
        query["actor"] = words["actor"]
    if "person" in words:
        query["subject"] = _subject(session, organization_id, words["person"])
    if "since" in words:
        query["since"] = _midnight("since", words["since"])
    if "until" in words:
        query["until"] = _midnight("until", words["until"], days_on=1)
    before = whole_number(words.get("before", ""), LARGEST_ID)
    if before is not None:
        query["before_id"] = before
    return query


def _subject(session: Session, organization_id: str, text: str) -> str:
    """The account id that a name, an address or an account id stands for. Raises Invalid unless it is one person."""
    if find_person(session, organization_id, text) is not None:
        return text
    now = tools().clock()
    wanted = PeopleFilter(text=text)
    count = count_people(session, organization_id, wanted, now)
    if count != 1:
        sentence = f"{count:,} people match." if count else "Nobody of this name is in the directory."
        raise Invalid("person", sentence, "Type more of the name, or the e-mail address.")
    return find_people(session, organization_id, wanted, now, limit=1)[0].account_id


def _midnight(field: str, value: str, days_on: int = 0) -> datetime:
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days_on)
    except (ValueError, OverflowError):
        raise Invalid(field, "This is not a date.", "Write it as 2026-05-03.") from None


def _actors() -> list[tuple[str, str]]:
    if organization_of(tools(), caller()) is None:
        return [(APP, "Rollcall")]
    operators = [
        (each.account_id, each.name or each.account_id) for each in list_operators(tools(), caller())
    ]
    return [*operators, (APP, "Rollcall")]
