"""The pretend post office: takes mails, shows each once, and refuses what it is told to refuse."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox import server
from sandbox.server import Sandbox

MESSAGE = (
    "Message-ID: <{id}@rollcall.example>\r\nSubject: Your <b>access</b>\r\nFrom: a@acme.example\r\n"
    "To: uma@acme.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain\r\n\r\nOpen https://acme.example/keep/1 <script>\r\n"
    "--x\r\nContent-Type: text/html\r\n\r\n<html><head></head><body><a href='/k'>Open</a></body></html>\r\n--x--\r\n"
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Sandbox]:
    found = server.start(people=10, small=10)
    yield found
    found.stop()


@pytest.fixture
def sandbox(cloud: Sandbox) -> Sandbox:
    control(cloud, "DELETE", "mails")
    control(cloud, "DELETE", "mail-faults")
    return cloud


def control(sandbox: Sandbox, method: str, path: str, **arguments: Any) -> Any:
    answer = requests.request(method, f"{sandbox.hub}/control/{path}", timeout=10, **arguments)
    answer.raise_for_status()
    return answer.json()


def post(sandbox: Sandbox, number: int = 1, recipient: str = "uma@acme.example") -> None:
    host, port = sandbox.post_office.split(":")
    with smtplib.SMTP(host, int(port), local_hostname="localhost") as client:
        client.sendmail("a@acme.example", [recipient], MESSAGE.format(id=number))


def test_a_mail_is_kept_and_shown(sandbox: Sandbox) -> None:
    post(sandbox)
    (mail,) = control(sandbox, "GET", "mails")
    assert (mail["to"], mail["subject"], mail["times"]) == ("uma@acme.example", "Your <b>access</b>", 1)
    listing = requests.get(f"{sandbox.hub}/mail", timeout=10).text
    assert "Your &lt;b&gt;access&lt;/b&gt;" in listing
    shown = requests.get(f"{sandbox.hub}/mail/{mail['id']}", timeout=10).text
    assert '<a href="https://acme.example/keep/1" target="_blank">' in shown
    assert "&lt;script&gt;" in shown
    html = requests.get(f"{sandbox.hub}/mail/{mail['id']}/html", timeout=10)
    assert "sandbox allow-popups" in html.headers["Content-Security-Policy"]
    assert '<base target="_blank">' in html.text
    assert requests.get(f"{sandbox.hub}/mail/9999", timeout=10).status_code == 404


def test_the_same_message_is_shown_once_and_counted(sandbox: Sandbox) -> None:
    for _ in range(3):
        post(sandbox)
    post(sandbox, 2)
    post(sandbox, 1, "jon@acme.example")
    found = control(sandbox, "GET", "mails")
    assert sorted((mail["to"], mail["times"]) for mail in found) == [
        ("jon@acme.example", 1),
        ("uma@acme.example", 1),
        ("uma@acme.example", 3),
    ]
    assert len(control(sandbox, "GET", "mails?to=jon@acme.example")) == 1


@pytest.mark.parametrize(
    ("kind", "error", "taken"),
    [
        ("refuse", smtplib.SMTPRecipientsRefused, 0),
        ("busy", smtplib.SMTPRecipientsRefused, 0),
        ("drop", smtplib.SMTPServerDisconnected, 1),
    ],
)
def test_what_goes_wrong_on_demand(sandbox: Sandbox, kind: str, error: type[Exception], taken: int) -> None:
    control(sandbox, "POST", "mail-faults", json={"kind": kind, "recipient": "Uma@acme.example"})
    post(sandbox, recipient="jon@acme.example")
    with pytest.raises(error):
        post(sandbox)
    assert len(control(sandbox, "GET", "mails?to=uma@acme.example")) == taken
    post(sandbox, 2)
    assert len(control(sandbox, "GET", "mails?to=uma@acme.example")) == taken + 1


def test_reset_forgets_mails_and_faults(sandbox: Sandbox) -> None:
    post(sandbox)
    control(sandbox, "POST", "mail-faults", json={"kind": "busy"})
    control(sandbox, "POST", "reset")
    assert control(sandbox, "GET", "mails") == control(sandbox, "GET", "mail-faults") == []
    assert (
        requests.post(f"{sandbox.hub}/control/mail-faults", json={"kind": "x"}, timeout=10).status_code == 400
    )
