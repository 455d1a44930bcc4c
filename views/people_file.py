"""A file of people: its template, the upload, and what has to be mended in it."""

from __future__ import annotations

from flask import Blueprint, Response

from connect.errors import Invalid
from rules.people_file import COLUMNS, MOST_ROWS
from rules.people_rows import ACTIONS
from services import people_file, profiles, roster_report
from views import run_pages, show
from views.access import api, caller, operator_only, takes_up_to, tools
from views.downloads import download
from views.errors import shown_again
from views.page_numbers import page_asked_for
from views.uploads import uploaded

blueprint = Blueprint("people_file", __name__, url_prefix="/app/onboarding/file")
MEGABYTES = 20
"""50,000 rows with long notes."""
MEANINGS = (
    ("e-mail", "Whom the row is about. The only column that has to be there."),
    ("name", "How they are called until Atlassian knows better."),
    ("profile", "Name of a profile; several with | between them."),
    ("groups to add", "Names of groups, with | between them."),
    ("groups to remove", "The same. Goes with the action update."),
    ("action", "One of: " + ", ".join(ACTIONS) + ". Empty: invite."),
    ("start", "The day on which it happens, as 2027-05-01. Empty: at once."),
    (
        "end",
        "The last day of what is given; who has it until an earlier one is prolonged. Empty: as the profile says.",
    ),
    ("note", "For yourselves: it stands beside the person in the run."),
)


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _form()


@blueprint.get("/template")
@api
@operator_only
def template() -> Response:
    return download(people_file.template_csv(), "rollcall-people.csv")


@blueprint.post("")
@api
@operator_only
@takes_up_to(MEGABYTES * 1024 * 1024)
def upload() -> str | Response:
    """Checks every row; nothing happens to anybody before the preview is confirmed."""
    try:
        run_id = people_file.preview_file(tools(), caller(), uploaded() or ())
    except Invalid as problem:
        return shown_again(_form(problem), problem)
    return run_pages.content(run_id)


@blueprint.get("/<run_id>/rows")
@api
@operator_only
def rows(run_id: str) -> str:
    """One page of the rows to mend."""
    return show.part(
        "onboarding/bad_rows_page.html",
        bad=people_file.bad_rows(tools(), caller(), run_id, page_asked_for()),
        run_id=run_id,
        per_page=people_file.PER_PAGE,
    )


@blueprint.get("/<run_id>/mend")
@api
@operator_only
def mend(run_id: str) -> Response:
    return download(people_file.mend_csv(tools(), caller(), run_id), f"rollcall-to-mend-{run_id[:8]}.csv")


@blueprint.get("/<run_id>/report")
@api
@operator_only
def report(run_id: str) -> Response:
    return download(roster_report.report_csv(tools(), caller(), run_id), f"rollcall-report-{run_id[:8]}.csv")


def _form(problem: Invalid | None = None) -> str:
    return show.place(
        "onboarding/file.html",
        tab="onboarding",
        title="From a file",
        problem=problem,
        meanings=MEANINGS,
        most=MOST_ROWS,
        megabytes=MEGABYTES,
        profiles=[each.profile.name for each in profiles.list_profiles(tools(), caller())],
    )


assert tuple(column for column, _ in MEANINGS) == COLUMNS
