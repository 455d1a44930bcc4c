"""In the product: what panels on issues and pages say, from when on, and who gets their access back by itself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import Invalid
from rules.panel import Privacy
from services.notice_settings import examples, notice_settings, set_notice_settings
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("notices", __name__, url_prefix="/app/notices")
FIELDS = ("privacy", "days", "give_back_cap")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _content(_stored())


@blueprint.post("")
@api
@operator_only
def save() -> str | Response:
    typed = {name: request.form.get(name, "")[:20] for name in FIELDS}
    require_unchanged(_stored())
    try:
        set_notice_settings(tools(), caller(), **typed)
    except Invalid as problem:
        return shown_again(_content(typed, problem=problem), problem)
    return _content(_stored(), saved="Saved. Panels say so from their next opening on.")


def _stored() -> dict[str, str]:
    kept = notice_settings(tools(), caller())
    cap = "" if kept.give_back_cap is None else str(kept.give_back_cap)
    return {"privacy": kept.privacy.value, "days": str(kept.days), "give_back_cap": cap}


def _content(typed: dict[str, str], **extra: Any) -> str:
    kept = notice_settings(tools(), caller())
    now = tools().clock()
    return show.place(
        "notices/index.html",
        tab="notices",
        title="In the product",
        typed=typed,
        was=mark_of(_stored()),
        choices=[(choice, examples(choice, kept.days, now)) for choice in Privacy],
        preview=examples(kept.privacy, kept.days, now),
        **extra,
    )
