"""What stands before every view: hosts, proxies, headers, sizes, errors (S14, S33, S35, S36, S41, S43)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine
from werkzeug.test import TestResponse

from app import create_app
from config import ConfigurationError, Settings
from connect import errors
from connect.errors import AppError
from services.toolbox import Toolbox
from tests.connect.listener import Listener
from tests.security.routes import Route, all_routes
from tests.security.test_route_matrix import OPENING, Sent, send
from tests.security.world import BASE_URL, INSTALLED, UNINSTALLED, World, environment_for, settings_for
from views.access import TOOLS, Mark, api, public
from views.errors import TABLE, handle_errors, status_of

TOP = Path(__file__).resolve().parents[2]

HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def check_headers(world: World, answer: TestResponse, *, alone: bool = False) -> None:
    """`alone`: the page that nobody frames and that runs no script (S55)."""
    for name, value in HEADERS.items():
        assert answer.headers.get(name) == value, name
    policy = answer.headers["Content-Security-Policy"]
    origins = f"{world.acme.listener.url} {world.globex.listener.url}"
    ancestors = "'none'" if alone else origins
    assert policy.endswith(f"frame-ancestors {ancestors}")
    assert ("script-src 'self' https://bridge.example.com;" in policy) is not alone
    assert alone is not ("script-src" in policy)
    assert "unsafe-eval" not in policy
    assert "X-Frame-Options" not in answer.headers  # it cannot name several sites
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("route", all_routes(), ids=str)
def test_s36_every_answer_carries_the_headers(world: World, route: Route) -> None:
    opening = next((kind for kind, opens in OPENING.values() if opens is route.mark), None)
    for sent in (Sent(), opening(world, route) if opening else Sent()):
        answer = send(world, route, sent)
        check_headers(world, answer, alone=route.rule.startswith("/keep/"))
        if route.endpoint != "static":
            assert answer.headers["Cache-Control"] == "no-store"


def test_s36_errors_carry_them_too(world: World) -> None:
    for answer in (
        world.request("GET", "/nowhere"),
        world.request("PATCH", "/pages/app"),
        world.request("GET", "//pages/app?jwt=x"),
        world.client.get("/", base_url="https://evil.example"),
        world.request("POST", INSTALLED, world.acme.lifecycle(), data=b"x" * 3_000_000),
    ):
        assert answer.status_code in {400, 404, 405, 413}
        check_headers(world, answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Trace id" in answer.text or answer.status_code == 413


def test_static_files_may_be_kept_only_under_their_version(world: World) -> None:
    plain = world.request("GET", "/static/mark.svg")
    versioned = world.request("GET", "/static/mark.svg?v=1a2b3c4d")
    missing = world.request("GET", "/static/none.svg?v=1")
    assert plain.headers["Cache-Control"] == "public, max-age=3600"
    assert versioned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert missing.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "build/../../app.py"]
)
def test_static_files_stay_in_their_folder(world: World, address: str) -> None:
    assert world.request("GET", f"/static/{address}").status_code == 404


@pytest.mark.parametrize(
    "query", ["xdm_e=https://evil.example", "cp=/evil", "lic=active&xdm_e=https%3A%2F%2Fevil"]
)
def test_s35_nothing_in_a_request_changes_the_frame_ancestors(world: World, query: str) -> None:
    for tenant in (world.acme, world.globex):
        answer = world.page(tenant, f"/pages/app?{query}")
        assert answer.status_code != 401
        check_headers(world, answer)
    check_headers(world, world.request("GET", "/"))


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "evil.example", "rollcall.example.com.evil.example", ""]
)
def test_s33_a_foreign_host_is_refused(world: World, host: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rollcall.errors")
    with world.untouched():
        for address in ("/", "/pages/app", INSTALLED):
            answer = world.client.get(address, headers={"Host": host})
            assert answer.status_code == 400
            assert host not in answer.text or not host
    assert caplog.text.count("host_is_not_that_of_base_url") == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "1"},
        {"Forwarded": "host=evil.example;proto=http"},
        {"X-Original-URL": "/pages/configure", "X-Rewrite-URL": "/pages/configure"},
    ],
)
def test_s33_forwarded_headers_change_neither_hash_nor_links(world: World, headers: dict[str, str]) -> None:
    address = "/pages/app"
    token = world.acme.product_signed("GET", address)
    answer = world.request("GET", f"{address}?jwt={token}", headers=headers)
    assert answer.status_code != 401
    descriptor = world.request("GET", "/jira/atlassian-connect.json", headers=headers)
    assert descriptor.get_json()["baseUrl"] == BASE_URL
    assert "evil" not in descriptor.text + answer.text


def test_s33_exactly_as_many_proxies_are_believed_as_there_are(world: World) -> None:
    here = Listener(url="http://127.0.0.1:9")
    settings = replace(world.tools.settings, trusted_proxies=1, site_origins=(here.url,))
    app = create_app(settings)
    seen: list[str | None] = []
    app.view_functions["home.home"] = public(lambda: (seen.append(_remote()), "")[1])
    headers = {
        "X-Forwarded-For": "6.6.6.6, 5.5.5.5",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "6666",
    }
    # A proxy passes on what it does not know: of its visitor's words, only where they come from is looked for.
    home = create_app(settings).test_client().get("/", base_url=BASE_URL, headers=headers)
    assert "/static/app.css" in home.text
    assert all(word not in home.text for word in ("/evil", "evil.", ":6666"))
    answer = app.test_client().get("/", base_url=BASE_URL, headers=headers)
    assert answer.status_code == 200
    assert seen == ["5.5.5.5"]


def _remote() -> str | None:
    from flask import request

    return request.remote_addr


@pytest.mark.parametrize("raw", ["", "pages/app", "http://rollcall.example.com/pages/app", "*"])
def test_s11_without_the_raw_request_line_nobody_is_let_in(world: World, raw: str) -> None:
    token = world.acme.product_signed("GET", "/pages/app")
    with world.untouched():
        answer = world.client.get(
            f"/pages/app?jwt={token}",
            base_url=BASE_URL,
            environ_overrides={"RAW_URI": raw, "REQUEST_URI": raw},
        )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("/app%2Fpeople", "/app/people"),
        ("/pages/app?a=1&b=2", "/pages/app?b=2&a=1"),
        ("/pages/app?a=x%20y", "/pages/app?a=x+y"),
        ("/pages/app?a=%C3%A9", "/pages/app?a=%c3%a9"),
        ("/pages/app?a=1", "/pages/app?a=2"),
        ("/pages/app?a=1", "/pages/app?a=1&a=1"),
        ("/pages/app", "/pages%2Fapp"),
        ("/pages/%61pp", "/pages/app"),
    ],
)
def test_s11_the_hash_is_over_the_line_as_sent(world: World, signed: str, sent: str) -> None:
    same = signed in {"/pages/app?a=1&b=2", "/pages/app?a=x%20y", "/pages/app?a=%C3%A9"}
    joint = "&" if "?" in sent else "?"
    with world.untouched(calls=1 if same else 0):
        answer = world.request("GET", f"{sent}{joint}jwt={world.acme.product_signed('GET', signed)}")
    assert (answer.status_code not in {401, 404}) is same


@pytest.mark.parametrize("name", ["BASE_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL"])
@pytest.mark.parametrize("value", ["", " ", "changeme", "http://app.example.com"])
def test_s09_s34_an_unsafe_setting_stops_the_start(name: str, value: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    Settings.from_environment(environment)
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(environment | {name: value})


@pytest.mark.parametrize("name", ["INSTALL_KEYS_URL", "SITE_ORIGINS"])
def test_s09_a_list_with_nothing_in_it_stops_the_start(name: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(environment | {name: " , "})


@pytest.mark.parametrize(
    "address",
    [
        *(
            "https://app.example.com/rollcall",
            "https://app.example.com:80800",
            "https://app.example.com:https",
        ),
        *("https://[app", "https://app example.com", "app.example.com"),
    ],
)
def test_an_address_below_which_no_page_would_work_stops_the_start(address: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    for fine in ("https://app.example.com", "https://app.example.com/", "http://127.0.0.1:8000"):
        assert Settings.from_environment(environment | {"BASE_URL": fine}).base_url == fine.rstrip("/")
    with pytest.raises(ConfigurationError, match="BASE_URL: must ") as refusal:
        Settings.from_environment(environment | {"BASE_URL": address})
    assert len(refusal.value.problems) == 1


@pytest.mark.parametrize("name", ["DATABASE_URL", "JOBS_DATABASE_URL"])
@pytest.mark.parametrize(
    "address",
    [
        *(
            "sqlite:///",
            "sqlite:///:memory:",
            "postgres://ana:word@db:port/rollcall",
            "postgresql://[/rollcall",
        ),
        "postgresql://ana:a@word@db.example/rollcall",
    ],
)
def test_a_database_that_cannot_be_reached_or_kept_stops_the_start(name: str, address: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    for fine in (
        "postgres://ana:a/w#o?rd@db:5432/rollcall",
        "postgresql:///rollcall?host=%2Ftmp",
        "postgresql://",
    ):
        Settings.from_environment(environment | {name: fine})
    with pytest.raises(ConfigurationError, match=f"{name}: must ") as refusal:
        Settings.from_environment(environment | {name: address})
    assert "word" not in str(refusal.value).replace("password", "")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_found_however_a_platform_writes_it(scheme: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    tools: Toolbox = create_app(settings_for(f"{scheme}://ana@db.example/rollcall", here, here)).extensions[
        TOOLS
    ]
    assert (tools.engine.url.host, tools.engine.url.database) == ("db.example", "rollcall")
    assert tools.settings.jobs_database_url == "postgresql+psycopg://ana@db.example/rollcall"


@pytest.mark.parametrize("address", ["sqlite:////nowhere/rollcall.sqlite", "sqlite:///rollcall.db"])
def test_unfinished_work_is_kept_beside_the_database(address: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    tools: Toolbox = create_app(settings_for(address, here, here)).extensions[TOOLS]
    jobs = Path(tools.settings.jobs_database_url.removeprefix("sqlite:///"))
    assert tools.engine.url.database is not None
    assert jobs.parent == Path(tools.engine.url.database).parent
    assert jobs.name == f"{Path(tools.engine.url.database).name.removesuffix('.sqlite')}-jobs.sqlite"


@pytest.mark.parametrize("secret", ["dev", "changeme", "secret", "x" * 31, "a" * 64, "abababab" * 8])
def test_s40_a_sample_a_short_or_a_monotonous_secret_stops_the_start(secret: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    with pytest.raises(ConfigurationError, match="SECRET_KEY") as refusal:
        Settings.from_environment(environment | {"SECRET_KEY": secret})
    assert len(refusal.value.problems) == 1
    assert f" {secret}" not in str(refusal.value)


@pytest.mark.parametrize("keys", ["k1:" + "A" * 43 + "=", "k1:c2hvcnQ=", "changeme", "k1:not base64"])
def test_s40_a_key_that_is_not_random_stops_the_start(keys: str) -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    with pytest.raises(ConfigurationError, match="CREDENTIAL_KEYS"):
        Settings.from_environment(environment | {"CREDENTIAL_KEYS": keys})


def test_a_key_whose_name_opens_nothing_stops_the_start() -> None:
    here = Listener(url="http://127.0.0.1:9")
    environment = environment_for("sqlite:////nowhere/rollcall.sqlite", here, here)
    renamed = environment["CREDENTIAL_KEYS"].replace("k1:", "schlüssel:")
    with pytest.raises(ConfigurationError, match="CREDENTIAL_KEYS: each key needs a short id"):
        Settings.from_environment(environment | {"CREDENTIAL_KEYS": renamed})


def test_s40_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_environment({})
    told = {problem.split()[0] for problem in refusal.value.problems}
    assert told == {"BASE_URL", "DATABASE_URL", "CREDENTIAL_KEYS", "SECRET_KEY"}


def test_s28_a_form_of_another_page_carries_nothing_that_opens_a_door(world: World) -> None:
    """A foreign page can make a browser send a form with everything the browser has: that is nothing."""
    for route in all_routes():
        if route.method == "POST" and route.mark is not Mark.PUBLIC:
            with world.untouched():
                answer = world.client.post(
                    route.address,
                    data={"account_ids": "ana", "deed": "suspend", "key": "stolen"},
                    headers={"Origin": "https://evil.example", "Cookie": "session=of-the-victim"},
                    base_url=BASE_URL,
                )
            assert answer.status_code == 401, route
            assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("address", [INSTALLED, UNINSTALLED])
def test_s17_a_refusal_ends_the_request(world: World, address: str) -> None:
    """No refusal is answered with a success, and nothing behind it runs: neither the change nor a call."""
    event = address.rpartition("/")[2]
    for token in ("", "a.b.c", world.acme.context(), world.acme.lifecycle(address, exp=1)):
        with world.untouched():
            body = world.acme.body(event, sharedSecret="another-secret-of-forty-characters-or-more")
            assert world.request("POST", address, token, json=body).status_code == 401


@pytest.mark.parametrize(
    "address", ["/app/people/a%00b", "/app/runs/%00", "/app/people?text=a%00b", "/app/audit?event=%00"]
)
def test_a_nul_character_is_refused_in_words(world: World, address: str) -> None:
    with world.untouched():
        assert world.request("GET", address, world.acme.context()).status_code == 422


def subclasses(kind: type[AppError]) -> set[type[AppError]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def test_every_error_has_a_status_a_level_and_words() -> None:
    assert subclasses(AppError) == set(TABLE)
    for kind, (status, level) in TABLE.items():
        assert 400 <= status < 600
        assert level in {logging.INFO, logging.WARNING, logging.ERROR}
        assert kind.sentence.endswith(".")
        assert kind.next_step.endswith(".")
        assert kind.reason == kind.reason.lower()


def test_s44_the_statuses_of_refusals() -> None:
    now = datetime.now(UTC)
    assert status_of(errors.NotAuthenticated(reason="x")) == 401
    assert status_of(errors.Forbidden()) == 403
    assert status_of(errors.NotFound()) == 404
    assert status_of(errors.Invalid("field")) == 422
    assert status_of(errors.RateLimited(now + timedelta(minutes=1))) == 503


def failing_app() -> Flask:
    app = Flask("failing", template_folder=str(TOP / "templates"))
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhY21lIn0.c2lnbmF0dXJl"

    @api
    def fault() -> str:
        raise RuntimeError(f"Authorization: JWT {secret} of ana@acme.example")

    @api
    def limited() -> str:
        raise errors.RateLimited(datetime(2026, 11, 23, 12, 34, tzinfo=UTC))

    @api
    def away() -> str:
        create_engine("sqlite:////nowhere/rollcall.sqlite").connect()
        raise AssertionError

    app.add_url_rule("/fault", "fault", fault)
    app.add_url_rule("/away", "away", away)
    app.add_url_rule("/limited", "limited", limited)
    handle_errors(app)
    return app


def test_while_the_database_is_away_everybody_is_asked_to_come_back() -> None:
    answer = failing_app().test_client().get("/away")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "database does not answer" in answer.text
    assert "nowhere" not in answer.text


def test_a_fault_is_a_flat_sentence_and_a_trace_id(caplog: pytest.LogCaptureFixture) -> None:
    answer = failing_app().test_client().get("/fault")
    assert answer.status_code == 500
    assert "RuntimeError" not in answer.text
    assert "eyJ" not in answer.text
    trace = answer.text.split("<code>")[1].split("</code>")[0]
    assert f"trace={trace}" in caplog.text
    assert "RuntimeError" in caplog.text


def test_a_pause_of_atlassian_is_told_with_its_end() -> None:
    answer = failing_app().test_client().get("/limited")
    assert answer.status_code == 503
    assert "12:34 UTC" in answer.text
    assert answer.headers["Retry-After"] == "60"
