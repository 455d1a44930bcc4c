"""Runs: the list, the preview by hand, and the buttons of a run."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl

from flask import Blueprint, Response, make_response, request

from connect.errors import Invalid
from rules.deeds import BY_HAND, Deed
from services import exports, previews, provider_lists, retrying, rule_runs, run_progress, runs, undoing
from services.previews import Purpose
from services.run_progress import RunView
from views import show
from views.access import api, caller, operator_only, tools
from views.downloads import download
from views.errors import shown_again
from views.page_numbers import page_asked_for
from views.people import filter_of
from views.run_pages import PURPOSES, content, is_live, people_of

blueprint = Blueprint("runs", __name__, url_prefix="/app/runs")
LONGEST_NOTE = 500
PER_PAGE = 50


@blueprint.get("")
@api
@operator_only
def index() -> str:
    asked = page_asked_for()
    found, total = _page(asked)
    pages = max(-(-total // PER_PAGE), 1)
    page = min(asked, pages)
    if page != asked:
        found, total = _page(page)
    return show.place(
        "runs/index.html",
        tab="runs",
        title="Runs",
        address=f"runs?page={page}" if page > 1 else "runs",
        runs=found,
        total=total,
        page=page,
        pages=pages,
        per_page=PER_PAGE,
    )


@blueprint.post("")
@api
@operator_only
def preview() -> str:
    """A preview for the people whose ids are given, or for everybody of the filter."""
    deed = request.form.get("deed", "")
    if deed not in {each.value for each in BY_HAND}:
        raise Invalid("deed", "This is nothing that is done by hand.", "Choose Suspend or Restore.")
    whole = request.form.get("whole") == "yes"
    ids = [account_id for account_id in request.form.get("account_ids", "").split(",") if account_id]
    run_id = previews.preview(
        tools(),
        caller(),
        Deed(deed),
        account_ids=None if whole else ids,
        filter=filter_of(dict(parse_qsl(request.form.get("filter", "")))) if whole else None,
    )
    return content(run_id)


@blueprint.get("/<run_id>")
@api
@operator_only
def run(run_id: str) -> str:
    return content(run_id)


@blueprint.get("/<run_id>/progress")
@api
@operator_only
def progress(run_id: str) -> str | Response:
    """Bar, counts and rows while the run goes on; the whole page as soon as it does not."""
    view = run_progress.show_run(tools(), caller(), run_id)
    if is_live(view):
        return show.part("runs/live.html", **people_of(view))
    answer = make_response(content(run_id))
    answer.headers["HX-Retarget"] = "#main"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@blueprint.post("/<run_id>/confirm")
@api
@operator_only
def confirm(run_id: str) -> str | Response:
    """What is written beside a suspension is kept first; when it cannot be, nothing happens."""
    try:
        if "reason" in request.form:
            previews.describe(tools(), caller(), run_id, _purpose())
    except Invalid as problem:
        return shown_again(content(run_id, problem, dict(request.form)), problem)
    runs.confirm(tools(), caller(), run_id)
    return content(run_id)


@blueprint.post("/<run_id>/release")
@api
@operator_only
def release(run_id: str) -> str:
    rule_runs.release_brake(tools(), caller(), run_id)
    return content(run_id)


@blueprint.post("/<run_id>/stop")
@api
@operator_only
def stop(run_id: str) -> str:
    runs.stop(tools(), caller(), run_id)
    return content(run_id)


@blueprint.post("/<run_id>/retry")
@api
@operator_only
def retry(run_id: str) -> str:
    retrying.retry_failed(tools(), caller(), run_id)
    return content(run_id)


@blueprint.post("/<run_id>/undo")
@api
@operator_only
def undo(run_id: str) -> str:
    """The whole run, or what it did to one person."""
    account_id = request.form.get("account_id") or None
    return content(undoing.preview_undo(tools(), caller(), run_id, account_id))


@blueprint.get("/<run_id>/export")
@api
@operator_only
def export(run_id: str) -> Response:
    return download(exports.run_csv(tools(), caller(), run_id), f"rollcall-run-{run_id[:8]}.csv")


@blueprint.get("/<run_id>/provider")
@api
@operator_only
def provider(run_id: str) -> Response:
    """For the administrator of the identity provider: who is in which of its groups."""
    rows = provider_lists.provider_csv(tools(), caller(), run_id)
    return download(rows, f"rollcall-identity-provider-{run_id[:8]}.csv")


def _page(page: int) -> tuple[list[RunView], int]:
    return run_progress.list_runs(tools(), caller(), offset=(page - 1) * PER_PAGE, limit=PER_PAGE)


def _purpose() -> Purpose:
    """Reason, note and end as typed. Raises Invalid."""
    form = request.form
    reason, note, word = form["reason"], form.get("note", "").strip(), form.get("ends_on", "").strip()
    if reason and reason not in PURPOSES:
        raise Invalid("reason", "This is no reason of the list.", "Choose one, or none.")
    if len(note) > LONGEST_NOTE:
        raise Invalid("note", f"A note has at most {LONGEST_NOTE} characters.", "Shorten it.")
    try:
        ends_on = date.fromisoformat(word) if word else None
    except ValueError as problem:
        raise Invalid(
            "ends_on", "This is no date.", "Write it as 2027-05-01, or leave it empty."
        ) from problem
    comes_back = bool(form.get("comes_back"))
    if comes_back and ends_on is None:
        raise Invalid("ends_on", "Restored by itself: on which day?", "Choose the last day of the absence.")
    return Purpose(reason, note, ends_on, comes_back)
