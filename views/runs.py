"""Runs: the list, the preview, the live run, and its buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, make_response, request

from connect.errors import Invalid
from models.run import cases_of
from rules.case import CaseState, Deed, RunState
from rules.filters import PeopleFilter
from services import exports, previews, run_progress, runs
from services.doors import require_organization
from services.run_progress import RunView
from views import show
from views.access import api, caller, operator_only, tools
from views.downloads import download
from views.words import case_words

blueprint = Blueprint("runs", __name__, url_prefix="/app/runs")
PER_PAGE = 50
ORDER = (
    CaseState.PLANNED,
    CaseState.ACTING,
    CaseState.ACTED,
    CaseState.UNDONE,
    CaseState.UNDO_SKIPPED,
    CaseState.FAILED,
    CaseState.REFUSED,
    CaseState.SPARED,
    CaseState.CANCELLED,
    CaseState.GUARDED,
    CaseState.NOT_POSSIBLE,
)


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return show.place(
        "runs/index.html", tab="runs", title="Runs", runs=run_progress.list_runs(tools(), caller())
    )


@blueprint.post("")
@api
@operator_only
def preview() -> str:
    """A preview for the people whose ids are given, or for everybody of the filter."""
    deed = request.form.get("deed", "")
    if deed not in {each.value for each in Deed}:
        raise Invalid("deed", "This is nothing that Rollcall can do.", "Choose Suspend or Restore.")
    whole = request.form.get("whole") == "yes"
    ids = [account_id for account_id in request.form.get("account_ids", "").split(",") if account_id]
    run_id = previews.preview(
        tools(),
        caller(),
        Deed(deed),
        account_ids=None if whole else ids,
        filter=PeopleFilter.from_words(dict(parse_qsl(request.form.get("filter", "")))) if whole else None,
    )
    return _show(run_id)


@blueprint.get("/<run_id>")
@api
@operator_only
def run(run_id: str) -> str:
    return _show(run_id)


@blueprint.get("/<run_id>/progress")
@api
@operator_only
def progress(run_id: str) -> str | Response:
    """Bar, counts and rows while the run goes on; the whole page as soon as it does not."""
    view = run_progress.show_run(tools(), caller(), run_id)
    if view.state is RunState.RUNNING:
        return show.part("runs/live.html", live=True, **_people_of(view))
    answer = make_response(_show(run_id))
    answer.headers["HX-Retarget"] = "#main"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@blueprint.post("/<run_id>/confirm")
@api
@operator_only
def confirm(run_id: str) -> str:
    runs.confirm(tools(), caller(), run_id)
    return _show(run_id)


@blueprint.post("/<run_id>/stop")
@api
@operator_only
def stop(run_id: str) -> str:
    runs.stop(tools(), caller(), run_id)
    return _show(run_id)


@blueprint.post("/<run_id>/retry")
@api
@operator_only
def retry(run_id: str) -> str:
    runs.retry_failed(tools(), caller(), run_id)
    return _show(run_id)


@blueprint.post("/<run_id>/undo")
@api
@operator_only
def undo(run_id: str) -> str:
    return _show(previews.preview_undo(tools(), caller(), run_id))


@blueprint.get("/<run_id>/export")
@api
@operator_only
def export(run_id: str) -> Response:
    return download(exports.run_csv(tools(), caller(), run_id), f"rollcall-run-{run_id[:8]}.csv")


def _show(run_id: str) -> str:
    view = run_progress.show_run(tools(), caller(), run_id)
    context = _people_of(view)
    if view.state is RunState.PREVIEW:
        return show.place(
            "runs/preview.html", tab="people", title="Preview", explanation=_explanation(view), **context
        )
    live = view.state is RunState.RUNNING
    return show.place("runs/run.html", tab="runs", title=show.run_title(view), live=live, **context)


def _explanation(view: RunView) -> str:
    if view.undoes:
        return "Only people whom the run changed are given back, and nobody whom somebody changed since."
    if view.deed is Deed.SUSPEND:
        return "Suspended people cannot open the organization's products and cost no seat; groups and roles are kept."
    return "Restored people get back what they had: groups and roles were kept, and their seats are billed again."


@dataclass(frozen=True, slots=True)
class Chip:
    """A verdict or result to look at alone; the empty key shows everybody."""

    key: str
    label: str
    count: int


def _people_of(view: RunView) -> dict[str, Any]:
    """One page of the run's people in the state that the request asks for."""
    asked = request.args.get("show", "")
    state = CaseState(asked) if asked in {each.value for each in CaseState} else None
    total = view.counts.get(state, 0) if state else view.total
    pages = max(-(-total // PER_PAGE), 1)
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    organization_id = require_organization(tools(), caller())
    with tools().begin() as session:
        cases = cases_of(session, organization_id, view.id, state, (page - 1) * PER_PAGE, PER_PAGE)
        session.expunge_all()
    query = ({"show": state.value} if state else {}) | ({"page": str(page)} if page > 1 else {})
    return {
        "run": view,
        "cases": cases,
        "chips": _chips(view),
        "show": state.value if state else "",
        "page": page,
        "pages": pages,
        "per_page": PER_PAGE,
        "shown_total": total,
        "address": show.address(f"runs/{view.id}", query),
    }


def _chips(view: RunView) -> list[Chip]:
    states = [state for state in ORDER if view.counts.get(state)]
    everybody = Chip("", "Everybody", view.total)
    return [everybody] + [
        Chip(state.value, case_words(state, view.deed, view.state), view.counts[state]) for state in states
    ]
