"""Making and changing a rule: the form, redrawn while it is typed, and saved as a whole or not at all."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, make_response, request

from connect.errors import NotFound
from rules.brake import Brake
from rules.deeds import Action, Deed
from rules.numbers import whole_number
from rules.plain_data import Problem
from rules.rule import Rule, Step, When, Who
from rules.rule_file import BadRule, parse_rule
from rules.templates import TEMPLATES
from services import rule_views, rules
from views import rule_pages, show
from views.access import api, caller, operator_only, tools
from views.rule_draft import Draft, changed, data_of, draft_of, read_draft
from views.rule_form import form, redraw
from views.rule_people import with_account_ids

blueprint = Blueprint("rule_editing", __name__, url_prefix="/app/rules")
EMPTY = Rule("", Who(), (Step(When(not_seen=90), Action(Deed.SUSPEND)),), brake=Brake(100, 10))


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    """A new rule, from a template or from nearly nothing."""
    key = request.args.get("template", "")
    template = next((each for each in TEMPLATES if each.key == key), None)
    if key and template is None:
        raise NotFound("There is no such template.", "Go back to Rules and choose another one.")
    rule = parse_rule(template.data) if template is not None else EMPTY
    return _place(draft_of(rule), None, address=show.address("rules/new", {"template": key} if key else {}))


@blueprint.get("/<rule_id>/edit")
@api
@operator_only
def edit(rule_id: str) -> str:
    page = rule_views.show_rule(tools(), caller(), rule_id)
    draft = replace(draft_of(page.rule), version=str(page.line.version))
    return _place(draft, rule_id, address=f"rules/{rule_id}/edit")


@blueprint.post("/form")
@api
@operator_only
def redrawn() -> str:
    """The form after a change, or after one of its buttons; nothing is saved."""
    rule_id, tried = request.form.get("rule_id") or None, bool(request.form.get("tried"))
    before, order = read_draft(request.form), request.form.get("order", "")
    draft = changed(before, order)
    added = len(draft.rungs) > len(before.rungs)
    return redraw(draft, rule_id, tried=tried, fresh_rung=len(draft.rungs) - 1 if added else None)


@blueprint.post("")
@api
@operator_only
def create() -> str | Response:
    return _save(None)


@blueprint.post("/<rule_id>")
@api
@operator_only
def save(rule_id: str) -> str | Response:
    # Whether there is such a rule comes before what is wrong with the form.
    rule_views.show_rule(tools(), caller(), rule_id)
    return _save(rule_id)


def _save(rule_id: str | None) -> str | Response:
    draft = read_draft(request.form)
    data, problems = data_of(draft)
    if "people" in data.get("who", {}):
        data["who"]["people"], unknown = with_account_ids(data["who"]["people"])
        problems += unknown
    try:
        if problems:
            parse_rule(data)
            return _refused(draft, rule_id, problems)
        saved_id = rules.save_rule(tools(), caller(), data, rule_id, whole_number(draft.version) or 0)
    except BadRule as bad:
        return _refused(draft, rule_id, [*problems, *bad.problems])
    words = "The rule is saved." if rule_id else "The rule is made. It is off: nothing happens yet."
    answer = make_response(rule_pages.content(saved_id, saved=words))
    answer.headers["HX-Retarget"] = "#main"
    answer.headers["HX-Reswap"] = "innerHTML show:top"
    return answer


def _refused(draft: Draft, rule_id: str | None, problems: list[Problem]) -> Response:
    """The form again with every problem at its field; what was typed is kept."""
    answer = make_response(redraw(draft, rule_id, tried=True, problems=problems), 422)
    answer.headers["HX-Retarget"] = "#rule-form"
    answer.headers["HX-Reswap"] = "outerHTML"
    return answer


def _place(draft: Draft, rule_id: str | None, address: str) -> str:
    title = "Change the rule" if rule_id else "New rule"
    return show.place("rules/edit.html", tab="rules", title=title, address=address, **form(draft, rule_id))
