"""An organization's own mail server: stored sealed, called only in public, tested by hand with a clear answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connect.errors import Invalid, NotFound, NotReady
from connect.smtp import Answer, Security, Trouble
from models.mail import MailSender, MailSuppression
from models.people import Person
from rules.topics import DeliveryState, Topic
from services import mail_senders, mail_testing
from services.key_rotation import rotate_keys
from services.mail_senders import own_sender, route_of, save_sender
from services.mail_troubles import words_of
from services.matters import matters
from services.vault import CredentialUnreadable, Vault
from tests.connect.mail_server import PASSWORD, USER, Received, certificate_for, mail_server
from tests.services.mails import mail_switched_on, put_on_its_way, send_due, state_of
from tests.services.test_key_rotation import _keys
from tests.world import ACCOUNTS, ACME, GLOBEX, World, credential_key
from views.access import TOOLS

pytestmark = pytest.mark.slow

TYPED = {
    "host": "1.1.1.1",
    "port": "465",
    "security": "tls",
    "username": USER,
    "password": PASSWORD,
    "from_address": "it@acme.example",
    "from_name": "IT team",
}


def save(world: World, who: str = "ana", site: str = "acme", **changed: str) -> None:
    save_sender(world.tools, world.caller(who, site), **(TYPED | changed))


def stored_password(world: World, organization_id: str = ACME) -> str:
    with world.tools.begin() as session:
        route = route_of(world.tools, session, organization_id)
        assert route is not None
        return route.server.password


@pytest.fixture
def server(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Received]]:
    """acme's own server: on this machine, which whoever runs Rollcall allowed; its certificate is trusted."""
    world.synced()
    certificate, authority = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    before = world.tools.settings
    with mail_server("tls", certificate, log_in=True) as received:
        settings = replace(before, private_targets=(f"localhost:{received.port}",))
        world.app.extensions[TOOLS] = replace(world.tools, settings=settings)
        yield world, received
        world.app.extensions[TOOLS] = replace(world.tools, settings=before)


def test_a_sender_is_stored_sealed_and_audited(world: World) -> None:
    ana = world.synced()
    assert own_sender(world.tools, ana) is None
    save(world)
    row = world.stored(MailSender, ACME)
    assert PASSWORD.encode() not in row.password_sealed
    view = own_sender(world.tools, ana)
    assert view is not None
    assert (view.host, view.port, view.has_password, view.from_name) == ("1.1.1.1", 465, True, "IT team")
    assert PASSWORD not in repr(view)
    assert stored_password(world) == PASSWORD
    (entry,) = world.audit("mail:sender_changed")
    assert (entry.actor, entry.details) == (ACCOUNTS["ana"], {"host": "1.1.1.1"})
    mail_senders.forget_sender(world.tools, ana)
    assert world.stored(MailSender, ACME) is None
    assert len(world.audit("mail:sender_forgotten")) == 1
    with pytest.raises(NotFound):
        mail_senders.forget_sender(world.tools, ana)


@pytest.mark.parametrize("port", ["", "0", "65536", "²", "-1", "9" * 5000], ids=lambda port: port[:6])
def test_what_is_no_port(world: World, port: str) -> None:
    world.synced()
    with pytest.raises(Invalid) as refused:
        save(world, port=port)
    assert refused.value.field == "port"


def test_an_empty_password_keeps_the_stored_one_for_the_same_server_alone(world: World) -> None:
    world.synced()
    save(world)
    save(world, password="", from_name="Another name")
    assert stored_password(world) == PASSWORD
    for changed in ({"host": "8.8.8.8"}, {"port": "587"}, {"username": "x"}, {"security": "starttls"}):
        with pytest.raises(Invalid) as refused:
            save(world, password="", **changed)
        assert refused.value.field == "password"
    assert world.stored(MailSender, ACME).host == "1.1.1.1"
    save(world, password="", username="", host="8.8.8.8")
    assert world.stored(MailSender, ACME).password_sealed is None


def test_a_sender_belongs_to_its_organization(world: World) -> None:
    world.synced()
    world.synced("globex")
    save(world)
    with world.tools.begin() as session:
        assert route_of(world.tools, session, GLOBEX) is None
    assert own_sender(world.tools, world.caller("gina", "globex")) is None
    save(world, "gina", "globex", password="other-password-77")
    with world.tools.begin() as session:
        mine, theirs = session.get_one(MailSender, ACME), session.get_one(MailSender, GLOBEX)
        theirs.password_sealed = mine.password_sealed
    with world.tools.begin() as session, pytest.raises(CredentialUnreadable):
        route_of(world.tools, session, GLOBEX)


def test_s29_a_private_host_is_refused_and_asked_for_again_before_each_call(world: World) -> None:
    world.synced()
    for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "localhost", "2130706433", "a b", ""):
        with pytest.raises(Invalid) as refused:
            save(world, host=host)
        assert refused.value.field == "host"
    save(world)
    # As if a name that was public had moved into our network meanwhile.
    with world.tools.begin() as session:
        session.get_one(MailSender, ACME).host = "127.0.0.1"
    with mail_server() as received:
        with world.tools.begin() as session:
            session.get_one(MailSender, ACME).port = received.port
        sent = put_on_its_way(world)
        send_due(world)
    assert received.mails == []
    assert state_of(world, sent) == (
        DeliveryState.WAITING,
        "The mail server is in a private network, where Rollcall calls nobody.",
    )


def test_a_test_mail_and_what_it_finds(server: tuple[World, Received]) -> None:
    world, received = server
    ana = world.caller("ana")
    save(world, host="localhost", port=str(received.port))
    tried = mail_testing.send_test(world.tools, ana)
    assert (tried.good, tried.sentence) == (True, "The mail server took the mail.")
    ((sender, to, content),) = received.mails
    assert (sender, to) == ("it@acme.example", ["ana@acme.example"])
    assert b"A test mail from Rollcall" in content
    assert b"From: IT team <it@acme.example>" in content

    for says, sentence in (
        ({"MAIL": "553 5.7.1 no"}, "The mail server does not let this user send from this address."),
        (
            {"RCPT": "550 5.1.0 <it@acme.example>: Sender address rejected: User unknown"},
            "The mail server does not let this user send from this address.",
        ),
        ({"RCPT": "550 5.1.1 no"}, "The mail server refused the recipient's address."),
        ({"DATA": "554 no"}, "The mail server refused the mail."),
        ({"RCPT": "451 busy"}, "The mail server asked us to try again later."),
    ):
        received.says = {}
        assert mail_testing.send_test(world.tools, ana).good
        assert world.stored(MailSender, ACME).tested_at is not None
        received.says = says
        assert mail_testing.send_test(world.tools, ana).sentence == sentence
        # The page says of a test with a time that the server took the mail.
        assert world.stored(MailSender, ACME).tested_at is None
    received.says = {}
    save(world, host="localhost", port=str(received.port), password="wrong")
    refused = mail_testing.send_test(world.tools, ana)
    assert refused.sentence == "The mail server refused the user name or the password."
    view = own_sender(world.tools, ana)
    assert view is not None
    assert view.problem.startswith("The mail server refused the user name")
    save(world, host="localhost", port=str(received.port), security="starttls", password="wrong")
    # A server that speaks TLS from the first byte says nothing to somebody who does not.
    assert len(world.audit("mail:tested")) == 12
    assert {entry.actor for entry in world.audit("mail:tested")} == {ACCOUNTS["ana"]}


def test_mails_leave_by_the_own_server_and_its_troubles_are_shown(server: tuple[World, Received]) -> None:
    world, received = server
    save(world, host="localhost", port=str(received.port), password="wrong")
    sent = put_on_its_way(world)
    send_due(world)
    assert state_of(world, sent)[0] is DeliveryState.WAITING
    assert world.stored(MailSender, ACME).problem.startswith("The mail server refused the user name")
    (broken,) = (one for one in matters(world.tools, ACME) if one.topic is Topic.MAIL_BROKEN)
    assert broken.sentence.startswith("No mail leaves. The mail server refused the user name")
    save(world, host="localhost", port=str(received.port))
    world.later(seconds=10)
    send_due(world)
    assert state_of(world, sent) == (DeliveryState.SENT, "")
    assert world.stored(MailSender, ACME).problem == ""
    assert Topic.MAIL_BROKEN not in {one.topic for one in matters(world.tools, ACME)}
    assert [to for _from, to, _content in received.mails] == [["uma@acme.example"]]


@pytest.mark.parametrize(
    ("answer", "is_none"),
    [
        ("550 5.1.1 No such mailbox", True),
        ("550 5.1.10 Recipient not found", True),
        ("550 5.1.90 The daily limit for recipients is reached", False),
        ("550 5.7.1 Relaying denied", False),
        ("550 relay not permitted", False),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", False),
    ],
)
def test_only_an_address_that_is_none_gets_no_mails_any_more(
    server: tuple[World, Received], answer: str, is_none: bool
) -> None:
    world, received = server
    save(world, host="localhost", port=str(received.port))
    received.says = {"RCPT": answer}
    sent = put_on_its_way(world)
    send_due(world)
    assert state_of(world, sent)[0] is DeliveryState.NOT_SENT
    assert [row.account_id for row in world.rows(MailSuppression)] == ([ACCOUNTS["uma"]] if is_none else [])
    received.says = {}
    next_one = put_on_its_way(world, occasion="next")
    send_due(world)
    assert (state_of(world, next_one)[0] is DeliveryState.SENT) is not is_none


def test_a_server_that_breaks_again_is_told_again(server: tuple[World, Received]) -> None:
    world, received = server
    save(world, host="localhost", port=str(received.port))
    told = []
    for day in range(2):
        received.says = {}
        put_on_its_way(world, occasion=f"good {day}")
        send_due(world)
        received.says = {"MAIL": "553 5.7.1 no"}
        put_on_its_way(world, occasion=f"bad {day}")
        for _ in range(2):
            send_due(world)
            told += [one.key for one in matters(world.tools, ACME) if one.topic is Topic.MAIL_BROKEN]
            world.later(days=1)
    assert len(told) == 4
    assert told[0] == told[1] != told[2] == told[3]


def test_who_cannot_test(world: World) -> None:
    ana = world.synced()
    with pytest.raises(NotReady) as nothing:
        mail_testing.send_test(world.tools, ana)
    assert nothing.value.sentence == "Your organization has no mail server yet."
    with mail_switched_on(world):
        assert mail_testing.send_test(world.tools, ana).good
        with world.tools.begin() as session:
            session.get_one(Person, (ACME, ACCOUNTS["ana"])).email = None
        with pytest.raises(Invalid):
            mail_testing.send_test(world.tools, ana)


def test_rotation_seals_the_password_anew(world: World) -> None:
    world.synced()
    save(world)
    before, second = world.tools, credential_key("k2")
    both = replace(
        world.tools,
        vault=Vault([*_keys(second), world.tools.settings.credential_keys[0]]),  # type: ignore[list-item]
    )
    assert rotate_keys(both) > 0
    assert world.stored(MailSender, ACME).password_sealed.startswith(b"k2\0")
    world.app.extensions[TOOLS] = replace(world.tools, vault=Vault(_keys(second)))  # type: ignore[arg-type]
    try:
        assert stored_password(world) == PASSWORD
    finally:
        world.app.extensions[TOOLS] = before


def test_s41_neither_password_nor_address_is_logged(
    server: tuple[World, Received], caplog: pytest.LogCaptureFixture
) -> None:
    world, received = server
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    with caplog.at_level(logging.DEBUG):
        save(world, host="localhost", port=str(received.port))
        mail_testing.send_test(world.tools, world.caller("ana"))
        put_on_its_way(world)
        send_due(world)
    assert len(received.mails) == 2
    for secret in (PASSWORD, "it@acme", "ana@acme", "uma@acme", "Lindqvist"):
        assert secret not in caplog.text
    details: list[Any] = [entry.details for entry in world.audit("mail:sender_changed", "mail:tested")]
    assert "@" not in str(details)


def test_security_has_no_plain_choice() -> None:
    assert Security.PLAIN not in mail_senders.SECURITIES


def test_every_trouble_has_its_sentence() -> None:
    said = {trouble: words_of(Answer(trouble)) for trouble in Trouble}
    assert len(set(said.values())) == len(Trouble)
    assert said[Trouble.NO_LOGIN][0] == "The mail server offers no log-in by user name and password."
