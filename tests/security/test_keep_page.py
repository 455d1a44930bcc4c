"""The personal page, from outside: nobody frames it, nobody keeps it, and no forged link tells anything (S55)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from itsdangerous import URLSafeSerializer

from connect.scrub import scrub
from services.keep_links import keep_link
from services.own_case import first_name
from tests.security.world import World

FORGED = ["x", "a.b", "WyJvcmciLCJjYXNlIiwiYW5hIl0.forged", "%00", "..", "é", "x" * 3000]


@pytest.mark.parametrize("token", FORGED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_s55_a_forged_link_opens_nothing(world: World, token: str, method: str) -> None:
    with world.untouched():
        answer = world.request(
            method, f"/keep/{token}", data={"answer": "keep"} if method == "POST" else None
        )
    assert answer.status_code == 404
    if method != "HEAD":
        assert "This link does not work" in answer.text
        assert token not in answer.text or len(token) < 4


def test_s55_a_link_of_another_deployment_opens_nothing(world: World) -> None:
    theirs = replace(world.tools, settings=replace(world.tools.settings, secret_key="z" * 48))
    address = keep_link(theirs, "org-acme", "a-case", "ana").partition("/keep/")[2]
    assert world.request("GET", f"/keep/{address}").status_code == 404


@pytest.mark.parametrize(
    ("page", "purpose", "words", "status"),
    [
        ("/keep", "keep-link", ["org-acme", "a-case", "ana"], 410),
        ("/mail/stop", "digest-stop", ["org-acme", "ana"], 200),
    ],
)
def test_s39_what_we_signed_for_something_else_is_no_link(
    world: World, page: str, purpose: str, words: list[str], status: int
) -> None:
    for salt in ("keep-link", "digest-stop", "itsdangerous"):
        signer = URLSafeSerializer(
            world.tools.settings.secret_key, salt=salt, signer_kwargs={"digest_method": sha256}
        )
        answer = world.request("GET", f"{page}/{signer.dumps(words)!s}")
        assert answer.status_code == (status if salt == purpose else 404), salt


def test_s55_it_stands_alone(world: World) -> None:
    link = keep_link(world.tools, "org-acme", "a-case", "ana")
    token = link.partition("/keep/")[2]
    for address in (f"/keep/{token}", "/keep/forged"):
        answer = world.request("GET", address)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script" not in policy
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<script" not in answer.text
    # Every other page keeps its own.
    other = world.request("GET", "/")
    assert "X-Robots-Tag" not in other.headers
    assert "frame-ancestors 'none'" not in other.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "said"), [("de-AT,de;q=0.9", "funktioniert nicht"), ("en", "does not work")]
)
def test_it_speaks_the_language_of_the_browser(world: World, asked: str, said: str) -> None:
    assert said in world.request("GET", "/keep/forged", headers={"Accept-Language": asked}).text


def test_s55_scripts_that_try_links_are_slowed_down(world: World) -> None:
    statuses = [world.request("GET", f"/keep/try-{number}").status_code for number in range(310)]
    # Other tests may have come from this address within the same minute.
    first = statuses.index(429)
    assert first <= 300
    assert set(statuses[first:]) == {429}


def test_s41_links_are_not_logged(world: World) -> None:
    link = keep_link(world.tools, "org-acme", "0a6f1e52-6f3f-4a5e-9a58-0d3c4b1d7a11", "ana")
    line = scrub(f'127.0.0.1 "GET {link.partition("//")[2]} HTTP/1.1" 200')
    assert "/keep/[token]" in line
    assert link.rpartition("/")[2] not in line


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Sam Reed", "Sam"),
        ("", ""),
        (" \n", ""),
        ("x" * 200, "x" * 40),
        ("<img onerror> B", "<img"),
        ("Ana", "Ana"),
    ],
)
def test_s55_no_more_than_a_first_name(name: str, first: str) -> None:
    assert first_name(name) == first
