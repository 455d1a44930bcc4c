"""The guard: who comes in, by which proof, with which right.

Each view carries one mark, and maybe one right below it:

    @blueprint.post("/app/runs")
    @api
    @operator_only
    def confirm(): ...

The decorators only label the function; everything is decided in `_guard`, before the view runs. A view without a
mark stops the start of the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request
from werkzeug.routing import RequestRedirect

from connect.caller import Caller
from connect.errors import Forbidden, Invalid, NotAuthenticated, NotFound, NotReady
from connect.tokens import (
    MAX_TOKEN_BYTES,
    LifecycleProof,
    SignedRequest,
    verify_context,
    verify_iframe,
    verify_lifecycle,
    verify_webhook,
)
from services.administrators import Administrators
from services.doors import organization_of
from services.installing import shared_secret_of
from services.operators import is_operator
from services.scim_connections import Provisioner, identify
from services.ticket_secrets import HEADER, TicketSource, open_door
from services.toolbox import Toolbox

TOOLS = "rollcall"
ADMINISTRATORS = "rollcall_administrators"
MAX_BODY_BYTES = 2 * 1024 * 1024
READS = frozenset({"GET", "HEAD"})

_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{20,100})", re.ASCII | re.IGNORECASE)
_AUTHORIZATION = re.compile(rf"JWT ([A-Za-z0-9_.-]{{1,{MAX_TOKEN_BYTES}}})", re.ASCII)
_TICKET_SECRET = re.compile(r"rct_[A-Za-z0-9_-]{43}", re.ASCII)
_RULE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

View = TypeVar("View", bound=Callable[..., Any])


class Mark(StrEnum):
    """By which proof a view is opened."""

    LIFECYCLE = "lifecycle"
    PAGE = "page"
    API = "api"
    WEBHOOK = "webhook"
    SCIM = "scim"
    TICKET = "ticket"
    PUBLIC = "public"


class Right(StrEnum):
    """What the proven person must be."""

    ADMIN = "admin"
    OPERATOR = "operator"


class UnmarkedView(Exception):
    """A view that does not say who may come in; the app does not start with one."""


def lifecycle(view: View) -> View:
    """Atlassian itself, by its install key."""
    return _label(view, mark=Mark.LIFECYCLE)


def page(view: View) -> View:
    """A page that the product opens in a frame: the token is in `?jwt=` and belongs to this address."""
    return _label(view, mark=Mark.PAGE)


def api(view: View) -> View:
    """A request of our own page: a context token in the Authorization header."""
    return _label(view, mark=Mark.API)


def webhook(view: View) -> View:
    """An event of the product: the token is in the Authorization header and belongs to this address."""
    return _label(view, mark=Mark.WEBHOOK)


def scim(view: View) -> View:
    """An identity provider: the bearer token of one of an organization's connections (S54)."""
    return _label(view, mark=Mark.SCIM)


def ticket(view: View) -> View:
    """A rule of Jira Automation: the secret of the ticket rule whose id is in the address."""
    return _label(view, mark=Mark.TICKET)


def public(view: View) -> View:
    """Everybody. A test holds the list of these views."""
    return _label(view, mark=Mark.PUBLIC)


def admin_only(view: View) -> View:
    """Only for administrators of the product, as Atlassian says now (S21)."""
    return _label(view, right=Right.ADMIN)


def operator_only(view: View) -> View:
    """Only for operators of the organization (S26)."""
    return _label(view, right=Right.OPERATOR)


def takes_up_to(size: int) -> Callable[[View], View]:
    """How many bytes may be sent to this view, where MAX_BODY_BYTES are too few."""

    def label(view: View) -> View:
        view.rollcall_most_bytes = size  # type: ignore[attr-defined]
        return view

    return label


def tools() -> Toolbox:
    """The toolbox of the app that serves this request."""
    return cast(Toolbox, current_app.extensions[TOOLS])


def caller() -> Caller:
    """Who is asking, proven. For views marked @page, @api or @webhook."""
    return cast(Caller, g.rollcall_caller)


def lifecycle_proof() -> LifecycleProof:
    """What Atlassian's token proved. For views marked @lifecycle."""
    return cast(LifecycleProof, g.rollcall_proof)


def provisioner() -> Provisioner:
    """Which connection of which organization is asking, proven. For views marked @scim."""
    return cast(Provisioner, g.rollcall_provisioner)


def ticket_source() -> TicketSource:
    """To which rule a ticket is sent, proven. For views marked @ticket."""
    return cast(TicketSource, g.rollcall_ticket_source)


def mark_of(view: Callable[..., Any]) -> Mark | None:
    """The mark of a view, None when it has none."""
    return getattr(view, "rollcall_mark", None)


def right_of(view: Callable[..., Any]) -> Right | None:
    """The right that a view demands, None when the proof is enough."""
    return getattr(view, "rollcall_right", None)


def most_bytes_of(view: Callable[..., Any]) -> int:
    """How many bytes may be sent to a view."""
    return getattr(view, "rollcall_most_bytes", MAX_BODY_BYTES)


def is_too_large() -> bool:
    """Whether more is announced than this request's view takes."""
    most, length = request.max_content_length, request.content_length
    return most is not None and length is not None and length > most


def protect(app: Flask) -> None:
    """Puts the guard before every view. Call it last: it raises UnmarkedView when a view has no mark.

    The toolbox must be in `app.extensions["rollcall"]`.
    """
    for endpoint, view in app.view_functions.items():
        if endpoint == "static":
            public(view)
        if mark_of(view) is None:
            raise UnmarkedView(f"{endpoint} does not say who may come in")
        if right_of(view) is not None and mark_of(view) not in (Mark.PAGE, Mark.API):
            raise UnmarkedView(f"{endpoint} demands a right, but nobody it could be asked of")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions[ADMINISTRATORS] = Administrators(app.extensions[TOOLS])
    app.before_request(_guard)


def _label(view: View, *, mark: Mark | None = None, right: Right | None = None) -> View:
    for name, value in (("rollcall_mark", mark), ("rollcall_right", right)):
        if value is None:
            continue
        if getattr(view, name, value) is not value:
            raise UnmarkedView(f"{view} carries two marks, or two rights")
        setattr(view, name, value)
    return view


def _guard() -> None:
    # werkzeug would answer `//pages` with a redirect that repeats the token in an address.
    if isinstance(request.routing_exception, RequestRedirect):
        raise NotFound(reason="no_such_address")
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    request.max_content_length = most_bytes_of(view)
    _PROOFS[cast(Mark, mark_of(view))]()
    right = right_of(view)
    if right is Right.ADMIN:
        _require_administrator()
    elif right is Right.OPERATOR:
        _require_operator()


def _prove_lifecycle() -> None:
    g.rollcall_proof = verify_lifecycle(
        _token_of_header(),
        _signed_request(),
        base_url=tools().settings.base_url,
        key_of=tools().install_keys.pem_for,
        now=tools().clock(),
    )


def _prove_page() -> None:
    g.rollcall_caller = verify_iframe(
        _token_of_address(),
        _signed_request(),
        base_url=tools().settings.base_url,
        secret_of=_secret_of,
        now=tools().clock(),
    )


def _prove_webhook() -> None:
    g.rollcall_caller = verify_webhook(
        _token_of_header(),
        _signed_request(),
        base_url=tools().settings.base_url,
        secret_of=_secret_of,
        now=tools().clock(),
    )


def _prove_api() -> None:
    g.rollcall_caller = verify_context(_token_of_header(), secret_of=_secret_of, now=tools().clock())
    # A body that is too large is never read: the view says so, at its form where it has one.
    values = request.args if is_too_large() else request.values
    # No page of ours sends it, and PostgreSQL takes no NUL in a text.
    if "\0" in request.path or any("\0" in value for value in values.values()):
        raise Invalid("address", reason="nul_character")


def _prove_scim() -> None:
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise NotAuthenticated(reason="no_token")
    who = identify(tools(), found[1])
    if who is None:
        raise NotAuthenticated(reason="scim_token")
    g.rollcall_provisioner = who
    if "\0" in request.path or any("\0" in value for value in request.args.values()):
        raise Invalid("address", reason="nul_character")


def _prove_ticket() -> None:
    given = _TICKET_SECRET.fullmatch(request.headers.get(HEADER, ""))
    rule_id = str((request.view_args or {}).get("ticket_rule_id", ""))
    if given is None or not _RULE_ID.fullmatch(rule_id):
        raise NotAuthenticated(reason="no_ticket_secret")
    source = open_door(tools(), rule_id, given[0])
    if source is None:
        raise NotAuthenticated(reason="ticket_secret")
    g.rollcall_ticket_source = source


def _prove_nothing() -> None:
    """Public: there is no caller."""


_PROOFS: dict[Mark, Callable[[], None]] = {
    Mark.LIFECYCLE: _prove_lifecycle,
    Mark.PAGE: _prove_page,
    Mark.API: _prove_api,
    Mark.WEBHOOK: _prove_webhook,
    Mark.SCIM: _prove_scim,
    Mark.TICKET: _prove_ticket,
    Mark.PUBLIC: _prove_nothing,
}


def _secret_of(client_key: str) -> str | None:
    return shared_secret_of(tools(), client_key)


def _token_of_header() -> str:
    """The token of `Authorization: JWT …`. One in the address as well, and nothing is believed (S12)."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if "jwt" in request.args:
        raise NotAuthenticated(reason="token_place")
    if found is None:
        raise NotAuthenticated(reason="no_token")
    return found[1]


def _token_of_address() -> str:
    """The token of `?jwt=`, once, and none in the header (S12)."""
    tokens = request.args.getlist("jwt")
    if "Authorization" in request.headers or len(tokens) > 1:
        raise NotAuthenticated(reason="token_place")
    if not tokens:
        raise NotAuthenticated(reason="no_token")
    return tokens[0]


def _signed_request() -> SignedRequest:
    """The request line as it was sent: what the framework decoded is of no use for a hash (S11)."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if not raw.startswith("/"):
        raise NotAuthenticated(reason="no_raw_path")
    path, _, query = raw.partition("?")
    return SignedRequest(request.method, path, query)


def _require_administrator() -> None:
    _administrators().require(caller(), fresh=request.method not in READS)


def waiting_place() -> AbstractContextManager[None]:
    """Around what asks Atlassian for the caller: their tenant's threads that wait are few (services/places.py)."""
    return _administrators().places.one_of(caller().tenant)


def _administrators() -> Administrators:
    return cast(Administrators, current_app.extensions[ADMINISTRATORS])


def _require_operator() -> None:
    asking = caller()
    if asking.account_id is None:
        raise Forbidden(
            "Anonymous visitors may not see this.", "Log in, then open Rollcall again.", reason="anonymous"
        )
    places = _administrators().places
    if is_operator(tools(), asking, fresh=request.method not in READS, places=places):
        return
    if organization_of(tools(), asking) is None:
        # Nobody can be an operator yet. An administrator is told how to change that; all others are just refused.
        _require_administrator()
        raise NotReady(
            "Rollcall does not know your organization yet.",
            "Save an Admin API key under Configure Token.",
            reason="no_organization",
        )
    raise Forbidden(
        "Only operators of your organization may do this.",
        "Ask an organization administrator, or an operator, to name you under Configure Token.",
        reason="not_an_operator",
    )
