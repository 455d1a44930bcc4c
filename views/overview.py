"""Overview: totals, who uses what, what needs attention, and how the sync is doing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint

from connect.caller import Caller
from services import overview as overviews
from services.keeping import own_warning
from services.mail_words import ENDINGS
from services.overview import Overview
from services.summary import IDLE_DAYS
from services.toolbox import Toolbox
from views import show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("overview", __name__, url_prefix="/app")

IDLE_WORDS = {"idle90": str(IDLE_DAYS), "never": "never", "unknown": "unknown"}
"""Which parts of the chart the list of people can show as they are counted here."""


@blueprint.get("/overview")
@api
@operator_only
def index() -> str:
    return content(tools(), caller())


def content(tools: Toolbox, caller: Caller) -> str:
    """The page, for a caller who is an operator."""
    view = overviews.overview(tools, caller)
    return show.place(
        "overview/index.html",
        tab="overview",
        title="Overview",
        view=view,
        figures=_figures(view),
        kinds=show.KINDS,
        idle_words=IDLE_WORDS,
        warning=own_warning(tools, caller),
        endings=ENDINGS,
    )


@dataclass(frozen=True, slots=True)
class Figure:
    count: int
    words: str
    path: str


def _figures(view: Overview) -> list[Figure]:
    totals = view.totals
    idle = {"idle": str(IDLE_DAYS), "status": "active"}
    return [
        Figure(totals.people, "people in the directory", "people"),
        Figure(totals.active, "active accounts", show.address("people", {"status": "active"})),
        Figure(totals.idle, f"idle {IDLE_DAYS} days or more, with a seat", show.address("people", idle)),
        Figure(totals.never, "never came, with a seat", "people?idle=never&status=active"),
        Figure(totals.suspended, "suspended", "people?status=suspended"),
    ]
