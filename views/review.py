"""Review: people who wait for an operator, and what an operator says about them, one by one or many."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid, NotFound
from rules.case import WAITING, CaseState
from services import answer_queue, reviews
from views import show
from views.access import api, caller, operator_only, tools
from views.errors import shown_again
from views.page_numbers import page_asked_for
from views.words import case_words

blueprint = Blueprint("review", __name__, url_prefix="/app/review")
PER_PAGE = 50
ORDER = (CaseState.REVIEW, CaseState.COULD_NOT_WARN, CaseState.HELD, CaseState.ANSWERED)


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _content()


@blueprint.post("/<word>")
@api
@operator_only
def decide(word: str) -> str | Response:
    """approve, hold, leave, protect or note, for everybody who is ticked; about their answers: grant or refuse."""
    cases = request.form.getlist("case")
    reason, until = request.form.get("reason", ""), request.form.get("until", "")
    if word == "approve":
        held = request.form.getlist("held")
        count = reviews.approve(tools(), caller(), cases, known_held=held)
        done = f"{_people(count)} approved."
    elif word == "hold":
        count = reviews.hold(tools(), caller(), cases)
        done = f"{_people(count)} on hold."
    elif word == "leave":
        count = reviews.leave(tools(), caller(), cases)
        done = f"{_people(count)} refused: it does not happen."
    elif word == "protect":
        count = reviews.spare_and_protect(tools(), caller(), cases, reason=reason, until=until)
        done = f"{_people(count)} protected and left alone."
    elif word == "note":
        count = reviews.note(tools(), caller(), cases, request.form.get("note", ""))
        done = f"Note written beside {_people(count)}."
    elif word == "grant":
        longer = request.form.get("longer", "")
        try:
            count = answer_queue.grant(tools(), caller(), cases, longer)
        except Invalid as problem:
            if problem.field != "until":
                raise
            return shown_again(_content(problem=problem), problem)
        done = f"Agreed: {_people(count)}."
    elif word == "refuse":
        count = answer_queue.refuse(tools(), caller(), cases)
        done = f"Refused: {_people(count)}."
    else:
        raise NotFound("There is nothing at this address.", "Go back to Review.")
    return _content(done + _about_the_rest(len(set(cases)) - count))


def _about_the_rest(count: int) -> str:
    """Of those who were ticked and about whom nothing was done: somebody may count on it."""
    if not count:
        return ""
    return f" Not so {_people(count)}: somebody else decided meanwhile, or the queue says why."


def _content(done: str = "", problem: Invalid | None = None) -> str:
    asked = request.values.get("show", "")
    state = CaseState(asked) if asked in {each.value for each in WAITING} else None
    _none, counts = reviews.queue(tools(), caller(), limit=0)
    answers = counts.get(CaseState.ANSWERED, 0)
    if state is None and answers and answers == sum(counts.values()):
        state = CaseState.ANSWERED
    total = counts.get(state, 0) if state else sum(counts.values()) - answers
    pages = max(-(-total // PER_PAGE), 1)
    page = min(page_asked_for(), pages)
    at = (page - 1) * PER_PAGE
    asking: list[answer_queue.Asking] = []
    waiting: list[reviews.Waiting] = []
    if state is CaseState.ANSWERED:
        asking = answer_queue.asking(tools(), caller(), offset=at, limit=PER_PAGE)
    else:
        waiting, _counts = reviews.queue(tools(), caller(), state=state, offset=at, limit=PER_PAGE)
    words = {"show": state.value} if state else {}
    return show.place(
        "review/index.html",
        tab="review",
        title="Review",
        waiting=waiting,
        asking=asking,
        somebody_waits=bool(counts),
        chips=_chips(counts),
        show=state.value if state else "",
        total=total,
        page=page,
        pages=pages,
        per_page=PER_PAGE,
        done=done,
        problem=problem,
        chosen=request.form.getlist("case") if problem is not None else (),
        asks_longer=any(one.asks_longer for one in asking),
        path=show.address("review", words),
        address=show.address("review", words | ({"page": str(page)} if page > 1 else {})),
    )


def _chips(counts: dict[CaseState, int]) -> list[tuple[str, str, int]]:
    found = [
        (
            state.value,
            "Answers" if state is CaseState.ANSWERED else case_words(state, None, ""),
            counts[state],
        )
        for state in ORDER
        if counts.get(state)
    ]
    queue = sum(counts.values()) - counts.get(CaseState.ANSWERED, 0)
    everybody = "Before the deed" if CaseState.ANSWERED in counts else "Everybody"
    return [("", everybody, queue), *found] if queue else found


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
