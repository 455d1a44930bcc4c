"""Events of the product: signs of life, which never make anybody idle; and who came, changed or went."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request

from connect.errors import Invalid, NotFound
from services import directory_news
from services.activity_signals import record_signal
from views.access import caller, tools, webhook

SIGNS = frozenset(
    {
        *("jira:issue_created", "jira:issue_updated", "comment_created", "comment_updated"),
        *("page_created", "page_updated", "page_viewed", "blog_created"),
    }
)
EVENTS = SIGNS | directory_news.EVENTS
"""The events that atlassian-connect.json asks for."""

blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/connect/webhooks/<event>")
@webhook
def receive(event: str) -> Response:
    if event not in EVENTS:
        raise NotFound(reason="unknown_event")
    body = _json_object(request.get_data())
    if event in SIGNS:
        record_signal(tools(), caller(), body)
    else:
        directory_news.note_news(tools(), caller(), event, body)
    return Response(status=204)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "This is not JSON.", reason="webhook_not_json") from error
    if not isinstance(found, dict):
        raise Invalid("body", "This is not a JSON object.", reason="webhook_not_json")
    return found
