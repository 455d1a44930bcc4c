"""The one table: error → status, log level; and how a "no" looks to whoever asked.

Every 401 is the same bytes, whatever the reason (S43): the reason and the trace id are in the log.
"""

from __future__ import annotations

import json
import logging
import uuid

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

from connect import errors
from connect.errors import AppError, NotAuthenticated, RateLimited
from models.db import AWAY, is_away
from models.revision import BEHIND, met_one_behind
from services.scim_wire import ROOT, error_answer
from views.access import Mark, mark_of, tools

TABLE: dict[type[AppError], tuple[int, int]] = {
    AppError: (500, logging.ERROR),
    errors.Refused: (403, logging.WARNING),
    errors.NotAuthenticated: (401, logging.WARNING),
    errors.Forbidden: (403, logging.WARNING),
    errors.NotFound: (404, logging.INFO),
    errors.Invalid: (422, logging.INFO),
    errors.Conflict: (409, logging.INFO),
    errors.NotReady: (409, logging.INFO),
    errors.AtlassianError: (502, logging.WARNING),
    errors.Unauthorized: (502, logging.WARNING),
    errors.AccessForbidden: (502, logging.WARNING),
    errors.Gone: (404, logging.INFO),
    errors.RateLimited: (503, logging.INFO),
    errors.Unavailable: (503, logging.WARNING),
    errors.SiteMoved: (502, logging.WARNING),
    errors.Unexpected: (502, logging.ERROR),
}

# What werkzeug says no to by itself, in our words.
_HTTP_WORDS = {
    404: (
        "There is nothing at this address.",
        "Go back, or open Rollcall from the menu of Jira or Confluence.",
    ),
    405: ("This address cannot be used like that.", "Reload the page and try again."),
    413: ("This is too large.", "Send less of it at once, or select fewer people."),
    429: ("That was too often.", "Wait a minute, then try again."),
}
_HTTP_WORDS_ELSE = ("This request cannot be read.", "Reload the page and try again.")
_FAULT_WORDS = (
    "Something went wrong inside Rollcall.",
    "Try again. If it happens again, report the trace id.",
)
_AWAY_WORDS = (
    AWAY,
    "Wait a minute, then try again. If it stays like that, tell whoever runs Rollcall.",
)
_BEHIND_WORDS = (BEHIND, "Wait a minute, then try again. If it stays like that, tell whoever runs Rollcall.")

logger = logging.getLogger("rollcall.errors")


def handle_errors(app: Flask) -> None:
    """Every error, known or not, becomes an answer with a sentence and a trace id."""
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def status_of(error: AppError) -> int:
    """The HTTP status of an error."""
    return TABLE[type(error)][0]


def shown_again(content: str, problem: AppError, into: str = "#main") -> Response:
    """What somebody filled in, with the problem beside its field; htmx puts it `into` that place of the page."""
    return Response(
        content, status_of(problem), {"HX-Retarget": into}, content_type="text/html; charset=utf-8"
    )


def trace_id() -> str:
    """A fresh name for one failed request, to be found again in the log."""
    return uuid.uuid4().hex[:12]


def note(error: AppError) -> str:
    """Logs an error that a page of its own answers; the trace id."""
    status, level = TABLE[type(error)]
    trace = trace_id()
    _log(level, status, error.reason, trace)
    return trace


def _app_error(error: AppError) -> Response:
    status, trace = status_of(error), note(error)
    if isinstance(error, NotAuthenticated) and _is_scim():
        return _scim_answer(401, "There is no connection with this token.")
    if isinstance(error, NotAuthenticated):
        return Response(_refusal_page(), 401, content_type="text/html; charset=utf-8")
    response = _answer(status, error.sentence, error.next_step, trace)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = "60"
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    trace = trace_id()
    # Whoever runs us behind a proxy that does not pass the host on finds nothing else that tells.
    reason = "host_is_not_that_of_base_url" if isinstance(error, SecurityError) else f"http_{status}"
    _log(logging.INFO, status, reason, trace)
    response = _answer(status, *_HTTP_WORDS.get(status, _HTTP_WORDS_ELSE), trace)
    if status == 429:
        response.headers["Retry-After"] = "60"
    if status == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _fault(error: Exception) -> Response:
    trace = trace_id()
    words = _AWAY_WORDS if is_away(error) else None
    if words is None and met_one_behind(error, lambda: tools().looks):
        words = _BEHIND_WORDS
    if words is not None:
        _log(logging.ERROR, 503, type(error).__name__, trace, exc_info=error)
        # Machines that tell us something know by this status that the same is welcome later.
        response = _answer(503, *words, trace)
        response.headers["Retry-After"] = "60"
        return response
    _log(logging.ERROR, 500, type(error).__name__, trace, exc_info=error)
    return _answer(500, *_FAULT_WORDS, trace)


def _log(level: int, status: int, reason: str, trace: str, exc_info: Exception | None = None) -> None:
    # The rule, not the address: an address may hold anything, the token too (S41).
    rule = request.url_rule.rule if request.url_rule is not None else "(no route)"
    logger.log(
        level, "%s %s -> %d %s trace=%s", request.method, rule, status, reason, trace, exc_info=exc_info
    )


def _refusal_page() -> bytes:
    """The body of every 401, rendered once: it has nothing in it that could differ."""
    kept = current_app.extensions.get("rollcall_refusal_page")
    if kept is None:
        kept = render_template(
            "pages/refused.html", base_url=current_app.extensions["rollcall"].settings.base_url
        )
        kept = current_app.extensions["rollcall_refusal_page"] = kept.encode()
    return bytes(kept)


def _answer(status: int, sentence: str, next_step: str, trace: str) -> Response:
    """A whole page for a page, a fragment for htmx, plain text for machines and where no view was found."""
    if _is_scim():
        return _scim_answer(400 if status == 422 else status, f"{sentence} {next_step} Trace id: {trace}")
    view = current_app.view_functions.get(request.endpoint or "")
    mark = mark_of(view) if view is not None else None
    words = {"sentence": sentence, "next_step": next_step, "trace_id": trace}
    if mark in (None, Mark.LIFECYCLE, Mark.WEBHOOK, Mark.TICKET):
        text = f"{sentence} {next_step} Trace id: {trace}\n"
        return Response(text, status, content_type="text/plain; charset=utf-8")
    if mark is Mark.API:
        return Response(render_template("partials/error.html", **words), status)
    return Response(
        render_template(
            "layout.html",
            content="partials/error.html",
            title="Not possible",
            tabs=(),
            tab="",
            ap_script_url=current_app.extensions["rollcall"].settings.ap_script_url,
            **words,
        ),
        status,
    )


def _is_scim() -> bool:
    return request.path.startswith(f"{ROOT}/")


def _scim_answer(status: int, detail: str) -> Response:
    """A "no" as RFC 7644 has it (3.12)."""
    body = error_answer(status, detail).body
    response = Response(json.dumps(body), status, content_type="application/scim+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
