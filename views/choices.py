"""What forms let people choose from, where there is too much to show at once."""

from __future__ import annotations

from flask import Blueprint, request

from services.group_choices import MOST_FOUND, find_groups, group_choices
from views import show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("choices", __name__, url_prefix="/app/choices")


@blueprint.get("/groups")
@api
@operator_only
def groups() -> str:
    """Groups by a part of their name: to tick for a field, without those ticked there, or to choose one of."""
    text, field = request.args.get("find", "")[:100].strip(), request.args.get("field", "")[:100]
    if text:
        ticked = request.args.getlist(field)[:1000] if field else []
        found = find_groups(tools(), caller(), text, but=ticked)
    else:
        found = [] if field else group_choices(tools(), caller()).groups
    return show.part(
        "partials/found_groups.html",
        groups=found,
        text=text,
        field=field,
        most=MOST_FOUND,
    )
