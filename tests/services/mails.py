"""Mails for tests of services: a world whose app hands them in at the pretend post office, and what arrived there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from connect.smtp import MailServer, Security
from models.delivery import Delivery
from rules.topics import Channel, DeliveryState, Topic
from services import notices, sending
from tests.services.workers import deliver
from tests.world import ACCOUNTS, ACME, World
from views.access import TOOLS

FROM = "rollcall@acme.example"


@contextmanager
def mail_switched_on(world: World) -> Iterator[World]:
    """The deployment has a mail server of its own: the pretend post office."""
    before = world.tools.settings
    host, port = world.sandbox.post_office.split(":")
    with_mail = replace(before, mail_server=MailServer(host, int(port), Security.PLAIN), mail_from=FROM)
    world.app.extensions[TOOLS] = replace(world.tools, settings=with_mail)
    yield world
    world.app.extensions[TOOLS] = replace(world.tools, settings=before)


def mails(world: World, to: str = "") -> list[dict[str, Any]]:
    """What arrived, the newest first."""
    found: list[dict[str, Any]] = world.control("GET", "/mails", to=to)
    return found


def put_on_its_way(world: World, topic: Topic = Topic.TOLD, who: str = "uma", **more: Any) -> str:
    """A mail that is due now; the delivery's id."""
    facts = {
        "deed": "suspend",
        "ends_at": (world.clock()).isoformat(),
        "because": "Last seen 93 days ago, in Jira.",
        "because_facts": {"kind": "seen", "days": 93, "product": "jira-software"},
        "rule": "Idle ladder",
        "rule_id": "",
        "products": ["jira-software"],
        "in_product": True,
    } | more.pop("facts", {})
    account_id = ACCOUNTS.get(who, who)
    with world.tools.begin() as session:
        return notices.send_out(
            session,
            ACME,
            topic,
            more.pop("occasion", "once"),
            world.clock(),
            channel=Channel.MAIL,
            target=account_id,
            facts=facts,
            account_id=account_id,
            **more,
        )


def send_due(world: World) -> None:
    """The worker's round over what is due now."""
    for organization_id, delivery_id, attempt in sending.lease_due(world.tools):
        deliver(world.tools, organization_id, delivery_id, attempt)


def delivery(world: World, delivery_id: str) -> Delivery:
    found: Delivery = world.stored(Delivery, ACME, delivery_id)
    return found


def state_of(world: World, delivery_id: str) -> tuple[DeliveryState, str]:
    found = delivery(world, delivery_id)
    return DeliveryState(found.state), found.reason
