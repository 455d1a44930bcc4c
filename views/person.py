"""Person: what somebody can open and why, when they were last seen where, and what was done to them here."""

from __future__ import annotations

from flask import Blueprint

from services import people
from services.doors import require_organization
from services.names import names_of
from views import show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("person", __name__, url_prefix="/app/people")


@blueprint.get("/<account_id>")
@api
@operator_only
def index(account_id: str) -> str:
    page = people.person_page(tools(), caller(), account_id)
    organization_id = require_organization(tools(), caller())
    actors = {entry.actor for entry in page.audit} | {run.requested_by for _case, run in page.history}
    with tools().begin() as session:
        names = names_of(session, organization_id, actors)
    return show.place("person/index.html", tab="people", title=page.person.name, page=page, names=names)
