"""Rules as a file: export and import."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from connect.errors import Invalid
from rules.plain_data import Problem
from rules.rule_file import BadRule
from services import rule_exchange
from views import rules, show
from views.access import api, caller, operator_only, tools
from views.downloads import download
from views.errors import shown_again
from views.uploads import uploaded

blueprint = Blueprint("rule_files", __name__, url_prefix="/app/rules")
YAML = "application/yaml"


@blueprint.get("/export")
@api
@operator_only
def export_all() -> Response:
    return download(iter([rule_exchange.export_rules(tools(), caller())]), "rollcall-rules.yaml", YAML)


@blueprint.get("/<rule_id>/export")
@api
@operator_only
def export_one(rule_id: str) -> Response:
    text = rule_exchange.export_rules(tools(), caller(), rule_id)
    return download(iter([text]), "rollcall-rule.yaml", YAML)


@blueprint.get("/import")
@api
@operator_only
def import_form() -> str:
    return _form()


@blueprint.post("/import")
@api
@operator_only
def import_file() -> str | Response:
    """Every rule of the file, or none of them."""
    try:
        sent = uploaded()
    except Invalid as large:
        return shown_again(_form(problem=large), large)
    text = sent.read().decode("utf-8", "replace") if sent is not None else ""
    text = text or request.form.get("text", "")
    try:
        saved = rule_exchange.import_rules(tools(), caller(), text)
    except BadRule as bad:
        answer = make_response(_form(text, bad.problems), 422)
        answer.headers["HX-Retarget"] = "#main"
        return answer
    words = "1 rule is" if len(saved) == 1 else f"{len(saved)} rules are"
    return rules.content(f"{words} imported. New ones are off.")


def _form(text: str = "", problems: tuple[Problem, ...] = (), problem: Invalid | None = None) -> str:
    return show.place(
        "rules/import.html",
        tab="rules",
        title="Import rules",
        text=text,
        problems=problems,
        problem=problem,
    )
