"""Operators: who they are, naming another, removing one. Only operators see or do this (S26)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from models.people_search import find_people
from rules.filters import PeopleFilter
from services.doors import require_organization
from services.operators import OperatorView, is_operator, list_operators, name_operator, remove_operator
from views import show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("operators", __name__, url_prefix="/app/operators")
MOST_FOUND = 8


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return show.place(
        "operators/index.html",
        tab="configure",
        title="Operators",
        operators=_operators(),
        me=caller().account_id,
    )


@blueprint.post("")
@api
@operator_only
def name() -> str:
    name_operator(tools(), caller(), request.form.get("account_id", ""))
    return _card("They are an operator now.")


@blueprint.post("/<account_id>/remove")
@api
@operator_only
def remove(account_id: str) -> str | Response:
    remove_operator(tools(), caller(), account_id)
    if is_operator(tools(), caller(), fresh=False):
        return _card("They are no operator any more.")
    answer = make_response(
        show.place(
            "pages/closed.html",
            tab="",
            title="Rollcall",
            operator=False,
            sentence="You are no operator any more",
            next_step="Another operator can name you again. Reload the page to see what is left for you.",
        )
    )
    answer.headers["HX-Retarget"] = "#main"
    return answer


@blueprint.get("/search")
@api
@operator_only
def search() -> str:
    """People who could be named: those of the directory who are no operators yet."""
    text = request.args.get("text", "").strip()
    organization_id = require_organization(tools(), caller())
    already = {each.account_id for each in list_operators(tools(), caller())}
    with tools().begin() as session:
        wanted = PeopleFilter(text=text[:100], status="active")
        found = (
            find_people(session, organization_id, wanted, tools().clock(), limit=MOST_FOUND) if text else []
        )
        session.expunge_all()
    people = [person for person in found if person.account_id not in already and not person.is_bot]
    return show.part("operators/found.html", people=people, text=text)


def _card(saved: str) -> str:
    return show.part(
        "operators/card.html", operators_saved=saved, operators=_operators(), me=caller().account_id
    )


def _operators() -> list[OperatorView]:
    return list_operators(tools(), caller())
