"""The personal page behind the link in a warning: without a log-in, without scripts, about one case of one person.

Looking changes nothing: mail scanners open every link. Only what the person sends by a button counts (S55).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from connect.errors import AppError, Conflict, Invalid, NotFound
from rules.topics import AnswerKind
from services.answers import LONGEST_WORDS, MOST_DAYS_AWAY, answer
from services.languages import best_language, catalogue
from services.own_case import OwnCase, Stage
from services.own_timed import ask_for_longer, own_page
from views import keep_words
from views.access import public, tools
from views.errors import note, status_of
from views.limits import limited

blueprint = Blueprint("keep_page", __name__)


@blueprint.get("/keep/<token>")
@public
@limited
def look(token: str) -> ResponseReturnValue:
    return _page(own_page(tools(), token))


@blueprint.post("/keep/<token>")
@public
@limited
def say(token: str) -> ResponseReturnValue:
    """Takes the answer down, then shows the page anew: loading it again sends nothing again."""
    typed = {name: request.form.get(name, "") for name in ("answer", "words", "until")}
    try:
        kind = _kind(typed["answer"])
        if kind is AnswerKind.PROLONG:
            ask_for_longer(tools(), token, typed["words"])
        else:
            answer(tools(), token, kind, words=typed["words"], until=typed["until"])
    except (Invalid, Conflict) as problem:
        note(problem)
        how = {"late": problem} if isinstance(problem, Conflict) else {"problem": problem, "typed": typed}
        return _page(own_page(tools(), token), status_of(problem), **how)
    return redirect(request.path, 303)


@blueprint.errorhandler(NotFound)
def no_such_link(problem: AppError) -> ResponseReturnValue:
    """The same page for every link that we did not sign, whatever it is made of."""
    note(problem)
    return _closed(keep_words.NO_LINK, keep_words.COPY_IT), 404


@blueprint.errorhandler(429)
def too_often(_problem: HTTPException) -> ResponseReturnValue:
    return _closed(keep_words.TOO_OFTEN, keep_words.LATER), 429, {"Retry-After": "60"}


def _kind(word: str) -> AnswerKind:
    if word not in set(AnswerKind):
        raise Conflict(keep_words.UNKNOWN, keep_words.PRESS, reason="no_such_answer")
    return AnswerKind(word)


def _page(case: OwnCase, status: int = 200, **more: Any) -> tuple[str, int]:
    if case.stage is Stage.CLOSED:
        return _closed(keep_words.OVER, keep_words.ASK_THEM, case.language), 410
    last = case.today + timedelta(days=MOST_DAYS_AWAY) if case.today is not None else None
    shown = keep_words.shown(case)
    return _render("keep/page.html", case.language, case=case, **shown, last=last, **more), status


def _closed(sentence: str, next_step: str, language: str = "") -> str:
    return _render("keep/closed.html", language, sentence=sentence, next_step=next_step)


def _render(template: str, otherwise: str, **context: Any) -> str:
    words = catalogue(best_language(request.headers.get("Accept-Language", ""), otherwise))
    return render_template(template, words=words, _=words.gettext, longest=LONGEST_WORDS, **context)
