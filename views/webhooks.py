"""Events of the product that show somebody at work. They add activity; they never make anybody idle."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from services.activity_signals import record_signal
from views.access import caller, tools, webhook

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/connect/webhooks/<event>")
@webhook
def receive(event: str) -> Response:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise Invalid("body", "This is not a JSON object.", reason="webhook_not_json")
    record_signal(tools(), caller(), event, body)
    return Response(status=204)
