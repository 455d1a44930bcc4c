"""Inviting people by hand, and the invitations that are open."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from services import invitations, inviting, profiles, seat_counts
from services.inviting import Typed
from views import run_pages, show
from views.access import api, caller, operator_only, tools
from views.errors import shown_again
from views.page_numbers import page_asked_for

blueprint = Blueprint("onboarding", __name__, url_prefix="/app/onboarding")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _page(Typed(profiles=request.args.getlist("profiles")))


@blueprint.post("")
@api
@operator_only
def preview() -> str | Response:
    """Everybody of the list with a verdict; nothing is sent before it is confirmed."""
    typed = _typed()
    try:
        run_id = inviting.preview_invitations(tools(), caller(), typed)
    except Invalid as problem:
        return shown_again(_page(typed, problem), problem)
    return run_pages.content(run_id)


@blueprint.post("/waiting/<case_id>/call-off")
@api
@operator_only
def call_off(case_id: str) -> str:
    case = invitations.call_off(tools(), caller(), case_id)
    return _page(Typed(), saved=f"{case.name} is called off: nothing begins for them.")


def _typed() -> Typed:
    form = request.form
    return Typed(
        form.get("people", "")[: inviting.LONGEST_LIST + 1],
        [each[:36] for each in form.getlist("profiles")],
        form.get("starts_on", "")[:20],
        form.get("ends_on", "")[:20],
        form.get("message", "")[: 2 * inviting.LONGEST_MESSAGE],
    )


def _page(typed: Typed, problem: Invalid | None = None, saved: str = "") -> str:
    page, waiting_page = page_asked_for(), page_asked_for("waiting")
    found = invitations.open_invitations(tools(), caller(), page, waiting_page)
    pages = max(-(-found.total // invitations.PER_PAGE), 1)
    waiting_pages = max(-(-found.waiting_total // invitations.WAITING_PER_PAGE), 1)
    at = {"page": min(page, pages), "waiting": min(waiting_page, waiting_pages)}
    at = {name: number for name, number in at.items() if number > 1}
    return show.place(
        "onboarding/index.html",
        tab="onboarding",
        title="Invite",
        typed=typed,
        problem=problem,
        saved=saved,
        profiles=profiles.list_profiles(tools(), caller()),
        seats=seat_counts.free_seats(tools(), caller()),
        open=found,
        at=at,
        pages=pages,
        per_page=invitations.PER_PAGE,
        waiting_pages=waiting_pages,
        waiting_per_page=invitations.WAITING_PER_PAGE,
        today=show.today_there(),
        address=show.address("onboarding", {name: str(number) for name, number in at.items()}),
    )
