"""Identity providers: connecting one, its token, its settings, and the end of it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from models.scim import ScimConnection
from rules.deeds import CAPABILITIES, Deed
from rules.scim import ENDINGS, Provider, ScimState
from services import identity_providers, scim_overview
from services.identity_providers import MOST_CONNECTIONS, NAMES
from services.scim_wire import ROOT
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again
from views.page_numbers import page_asked_for

blueprint = Blueprint("identity_providers", __name__, url_prefix="/app/identity-providers")
FIELDS = ("name", "when_inactive", "when_deleted", "brake_number", "brake_share", "begins_leavers")
STATES: dict[ScimState, tuple[str, str]] = {
    ScimState.WAITING: ("Waiting", "info"),
    ScimState.LISTED: ("Would change", "discovery"),
    ScimState.WORKING: ("Under way", "info"),
    ScimState.SETTLED: ("Up to date", "success"),
    ScimState.FAILED: ("Not possible", "danger"),
    ScimState.BRAKED: ("Held by the brake", "warning"),
}
"""What the state of a person is called, and its colour."""


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _list()


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    return _new({"provider": request.args.get("provider", Provider.ENTRA.value), "name": ""})


@blueprint.post("")
@api
@operator_only
def connect() -> str | Response:
    typed = {name: request.form.get(name, "")[:300] for name in ("provider", "name")}
    try:
        made, token = identity_providers.connect(tools(), caller(), **typed)
    except Invalid as problem:
        return shown_again(_new(typed, problem), problem)
    return page(
        made.id, saved=f"“{made.name}” is connected. It changes nobody until you make it live.", token=token
    )


@blueprint.get("/<connection_id>")
@api
@operator_only
def look(connection_id: str) -> str:
    return page(connection_id)


@blueprint.post("/<connection_id>")
@api
@operator_only
def change(connection_id: str) -> str | Response:
    typed = {name: request.form.get(name, "")[:300] for name in FIELDS}
    require_unchanged(kept(scim_overview.look(tools(), caller(), connection_id).connection))
    try:
        changed = identity_providers.change_settings(tools(), caller(), connection_id, **typed)
    except Invalid as problem:
        return shown_again(page(connection_id, typed=typed, problem=problem), problem)
    return page(connection_id, saved=f"“{changed.name}” is saved.")


@blueprint.post("/<connection_id>/token")
@api
@operator_only
def replace_token(connection_id: str) -> str:
    found, token = identity_providers.replace_token(tools(), caller(), connection_id)
    saved = f"“{found.name}” has a new token. The one before it opens nothing any more: replace it there."
    return page(connection_id, saved=saved, token=token)


@blueprint.post("/<connection_id>/remove")
@api
@operator_only
def remove(connection_id: str) -> str:
    found = identity_providers.disconnect(tools(), caller(), connection_id)
    return _list(saved=f"“{found.name}” is removed. Nobody loses access by it.")


def page(
    connection_id: str,
    *,
    saved: str = "",
    token: str = "",
    typed: dict[str, str] | None = None,
    problem: Invalid | None = None,
) -> str:
    """The page of one connection; `token` is shown this once."""
    view = scim_overview.look(tools(), caller(), connection_id)
    number = page_asked_for()
    groups, total, profiles = scim_overview.groups_page(tools(), caller(), connection_id, number)
    found = view.connection
    stored = kept(found)
    return show.place(
        "identity_providers/connection.html",
        tab="onboarding",
        title=found.name,
        view=view,
        connection=found,
        kind=NAMES[Provider(found.provider)],
        groups=groups,
        total=total,
        page=number,
        pages=pages_of(total),
        per_page=scim_overview.PER_PAGE,
        profiles=profiles,
        runs=scim_overview.last_runs(tools(), caller(), connection_id),
        endings=[(deed.value, _ending(deed)) for deed in ENDINGS],
        states=STATES,
        base_url=tools().settings.base_url + ROOT,
        typed=typed or stored,
        was=mark_of(stored),
        problem=problem,
        saved=saved,
        token=token,
    )


def kept(found: ScimConnection) -> dict[str, str]:
    """What somebody would have typed for these settings."""
    return {
        "name": found.name,
        "when_inactive": found.when_inactive,
        "when_deleted": found.when_deleted,
        "brake_number": "" if found.brake_number is None else str(found.brake_number),
        "brake_share": "" if found.brake_share is None else str(found.brake_share),
        "begins_leavers": "yes" if found.begins_leavers else "",
    }


def pages_of(total: int) -> int:
    return max(-(-total // scim_overview.PER_PAGE), 1)


def _list(saved: str = "") -> str:
    return show.place(
        "identity_providers/index.html",
        tab="onboarding",
        title="Identity provider",
        views=scim_overview.overview(tools(), caller()),
        kinds=NAMES,
        most=MOST_CONNECTIONS,
        saved=saved,
    )


def _new(typed: dict[str, str], problem: Invalid | None = None) -> str:
    return show.place(
        "identity_providers/new.html",
        tab="onboarding",
        title="Connect a provider",
        kinds=NAMES,
        typed=typed,
        problem=problem,
    )


def _ending(deed: Deed) -> str:
    words = CAPABILITIES[deed].words if deed is not Deed.LIST else "do nothing"
    return words[:1].upper() + words[1:]
