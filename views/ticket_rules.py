"""Onboarding → Tickets: the rules by which tickets bring access, each with its guide, its trial and its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from connect.errors import AtlassianError, Invalid
from models.ticket import TicketRule
from rules.tickets import CallState
from services import ticket_choices, ticket_log, ticket_rules, ticket_trial
from services.ticket_secrets import HEADER
from services.ticket_trial import Trial
from services.ticket_wishes import TicketWish
from views import show
from views.access import api, caller, operator_only, tools, waiting_place
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again
from views.page_numbers import page_asked_for
from views.ticket_form import as_typed, typed_rule
from views.words import CALL_STATES

blueprint = Blueprint("ticket_rules", __name__, url_prefix="/app/onboarding/tickets")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _list()


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    offered = ticket_choices.choices(tools(), caller())
    kind = "profile" if offered.profiles else "groups"
    door = offered.doors[0][0] if offered.doors else ""
    # The site from which somebody asks is the likeliest one.
    own = caller().tenant if any(key == caller().tenant for key, _ in offered.doors) else door
    return _form(TicketWish(client_key=own, gives_kind=kind))


@blueprint.post("")
@api
@operator_only
def add() -> str | Response:
    wish = typed_rule()
    try:
        rule, secret = ticket_rules.add_rule(tools(), caller(), wish)
    except Invalid as problem:
        return shown_again(_form(wish, problem=problem), problem)
    return _rule(rule.id, secret=secret, saved=f"“{rule.name}” is made. Now tell Jira Automation of it.")


@blueprint.get("/<ticket_rule_id>")
@api
@operator_only
def look(ticket_rule_id: str) -> str:
    return _rule(ticket_rule_id)


@blueprint.get("/<ticket_rule_id>/log")
@api
@operator_only
def log(ticket_rule_id: str) -> str:
    """The rows of the log, asked for by its filter, and again while something moves."""
    return show.part("tickets/log_rows.html", **_log(ticket_rule_id).context())


@blueprint.get("/<ticket_rule_id>/edit")
@api
@operator_only
def edit(ticket_rule_id: str) -> str:
    rule = ticket_rules.look_at_rule(tools(), caller(), ticket_rule_id)
    return _form(as_typed(rule), rule=rule)


@blueprint.post("/<ticket_rule_id>")
@api
@operator_only
def change(ticket_rule_id: str) -> str | Response:
    wish = typed_rule()
    require_unchanged(as_typed(ticket_rules.look_at_rule(tools(), caller(), ticket_rule_id)))
    try:
        rule = ticket_rules.change_rule(tools(), caller(), ticket_rule_id, wish)
    except Invalid as problem:
        rule = ticket_rules.look_at_rule(tools(), caller(), ticket_rule_id)
        return shown_again(_form(wish, rule=rule, problem=problem), problem)
    return _rule(rule.id, saved=f"“{rule.name}” is saved.")


@blueprint.post("/<ticket_rule_id>/switch")
@api
@operator_only
def switch(ticket_rule_id: str) -> str:
    on = request.form.get("on") == "yes"
    rule = ticket_rules.switch_rule(tools(), caller(), ticket_rule_id, on=on)
    words = f"“{rule.name}” is {'on' if on else 'off: it takes no tickets'}."
    return _rule(rule.id, saved=words) if request.form.get("on_its_page") else _list(saved=words)


@blueprint.post("/<ticket_rule_id>/secret")
@api
@operator_only
def new_secret(ticket_rule_id: str) -> str:
    rule, secret = ticket_rules.new_secret(tools(), caller(), ticket_rule_id)
    words = f"“{rule.name}” has another secret. The one before it opens nothing any more."
    return _rule(rule.id, secret=secret, saved=words)


@blueprint.post("/<ticket_rule_id>/remove")
@api
@operator_only
def remove(ticket_rule_id: str) -> str:
    rule = ticket_rules.delete_rule(tools(), caller(), ticket_rule_id)
    return _list(saved=f"“{rule.name}” is deleted. What it gave stays given.")


@blueprint.post("/<ticket_rule_id>/try")
@api
@operator_only
def try_it(ticket_rule_id: str) -> str | Response:
    key = request.form.get("ticket", "")[:100]
    try:
        with waiting_place():
            trial = ticket_trial.try_ticket(tools(), caller(), ticket_rule_id, key)
    except (Invalid, AtlassianError) as problem:
        wrong = Invalid("ticket", problem.sentence, problem.next_step)
        return shown_again(_rule(ticket_rule_id, tried=key, problem=wrong), problem)
    return _rule(ticket_rule_id, tried=key, trial=trial)


@blueprint.post("/<ticket_rule_id>/calls/<call_id>/again")
@api
@operator_only
def again(ticket_rule_id: str, call_id: str) -> str:
    call = ticket_log.look_again(tools(), caller(), ticket_rule_id, call_id)
    return _rule(ticket_rule_id, saved=f"{call.issue_key or 'The ticket'} is looked at again.")


def _list(*, saved: str = "") -> str:
    return show.place(
        "tickets/index.html",
        tab="onboarding",
        title="Tickets",
        lines=ticket_log.list_ticket_rules(tools(), caller()),
        offered=ticket_choices.choices(tools(), caller()),
        most=ticket_rules.MOST_RULES,
        saved=saved,
    )


def _form(wish: TicketWish, *, rule: TicketRule | None = None, problem: Invalid | None = None) -> str:
    return show.place(
        "tickets/form.html",
        tab="onboarding",
        title=f"Ticket rule “{rule.name}”" if rule else "New ticket rule",
        rule=rule,
        wish=wish,
        offered=ticket_choices.choices(tools(), caller()),
        problem=problem,
        was=mark_of(as_typed(rule)) if rule else "",
        address=f"onboarding/tickets/{rule.id}/edit" if rule else "onboarding/tickets/new",
    )


def _rule(
    rule_id: str,
    *,
    saved: str = "",
    secret: str = "",
    tried: str = "",
    trial: Trial | None = None,
    problem: Invalid | None = None,
) -> str:
    about = _log(rule_id)
    return show.place(
        "tickets/rule.html",
        tab="onboarding",
        title=f"Ticket rule “{about.rule.name}”",
        post_to=f"{tools().settings.base_url}/tickets/{rule_id}",
        header=HEADER,
        saved=saved,
        secret=secret,
        tried=tried,
        trial=trial,
        problem=problem,
        **about.context(),
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """One page of a rule's log, as the address asks for it."""

    found: ticket_log.RulePage
    state: CallState | None
    page: int

    @property
    def rule(self) -> TicketRule:
        return self.found.line.rule

    def context(self) -> dict[str, Any]:
        return {
            "found": self.found,
            "rule": self.rule,
            "state": self.state,
            "states": CALL_STATES,
            "page": self.page,
            "pages": -(-self.found.total // ticket_log.PER_PAGE),
            "per_page": ticket_log.PER_PAGE,
        }


def _log(rule_id: str) -> _Log:
    wanted = request.args.get("state", "")
    state = CallState(wanted) if wanted in set(CallState) else None
    page = page_asked_for()
    return _Log(ticket_log.show_ticket_rule(tools(), caller(), rule_id, state=state, page=page), state, page)
