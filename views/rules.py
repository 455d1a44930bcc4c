"""Rules: the list, the switches, and what leads to a run."""

from __future__ import annotations

from flask import Blueprint, request

from rules.numbers import whole_number
from rules.templates import TEMPLATES
from services import rule_runs, rule_views, rules
from services.calendars import calendar_of
from views import rule_pages, run_pages, show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("rules", __name__, url_prefix="/app/rules")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return content()


def content(saved: str = "") -> str:
    """The list, or what to begin with when there is no rule yet."""
    return show.place(
        "rules/index.html",
        tab="rules",
        title="Rules",
        lines=rule_views.list_rules(tools(), caller()),
        templates=TEMPLATES,
        time_zone=calendar_of(tools(), caller())[0],
        saved=saved,
    )


@blueprint.get("/<rule_id>")
@api
@operator_only
def rule(rule_id: str) -> str:
    return rule_pages.content(rule_id)


@blueprint.post("/<rule_id>/on")
@api
@operator_only
def on(rule_id: str) -> str:
    rules.switch_on(tools(), caller(), rule_id, _seen())
    return _after(rule_id, "The rule is on.")


@blueprint.post("/<rule_id>/off")
@api
@operator_only
def off(rule_id: str) -> str:
    rules.switch_off(tools(), caller(), rule_id)
    return _after(rule_id, "The rule is off. Whoever was waiting is left alone.")


@blueprint.post("/<rule_id>/confirm")
@api
@operator_only
def confirm(rule_id: str) -> str:
    rules.confirm_rule(tools(), caller(), rule_id, _seen())
    return rule_pages.content(rule_id, saved="You confirmed this version of the rule.")


@blueprint.post("/<rule_id>/duplicate")
@api
@operator_only
def duplicate(rule_id: str) -> str:
    copy_id = rules.duplicate_rule(tools(), caller(), rule_id)
    return rule_pages.content(copy_id, saved="This is the copy. It is off.")


@blueprint.post("/<rule_id>/delete")
@api
@operator_only
def delete(rule_id: str) -> str:
    rules.delete_rule(tools(), caller(), rule_id)
    return content("The rule is deleted. Its runs are kept.")


@blueprint.post("/<rule_id>/preview")
@api
@operator_only
def preview(rule_id: str) -> str:
    return run_pages.content(rule_runs.preview_rule(tools(), caller(), rule_id))


@blueprint.post("/<rule_id>/run")
@api
@operator_only
def run(rule_id: str) -> str:
    return run_pages.content(rule_runs.run_now(tools(), caller(), rule_id, _seen()))


def _seen() -> int:
    """Which version of the rule the page shows on which something was pressed."""
    return whole_number(request.form.get("version", "")) or 0


def _after(rule_id: str, saved: str) -> str:
    return content(saved) if request.form.get("here") == "list" else rule_pages.content(rule_id, saved=saved)
