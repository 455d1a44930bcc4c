"""One mail to one person: once, under a name of its own, and each "not sent" with its reason (S56)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connect import smtp, webhook_out
from jobs import deliveries
from jobs.workbench import lay_out
from models.delivery import Delivery
from models.mail import MailSuppression, MailText
from models.organization import Organization
from models.people import Person
from rules.topics import DeliveryState, Topic
from services import leasing, mail_suppressions, sending
from services.mail_reach import NO_ADDRESS, NO_SERVER, SUPPRESSED, can_mail
from tests.services.mails import delivery, mail_switched_on, mails, put_on_its_way, send_due, state_of
from tests.services.workers import deliver, fault, once, with_something_between
from tests.world import ACCOUNTS, ACME, GLOBEX, World

pytestmark = pytest.mark.slow

SENT, NOT_SENT, WAITING = DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.WAITING
UMA = "uma@acme.example"
HOSTILE = (
    "{{ ''.__class__ }} <img src=x onerror=alert(1)> [x](http://evil.example)\r\nBcc: a@evil.example \u202e"
)


@pytest.fixture
def post(world: World) -> Iterator[World]:
    """acme's directory is read, and there is a mail server."""
    world.synced()
    with mail_switched_on(world):
        yield world


def change(world: World, account_id: str, **columns: object) -> None:
    """What the next sync would find."""
    if "email" in columns:
        columns |= {"address": str(columns["email"] or "").lower()}
    with world.tools.begin() as session:
        person = session.get_one(Person, (ACME, account_id))
        for name, value in columns.items():
            setattr(person, name, value)


def test_a_mail_arrives_once_with_its_headers(post: World) -> None:
    sent = put_on_its_way(post)
    send_due(post)
    send_due(post)
    (mail,) = mails(post)
    assert (mail["to"], mail["from"], mail["times"]) == (UMA, "rollcall@acme.example", 1)
    headers = mail["headers"]
    assert headers["Message-ID"] == f"<{sent}@127.0.0.1>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"]
    assert "List-Unsubscribe" not in headers
    assert "Uma Lindqvist" in mail["text"]
    assert "You were last seen in Jira 93 days ago." in mail["text"]
    assert "<img" not in mail["html"]
    assert state_of(post, sent) == (SENT, "")
    assert delivery(post, sent).status == 250


def test_an_answer_that_never_came_is_asked_for_again_under_the_same_name(post: World) -> None:
    post.control("POST", "/mail-faults", {"kind": "drop"})
    sent = put_on_its_way(post)
    send_due(post)
    assert state_of(post, sent)[0] is WAITING
    post.later(seconds=leasing.PAUSES[0].total_seconds() + 1)
    send_due(post)
    assert state_of(post, sent)[0] is SENT
    (mail,) = mails(post)
    assert mail["times"] == 2, "handed in twice, shown once"


def test_an_attempt_that_died_is_followed_by_another_under_the_same_name(post: World) -> None:
    sent = put_on_its_way(post)
    ((organization_id, delivery_id, attempt),) = sending.lease_due(post.tools)
    assert sending._begin(post.tools, organization_id, delivery_id, attempt) is not None
    post.later(seconds=sending.AT_WORK.total_seconds() + 1)
    send_due(post)
    assert state_of(post, sent) == (SENT, "")
    assert [mail["times"] for mail in mails(post)] == [1]


def test_no_attempt_is_believed_dead_while_it_may_be_at_work() -> None:
    mail = smtp.MOST_ADDRESSES * smtp.SILENCE + smtp.LONGEST
    hook = webhook_out.MOST_MACHINES * webhook_out.CONNECT_SECONDS + webhook_out.WHOLE_SECONDS
    assert timedelta(seconds=max(mail, hook)) < sending.AT_WORK


def test_an_attempt_that_met_a_fault_of_our_own_is_followed_by_another(post: World) -> None:
    """DBOS does a workflow of the same name once, however often it is asked."""
    sent = put_on_its_way(post)
    ((organization_id, delivery_id, attempt),) = sending.lease_due(post.tools)
    lay_out(with_something_between(post.tools, once("before", "transaction", fault)))
    deliveries.send(organization_id, delivery_id, attempt)
    assert state_of(post, sent) == (WAITING, "Something went wrong inside Rollcall.")
    post.later(seconds=leasing.PAUSES[0].total_seconds() + 1)
    ((_organization_id, _delivery_id, next_attempt),) = sending.lease_due(post.tools)
    names = {deliveries.workflow_id(delivery_id, each) for each in (attempt, next_attempt)}
    assert len(names) == 2
    deliver(post.tools, organization_id, delivery_id, next_attempt)
    assert [mail["times"] for mail in mails(post)] == [1]


def test_a_busy_server_is_asked_again_with_growing_pauses_and_not_for_ever(post: World) -> None:
    post.control("POST", "/mail-faults", {"kind": "busy", "times": None})
    sent = put_on_its_way(post)
    for number, pause in enumerate(leasing.PAUSES, 1):
        send_due(post)
        waiting = delivery(post, sent)
        assert (waiting.attempt, waiting.status) == (number, 451)
        assert waiting.resume_at is not None
        assert waiting.resume_at - post.clock() > pause - timedelta(seconds=5)
        post.later(seconds=pause.total_seconds() + 1)
    send_due(post)
    assert state_of(post, sent) == (NOT_SENT, "The mail server asked us to try again later.")
    assert mails(post) == []
    assert post.rows(MailSuppression) == []


def test_a_refused_address_gets_nothing_until_it_is_another_or_an_operator_says_so(post: World) -> None:
    ana = post.caller("ana")
    post.control("POST", "/mail-faults", {"kind": "refuse", "recipient": UMA})
    first = put_on_its_way(post, occasion="1")
    send_due(post)
    assert state_of(post, first) == (NOT_SENT, mail_suppressions.REFUSED)
    second = put_on_its_way(post, occasion="2")
    send_due(post)
    assert state_of(post, second) == (NOT_SENT, SUPPRESSED)
    with post.tools.begin() as session:
        assert can_mail(post.tools, session, ACME, UMA.upper()) == SUPPRESSED
        assert can_mail(post.tools, session, GLOBEX, UMA) == ""
    (one,) = mail_suppressions.list_suppressed(post.tools, ana)
    assert (one.account_id, one.name) == (ACCOUNTS["uma"], "Uma Lindqvist")

    mail_suppressions.let_go(post.tools, ana, ACCOUNTS["uma"])
    third = put_on_its_way(post, occasion="3")
    send_due(post)
    assert state_of(post, third) == (SENT, "")
    assert [(entry.actor, entry.subject) for entry in post.audit("mail:address_let_go")] == [
        (ACCOUNTS["ana"], ACCOUNTS["uma"])
    ]

    post.control("POST", "/mail-faults", {"kind": "refuse", "recipient": UMA})
    put_on_its_way(post, occasion="4")
    send_due(post)
    change(post, ACCOUNTS["uma"], email="uma.new@acme.example")
    assert mail_suppressions.list_suppressed(post.tools, ana) == []
    fifth = put_on_its_way(post, occasion="5")
    send_due(post)
    assert state_of(post, fifth) == (SENT, "")
    assert mails(post)[0]["to"] == "uma.new@acme.example"
    assert post.rows(MailSuppression) == []


def test_a_refused_address_that_is_somebody_elses_by_now_can_be_let_go(post: World) -> None:
    """Such as whoever was deleted, invited anew, and has a mailbox by now."""
    ana = post.caller("ana")
    post.control("POST", "/mail-faults", {"kind": "refuse", "recipient": UMA})
    put_on_its_way(post, occasion="1")
    send_due(post)
    change(post, ACCOUNTS["uma"], email=None)
    change(post, ACCOUNTS["jon"], email=UMA)
    refused = put_on_its_way(post, who="jon", occasion="2")
    send_due(post)
    assert state_of(post, refused) == (NOT_SENT, SUPPRESSED)
    (one,) = mail_suppressions.list_suppressed(post.tools, ana)
    assert one.account_id == ACCOUNTS["jon"]
    mail_suppressions.let_go(post.tools, ana, one.because_of)
    sent = put_on_its_way(post, who="jon", occasion="3")
    send_due(post)
    assert state_of(post, sent) == (SENT, "")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"email": None}, NO_ADDRESS),
        ({"email": "not an address"}, "Their e-mail address is none that a mail can be sent to."),
        (
            {"email": "a@b.example\r\nRCPT TO:<c@d.example>"},
            "Their e-mail address is none that a mail can be sent to.",
        ),
    ],
)
def test_s56_whoever_has_no_address_is_not_sent_to(post: World, columns: dict[str, str], reason: str) -> None:
    change(post, ACCOUNTS["uma"], **columns)
    sent = put_on_its_way(post)
    send_due(post)
    assert state_of(post, sent) == (NOT_SENT, reason)
    assert mails(post) == []


def test_s56_without_a_mail_server_nothing_is_sent(world: World) -> None:
    world.synced()
    sent = put_on_its_way(world)
    send_due(world)
    assert state_of(world, sent) == (NOT_SENT, NO_SERVER)


def test_a_warning_of_a_case_that_is_over_is_not_sent(post: World) -> None:
    sent = put_on_its_way(post, Topic.WARNED, case_id="7b3f9f6e-0000-4000-8000-000000000001")
    send_due(post)
    assert state_of(post, sent)[0] is NOT_SENT
    assert mails(post) == []


def test_a_hostile_name_does_no_harm(post: World) -> None:
    change(post, ACCOUNTS["uma"], name=HOSTILE)
    put_on_its_way(post, facts={"rule": HOSTILE, "because": HOSTILE})
    send_due(post)
    (mail,) = mails(post)
    assert mail["to"] == UMA
    assert "Bcc" not in mail["headers"]
    assert "onerror=alert" in mail["text"], "as words"
    for bad in ("<img", "http://evil", "\u202e"):
        assert bad not in mail["html"]
        assert bad not in mail["subject"]
    assert 'href="http' not in mail["html"]


def test_the_organization_s_own_text_and_language(post: World) -> None:
    with post.tools.begin() as session:
        session.get_one(Organization, ACME).language = "de"
    put_on_its_way(post, occasion="1")
    send_due(post)
    assert "Guten Tag Uma Lindqvist" in mails(post)[0]["text"]
    assert "Sie wurden zuletzt vor 93 Tagen in Jira gesehen." in mails(post)[0]["text"]
    with post.tools.begin() as session:
        for rule_id, subject in (("", "Für alle"), ("r1", "Nur {{ rule }}"), ("r2", "{{ gone }}")):
            session.add(
                MailText(
                    organization_id=ACME,
                    topic=Topic.TOLD.value,
                    rule_id=rule_id,
                    language="de",
                    subject=subject,
                    body="Hallo",
                    changed_by="ana",
                    changed_at=post.clock(),
                )
            )
    for number, (rule_id, subject) in enumerate(
        (("", "Für alle"), ("r1", "Nur Idle ladder"), ("r2", "Nutzen Sie Jira noch?"), ("r3", "Für alle")), 2
    ):
        put_on_its_way(post, occasion=str(number), facts={"rule_id": rule_id})
        send_due(post)
        assert mails(post)[0]["subject"] == subject, "a text that can no longer be used is replaced by ours"


def test_s41_nothing_of_a_mail_is_logged(post: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for number, kind in enumerate(("", "busy", "refuse", "drop")):
            if kind:
                post.control("POST", "/mail-faults", {"kind": kind})
            put_on_its_way(post, occasion=str(number))
            send_due(post)
    assert len(post.rows(Delivery)) == 4
    for secret in ("uma", "Lindqvist", "acme.example", "last seen", "Idle ladder"):
        assert secret not in caplog.text
