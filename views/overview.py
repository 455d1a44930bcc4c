"""Overview: totals, who uses what, what needs attention, and how the sync is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Blueprint

from connect.caller import Caller
from services import coming
from services import overview as overviews
from services.coming import Coming
from services.keeping import own_warning
from services.mail_words import ENDINGS
from services.overview import Overview
from services.summary import IDLE_DAYS
from services.toolbox import Toolbox
from views import show
from views.access import api, caller, operator_only, tools
from views.words import DEED_VERBS

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
        coming=[_ahead(one) for one in view.coming],
        kinds=show.KINDS,
        idle_words=IDLE_WORDS,
        warning=own_warning(tools, caller),
        endings=ENDINGS,
    )


_PLACES = {
    coming.TIMED: ("onboarding/ending", "Access with an end"),
    coming.AWAY: ("people?status=suspended", "Their absence is over"),
    coming.LEAVERS: ("leavers", "They are leaving"),
}
"""Where → its address, and why it comes."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A line of what comes by itself."""

    day: date
    verb: str
    people: int
    because: str
    path: str


def _ahead(one: Coming) -> Ahead:
    path, because = _PLACES.get(one.place, (f"runs/{one.run_id}", one.rule or "A run"))
    return Ahead(one.day, DEED_VERBS[one.deed], one.people, because, path)


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
