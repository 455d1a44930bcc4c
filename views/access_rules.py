"""Access rules: who is in a group has that access too. The list, the form, one rule with what it would do and did."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from rules.plain_data import BadRule
from rules.rule import Mode
from services import access_rule_lists, access_rule_views, access_rules
from services.access_rule_form import Typed
from services.access_rule_views import AccessRuleLine
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again
from views.rule_form import Problems
from views.words import MODES

blueprint = Blueprint("access_rules", __name__, url_prefix="/app/onboarding/access-rules")
PLACE = "onboarding/access-rules"


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _list()


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    return _form(Typed(number="50"))


@blueprint.post("")
@api
@operator_only
def create() -> str | Response:
    typed = _typed()
    try:
        rule_id = access_rules.save_access_rule(tools(), caller(), typed)
    except BadRule as bad:
        return _again(typed, bad)
    return _page(rule_id, "The rule is made. It lists only: look at the list, then switch it live.")


@blueprint.get("/<access_rule_id>")
@api
@operator_only
def rule(access_rule_id: str) -> str:
    return _page(access_rule_id)


@blueprint.get("/<access_rule_id>/edit")
@api
@operator_only
def edit(access_rule_id: str) -> str:
    line = access_rule_views.access_rule_line(tools(), caller(), access_rule_id)
    return _form(_typed_before(line), line)


@blueprint.post("/<access_rule_id>")
@api
@operator_only
def change(access_rule_id: str) -> str | Response:
    typed = _typed()
    line = access_rule_views.access_rule_line(tools(), caller(), access_rule_id)
    require_unchanged(*_shown(line))
    was_live, version = line.rule.is_live, line.rule.version
    try:
        access_rules.save_access_rule(tools(), caller(), typed, access_rule_id)
    except BadRule as bad:
        return _again(typed, bad, line)
    line = access_rule_views.access_rule_line(tools(), caller(), access_rule_id)
    if line.rule.version == version:
        return _page(access_rule_id, "Saved.")
    stopped = " It was live, and lists only until you have looked." if was_live else ""
    return _page(access_rule_id, f"Saved as version {line.rule.version}.{stopped}")


@blueprint.post("/<access_rule_id>/preview")
@api
@operator_only
def preview(access_rule_id: str) -> str:
    access_rule_lists.preview_access_rule(tools(), caller(), access_rule_id)
    return _page(access_rule_id, "This is what it would do now. Nothing has happened.")


@blueprint.post("/<access_rule_id>/mode")
@api
@operator_only
def mode(access_rule_id: str) -> str:
    wanted = Mode.LIVE if request.form.get("mode") == Mode.LIVE else Mode.AUDIT
    if wanted is Mode.LIVE:
        require_unchanged(*_shown(access_rule_views.access_rule_line(tools(), caller(), access_rule_id)))
    access_rules.switch_mode(tools(), caller(), access_rule_id, wanted)
    if wanted is Mode.LIVE:
        return _page(access_rule_id, "The rule is live. It begins within seconds.")
    return _page(
        access_rule_id, "The rule lists only. Whoever was waiting is left alone; nothing is taken back."
    )


@blueprint.post("/<access_rule_id>/again")
@api
@operator_only
def again(access_rule_id: str) -> str:
    access_rules.give_again(tools(), caller(), access_rule_id, request.form.get("person", ""))
    return _page(access_rule_id, "The rule gives to this person again, while it is live.")


@blueprint.post("/<access_rule_id>/delete")
@api
@operator_only
def delete(access_rule_id: str) -> str:
    name = access_rules.delete_access_rule(tools(), caller(), access_rule_id)
    return _list(f"“{name}” is deleted. What it gave stays with the people.")


def _typed() -> Typed:
    def word(name: str) -> str:
        return request.form.get(name, "")[:300]

    def ticked(name: str) -> list[str]:
        return request.form.getlist(name)[:500]

    return Typed(
        name=word("name"),
        sources=ticked("sources"),
        products=ticked("products"),
        groups=ticked("groups"),
        profile=word("profile"),
        keep=word("keep") == "yes",
        number=word("number"),
        share=word("share"),
    )


def _typed_before(line: AccessRuleLine) -> Typed:
    rule = line.rule
    by_hand = rule.profile_id is None
    return Typed(
        name=rule.name,
        sources=rule.sources,
        products=[role[0] for role in rule.roles] if by_hand else (),
        groups=rule.groups if by_hand else (),
        profile=rule.profile_id or "",
        keep=rule.keep_when_over,
        number="" if rule.brake_number is None else str(rule.brake_number),
        share="" if rule.brake_share is None else str(rule.brake_share),
    )


def _shown(line: AccessRuleLine) -> tuple[object, ...]:
    """What of a rule somebody has read; what its profile gives is in the version."""
    return _typed_before(line), line.rule.version


def _again(typed: Typed, bad: BadRule, line: AccessRuleLine | None = None) -> Response:
    first = bad.problems[0]
    return shown_again(_form(typed, line, bad), Invalid(first.field, first.sentence, ""))


def _list(saved: str = "") -> str:
    return show.place(
        "access_rules/index.html",
        tab="onboarding",
        title="Access rules",
        lines=access_rule_views.list_access_rules(tools(), caller()),
        modes=MODES,
        saved=saved,
    )


def _page(rule_id: str, saved: str = "") -> str:
    page = access_rule_views.access_rule_page(tools(), caller(), rule_id)
    if page.list_is_current and not page.is_seen:
        # Shown, the list counts as looked at: this version may be switched live from now on.
        access_rule_lists.mark_seen(tools(), caller(), rule_id)
        page = access_rule_views.access_rule_page(tools(), caller(), rule_id)
    return show.place(
        "access_rules/rule.html",
        tab="onboarding",
        title=page.line.rule.name,
        page=page,
        line=page.line,
        rule=page.line.rule,
        modes=MODES,
        was=mark_of(*_shown(page.line)),
        saved=saved,
    )


def _form(typed: Typed, line: AccessRuleLine | None = None, bad: BadRule | None = None) -> str:
    return show.place(
        "access_rules/form.html",
        tab="onboarding",
        title=f"Change “{line.rule.name}”" if line else "New access rule",
        line=line,
        typed=typed,
        choices=access_rule_views.choices(tools(), caller()),
        was=mark_of(*_shown(line)) if line else "",
        problems=Problems(bad.problems if bad else ()),
        address=f"{PLACE}/{line.rule.id}/edit" if line else f"{PLACE}/new",
    )
