"""What an identity provider says about people: its groups and their profiles, how far each person is, going live."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from rules.deeds import CAPABILITIES
from rules.scim import ScimState
from services import identity_providers, scim_overview
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again
from views.identity_providers import STATES, kept, page, pages_of
from views.page_numbers import page_asked_for

blueprint = Blueprint("provider_people", __name__, url_prefix="/app/identity-providers/<connection_id>")


@blueprint.post("/groups/<group_id>")
@api
@operator_only
def map_group(connection_id: str, group_id: str) -> str | Response:
    """Only what came of it: on the page may be a token that is shown once, and what somebody is typing."""
    profile_id = request.form.get("profile", "")[:36]
    try:
        group = identity_providers.map_group(tools(), caller(), connection_id, group_id, profile_id)
    except Invalid as problem:
        return shown_again(
            show.part("identity_providers/mapped.html", problem=problem), problem, "#groups-said"
        )
    gives = "now gives a profile" if profile_id else "gives nothing any more"
    said = f"“{group.display_name}” {gives}. Its members follow in a moment."
    return show.part("identity_providers/mapped.html", said=said)


@blueprint.get("/people")
@api
@operator_only
def people(connection_id: str) -> str:
    return _people(connection_id)


@blueprint.post("/again")
@api
@operator_only
def try_again(connection_id: str) -> str:
    count = scim_overview.try_again(tools(), caller(), connection_id)
    people = "1 person is" if count == 1 else f"{count:,} people are"
    return _people(
        connection_id, saved=f"{people} tried again." if count else "There is nobody to try again."
    )


@blueprint.get("/preview")
@api
@operator_only
def preview(connection_id: str) -> str:
    """What would change. Whoever has seen this may make the connection live."""
    view = scim_overview.look(tools(), caller(), connection_id)
    found = scim_overview.preview(tools(), caller(), connection_id)
    if not found.undecided:
        identity_providers.note_preview(tools(), caller(), connection_id)
    return show.place(
        "identity_providers/preview.html",
        tab="onboarding",
        title=f"What “{view.connection.name}” would change",
        connection=view.connection,
        preview=found,
        was=mark_of(kept(view.connection)),
        capabilities=CAPABILITIES,
        most=scim_overview.IN_PREVIEW,
    )


@blueprint.post("/mode")
@api
@operator_only
def switch(connection_id: str) -> str:
    live = request.form.get("live") == "yes"
    if live:
        require_unchanged(kept(scim_overview.look(tools(), caller(), connection_id).connection))
    found = identity_providers.switch_mode(tools(), caller(), connection_id, live=live)
    what = "is live: what your provider says happens" if live else "only says what would happen"
    return page(connection_id, saved=f"“{found.name}” {what}.")


def _people(connection_id: str, saved: str = "") -> str:
    wanted = request.values.get("state", "")
    state = ScimState(wanted) if wanted in set(ScimState) else None
    number = page_asked_for()
    view = scim_overview.look(tools(), caller(), connection_id)
    rows, total = scim_overview.people_page(tools(), caller(), connection_id, state, number)
    path = f"identity-providers/{connection_id}/people"
    return show.place(
        "identity_providers/people.html",
        tab="onboarding",
        title=f"People of “{view.connection.name}”",
        view=view,
        connection=view.connection,
        rows=rows,
        total=total,
        page=number,
        pages=pages_of(total),
        per_page=scim_overview.PER_PAGE,
        path=f"{path}?state={state.value}" if state else path,
        state=state,
        states=STATES,
        saved=saved,
    )
