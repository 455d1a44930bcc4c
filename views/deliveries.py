"""Sent: the log of what left by mail and hook."""

from __future__ import annotations

from flask import Blueprint, request

from rules.topics import Channel, DeliveryState
from services import delivery_log, hooks
from services.notice_words import NAMES
from views import show
from views.access import api, caller, operator_only, tools
from views.page_numbers import page_asked_for
from views.words import CHANNELS, DELIVERY_STATES

blueprint = Blueprint("deliveries", __name__, url_prefix="/app/sent")
PER_PAGE = 50
WORDS = ("channel", "state", "hook")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _content()


@blueprint.post("/<delivery_id>/again")
@api
@operator_only
def again(delivery_id: str) -> str:
    """The filter and the page that somebody looks at come along."""
    delivery_log.send_again(tools(), caller(), delivery_id)
    return _content("It is on its way again. Reload the list in a moment to see what became of it.")


def _content(done: str = "") -> str:
    words = {word: request.values.get(word, "").strip()[:36] for word in WORDS}
    channel = Channel(words["channel"]) if words["channel"] in set(Channel) else None
    state = DeliveryState(words["state"]) if words["state"] in set(DeliveryState) else None
    asked = page_asked_for()
    log, total = _page(channel, state, words["hook"], asked)
    pages = max(-(-total // PER_PAGE), 1)
    page = min(asked, pages)
    if page != asked:
        log, total = _page(channel, state, words["hook"], page)
    kept = {"channel": channel or "", "state": state or "", "hook": words["hook"]}
    kept = {word: str(value) for word, value in kept.items() if value}
    return show.place(
        "deliveries/index.html",
        tab="notices",
        title="Sent",
        log=log,
        total=total,
        page=page,
        pages=pages,
        per_page=PER_PAGE,
        words=kept,
        here=kept | {"page": str(page)},
        hooks=hooks.list_hooks(tools(), caller()),
        channels=CHANNELS,
        states=DELIVERY_STATES,
        topic_names=NAMES,
        done=done,
        path=show.address("sent", kept),
        address=show.address("sent", kept | ({"page": str(page)} if page > 1 else {})),
    )


def _page(
    channel: Channel | None, state: DeliveryState | None, hook_id: str, page: int
) -> tuple[list[delivery_log.Logged], int]:
    return delivery_log.read_log(
        tools(),
        caller(),
        channel=channel,
        state=state,
        hook_id=hook_id,
        offset=(page - 1) * PER_PAGE,
        limit=PER_PAGE,
    )
