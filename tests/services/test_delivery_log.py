"""The log of what left: what is in it, what can be sent again, and when it is forgotten."""

from __future__ import annotations

import pytest

from connect.errors import Conflict, NotFound
from models.delivery import Delivery
from rules.topics import Channel, DeliveryState, Topic
from services import hooks, retention
from services.delivery_log import read_log, send_again
from services.notices import send_out
from tests.questions import asked_of
from tests.services.test_hook_sending import announce, delivery
from tests.services.test_hooks import add
from tests.world import ACCOUNTS, ACME, World


def mailed(world: World, occasion: str, account_id: str = "") -> str:
    """A mail that is on its way."""
    account_id = account_id or ACCOUNTS["uma"]
    with world.tools.begin() as session:
        return send_out(
            session, ACME, Topic.WARNED, occasion, world.clock(), channel=Channel.MAIL, target=account_id,
            account_id=account_id,
        )  # fmt: skip


def test_newest_first_with_names(world: World) -> None:
    ana = world.synced()
    hook, _ = add(world, ana, name="Robot")
    announce(world)
    world.later(minutes=1)
    mailed(world, "a")
    world.later(minutes=1)
    announce(world, Topic.ANSWERED, facts={"answer": "keep"}, account_id=ACCOUNTS["uma"])
    log, total = read_log(world.tools, ana)
    assert total == 3
    assert [(each.delivery.topic, each.to, each.about) for each in log] == [
        ("person:answered", "Robot", "Uma Lindqvist"),
        ("person:warned", "Uma Lindqvist", "Uma Lindqvist"),
        ("key:dead", "Robot", ""),
    ]
    hooks.remove_hook(world.tools, ana, hook.id)
    assert [each.to for each in read_log(world.tools, ana, channel=Channel.HOOK)[0]] == ["", ""]


def test_filters_and_pages(world: World) -> None:
    ana = world.synced()
    first, _ = add(world, ana)
    second, _ = add(world, ana, address=f"{world.sandbox.hub}/hooks/second")
    world.hook_answers("second", status=404)
    for number in range(5):
        announce(world, occasion=str(number))
        world.later(seconds=1)
    world.deliver()
    mailed(world, "a")

    def ids(**words: object) -> tuple[list[str], int]:
        log, total = read_log(world.tools, ana, **words)  # type: ignore[arg-type]
        return [each.delivery.target for each in log], total

    assert ids(channel=Channel.MAIL) == ([ACCOUNTS["uma"]], 1)
    assert ids(state=DeliveryState.NOT_SENT) == ([second.id] * 5, 5)
    assert ids(hook_id=first.id, state=DeliveryState.SENT) == ([first.id] * 5, 5)
    assert ids(hook_id=ACCOUNTS["uma"]) == ([], 0)
    whole = [each.delivery.id for each in read_log(world.tools, ana)[0]]
    pages = [
        each.delivery.id
        for offset in (0, 4, 8)
        for each in read_log(world.tools, ana, offset=offset, limit=4)[0]
    ]
    assert pages == whole
    assert len(whole) == 11


def test_a_page_far_behind_fetches_its_own_notices_alone(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    for number in range(6):
        mailed(world, str(number))
        world.later(seconds=1)
    with asked_of(world.tools.engine) as asked:
        log, total = read_log(world.tools, ana, offset=4, limit=2)
    assert (len(log), total) == (2, 6)
    assert not [each for each, _parameters in asked if "OFFSET" in each and "delivery.facts" in each]


def test_what_was_not_sent_goes_out_again_under_its_name(world: World) -> None:
    ana = world.store_key()
    add(world, ana)
    world.hook_answers("demo", status=404, times=1)
    announce(world)
    world.deliver()
    refused = delivery(world)
    assert refused.state == DeliveryState.NOT_SENT
    send_again(world.tools, ana, refused.id)
    assert world.deliver() == 1
    sent = delivery(world)
    assert (sent.id, sent.state, sent.status, sent.reason, sent.attempt) == (
        refused.id,
        DeliveryState.SENT,
        200,
        "",
        2,
    )
    assert {call["headers"]["webhook-id"] for call in world.hook_calls("demo")} == {sent.id}
    (entry,) = world.audit("delivery:repeated")
    assert entry.actor == ACCOUNTS["ana"]
    assert entry.details is not None
    assert entry.details["topic"] == "key:dead"
    # It was sent: once is enough.
    with pytest.raises(Conflict):
        send_again(world.tools, ana, sent.id)


def test_after_the_last_attempt_one_more_is_made(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    add(world, ana)
    world.hook_answers("demo", status=500)
    announce(world)
    for _ in range(12):
        world.deliver()
        world.later(hours=11)
    ended = delivery(world)
    assert ended.state == DeliveryState.NOT_SENT
    send_again(world.tools, ana, ended.id)
    assert world.deliver() == 1
    assert (delivery(world).state, delivery(world).attempt) == (DeliveryState.NOT_SENT, ended.attempt + 1)


def test_s19_the_log_is_each_organizations_own(world: World) -> None:
    ana, gina = world.store_key(), world.store_key("gina", "globex")
    add(world, ana)
    world.hook_answers("demo", status=404)
    announce(world)
    world.deliver()
    assert read_log(world.tools, gina) == ([], 0)
    assert read_log(world.tools, gina, hook_id=delivery(world).target) == ([], 0)
    with pytest.raises(NotFound):
        send_again(world.tools, gina, delivery(world).id)
    assert delivery(world).state == DeliveryState.NOT_SENT


def test_what_ended_is_forgotten_after_90_days(world: World) -> None:
    ana = world.store_key()
    add(world, ana)
    announce(world)
    world.deliver()
    world.later(days=1)
    waiting = mailed(world, "waits")
    world.later(days=88)
    retention.purge(world.tools)
    assert len(world.rows(Delivery)) == 2
    world.later(days=2)
    retention.purge(world.tools)
    assert [row.id for row in world.rows(Delivery)] == [waiting]
