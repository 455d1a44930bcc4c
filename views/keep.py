"""For the person concerned: their own warning, and the answer to it. No right is needed to answer for oneself."""

from __future__ import annotations

from flask import Blueprint, request

from services.keeping import keep_my_access
from services.own_timed import ask_for_longer_inside
from views import show
from views.access import api, caller, tools

blueprint = Blueprint("keep", __name__, url_prefix="/app")


@blueprint.post("/keep")
@api
def keep() -> str:
    """Acts on nobody but the proven caller."""
    return show.part("warning/kept.html", kept=keep_my_access(tools(), caller()))


@blueprint.post("/keep/longer")
@api
def longer() -> str:
    """Asks for more time, for nobody but the proven caller."""
    ask_for_longer_inside(tools(), caller(), request.form.get("case", ""))
    return show.part("warning/kept.html", asked=True)
