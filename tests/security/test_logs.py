"""What is logged, and what never is (S41)."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
import requests

from connect.scrub import Scrubber, scrub, scrub_all_logs
from tests import tokens
from tests.connect.listener import Listener
from tests.security.routes import guarded_routes
from tests.security.test_route_matrix import OPENING, OTHERS, send, silent
from tests.security.world import KID, World, answer_as_hub, environment_for

TOP = Path(__file__).resolve().parents[2]

LINES = [
    *("{}", "<{}>", "a,{},b"),
    *("GET /pages/app?jwt={}&x=1", "Authorization: JWT {}", "'Authorization': 'Bearer {}'"),
]
TOKEN = tokens.context_token("s" * 40, "acme")


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        TOKEN.rpartition(".")[0] + ".",
        "ATCTT3xFfGN0abcdefghijklmnop=1234",
        "ATATT3xFfGF0_abc-def.ghi=ABCD",
        "ATCOACLIENTSECRET0123456789",
        "rct_0JhyM-3kq9_wq8Zb7vYxT2aLrS5nPdCe1fGhKmUoEiA",
        "ana.answer+test@acme.example",
        "ana%40acme.example",
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "GET /pages/app?jwt={}&x=1",
        "Authorization: JWT {}",
        "'Authorization': 'Bearer {}'",
        "<{}>",
        "a,{},b",
    ],
)
def test_s41_known_patterns_are_scrubbed(line: str, secret: str) -> None:
    assert secret not in scrub(line.format(secret))


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("Authorization: Basic YW5hOnRva2VuMTIz", "YW5hOnRva2VuMTIz"),
        ('{"sharedSecret": "abcdefgh", "key": 1}', "abcdefgh"),
        ("password=swordfish&x=1", "swordfish"),
        ("api_key: 0123456789", "0123456789"),
        ("?token=abcdef", "abcdef"),
        ("GET /keep/" + "k" * 60, "k" * 60),
        ("GET /mail/stop/.eJ-" + "k_" * 30, "k_" * 30),
        ("GET /mail//stop//" + "k" * 60, "k" * 60),
        ("not null: name\nDETAIL:  Failing row contains (712020:1, Uma Lindqvist).", "Lindqvist"),
    ],
)
def test_s41_named_secrets_are_scrubbed(line: str, secret: str) -> None:
    assert secret not in scrub(line)


@pytest.mark.parametrize(
    "line",
    [
        "GET /app/people -> 200",
        "POST /connect/installed -> 401 token_used_with_another_body trace=0123456789ab",
        "an event older than the last one was ignored: installed acme-client-key",
        "account 5b10a2844c20165700ede21g",
    ],
)
def test_s41_harmless_lines_stay_as_they_are(line: str) -> None:
    assert scrub(line) == line


@pytest.mark.parametrize("piece", ["a", "a%40", "ana@acme-", "a@b.c"])
def test_s14_no_line_keeps_the_scrubber_busy(piece: str) -> None:
    """Anybody may ask for an address that is as long as a request line may be, and it is logged."""
    began = time.perf_counter()
    scrub(piece * (40_000 // len(piece)))
    assert time.perf_counter() - began < 3


def test_s41_the_scrubber_covers_arguments_and_tracebacks() -> None:
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Scrubber())
    logger = logging.getLogger("rollcall.scrubbed")
    logger.addHandler(handler)
    try:
        logger.warning("refused %s of %s", TOKEN, "ana@acme.example")
        logger.error("failed", exc_info=ValueError(f"bad token {TOKEN}"))
    finally:
        logger.removeHandler(handler)
    assert "ValueError" in out.getvalue()
    assert TOKEN not in out.getvalue()
    assert "ana@" not in out.getvalue()


def test_s41_a_line_stays_one_line() -> None:
    """What somebody sends must not look like something that we wrote."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Scrubber())
    logger = logging.getLogger("rollcall.one_line")
    logger.addHandler(handler)
    try:
        logger.warning("GET %s", "/x\n2026-11-27 INFO rollcall.audit forged\r\x1b[2K\x85\u2028end")
        logger.error("failed", exc_info=ValueError("in a traceback"))
    finally:
        logger.removeHandler(handler)
    first, *traceback = out.getvalue().splitlines()
    assert first == "GET /x\\n2026-11-27 INFO rollcall.audit forged\\r\\x1b[2K\\x85\\u2028end"
    assert traceback == ["failed", "ValueError: in a traceback"]


WORKER = """
import logging, os
from dbos import DBOS
from config import Settings
from jobs.engine import _config
from wiring import set_up_logging, toolbox_without_pages

settings = Settings.from_environment(os.environ)
set_up_logging(settings)
dbos = DBOS(config=_config(toolbox_without_pages(settings)))
DBOS.launch()
logging.getLogger("dbos").error("gone wrong for uma@acme.example\\nforged")
print("hides parameters:", dbos._sys_db.engine.hide_parameters)
DBOS.destroy()
"""


@pytest.mark.slow
def test_s41_what_dbos_writes_is_scrubbed(
    sqlite_url: str, listeners: tuple[Listener, Listener, Listener]
) -> None:
    environment = environment_for(sqlite_url, *listeners)
    ended = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=TOP,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in ended.stderr.splitlines() if "gone wrong" in line]
    assert line.endswith("ERROR dbos gone wrong for [address]\\nforged")
    assert "hides parameters: True" in ended.stdout


@pytest.mark.parametrize("name", ["", "gunicorn.error", "gunicorn.access", "dbos"])
def test_s41_every_handler_gets_one_scrubber(name: str) -> None:
    handler = logging.StreamHandler(StringIO())
    root = logging.getLogger(name)
    root.addHandler(handler)
    try:
        scrub_all_logs()
        scrub_all_logs()
        assert [type(each) for each in handler.filters] == [Scrubber]
    finally:
        root.removeHandler(handler)


def test_s41_no_request_writes_a_token_even_at_debug(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """One route of each mark; the matrix of all routes looks at its log too."""
    one_of_each = {route.mark: route for route in guarded_routes()}
    with caplog.at_level(logging.DEBUG):
        for route in one_of_each.values():
            for kind in [*OTHERS.values(), *(opening for opening, _ in OPENING.values())]:
                send(world, route, kind(world, route))
        world.lifecycle(world.acme)
    assert "401" in caplog.text
    assert silent(world, caplog.text)


@contextmanager
def gunicorn(environment: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """The program as the Procfile starts it, on a free port; its address, and the file it logs to."""
    log = Path(environment["DATABASE_URL"].removeprefix("sqlite:///")).with_name("gunicorn.log")
    command = [sys.executable, "-m", "gunicorn", "app:create_app()"]
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=TOP,
            env={"PATH": os.environ["PATH"], "BIND": "127.0.0.1:0", **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            for _ in range(200):
                found = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text())
                if found and found[1] != "http://127.0.0.1:0" and "Booting worker" in log.read_text():
                    break
                time.sleep(0.05)
            assert found, log.read_text()
            yield found[1], log
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.slow
def test_s41_s11_behind_the_real_server(
    sqlite_url: str, listeners: tuple[Listener, Listener, Listener]
) -> None:
    """gunicorn hands the raw request line on, and writes no token into its access log."""
    hub, acme, globex = listeners
    hub.answer = answer_as_hub
    environment = environment_for(sqlite_url, hub, acme, globex) | {"BASE_URL": "http://127.0.0.1:1"}
    secret = "real-server-secret-0123456789-0123456789"
    with gunicorn(environment) as (address, log):
        token = tokens.lifecycle_token("acme", "/connect/installed", base_url="http://127.0.0.1:1", kid=KID)
        body = {
            "key": "io.rollcall.app",
            "clientKey": "acme",
            "sharedSecret": secret,
            "baseUrl": acme.url,
            "productType": "jira",
            "eventType": "installed",
        }
        headers = {"Authorization": f"JWT {token}"}
        installed = requests.post(f"{address}/connect/installed", json=body, headers=headers, timeout=10)
        assert installed.status_code == 204, log.read_text()
        page = "/pages/app?b=%7E~*+%2B&a=x%2Fy&b=%C3%A9&empty&%41=1"
        signed = tokens.iframe_token(secret, "acme", "GET", page)
        opened = requests.get(f"{address}{page}&jwt={signed}", timeout=10)
        assert opened.status_code in {200, 403}, log.read_text()
        refused = requests.get(f"{address}{page}&extra=1&jwt={signed}", timeout=10)
        assert refused.status_code == 401
    written = log.read_text()
    assert '"GET /pages/app HTTP/1.1" 401' in written
    for word in ("eyJ", "jwt=", secret, "empty"):
        assert word not in written


@pytest.mark.slow
def test_s41_the_real_server_writes_no_link_and_no_forged_line(
    sqlite_url: str, listeners: tuple[Listener, Listener, Listener]
) -> None:
    hub, acme, globex = listeners
    environment = environment_for(sqlite_url, hub, acme, globex) | {"BASE_URL": "http://127.0.0.1:1"}
    link = "WyJhY21lIiwidW1hIl0.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs"
    with gunicorn(environment) as (address, log):
        for path in ("keep", "mail/stop", "mail//stop"):
            requests.get(f"{address}/{path}/{link}", timeout=10)
        requests.get(f"{address}/x%0a%1b[2KINFO rollcall.audit forged", timeout=10)
    written = log.read_text()
    assert '"GET /mail/stop/[token] HTTP/1.1" 404' in written
    assert link not in written
    assert "/x\\n\\x1b[2KINFO rollcall.audit forged" in written
    assert "\x1b" not in written
