"""Leavers: the list, beginning one or several, and what an operator decides about one."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, request

from connect.errors import Invalid
from models.leaver_list import Standing
from models.people import Person
from models.people_search import find_people
from rules.far_days import is_far
from rules.filters import PeopleFilter
from rules.handover import ORDER
from services import leaver_decisions, leaver_evidence, leaver_lists, leaver_stops, leavers
from services.doors import require_organization
from services.leaver_decisions import Plan
from services.leaver_views import show_leaver
from views import leaver_words, show
from views.access import api, caller, operator_only, tools
from views.changed_since import require_unchanged
from views.downloads import download
from views.errors import shown_again
from views.leaver_pages import content, evidence_page, listing, plan_shown
from views.page_numbers import page_asked_for
from views.people import filter_of
from views.uploads import uploaded

blueprint = Blueprint("leavers", __name__, url_prefix="/app/leavers")
MOST_FOUND = 8
CHECKLIST = ("looked", "tokens", "ending")
"""What somebody ticks before a handover begins."""


@blueprint.get("")
@api
@operator_only
def index() -> str:
    asked_for = request.args.get("show", "")
    standing = Standing(asked_for) if asked_for in set(Standing) else Standing.ALL
    return listing(standing, page_asked_for())


@blueprint.post("")
@api
@operator_only
def begin() -> str:
    """One person's page, or the list when there are several."""
    ids = [each for each in request.form.get("account_ids", "").split(",") if each]
    if request.form.get("whole") == "yes":
        ids = _whole()
    found = leavers.request_leavers(tools(), caller(), ids)
    if len(found) == 1:
        return content(found[0])
    return listing(saved=f"{len(found)} people are leaving. Rollcall looks for what they own.")


@blueprint.post("/list")
@api
@operator_only
def begin_listed() -> str | Response:
    """Everybody of a pasted list, or of a file."""
    text = ""
    try:
        file = uploaded()
        text = request.form.get("people", "")
        count = leaver_lists.request_several(tools(), caller(), text, file)
    except Invalid as problem:
        return shown_again(listing(problem=problem, typed=text), problem)
    people = "1 person is" if count == 1 else f"{count} people are"
    return listing(saved=f"{people} leaving. Rollcall looks for what they own.")


@blueprint.get("/search")
@api
@operator_only
def search() -> str:
    """Whoever could be meant: to begin with, or as the successor of a leaver."""
    text, leaver_id = request.args.get("text", "").strip(), request.args.get("of", "")
    already = set()
    if leaver_id:
        page = show_leaver(tools(), caller(), leaver_id)
        already = {page.leaver.account_id, *page.leaver.successors}
    people = [person for person in _found(text) if person.account_id not in already]
    return show.part("leavers/found.html", people=people, text=text, leaver_id=leaver_id)


@blueprint.get("/<leaver_id>")
@api
@operator_only
def leaver(leaver_id: str) -> str:
    return content(leaver_id)


@blueprint.get("/<leaver_id>/progress")
@api
@operator_only
def progress(leaver_id: str) -> str | Response:
    """What moves, while the worker is at it; the whole page as soon as somebody has to decide."""
    page = show_leaver(tools(), caller(), leaver_id)
    if page.is_live and page.state.value == request.args.get("state"):
        return show.part("leavers/live.html", page=page, words=leaver_words)
    answer = make_response(content(leaver_id))
    answer.headers["HX-Retarget"] = "#main"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@blueprint.post("/<leaver_id>/look")
@api
@operator_only
def look(leaver_id: str) -> str | Response:
    """What was typed in the plan so far is kept."""
    if _typed() is None:
        leavers.look_again(tools(), caller(), leaver_id)
        return content(leaver_id)
    try:
        leaver_decisions.look_again(tools(), caller(), leaver_id, _plan(leaver_id))
    except Invalid as problem:
        return shown_again(content(leaver_id, problem=problem, typed=_typed()), problem)
    return content(leaver_id)


@blueprint.post("/<leaver_id>/successors")
@api
@operator_only
def successor(leaver_id: str) -> str:
    """What was typed in the plan so far is shown again; whoever is the only successor is chosen for everything."""
    account_id, typed = request.form.get("account_id", ""), _typed()
    if request.form.get("remove"):
        leaver_decisions.remove_successor(tools(), caller(), leaver_id, account_id)
    elif leaver_decisions.add_successor(tools(), caller(), leaver_id, account_id) and typed is not None:
        typed |= {f"successor-{kind.value}": account_id for kind in ORDER}
    return content(leaver_id, typed=typed)


@blueprint.post("/<leaver_id>/plan")
@api
@operator_only
def plan(leaver_id: str) -> str | Response:
    try:
        leaver_decisions.choose(tools(), caller(), leaver_id, _plan(leaver_id))
    except Invalid as problem:
        return shown_again(content(leaver_id, problem=problem, typed=_typed()), problem)
    return content(leaver_id)


@blueprint.post("/<leaver_id>/confirm")
@api
@operator_only
def confirm(leaver_id: str) -> str | Response:
    require_unchanged(*plan_shown(show_leaver(tools(), caller(), leaver_id)))
    missing = [each for each in CHECKLIST if not request.form.get(each)]
    if missing:
        problem = Invalid(missing[0], "Tick everything first.", "Each line says what will happen.")
        return shown_again(content(leaver_id, problem=problem), problem)
    leaver_decisions.confirm(tools(), caller(), leaver_id)
    return content(leaver_id)


@blueprint.post("/<leaver_id>/<any(stop, stay, again, on, back):step>")
@api
@operator_only
def order(leaver_id: str, step: str) -> str:
    orders = {
        "stop": leaver_stops.stop,
        "stay": leaver_stops.stay,
        "again": leaver_stops.try_again,
        "on": leaver_stops.go_on,
        "back": leaver_stops.hand_back,
    }
    orders[step](tools(), caller(), leaver_id)
    return content(leaver_id)


@blueprint.get("/<leaver_id>/evidence")
@api
@operator_only
def evidence(leaver_id: str) -> str:
    return evidence_page(leaver_id)


@blueprint.get("/<leaver_id>/evidence/file")
@api
@operator_only
def evidence_file(leaver_id: str) -> Response:
    rows = leaver_evidence.evidence_csv(tools(), caller(), leaver_id)
    return download(rows, f"rollcall-leaver-{leaver_id[:8]}.csv")


def _typed() -> dict[str, str] | None:
    """The plan as it was typed; None when it did not come along."""
    return dict(request.form) if "deed" in request.form else None


def _plan(leaver_id: str) -> Plan:
    """What was typed. Raises Invalid."""
    form = request.form
    word = form.get("ends_at", "").strip()
    if form.get("when") == "later" and not word:
        raise Invalid("ends_at", "The moment is missing.", "Choose it, or end access after the handover.")
    zone = ZoneInfo(show_leaver(tools(), caller(), leaver_id).time_zone)
    try:
        ends_at = datetime.fromisoformat(word).replace(tzinfo=zone).astimezone(UTC) if word else None
    except (ValueError, OverflowError) as problem:
        raise Invalid("ends_at", "This is no date with a time.", "Write it as 2027-05-01T18:00.") from problem
    if ends_at is not None and is_far(ends_at.date(), tools().clock().date()):
        raise Invalid(
            "ends_at",
            "This moment is too far away.",
            "Choose an earlier one, or end access after the handover.",
        )
    return Plan(
        choices={
            kind.value: form[f"successor-{kind.value}"] for kind in ORDER if f"successor-{kind.value}" in form
        },
        deed=form.get("deed", ""),
        ends_at=ends_at if form.get("when") == "later" else None,
        revoke_tokens=bool(form.get("revoke_tokens")),
        why=form.get("why", ""),
        note=form.get("note", ""),
        message_by=form.get("message_by", ""),
        message=form.get("message", ""),
    )


def _found(text: str) -> list[Person]:
    if not text:
        return []
    organization_id = require_organization(tools(), caller())
    with tools().begin() as session:
        found = find_people(
            session, organization_id, PeopleFilter(text=text[:100]), tools().clock(), limit=MOST_FOUND
        )
        session.expunge_all()
    return [person for person in found if not person.is_bot]


def _whole() -> list[str]:
    """Everybody of the filter, one more than there may be so that too many are said to be."""
    organization_id = require_organization(tools(), caller())
    wanted = filter_of(dict(parse_qsl(request.form.get("filter", ""))))
    with tools().begin() as session:
        found = find_people(session, organization_id, wanted, tools().clock(), limit=leavers.MOST_AT_ONCE + 1)
        return [person.account_id for person in found]
