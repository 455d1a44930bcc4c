"""What leaves for a hook: once per occasion, signed, again when nobody knows, and never where it must not go."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from standardwebhooks import Webhook, WebhookVerificationError

from models.audit import APP
from models.delivery import Delivery
from models.hook import Hook
from rules.deeds import Deed
from rules.topics import TO_HOOKS, AnswerKind, Channel, DeliveryState, HookKind, Topic
from services import (
    absences,
    hook_secrets,
    hook_sending,
    hook_testing,
    hooks,
    notices,
    previews,
    retrying,
    runs,
    sending,
)
from services.hook_payloads import Message, body_of
from services.hook_sending import LONGEST_PAUSE
from services.leasing import PAUSES
from services.notice_words import Words, words_of
from services.outcomes import MOST_TROUBLES
from services.parcel import Later, NotSent, Parcel, Sent
from services.previews import Purpose
from services.sending import AT_WORK
from tests.architecture.sources import TOP
from tests.connect.listener import Reply, listening
from tests.services.test_hooks import add
from tests.services.workers import deliver
from tests.world import ACCOUNTS, ACME, GLOBEX, World

SCHEMA = json.loads((TOP / "docs" / "hook.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
RUN = "7b3f9f6e-0000-4000-8000-000000000001"


def announce(world: World, topic: Topic = Topic.KEY_DEAD, occasion: str = "once", **more: Any) -> None:
    """Something happens in acme."""
    facts = {"sentence": "The API token has expired.", "path": "/app/configure"}
    with world.tools.begin() as session:
        notices.announce(session, ACME, topic, occasion, world.clock(), **({"facts": facts} | more))


def delivery(world: World) -> Delivery:
    (found,) = world.rows(Delivery)
    assert isinstance(found, Delivery)
    return found


def parcel_for(world: World, hook: Hook, topic: Topic = Topic.TEST, **more: Any) -> Parcel:
    words: dict[str, Any] = {"account_id": "", "case_id": None, "run_id": None, "facts": {}} | more
    return Parcel(ACME, RUN, Channel.HOOK, topic, hook.id, created_at=world.clock(), **words)


def test_a_signed_call_is_what_the_schema_says_and_the_library_proves_it(world: World) -> None:
    ana = world.store_key()
    hook, secret = add(world, ana)
    announce(world)
    assert world.deliver() == 1
    (call,) = world.hook_calls("demo")
    said = Webhook(secret).verify(call["body"], call["headers"])
    VALIDATOR.validate(said)
    row = delivery(world)
    assert (row.state, row.status, row.attempt, row.target) == (DeliveryState.SENT, 200, 1, hook.id)
    assert said["id"] == call["headers"]["webhook-id"] == row.id
    assert (said["type"], said["data"]["sentence"]) == ("key:dead", "The API token has expired.")
    assert said["data"]["link"] == (
        f"{world.sandbox.acme}/plugins/servlet/ac/io.rollcall.app/rollcall-app#!configure"
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(call["body"].replace("expired", "worked"), call["headers"])


def test_the_same_occasion_is_told_once_and_only_to_those_who_asked(world: World) -> None:
    ana = world.store_key()
    add(world, ana)
    add(world, ana, address=f"{world.sandbox.hub}/hooks/deaf", topics=["run:finished"])
    for _ in range(3):
        announce(world)
        world.deliver()
    announce(world, Topic.DIGEST)
    assert [call["name"] for call in world.hook_calls()] == ["demo"]
    announce(world, occasion="twice")
    world.deliver()
    assert [call["name"] for call in world.hook_calls()] == ["demo", "demo"]


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503])
def test_what_may_pass_is_tried_again_with_growing_pauses(sqlite_world: World, status: int) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.hook_answers("demo", status=status, times=2)
    announce(world)
    assert world.deliver() == 1
    first = delivery(world)
    assert (first.state, first.status) == (DeliveryState.WAITING, status)
    assert first.reason == f"The other side failed with status {status}."
    assert world.deliver() == 0
    for pause in PAUSES[:2]:
        world.later(seconds=pause.total_seconds() + 1)
        assert world.deliver() == 1
    assert (delivery(world).state, delivery(world).attempt) == (DeliveryState.SENT, 3)
    calls = world.hook_calls("demo")
    assert [call["status"] for call in calls] == [status, status, 200]
    assert len({call["headers"]["webhook-id"] for call in calls}) == 1
    # Each attempt is signed anew for its own moment.
    assert len({call["headers"]["webhook-timestamp"] for call in calls}) == 3


def test_after_the_last_pause_it_ends_with_its_reason(sqlite_world: World) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.hook_answers("demo", status=500)
    announce(world)
    world.deliver()
    for pause in PAUSES:
        world.later(seconds=pause.total_seconds() + 1)
        assert world.deliver() == 1
    row = delivery(world)
    assert (row.state, row.attempt, row.resume_at) == (DeliveryState.NOT_SENT, len(PAUSES) + 1, None)
    world.later(days=2)
    assert world.deliver() == 0
    assert len(world.hook_calls()) == len(PAUSES) + 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(sqlite_world: World, status: int) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.hook_answers("demo", status=status, headers={"Retry-After": "600"}, times=1)
    announce(world)
    world.deliver()
    world.later(seconds=590)
    assert world.deliver() == 0
    world.later(seconds=11)
    assert world.deliver() == 1
    assert delivery(world).state == DeliveryState.SENT


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", PAUSES[0]),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_PAUSE),
    ],
)
def test_nonsense_in_retry_after_makes_nobody_wait_for_ever(
    sqlite_world: World, header: str, wait: timedelta
) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.hook_answers("demo", status=503, headers={"Retry-After": header}, times=1)
    announce(world)
    world.deliver()
    assert len(world.hook_calls()) == 1
    world.later(seconds=wait.total_seconds() + 1)
    assert world.deliver() == 1
    assert delivery(world).state == DeliveryState.SENT


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_final(sqlite_world: World, status: int) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.hook_answers("demo", status=status)
    announce(world)
    world.deliver()
    row = delivery(world)
    assert (row.state, row.status) == (DeliveryState.NOT_SENT, status)
    assert row.reason == f"The other side refused it with status {status}."
    world.later(days=1)
    assert world.deliver() == 0


def test_who_is_gone_for_good_is_switched_off(world: World) -> None:
    ana = world.store_key()
    hook, _ = add(world, ana)
    world.hook_answers("demo", status=410)
    announce(world)
    world.deliver()
    assert (delivery(world).state, delivery(world).status) == (DeliveryState.NOT_SENT, 410)
    (kept,) = hooks.list_hooks(world.tools, ana)
    assert not kept.is_on
    assert kept.off_because == "The other side says that this address is gone for good."
    (entry,) = world.audit("hook:changed")
    assert (entry.actor, entry.details) == (APP, {"hook": hook.id})
    announce(world, occasion="later")
    assert len(world.rows(Delivery)) == 1
    # A new address is what was missing.
    changed = hooks.change_hook(
        world.tools,
        ana,
        hook.id,
        name="Demo",
        address=f"{world.sandbox.hub}/hooks/new",
        token="",
        topics=hook.topics,
    )
    assert (changed.is_on, changed.off_because) == (True, "")


def test_who_was_gone_while_the_address_was_replaced_stays_on(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    hook, _ = add(world, ana)
    world.hook_answers("demo", status=410, seconds=0.5)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(hook_sending.send, world.tools, parcel_for(world, hook))
        while not world.hook_calls("demo"):
            time.sleep(0.01)
        new = f"{world.sandbox.hub}/hooks/new"
        hooks.change_hook(world.tools, ana, hook.id, name="Demo", address=new, token="", topics=hook.topics)
        assert call.result().status == 410
    (kept,) = hooks.list_hooks(world.tools, ana)
    assert (kept.is_on, kept.off_because) == (True, "")


def test_s30_a_redirect_is_not_followed_not_even_inside(sqlite_world: World) -> None:
    world = sqlite_world
    add(world, world.store_key())
    for place in (f"{world.sandbox.hub}/hooks/elsewhere", "http://169.254.169.254/", "https://127.0.0.1:1/"):
        world.hook_answers("demo", status=307, headers={"Location": place}, times=1)
        announce(world, occasion=place)
        world.deliver()
    assert [call["name"] for call in world.hook_calls()] == ["demo"] * 3
    for row in world.rows(Delivery):
        assert (row.state, row.status) == (DeliveryState.NOT_SENT, 307)
        assert "redirect" in row.reason


def test_s29_the_address_is_checked_before_each_call(sqlite_world: World) -> None:
    """What was allowed when it was saved may lead inside by now."""
    world = sqlite_world
    ana = world.store_key()
    hook, _ = add(world, ana)
    with listening() as inside:
        inside.answer = lambda _call: Reply(200)
        with world.tools.begin() as session:
            row = session.get_one(Hook, (ACME, hook.id))
            hook_secrets.seal_address(world.tools, row, f"{inside.url.replace('http', 'https')}/")
        outcome = hook_sending.send(world.tools, parcel_for(world, hook))
        assert inside.calls == []
    assert isinstance(outcome, NotSent)
    assert "private network" in outcome.reason


def test_the_line_breaks_and_comes_back(sqlite_world: World) -> None:
    world = sqlite_world
    add(world, world.store_key())
    world.fault("^/hooks/demo$", "reset", after=True)
    announce(world)
    world.deliver()
    row = delivery(world)
    assert (row.state, row.reason, row.status) == (
        DeliveryState.WAITING,
        "The host broke the connection off.",
        None,
    )
    world.later(seconds=6)
    world.deliver()
    first, second = world.hook_calls("demo")
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert delivery(world).state == DeliveryState.SENT


def test_an_attempt_that_died_behind_the_call_is_made_again_under_the_same_name(world: World) -> None:
    add(world, world.store_key())
    announce(world)
    ((organization_id, delivery_id, attempt),) = sending.lease_due(world.tools)
    # What a worker does that is killed between the answer and writing it down.
    parcel = sending._begin(world.tools, organization_id, delivery_id, attempt)
    assert parcel is not None
    assert isinstance(hook_sending.send(world.tools, parcel), Sent)
    assert delivery(world).state == DeliveryState.SENDING
    # Its workflow is taken up again elsewhere: too early, the other worker may be alive.
    deliver(world.tools, organization_id, delivery_id, attempt)
    assert world.deliver() == 0
    assert len(world.hook_calls()) == 1
    world.later(seconds=AT_WORK.total_seconds() + 1)
    assert world.deliver() == 1
    first, second = world.hook_calls("demo")
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"] == delivery_id
    assert (delivery(world).state, delivery(world).attempt) == (DeliveryState.SENT, 2)


def test_a_hook_that_was_removed_or_switched_off_meanwhile_is_not_called(world: World) -> None:
    ana = world.store_key()
    off, _ = add(world, ana)
    removed, _ = add(world, ana)
    announce(world)
    hooks.switch_hook(world.tools, ana, off.id, on=False)
    hooks.remove_hook(world.tools, ana, removed.id)
    world.deliver()
    assert {row.target: row.reason for row in world.rows(Delivery)} == {
        off.id: "The hook is switched off.",
        removed.id: "The hook was removed.",
    }
    assert world.hook_calls() == []


def test_s19_another_organization_hears_nothing(world: World) -> None:
    ana, gina = world.store_key(), world.store_key("gina", "globex")
    add(world, ana)
    foreign, secret = add(world, gina, address=f"{world.sandbox.hub}/hooks/globex")
    announce(world)
    world.deliver()
    assert [call["name"] for call in world.hook_calls()] == ["demo"]
    # Nor does a parcel of acme's find globex's hook.
    outcome = hook_sending.send(world.tools, parcel_for(world, foreign))
    assert outcome == NotSent("The hook was removed.")
    with world.tools.begin() as session:
        notices.announce(
            session, GLOBEX, Topic.KEY_DEAD, "once", world.clock(), facts={"sentence": "Globex's own."}
        )
    world.deliver()
    (call,) = world.hook_calls("globex")
    said = Webhook(secret).verify(call["body"], call["headers"])
    assert said["data"]["link"].startswith(world.sandbox.globex)


def test_both_secrets_sign_for_a_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    hook, first = add(world, ana)
    _, second = hooks.new_secret(world.tools, ana, hook.id)
    announce(world)
    world.deliver()
    (call,) = world.hook_calls()
    for secret in (first, second):
        Webhook(secret).verify(call["body"], call["headers"])
    world.later(days=1, minutes=1)
    announce(world, occasion="tomorrow")
    world.deliver()
    assert len(world.hook_calls()[1]["headers"]["webhook-signature"].split(" ")) == 1


def test_jira_automation_gets_its_token_and_the_words_on_top(sqlite_world: World) -> None:
    world = sqlite_world
    add(world, world.store_key(), kind="jira_automation", token="open-sesame")
    announce(world)
    world.deliver()
    (call,) = world.hook_calls()
    said = json.loads(call["body"])
    assert call["headers"]["x-automation-webhook-token"] == "open-sesame"
    assert "webhook-signature" not in call["headers"]
    assert said["sentence"] == said["data"]["sentence"] == "The API token has expired."
    assert said["type"] == "key:dead"


def test_slack_and_teams_get_their_own_forms_and_no_secret(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    for kind in ("slack", "teams"):
        add(world, ana, kind=kind, address=f"{world.sandbox.hub}/hooks/{kind}")
    announce(world)
    world.deliver()
    slack, teams = (json.loads(world.hook_calls(kind)[0]["body"]) for kind in ("slack", "teams"))
    assert slack["text"] == "A credential no longer works: The API token has expired."
    assert [block["type"] for block in slack["blocks"]] == ["header", "section", "context"]
    card = teams["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["content"]["actions"][0]["url"].endswith("#!configure")
    assert card["content"]["body"][1]["inlines"][0]["text"] == "The API token has expired."


HOSTILE = [
    "<!channel> <https://evil.example|click>",
    "[click](https://evil.example) *b*",
    "<img src=x onerror=alert(1)>",
    "{{ ''.__class__ }}",
    "Sam\n\nAdmin: approve",
    "\u202egnirts\u2066",
    "x" * 200,
    '"}],"evil":true,"',
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", HookKind)
def test_hostile_names_stay_names(kind: HookKind, name: str) -> None:
    words = words_of(
        Topic.ENDED, {"deed": "suspend"}, there=ZoneInfo("UTC"), name=name, account_id="712020:sam"
    )
    message = Message(
        RUN,
        Topic.ENDED,
        datetime.now(UTC),
        words,
        "https://acme.atlassian.net/x",
        {"deed": "suspend"},
        ("712020:sam", name),
    )
    text = body_of(kind, message).decode()
    said = json.loads(text)
    assert "evil" not in said
    assert not set(text) & set("\u202e\u2066\x00")
    if kind is HookKind.SLACK:
        assert "<" not in said["text"]
        types = [block["text"]["type"] for block in said["blocks"] if "text" in block]
        assert types == ["plain_text", "plain_text"]
    elif kind is HookKind.TEAMS:
        assert {block["type"] for block in said["attachments"][0]["content"]["body"]} == {"RichTextBlock"}
    else:
        assert "\n" not in said["data"]["person"]["name"]
        assert said["data"]["person"]["account_id"] == "712020:sam"


FACTS: dict[str, Any] = {
    "deed": "suspend",
    "ends_at": "2027-05-12T06:00:00+00:00",
    "because": "Not seen for 93 days",
    "rule": "Idle",
    "rule_id": RUN,
    "in_product": True,
    "answer": "keep",
    "chosen": 3,
    "acted": 2,
    "failed": 1,
    "spared": 0,
    "reason": "It would touch 40 people.",
    "sentence": "Something.",
    "path": "/app/review",
}


@pytest.mark.parametrize("topic", [*TO_HOOKS, Topic.TEST])
@pytest.mark.parametrize(
    "facts",
    [
        FACTS,
        {},
        *(FACTS | {"deed": deed.value} for deed in Deed),
        *(FACTS | {"answer": kind.value} for kind in AnswerKind),
    ],
)
@pytest.mark.parametrize("link", ["https://acme.atlassian.net/x", ""])
def test_every_payload_is_what_the_schema_says(topic: Topic, facts: dict[str, Any], link: str) -> None:
    person = ("712020:sam", "Sam") if topic.startswith("person:") else None
    words = words_of(topic, facts, there=ZoneInfo("UTC"), name="Sam", account_id="712020:sam", run_id=RUN)
    message = Message(RUN, topic, datetime.now(UTC), words, link, facts, person, RUN, RUN)
    said = json.loads(body_of(HookKind.SIGNED, message))
    VALIDATOR.validate(said)
    assert set(said) <= set(SCHEMA["properties"])
    assert set(said["data"]) <= set(SCHEMA["properties"]["data"]["properties"])


def test_a_long_sentence_is_cut() -> None:
    message = Message(RUN, Topic.KEY_DEAD, datetime.now(UTC), Words("T", "x" * 9000, "/app/x"), "", {})
    assert len(json.loads(body_of(HookKind.SIGNED, message))["data"]["sentence"]) == 1500


def test_about_a_person_there_is_an_id_and_a_name_but_no_address(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    add(world, ana)
    announce(world, Topic.ANSWERED, facts={"answer": "keep"}, account_id=ACCOUNTS["uma"])
    world.deliver()
    (call,) = world.hook_calls()
    said = json.loads(call["body"])
    assert said["data"]["person"] == {"account_id": ACCOUNTS["uma"], "name": "Uma Lindqvist"}
    assert said["data"]["sentence"] == "Uma Lindqvist still needs their access."
    assert said["data"]["link"].endswith(f"#!people/{ACCOUNTS['uma'].replace(':', '%3A')}")
    assert "@" not in call["body"]


def test_what_becomes_of_runs_is_told(world: World) -> None:
    ana = world.store_key()
    people = world.people(2)
    world.sync(ana)
    add(world, ana, topics=[topic.value for topic in TO_HOOKS if topic.startswith("run:")])
    run_id = world.begin_run(ana, people)
    world.act()
    undo_id = world.undo(ana, run_id)
    rule_id = world.rule(ana, name="Idle", brake={"number": 0, "share": "none"})
    braked = world.run_rule(ana, rule_id)
    world.later(days=40)
    refused = world.run_rule(ana, rule_id)
    world.deliver()
    said = {(body["type"], body["data"]["run_id"]): body["data"] for body in _bodies(world)}
    assert set(said) == {
        ("run:started", run_id),
        ("run:finished", run_id),
        ("run:undone", undo_id),
        ("run:braked", braked),
        ("run:refused", refused),
    }
    assert len(world.hook_calls()) == len(said)
    assert said["run:started", run_id]["sentence"] == "A run by hand has started for 2 people: suspend them."
    assert said["run:finished", run_id]["sentence"] == "A run by hand has finished: 2 suspended."
    assert said["run:undone", undo_id]["sentence"] == "A run by hand was taken back: 2 restored."
    assert said["run:braked", braked]["sentence"].startswith("The rule “Idle” was stopped by its brake: ")
    assert said["run:refused", refused]["rule"] == "Idle"
    for body in _bodies(world):
        VALIDATOR.validate(body)


def test_whom_a_rule_did_not_choose_its_run_did_not_leave_alone(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    told, other = world.people(2)
    world.change(other, last_active=world.days_ago(59))
    world.sync(ana)
    add(world, ana, topics=["run:finished"])
    step = {"when": {"not_seen": 60}, "then": {"deed": "tell"}}
    rule_id = world.rule(ana, step, name="Warn", who={"people": [told, other]})
    world.run_rule(ana, rule_id)
    world.later(days=2)
    assert world.states(world.run_rule(ana, rule_id)) == {told: "spared", other: "acted"}
    world.deliver()
    assert [body["data"]["spared"] for body in _bodies(world)] == [0, 0]


def test_a_run_that_nobody_asked_for_is_none_by_hand(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    leave = Purpose("Leave", "", world.clock().date() + timedelta(days=20), comes_back=True)
    run_id = previews.preview(
        world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None, purpose=leave
    )
    runs.confirm(world.tools, ana, run_id)
    world.act()
    world.settled()
    add(world, ana, topics=["run:finished"])
    world.later(days=21)
    absences.bring_back(world.tools)
    world.act()
    world.deliver()
    (body,) = _bodies(world)
    assert body["data"]["sentence"] == "A run by the clock has finished: 1 restored."


def test_what_happens_to_people_is_told_with_their_names(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, name="Sam Reed", idle=100)
    world.sync(ana)
    add(world, ana, topics=[topic.value for topic in TO_HOOKS if topic.startswith("person:")])
    steps = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 3, "warn": [3]}
    run_id = world.run_rule(ana, world.rule(ana, steps, who={"people": [person]}))
    world.later(days=3, minutes=1)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    world.deliver()
    said = {body["type"]: body["data"] for body in _bodies(world)}
    assert set(said) == {"person:warned", "person:ended"}
    for data in said.values():
        assert data["person"] == {"account_id": person, "name": "Sam Reed"}
    assert said["person:warned"]["sentence"].startswith("Sam Reed was warned: they will be suspended on ")
    assert said["person:ended"]["sentence"].startswith("Sam Reed was suspended.")
    for body in _bodies(world):
        VALIDATOR.validate(body)


def test_a_run_that_was_tried_again_is_told_again_with_its_new_numbers(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    add(world, ana, topics=["run:finished"])
    world.fault("/suspend$", "500", times=MOST_TROUBLES)
    run_id = world.begin_run(ana, [person])
    world.given_up()
    world.settled()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    world.deliver()
    assert sorted(body["data"]["sentence"] for body in _bodies(world)) == [
        "A run by hand has finished: 1 failed.",
        "A run by hand has finished: 1 suspended.",
    ]


def _bodies(world: World) -> list[dict[str, Any]]:
    return [json.loads(call["body"]) for call in world.hook_calls()]


def test_a_test_is_made_at_once_and_logged(world: World) -> None:
    ana = world.store_key()
    hook, secret = add(world, ana)
    hooks.switch_hook(world.tools, ana, hook.id, on=False)
    assert hook_testing.try_hook(world.tools, ana, hook.id) == Sent(200)
    (call,) = world.hook_calls("demo")
    said = Webhook(secret).verify(call["body"], call["headers"])
    VALIDATOR.validate(said)
    assert said["type"] == "test"
    row = delivery(world)
    assert (row.topic, row.state, row.status, row.attempt) == ("test", DeliveryState.SENT, 200, 1)
    world.hook_answers("demo", status=503)
    outcome = hook_testing.try_hook(world.tools, ana, hook.id)
    assert isinstance(outcome, Later)
    assert {each.state for each in world.rows(Delivery)} == {DeliveryState.SENT, DeliveryState.NOT_SENT}
    assert world.deliver() == 0
    assert [entry.result for entry in world.audit("hook:tested")] == [
        "It works",
        "The other side failed with status 503.",
    ]


def test_s41_neither_address_nor_body_is_logged(
    sqlite_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world = sqlite_world
    ana = world.synced()
    hook, secret = add(world, ana, address=f"{world.sandbox.hub}/hooks/very-secret-path")
    announce(world, Topic.ANSWERED, facts={"answer": "keep"}, account_id=ACCOUNTS["uma"])
    for status in (500, 302, 410):
        world.hook_answers("very-secret-path", status=status, times=1)
        hook_testing.try_hook(world.tools, ana, hook.id)
    world.deliver()
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    for word in ("very-secret-path", secret, "Lindqvist"):
        assert not [record for record in ours if word in record.getMessage()], word


def test_a_call_ends_by_itself_however_slowly_it_is_answered(sqlite_world: World) -> None:
    world = sqlite_world
    hook, _ = add(world, world.store_key())
    world.hook_answers("demo", seconds=3)
    began = datetime.now(UTC)
    outcome = hook_sending.send(world.tools, parcel_for(world, hook), seconds=0.3)
    assert outcome == Later("The host did not answer in time.")
    assert datetime.now(UTC) - began < timedelta(seconds=2)
