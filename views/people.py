"""People: the list with its filters, and its export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request

from connect.errors import Invalid
from models.credential import credential_holders
from models.organization import seats_of, site_owners
from models.people import Person, facts_of
from models.sync import SyncState, latest_sync
from rules.filters import STATUSES, BadFilter, PeopleFilter
from rules.guards import SENTENCES, Guarded, guard_of
from services import exports
from services.doors import require_organization
from services.group_choices import group_choices
from services.people_list import list_people
from services.summary import summary
from views import show
from views.access import api, caller, operator_only, tools
from views.downloads import download
from views.page_numbers import page_asked_for
from views.words import CHIPS, IDLE_CHOICES

blueprint = Blueprint("people", __name__, url_prefix="/app/people")
PER_PAGE = 50
COLUMNS = (
    ("Person", "name"),
    ("Last seen", "seen"),
    ("Products", ""),
    ("Status", "status"),
    ("Account", ""),
    ("Guarded", ""),
)


@blueprint.get("")
@api
@operator_only
def index() -> str:
    wanted = filter_of(request.args)
    organization_id = require_organization(tools(), caller())
    found = list_people(tools(), caller(), wanted, page=page_asked_for(), per_page=PER_PAGE)
    with tools().begin() as session:
        complete = latest_sync(session, organization_id, SyncState.COMPLETE)
        guarded = Guarded(caller().account_id or "", frozenset(credential_holders(session, organization_id)))
        owners = site_owners(seats_of(session, organization_id))
        session.expunge_all()
    completed = complete.finished_at if complete is not None else None
    words = wanted.to_words()
    return show.place(
        "people/index.html",
        tab="people",
        title="People",
        filter=wanted,
        words=words,
        filter_key=show.address("", _unsorted(words)),
        rows=found.people,
        guards=_guards(found.people, guarded, owners),
        facets=summary(tools(), organization_id).facets,
        groups=group_choices(tools(), caller(), [wanted.group]),
        last_complete=completed,
        total=found.total,
        page=found.page,
        pages=found.pages,
        per_page=PER_PAGE,
        address=show.address("people", words | ({"page": str(found.page)} if found.page > 1 else {})),
        address_of_page=show.address("people", words),
        columns=_columns(wanted),
        chips=_chips(words),
        statuses=STATUSES,
        idle_choices=IDLE_CHOICES,
        idle_choice=_idle_choice(wanted),
    )


@blueprint.get("/export")
@api
@operator_only
def export() -> Response:
    return download(exports.people_csv(tools(), caller(), filter_of(request.args)), "rollcall-people.csv")


def filter_of(arguments: Mapping[str, str]) -> PeopleFilter:
    """The filter of a request; "other" stands for a number of days in a field of its own. Raises Invalid."""
    words = dict(arguments)
    if words.get("idle") == "other":
        words["idle"] = words.get("days", "")
    try:
        return PeopleFilter.from_words(words)
    except BadFilter as problem:
        raise Invalid(problem.field, str(problem), "Choose another value in the filter.") from problem


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list; `words` is the address that sorts by it, turned round when it sorts already."""

    label: str
    sort: str
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Chip:
    """A frequent filter."""

    label: str
    words: dict[str, str]
    current: bool


def _columns(wanted: PeopleFilter) -> list[Column]:
    words = _unsorted(wanted.to_words())
    columns = []
    for label, sort in COLUMNS:
        down = {"down": "yes"} if wanted.sort == sort and not wanted.descending else {}
        columns.append(Column(label, sort, words | {"sort": sort} | down))
    return columns


def _chips(words: dict[str, str]) -> list[Chip]:
    return [Chip(label, chip, _unsorted(words) == chip) for label, chip in CHIPS]


def _unsorted(words: dict[str, str]) -> dict[str, str]:
    return {word: value for word, value in words.items() if word not in ("sort", "down")}


def _guards(rows: list[Person], guarded: Guarded, owners: frozenset[str]) -> dict[str, str]:
    """Why somebody on this page is never touched, by account id."""
    found = ((person.account_id, guard_of(facts_of(person), guarded, owners)) for person in rows)
    return {account_id: SENTENCES[guard] for account_id, guard in found if guard is not None}


def _idle_choice(wanted: PeopleFilter) -> str:
    value = "" if wanted.idle is None else str(wanted.idle)
    return value if value in {choice for choice, _label in IDLE_CHOICES} else "other"
