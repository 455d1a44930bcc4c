"""Access with an end: who has what until when; operators prolong it, end it now or take the end away."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from services import timed_deciding, timed_views
from views import show
from views.access import api, caller, operator_only, tools
from views.errors import shown_again
from views.page_numbers import page_asked_for

blueprint = Blueprint("endings", __name__, url_prefix="/app/onboarding/ending")
PLACE = "onboarding/ending"
PER_PAGE = 50
LABELS = {
    timed_views.OPEN: "All that end",
    timed_views.SOON_WORD: "Within two weeks",
    timed_views.ASKED: "Asked for longer",
    timed_views.TROUBLE: "Could not be ended",
    timed_views.OVER: "Over",
}


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _content()


@blueprint.post("/<case_id>/prolong")
@api
@operator_only
def prolong(case_id: str) -> str | Response:
    typed = request.form.get("until", "")
    try:
        timed = timed_deciding.prolong(tools(), caller(), case_id, typed)
    except Invalid as problem:
        return shown_again(_content(problem=problem, at=case_id, typed=typed), problem)
    if timed.state == "ended":
        return _content("It is given again: that takes a minute.")
    return _content(f"Prolonged until {show.day(timed.until)}.")


@blueprint.post("/<case_id>/end")
@api
@operator_only
def end(case_id: str) -> str:
    timed = timed_deciding.end_now(tools(), caller(), case_id)
    if timed.state == "not_ended":
        return _content(trouble=f"It could not be ended: {timed.reason}")
    return _content("It is ending: that takes a minute.")


@blueprint.post("/<case_id>/drop")
@api
@operator_only
def drop(case_id: str) -> str:
    timed_deciding.drop_end(tools(), caller(), case_id)
    return _content("The end is gone: the access stays.")


def _content(
    saved: str = "", *, trouble: str = "", problem: Invalid | None = None, at: str = "", typed: str = ""
) -> str:
    asked = request.values.get("show", "")
    kind = asked if asked in timed_views.KINDS else timed_views.OPEN
    page = page_asked_for()
    found = _found(kind, page)
    total = found.counts[kind]
    pages = max(-(-total // PER_PAGE), 1)
    if page > pages:
        # Whoever ended the last one of a page goes on with the page before.
        page, found = pages, _found(kind, pages)
    words = {"show": kind} if kind else {}
    return show.place(
        "endings/index.html",
        tab="onboarding",
        title="Access with an end",
        rows=found.rows,
        counts=found.counts,
        labels=LABELS,
        show=kind,
        total=total,
        page=page,
        pages=pages,
        per_page=PER_PAGE,
        saved=saved,
        trouble=trouble,
        problem=problem,
        at=at,
        typed=typed,
        path=show.address(PLACE, words),
        address=show.address(PLACE, words | ({"page": str(page)} if page > 1 else {})),
    )


def _found(kind: str, page: int) -> timed_views.Endings:
    return timed_views.endings(tools(), caller(), kind, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
