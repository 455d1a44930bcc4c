"""The page behind "no more summaries": without log-in, for one operator. Looking changes nothing (mail scanners do)."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from connect.errors import AppError, NotFound
from services.digest_links import read_stop_link, stop_digest
from services.languages import best_language, catalogue
from views import keep_words
from views.access import public, tools
from views.errors import note
from views.limits import limited

blueprint = Blueprint("mail_stop", __name__, url_prefix="/mail/stop")


@blueprint.get("/<stop_token>")
@public
@limited
def ask(stop_token: str) -> str:
    read_stop_link(tools(), stop_token)
    return _render("mail/stop.html", stopped=False)


@blueprint.post("/<stop_token>")
@public
@limited
def stop(stop_token: str) -> str:
    """By the button, or by the mail program itself (RFC 8058)."""
    stop_digest(tools(), stop_token)
    return _render("mail/stop.html", stopped=True)


@blueprint.errorhandler(NotFound)
def no_such_link(problem: AppError) -> ResponseReturnValue:
    """The same page for every link that we did not sign."""
    note(problem)
    return _render("keep/closed.html", sentence=keep_words.NO_LINK, next_step=keep_words.COPY_IT), 404


def _render(template: str, **context: object) -> str:
    words = catalogue(best_language(request.headers.get("Accept-Language", "")))
    return render_template(template, words=words, _=words.gettext, **context)
