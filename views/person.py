"""Person: what somebody can open and why, when they were last seen where, and what was done to them here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import Invalid
from services import people
from services.absences import set_last_day, stay_away
from services.doors import require_organization
from services.mail_history import mails_to
from services.mail_texts import NAMES
from services.names import names_of
from services.timed_views import endings_of
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("person", __name__, url_prefix="/app/people")


@blueprint.get("/<account_id>")
@api
@operator_only
def index(account_id: str) -> str:
    return _content(account_id)


@blueprint.post("/<account_id>/last-day")
@api
@operator_only
def last_day(account_id: str) -> str | Response:
    typed = {name: request.form.get(name, "") for name in ("ends_on", "note")}
    require_unchanged(*_written_down(people.person_page(tools(), caller(), account_id)))
    try:
        set_last_day(tools(), caller(), account_id, ends_on=typed["ends_on"], note=typed["note"])
    except Invalid as problem:
        return shown_again(_content(account_id, problem=problem, typed=typed), problem)
    return _content(account_id, saved="Saved." if typed["ends_on"].strip() else "Forgotten.")


@blueprint.post("/<account_id>/stay-away")
@api
@operator_only
def not_brought_back(account_id: str) -> str:
    stay_away(tools(), caller(), account_id)
    return _content(account_id)


def _written_down(page: people.PersonPage) -> tuple[object, ...]:
    """What somebody has read who writes down another last day."""
    return (page.last_day.ends_on, page.last_day.note) if page.last_day is not None else ()


def _content(account_id: str, **extra: Any) -> str:
    page = people.person_page(tools(), caller(), account_id)
    organization_id = require_organization(tools(), caller())
    actors = {entry.actor for entry in page.audit} | {run.requested_by for _case, run in page.history}
    if page.last_day is not None:
        actors.add(page.last_day.set_by)
    with tools().begin() as session:
        names = names_of(session, organization_id, actors)
    return show.place(
        "person/index.html",
        tab="people",
        title=page.person.name,
        page=page,
        was=mark_of(*_written_down(page)),
        names=names,
        mails=mails_to(tools(), caller(), account_id),
        mail_names=NAMES,
        endings=endings_of(tools(), caller(), account_id),
        **extra,
    )
