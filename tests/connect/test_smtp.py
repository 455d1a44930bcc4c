"""The conversation with a mail server: encrypted and verified, patient but not for ever, silent in the logs (S41)."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from config import ConfigurationError, Settings
from connect.smtp import Answer, MailServer, Security, Trouble, hand_over, is_address, parse_server
from tests.connect.mail_server import PASSWORD, UMLAUTS, USER, certificate_for, mail_server

HOST = "mail.acme.example"
KINDS = {"plain": Security.PLAIN, "tls": Security.TLS, "starttls": Security.STARTTLS}


def give(
    server: MailServer, *, longest: float = 10, silence: float = 10, recipient: str = "uma@acme.example"
) -> Answer:
    return hand_over(
        server,
        ("127.0.0.1",),
        sender="it@acme.example",
        recipient=recipient,
        message=b"Subject: x\r\n\r\nhello\r\n.\r\nbye\r\n",
        introduce_as="rollcall.example.com",
        longest=longest,
        silence=silence,
    )


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process trusts the test's authority, as an administrator would make it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tmp_path


@pytest.mark.parametrize("kind", ["tls", "starttls"])
def test_a_mail_goes_out_encrypted_after_the_log_in(kind: str, trusted: Path) -> None:
    certificate, _ = certificate_for(HOST, trusted)
    with mail_server(kind, certificate, log_in=True) as received:
        server = MailServer(HOST, received.port, KINDS[kind], USER, PASSWORD)
        assert give(server) == Answer(None, 250)
        wrong = give(replace(server, password="wrong"))
        assert (wrong.trouble, wrong.status, wrong.for_good) == (Trouble.LOGIN, 535, True)
    assert received.mails == [
        ("it@acme.example", ["uma@acme.example"], b"Subject: x\r\n\r\nhello\r\n.\r\nbye\r\n")
    ]
    assert received.logins[0] == (USER, PASSWORD)
    assert set(received.logins[1:]) == {(USER, "wrong")}


@pytest.mark.parametrize("kind", ["tls", "starttls"])
def test_a_password_may_have_letters_outside_ascii(kind: str, trusted: Path) -> None:
    certificate, _ = certificate_for(HOST, trusted)
    with mail_server(kind, certificate, log_in=True) as received:
        server = MailServer(HOST, received.port, KINDS[kind], USER, UMLAUTS)
        assert give(server) == Answer(None, 250)
        wrong = give(replace(server, password="Schwarmfüsch"))
        assert (wrong.trouble, wrong.status) == (Trouble.LOGIN, 535)
    assert received.logins == [(USER, UMLAUTS), (USER, "Schwarmfüsch")]


@pytest.mark.parametrize("kind", ["tls", "starttls"])
@pytest.mark.parametrize("what", ["an unknown authority", "another host"])
def test_a_certificate_that_is_not_good_gets_no_password(
    kind: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, authority = certificate_for("other.example" if what == "another host" else HOST, tmp_path)
    if what == "another host":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with mail_server(kind, certificate, log_in=True) as received:
        answer = give(MailServer(HOST, received.port, KINDS[kind], USER, PASSWORD))
        assert answer.trouble is Trouble.TLS
    assert received.logins == received.mails == []


def test_without_starttls_no_password_is_sent() -> None:
    with mail_server("plain", log_in=True) as received:
        answer = give(MailServer(HOST, received.port, Security.STARTTLS, USER, PASSWORD))
        assert answer.trouble is Trouble.TLS
    assert received.logins == []


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        ({"MAIL": "553 5.7.1 Not yours"}, Answer(Trouble.SENDER, 553, True, "5.7.1")),
        (
            {"RCPT": "553 5.7.1 <it@acme.example>: Sender address rejected: not owned by user it-team"},
            Answer(Trouble.SENDER, 553, True, "5.7.1"),
        ),
        ({"RCPT": "550 5.1.8 Domain not found"}, Answer(Trouble.SENDER, 550, True, "5.1.8")),
        ({"RCPT": "550 5.1.1 Nobody"}, Answer(Trouble.RECIPIENT, 550, True, "5.1.1")),
        ({"RCPT": "450 4.2.1 Busy"}, Answer(Trouble.RECIPIENT, 450, False, "4.2.1")),
        ({"RCPT": "550 no code"}, Answer(Trouble.RECIPIENT, 550, True, "")),
        (
            {"DATA": "554 5.2.252 SendAsDenied; it-team@acme.example not allowed to send as it@acme.example"},
            Answer(Trouble.SENDER, 554, True, "5.2.252"),
        ),
        ({"DATA": "554 5.6.0 Spam"}, Answer(Trouble.MESSAGE, 554, True, "5.6.0")),
        ({"DATA": "451 Later"}, Answer(Trouble.MESSAGE, 451, False, "")),
    ],
)
def test_each_no_has_its_step(says: dict[str, str], answer: Answer) -> None:
    with mail_server(**says) as received:
        assert give(MailServer("127.0.0.1", received.port, Security.PLAIN)) == answer


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert give(MailServer(HOST, port, Security.PLAIN)) == Answer(Trouble.UNREACHABLE)


@contextmanager
def dripping(security: Security) -> Iterator[MailServer]:
    """A server that says one byte now and then, and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            try:
                while True:
                    line.sendall(b"2")
                    time.sleep(0.05)
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    with listener:
        yield MailServer(HOST, listener.getsockname()[1], security)
    thread.join()


@pytest.mark.parametrize("security", [Security.PLAIN, Security.STARTTLS])
def test_a_server_that_drips_is_left_in_time(security: Security) -> None:
    with dripping(security) as server:
        before = time.monotonic()
        assert give(server, longest=0.5) == Answer(Trouble.UNREACHABLE)
        assert time.monotonic() - before < 3


@pytest.mark.parametrize("line", [b"220-" + b"x" * 8000 + b"\r\n", b"220-\r\n" * 1000])
def test_an_answer_without_an_end_takes_no_memory(line: bytes) -> None:
    """Whoever names a mail server of their own would else end the worker of everybody."""
    listener = socket.create_server(("127.0.0.1", 0))
    sent = []

    def flood() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            while True:
                client.sendall(line)
                sent.append(len(line))

    thread = threading.Thread(target=flood)
    thread.start()
    with listener:
        server = MailServer(HOST, listener.getsockname()[1], Security.PLAIN)
        assert give(server, longest=5) == Answer(Trouble.UNREACHABLE)
    thread.join()
    assert sum(sent) < 20_000_000  # what the lines between two sockets hold


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_a_server_that_looks_a_mail_through_is_waited_for(kind: str, trusted: Path) -> None:
    certificate, _ = certificate_for(HOST, trusted)
    with mail_server(kind, certificate) as received:
        received.thinks = 1.5
        server = MailServer(HOST, received.port, KINDS[kind])
        assert give(server, silence=1) == Answer(None, 250)
        assert give(server, silence=1, longest=1) == Answer(Trouble.UNKNOWN)
    assert len(received.mails) == 2


@contextmanager
def offering(*extensions: str) -> Iterator[MailServer]:
    """A server that greets, says what it offers, and thanks for everything else."""
    listener = socket.create_server(("127.0.0.1", 0))
    offers = "".join(f"250-{extension}\r\n" for extension in extensions)

    def talk() -> None:
        line, _ = listener.accept()
        with line, line.makefile("rb") as said:
            line.sendall(b"220 hello\r\n")
            for word in said:
                line.sendall(f"{offers}250 HELP\r\n".encode() if word.startswith(b"ehlo") else b"221 bye\r\n")

    thread = threading.Thread(target=talk)
    thread.start()
    with listener:
        yield MailServer(HOST, listener.getsockname()[1], Security.PLAIN, USER, PASSWORD)
    thread.join()


@pytest.mark.parametrize("extensions", [(), ("AUTH NTLM GSSAPI",), ("AUTH XOAUTH2",)])
def test_a_server_where_no_password_logs_in_is_said_to_be_one(extensions: tuple[str, ...]) -> None:
    with offering(*extensions) as server:
        assert give(server) == Answer(Trouble.NO_LOGIN)


def test_s41_nothing_is_logged(trusted: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificate, _ = certificate_for(HOST, trusted)
    with caplog.at_level(logging.DEBUG), mail_server("tls", certificate, log_in=True) as received:
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        assert give(MailServer(HOST, received.port, Security.TLS, USER, PASSWORD)).trouble is None
    for secret in (PASSWORD, USER, "uma@", "hello"):
        assert secret not in caplog.text
    assert PASSWORD not in repr(MailServer(HOST, 1, Security.TLS, USER, PASSWORD))


def test_addresses_outside_ascii_need_a_server_that_knows_them() -> None:
    with mail_server() as received:
        assert (
            give(MailServer(HOST, received.port, Security.PLAIN), recipient="zoë@acme.example").trouble
            is None
        )
    assert received.mails[0][1] == ["zoë@acme.example"]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://u:p%40ss@smtp.example.com", MailServer("smtp.example.com", 465, Security.TLS, "u", "p@ss")),
        ("smtp+starttls://smtp.example.com:2525", MailServer("smtp.example.com", 2525, Security.STARTTLS)),
        ("smtp://127.0.0.1:1025", MailServer("127.0.0.1", 1025, Security.PLAIN)),
    ],
)
def test_addresses_of_servers(url: str, server: MailServer) -> None:
    assert parse_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "smtp://smtp.example.com:25",
        "smtp://u:p@127.0.0.1:25",
        "https://smtp.example.com",
        "smtps://",
        "smtps://smtp.example.com:465/path",
        "smtps://smtp.example.com:465?x=1",
        "smtps://smtp.example.com:99999",
        "",
    ],
)
def test_what_is_no_address_of_a_server(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_server(url)


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"SMTP_URL": "smtps://u:p@smtp.example.com"}, "MAIL_FROM is not set, though SMTP_URL is."),
        (
            {"SMTP_URL": "smtp://u:swordfish@smtp.example.com", "MAIL_FROM": "a@b.example"},
            "SMTP_URL: must be",
        ),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM: must be an e-mail address"),
        ({"MAIL_FROM": "a@b.example\r\nBcc: c@d.example"}, "MAIL_FROM: must be an e-mail address"),
    ],
)
def test_settings_of_a_deployment(environment: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment(environment)
    assert any(each.startswith(problem) for each in refused.value.problems)
    assert "swordfish" not in str(refused.value)


def test_addresses_of_people() -> None:
    assert all(map(is_address, ["a@b.example", "a+b.c@d", "zoë@acme.example"]))
    assert not any(
        map(is_address, ["a..b@c.example", ".a@b.example", "a.@b.example", "a@b..example", "a@b."])
    )
    assert not any(
        map(is_address, ["", "a", "a@", "@b", "a b@c", "a@b\n", "a@b>", '"a"@b', "a@b,c@d", "a" * 65 + "@b"])
    )
