"""A ticket arrives: Jira Automation sends it to the address of one rule."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from connect.errors import Invalid
from services.ticket_reception import take
from views.access import takes_up_to, ticket, ticket_source, tools
from views.limits import limited_for_tickets

MOST_BYTES = 64 * 1024
"""What Jira's own formats of an issue may need; the guide's body has a hundred."""

blueprint = Blueprint("tickets", __name__)


@blueprint.post("/tickets/<ticket_rule_id>")
@ticket
@takes_up_to(MOST_BYTES)
@limited_for_tickets
def receive(**_address: str) -> Response:
    """202 as soon as it is written down, also for one that is known already: nobody outside learns what came of it."""
    if not request.is_json:
        raise UnsupportedMediaType
    body = request.get_data()
    take(tools(), ticket_source(), body, _json(body))
    return Response("Taken.\n", 202, content_type="text/plain; charset=utf-8")


def _json(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "This is not JSON.", "Send the body that the guide shows.") from error
    return found
