"""connect/install_keys.py against a real HTTP server (S7, S8)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connect.errors import AppError, NotAuthenticated, Unavailable
from connect.gateway.http import BoundedSession
from connect.install_keys import (
    BELIEVED_FOR,
    COOL_DOWN,
    KEPT_FOR,
    MAX_KEY_BYTES,
    MAX_QUESTIONS,
    InstallKey,
    InstallKeys,
)
from tests import tokens
from tests.connect.listener import Call, Listener, Reply, listening

KID = "0b1c3f44-6d0e-4c55-9d6a-5f1f0c7d9e11"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Board(dict[str, InstallKey]):
    """A shelf that lasts as long as a test."""

    def find(self, kid: str) -> InstallKey | None:
        return self.get(kid)

    def forget(self, kid: str) -> None:
        self.pop(kid, None)


def keys(*urls: str, clock: Clock | None = None, shelf: Board | None = None) -> InstallKeys:
    return InstallKeys(
        urls,
        clock=clock or Clock(),
        shelf=Board() if shelf is None else shelf,
        session=lambda: BoundedSession(connect_seconds=1, read_seconds=0.3, max_bytes=MAX_KEY_BYTES),
    )


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_key_is_fetched_once_by_its_kid(listener: Listener) -> None:
    listener.answer = lambda call: Reply(200, tokens.public_pem().replace("\n", "\r\n").encode())
    found = keys(listener.url + "/")
    assert found.pem_for(KID).startswith("-----BEGIN PUBLIC KEY-----")
    assert found.pem_for(KID) == found.pem_for(KID)
    assert [call.path for call in listener.calls] == [f"/{KID}"]


def test_the_path_of_an_asap_kid_is_kept(listener: Listener) -> None:
    listener.answer = lambda call: Reply(200, tokens.public_pem().encode())
    keys(listener.url).pem_for("micros/aid-x/prod_1/key.2")
    assert listener.calls[0].path == "/micros/aid-x/prod_1/key.2"


@pytest.mark.parametrize(
    "kid",
    [
        "",
        "../x",
        "a/../b",
        "a/..",
        "..",
        ".",
        "./a",
        "/a",
        "a//b",
        "a/",
        "http://evil.example/key",
        "//evil.example/key",
        "evil.example:80@x",
        "a?b",
        "a#b",
        "a%2e%2e",
        "a\\b",
        "a b",
        "a\n",
        "kéy",
        "a" * 5000,
        "/".join("a" * 50),
    ],
)
def test_s07_an_odd_kid_asks_nobody(kid: str, listener: Listener) -> None:
    with pytest.raises(NotAuthenticated):
        keys(listener.url).pem_for(kid)
    assert listener.calls == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(403, b"<html>AccessDenied</html>"), NotAuthenticated),
        (Reply(404, b"nope"), NotAuthenticated),
        (Reply(302, b"", {"Location": "/elsewhere"}), Unavailable),
        (Reply(200, b"<html>welcome</html>"), Unavailable),
        (Reply(200, b""), Unavailable),
        (Reply(200, b"x" * 10_000_000), Unavailable),
        (Reply(200, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), Unavailable),
        (Reply(200, pem(ec.generate_private_key(ec.SECP256R1()))), Unavailable),
        (Reply(200, pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))), Unavailable),
        (Reply(200, "-----BEGIN PUBLIC KEY-----é".encode()), Unavailable),
        (Reply(500, b"oops"), Unavailable),
        (Reply(500, tokens.public_pem().encode()), Unavailable),
        (Reply(302, tokens.public_pem().encode(), {"Location": "/elsewhere"}), Unavailable),
        (Reply(206, tokens.public_pem().encode()), Unavailable),
        (Reply(403, tokens.public_pem().encode()), NotAuthenticated),
        (Reply(429, b"slow"), Unavailable),
        (Reply(200, b"late", after_seconds=1.0), Unavailable),
        (Reply(hang_up=True), Unavailable),
    ],
    ids=lambda value: f"{value.status}-{value.body[:12]!r}" if isinstance(value, Reply) else value.__name__,
)
def test_s07_a_bad_answer_is_never_a_key(reply: Reply, error: type[AppError], listener: Listener) -> None:
    listener.answer = lambda call: reply
    with pytest.raises(error):
        keys(listener.url).pem_for(KID)
    assert [call.path for call in listener.calls] == [f"/{KID}"]


def test_s07_a_slow_host_costs_seconds_not_minutes(listener: Listener) -> None:
    listener.answer = lambda call: Reply(200, b"late", after_seconds=2.0)
    started = time.perf_counter()
    with pytest.raises(Unavailable):
        keys(listener.url).pem_for(KID)
    assert time.perf_counter() - started < 1.5


def test_s08_hosts_are_asked_in_their_order(listener: Listener) -> None:
    with listening() as second:
        second.answer = lambda call: Reply(200, tokens.public_pem().encode())
        for first in (
            Reply(404),
            Reply(403, b"<html>"),
            Reply(503),
            Reply(hang_up=True),
            Reply(200, b"<html>"),
        ):
            listener.answer = lambda call, reply=first: reply
            keys(listener.url, second.url).pem_for(KID)
        assert len(second.calls) == 5
        listener.answer = lambda call: Reply(200, tokens.public_pem().encode())
        keys(listener.url, second.url).pem_for(KID)
        assert len(second.calls) == 5


def test_s08_a_silent_host_is_no_answer(listener: Listener) -> None:
    listener.answer = lambda call: Reply(404)
    with pytest.raises(Unavailable):
        keys("http://127.0.0.1:9", listener.url).pem_for(KID)
    with pytest.raises(NotAuthenticated):
        keys(listener.url, listener.url).pem_for(KID)


def test_an_unknown_kid_is_asked_again_after_a_while(listener: Listener) -> None:
    clock = Clock()
    found = keys(listener.url, clock=clock)
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            found.pem_for(KID)
    assert len(listener.calls) == 1
    listener.answer = lambda call: Reply(200, tokens.public_pem().encode())
    clock.now += COOL_DOWN
    found.pem_for(KID)
    clock.now += KEPT_FOR
    found.pem_for(KID)
    assert len(listener.calls) == 3


def test_a_flood_of_unknown_kids_is_cut_off_and_known_ones_still_work(listener: Listener) -> None:
    def answer(call: Call) -> Reply:
        return Reply(200, tokens.public_pem().encode()) if call.path == f"/{KID}" else Reply(404)

    listener.answer = answer
    clock = Clock()
    found = keys(listener.url, clock=clock)
    found.pem_for(KID)
    for number in range(MAX_QUESTIONS * 2):
        with pytest.raises((NotAuthenticated, Unavailable)):
            found.pem_for(f"kid-{number}")
    assert len(listener.calls) == MAX_QUESTIONS
    found.pem_for(KID)
    clock.now += COOL_DOWN
    with pytest.raises(NotAuthenticated):
        found.pem_for("kid-new")


def host_of(kids: dict[str, Reply], listener: Listener) -> None:
    """The key host knows these and no others."""
    listener.answer = lambda call: kids.get(call.path[1:], Reply(404))


def test_s07_a_flood_of_unknown_kids_keeps_no_known_one_from_being_read_again(listener: Listener) -> None:
    host_of({KID: Reply(200, tokens.public_pem().encode())}, listener)
    clock = Clock()
    found = keys(listener.url, clock=clock)
    known = found.pem_for(KID)
    clock.now += KEPT_FOR
    for number in range(MAX_QUESTIONS + 1):
        with pytest.raises((NotAuthenticated, Unavailable)):
            found.pem_for(f"kid-{number}")
    listener.calls.clear()
    assert [found.pem_for(KID) for _ in range(3)] == [known] * 3
    assert [call.path for call in listener.calls] == [f"/{KID}"]


@pytest.mark.parametrize("silence", [Reply(503), Reply(200, b"<html>"), Reply(hang_up=True)])
def test_s07_a_known_key_is_used_while_its_host_is_silent(silence: Reply, listener: Listener) -> None:
    host_of({KID: Reply(200, tokens.public_pem().encode())}, listener)
    clock = Clock()
    found = keys(listener.url, clock=clock)
    known = found.pem_for(KID)
    host_of({KID: silence}, listener)
    clock.now += 5 * KEPT_FOR
    listener.calls.clear()
    assert [found.pem_for(KID) for _ in range(3)] == [known] * 3
    assert len(listener.calls) == 1, "asked again after a while, not each time"
    clock.now += COOL_DOWN
    assert found.pem_for(KID) == known
    assert len(listener.calls) == 2


def test_s07_a_key_that_its_host_took_back_is_one_no_more(listener: Listener) -> None:
    host_of({KID: Reply(200, tokens.public_pem().encode())}, listener)
    clock = Clock()
    found = keys(listener.url, clock=clock)
    found.pem_for(KID)
    clock.now += KEPT_FOR
    for answer in (Reply(404), Reply(503)):
        host_of({KID: answer}, listener)
        with pytest.raises((NotAuthenticated, Unavailable)):
            found.pem_for(KID)
        clock.now += COOL_DOWN


def flood(found: InstallKeys) -> None:
    """More strange kids than are asked about in a minute."""
    for number in range(MAX_QUESTIONS + 1):
        with pytest.raises((NotAuthenticated, Unavailable)):
            found.pem_for(f"kid-{number}")


@pytest.mark.parametrize(("age", "calls"), [(KEPT_FOR / 2, 0), (KEPT_FOR, 1), (30 * BELIEVED_FOR, 1)])
def test_s07_a_new_process_knows_what_is_on_the_shelf_whatever_strangers_send(
    age: timedelta, calls: int, listener: Listener
) -> None:
    host_of({KID: Reply(200, tokens.public_pem().encode())}, listener)
    clock = Clock()
    shelf = Board({KID: InstallKey(tokens.public_pem().strip(), clock.now - age)})
    found = keys(listener.url, clock=clock, shelf=shelf)
    flood(found)
    listener.calls.clear()
    assert [found.pem_for(KID) for _ in range(3)] == [tokens.public_pem().strip()] * 3
    assert len(listener.calls) == calls


def test_s07_a_key_of_the_shelf_is_used_for_a_week_of_silence_and_no_longer(listener: Listener) -> None:
    host_of({KID: Reply(503)}, listener)
    clock = Clock()
    shelf = Board({KID: InstallKey(tokens.public_pem().strip(), clock.now - BELIEVED_FOR + COOL_DOWN)})
    found = keys(listener.url, clock=clock, shelf=shelf)
    assert found.pem_for(KID) == tokens.public_pem().strip()
    clock.now += COOL_DOWN
    listener.calls.clear()
    for _ in range(3):
        with pytest.raises(Unavailable):
            found.pem_for(KID)
    assert len(listener.calls) == 1, "asked again after a while, not each time"


def test_s07_a_key_that_its_host_took_back_is_taken_off_the_shelf(listener: Listener) -> None:
    host_of({}, listener)
    clock = Clock()
    shelf = Board({KID: InstallKey(tokens.public_pem().strip(), clock.now - KEPT_FOR)})
    with pytest.raises(NotAuthenticated):
        keys(listener.url, clock=clock, shelf=shelf).pem_for(KID)
    assert shelf == {}
    host_of({KID: Reply(503)}, listener)
    with pytest.raises(Unavailable):
        keys(listener.url, clock=clock, shelf=shelf).pem_for(KID)


@pytest.mark.parametrize(
    "urls", [(), ("http://keys.example.com",), ("",), ("https://",), ("ftp://127.0.0.1",)]
)
def test_s08_hosts_are_https_or_this_machine(urls: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="install keys"):
        InstallKeys(urls, clock=Clock(), shelf=Board())
