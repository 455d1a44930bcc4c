"""Configure Token: the two credentials, for administrators of the product; and the operators, for operators."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

from flask import Blueprint, Response, make_response, request

from connect.caller import Caller
from connect.errors import AppError, AtlassianError, Conflict, Invalid, NotFound
from models.credential import CredentialKind
from services import credential_storing, credentials
from services.doors import organization_of
from services.operators import is_operator, list_operators
from services.toolbox import Toolbox
from views import show
from views.access import admin_only, api, caller, tools, waiting_place
from views.errors import shown_again

blueprint = Blueprint("configure", __name__, url_prefix="/app/configure")
YEAR = timedelta(days=365)
KINDS = {"admin-key": CredentialKind.ADMIN_KEY, "api-token": CredentialKind.API_TOKEN}
WORDS = {kind: word for word, kind in KINDS.items()}
CARDS = {
    CredentialKind.ADMIN_KEY: "configure/admin_key.html",
    CredentialKind.API_TOKEN: "configure/api_token.html",
}
NOBODY_YET = (
    "Nobody sees your organization here yet: whoever stores a working Admin API key becomes an operator."
)


@blueprint.get("")
@api
@admin_only
def index() -> str:
    return content(tools(), caller())


def content(tools: Toolbox, caller: Caller, **extra: object) -> str:
    """The page, for a caller who administers the product."""
    operator = is_operator(tools, caller, fresh=False)
    return show.place(
        "configure/index.html",
        tab="configure",
        title="Configure Token",
        operator=operator,
        operators_sentence=operators_sentence(tools, caller),
        linked=organization_of(tools, caller) is not None,
        **(_cards(tools, caller) | extra),
    )


def operators_sentence(tools: Toolbox, caller: Caller) -> str:
    """Who can name an operator, for somebody who is none."""
    if organization_of(tools, caller) is None:
        return NOBODY_YET
    names = [each.name for each in list_operators(tools, caller) if each.name and each.is_here]
    if not names:
        return "Seeing people and acting on them is for operators: ask an organization admin to name you."
    return (
        "Seeing people and acting on them is for operators. "
        f"{_any_of(names)} can name you, under Configure Token, Operators."
    )


@blueprint.get("/<kind>")
@api
@admin_only
def card(kind: str) -> str:
    return _card(_kind(kind))


@blueprint.get("/<kind>/replace")
@api
@admin_only
def replace(kind: str) -> str:
    found = _kind(kind)
    return _card(found, editing=kind)


@blueprint.post("/admin-key")
@api
@admin_only
def store_admin_key() -> str | Response:
    key, expires_on = request.form.get("key", ""), request.form.get("expires_on", "")
    try:
        with waiting_place():
            credential_storing.store_admin_key(tools(), caller(), key=key, expires_on=expires_on)
    except (Invalid, Conflict, AtlassianError) as problem:
        return _refused(CredentialKind.ADMIN_KEY, problem, {"expires_on": expires_on})
    # The giver is an operator from now on: the whole page changes, not the card alone.
    saved = {"admin-key": "The key works and is stored. Rollcall is reading your directory now."}
    return _whole_page(content(tools(), caller(), saved=saved))


@blueprint.post("/api-token")
@api
@admin_only
def store_api_token() -> str | Response:
    email, token = request.form.get("email", ""), request.form.get("token", "")
    expires_on = request.form.get("expires_on", "")
    try:
        with waiting_place():
            credential_storing.store_api_token(
                tools(), caller(), email=email, token=token, expires_on=expires_on
            )
    except (Invalid, AtlassianError) as problem:
        return _refused(CredentialKind.API_TOKEN, problem, {"email": email, "expires_on": expires_on})
    return _card(CredentialKind.API_TOKEN, saved={"api-token": "The token works and is stored."})


@blueprint.post("/<kind>/check")
@api
@admin_only
def check(kind: str) -> str | Response:
    found = _kind(kind)
    linked = organization_of(tools(), caller())
    with waiting_place():
        view = credentials.check_now(tools(), caller(), found)
    if organization_of(tools(), caller()) != linked:
        return _whole_page(content(tools(), caller()))
    return _card(found, saved={kind: "It works."} if view.state == "working" else {})


@blueprint.post("/<kind>/forget")
@api
@admin_only
def forget(kind: str) -> str:
    credentials.forget(tools(), caller(), _kind(kind), request.form.get("version"))
    return content(tools(), caller())


def _whole_page(html: str) -> Response:
    answer = make_response(html)
    answer.headers["HX-Retarget"] = "#main"
    return answer


def _refused(kind: CredentialKind, problem: AppError, typed: dict[str, str]) -> Response:
    """The form again, with the problem beside its field. What was typed comes back, the secret does not (S42)."""
    card = _card(kind, problem=problem, typed=typed, editing=WORDS[kind])
    return shown_again(card, problem, into=f"#{WORDS[kind]}")


def _card(kind: CredentialKind, **extra: object) -> str:
    return show.part(CARDS[kind], **(_cards(tools(), caller()) | extra))


def _cards(tools: Toolbox, caller: Caller) -> dict[str, object]:
    today = tools.clock().date()
    return {
        "admin_key": credentials.show(tools, caller, CredentialKind.ADMIN_KEY),
        "api_token": credentials.show(tools, caller, CredentialKind.API_TOKEN),
        "me": caller.account_id,
        "today": today,
        "in_a_year": today + YEAR,
        "purged_after": tools.settings.purge_after_days,
    }


def _kind(word: str) -> CredentialKind:
    return KINDS[word] if word in KINDS else _no_such()


def _no_such() -> NoReturn:
    raise NotFound("There is no such credential.", "Go back to Configure Token.")


def _any_of(names: list[str], most: int = 5) -> str:
    if len(names) > most:
        names = [*names[:most], "others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
