"""What Jira and Confluence put into their own pages: panels on issues and pages, and the dashboard's gadget.

The product signs the whole address, so which issue, page or gadget it is has been proven like who reads it.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, render_template, request
from flask.blueprints import BlueprintSetupState

from connect.errors import Invalid
from rules.numbers import LARGEST_ID, whole_number
from rules.panel import ContentKind
from services.doors import organization_of
from services.gadgets import Item, set_gadget, view_gadget
from services.keeping import own_warning
from services.mail_words import ENDINGS
from services.operators import is_operator
from services.panels import Panel, app_address, look
from services.participants import Content, Issue, Participants
from views import show
from views.access import api, caller, operator_only, page, tools
from views.errors import shown_again
from views.words import ROLES, SILENCES

PARTICIPANTS = "rollcall_participants"

blueprint = Blueprint("panels", __name__)


@blueprint.record_once
def remember(state: BlueprintSetupState) -> None:
    """One memory for each app."""
    state.app.extensions[PARTICIPANTS] = Participants()


@blueprint.get("/panels/issue")
@page
def issue() -> str:
    """`?issue=` and `?project=` are ids. Empty when there is nothing to say, and when Jira does not answer."""
    issue_id = _number("issue")
    return _panel(Issue(issue_id, _number("project")) if issue_id is not None else None)


@blueprint.get("/panels/page")
@page
def content() -> str:
    """`?content=` is the id, `?type=` page or blogpost. Empty like an issue's panel."""
    return _panel(_content())


@blueprint.get("/panels/byline")
@page
def byline() -> str:
    """The same in a little dialog: somebody has clicked, so nothing to say is said, too."""
    return _panel(_content(), asked=True)


@blueprint.get("/panels/gadget")
@page
def gadget() -> str:
    """`?dashboard=` and `?item=` are ids. Numbers are for operators alone (S26)."""
    return _layout("panels/gadget.html", title="Idle people and seats", scripts=True, **_gadget())


@blueprint.get("/app/gadget")
@api
@operator_only
def gadget_again() -> str:
    """`?edit=yes` opens its settings."""
    return show.part("panels/gadget.html", again=True, **_gadget(editing="edit" in request.args))


@blueprint.post("/app/gadget")
@api
@operator_only
def configure_gadget() -> str | Response:
    typed = {name: request.form.get(name, "")[:100] for name in ("product", "days")}
    try:
        set_gadget(tools(), caller(), _item(), product=typed["product"], days=typed["days"])
    except Invalid as problem:
        body = show.part("panels/gadget.html", again=True, **_gadget(editing=True), problem=problem)
        return shown_again(body, problem)
    return show.part("panels/gadget.html", again=True, **_gadget())


def _panel(place: Issue | Content | None, *, asked: bool = False) -> str:
    participants = cast(Participants, current_app.extensions[PARTICIPANTS])
    found = look(tools(), caller(), participants, place) if place is not None else Panel()
    return _layout(
        "panels/people.html",
        title="Who is away",
        scripts=found.warning is not None,
        empty=found.is_empty and not asked,
        panel=found,
        roles=ROLES,
        silences=SILENCES,
        endings=ENDINGS,
    )


def _layout(template: str, *, title: str, scripts: bool, empty: bool = False, **context: Any) -> str:
    """`scripts`: whether it has something that asks the server again."""
    return render_template(
        "panels/layout.html",
        content=template,
        title=title,
        scripts=scripts,
        empty=empty,
        now=tools().clock(),
        ap_script_url=tools().settings.ap_script_url,
        **context,
    )


def _gadget(*, editing: bool = False) -> dict[str, Any]:
    known = organization_of(tools(), caller()) is not None
    operator = known and is_operator(tools(), caller(), fresh=False)
    item = _item()
    return {
        "view": view_gadget(tools(), caller(), item) if operator else None,
        "known": known,
        "item": item,
        "editing": editing,
        "warning": own_warning(tools(), caller()),
        "endings": ENDINGS,
        "home": app_address(tools(), caller().tenant) if operator else "",
    }


def _content() -> Content | None:
    content_id, kind = _number("content"), request.args.get("type", "")
    if content_id is None or kind not in set(ContentKind):
        return None
    return Content(content_id, ContentKind(kind))


def _item() -> Item:
    """Elsewhere than on a dashboard the ids are empty: then it is one gadget for all."""
    dashboard, item = _number("dashboard"), _number("item")
    return Item("" if dashboard is None else str(dashboard), "" if item is None else str(item))


def _number(name: str) -> int | None:
    return whole_number(request.values.get(name, ""), LARGEST_ID)
