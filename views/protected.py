"""Protected: people, groups and domains that nothing here touches."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import Invalid
from models.people import find_person
from services import protecting
from services.doors import require_organization
from services.ground import day_in
from services.group_choices import group_choices
from services.names import names_of
from services.summary import summary
from views import show
from views.access import api, caller, operator_only, tools
from views.errors import shown_again

blueprint = Blueprint("protected", __name__, url_prefix="/app/protected")
FIELDS = ("kind", "person", "group", "domain", "reason", "until")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    """`?person=` fills the form in with somebody."""
    account_id = request.args.get("person", "")[:128]
    return _content({"kind": "person", "person": account_id}, address={"person": account_id})


@blueprint.post("")
@api
@operator_only
def add() -> str | Response:
    typed = {name: request.form.get(name, "") for name in FIELDS}
    try:
        entry = protecting.protect(
            tools(),
            caller(),
            kind=typed["kind"],
            value=typed.get(typed["kind"], "") if typed["kind"] in ("person", "group", "domain") else "",
            reason=typed["reason"],
            until=typed["until"],
        )
    except Invalid as problem:
        return shown_again(_content(typed, problem=problem), problem)
    return _content({}, saved=f"{entry.label} is protected.")


@blueprint.post("/<protected_id>/remove")
@api
@operator_only
def remove(protected_id: str) -> str:
    protecting.unprotect(tools(), caller(), protected_id)
    return _content({}, saved="The protection is taken away.")


def _content(typed: dict[str, str], *, address: dict[str, str] | None = None, **extra: Any) -> str:
    organization_id = require_organization(tools(), caller())
    entries = protecting.list_protected(tools(), caller())
    account_id = typed.get("person", "")
    with tools().begin() as session:
        names = names_of(session, organization_id, [entry.added_by for entry in entries])
        person = find_person(session, organization_id, account_id) if account_id else None
        meant = person.name if person is not None else ""
        today = day_in(session, organization_id, tools().clock())
    words = {name: value for name, value in (address or {}).items() if value}
    return show.place(
        "protected/index.html",
        tab="rules",
        title="Protected",
        entries=entries,
        names=names,
        facets=summary(tools(), organization_id).facets,
        groups=group_choices(tools(), caller(), [typed.get("group", "")]),
        typed={"kind": "person"} | typed,
        meant=meant,
        today=today,
        gone=protecting.gone_groups(tools(), caller()),
        address=show.address("protected", words),
        **extra,
    )
