"""Install and uninstall: who may, what it changes, and what is left alone (S3-S11, S14-S18, S29, S57)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from connect.install_keys import KEPT_FOR, MAX_QUESTIONS
from models.tenant import Tenant, find_tenant
from services.installing import shared_secret_of
from services.retention import purge
from tests import tokens
from tests.connect.listener import Reply
from tests.security.world import BASE_URL, INSTALLED, KID, UNINSTALLED, World, new_install_keys
from views.access import TOOLS

OTHER_SECRET = "another-secret-0123456789-0123456789-0123456789"
EVENTS = ["installed", "uninstalled"]


def stored(world: World, client_key: str) -> Tenant:
    with world.tools.begin() as session:
        tenant = find_tenant(session, client_key)
        assert tenant is not None
        session.expunge(tenant)
        return tenant


def test_both_tenants_are_installed_and_sealed(world: World) -> None:
    for tenant in (world.acme, world.globex):
        assert shared_secret_of(world.tools, tenant.client_key) == tenant.secret
        row = stored(world, tenant.client_key)
        assert (row.base_url, row.product, row.uninstalled_at) == (tenant.base_url, tenant.product, None)
        assert tenant.secret.encode() not in (row.shared_secret_sealed or b"")


@pytest.mark.parametrize("event", EVENTS)
def test_s01_a_context_token_is_refused_on_lifecycle(world: World, event: str) -> None:
    with world.untouched():
        answer = world.lifecycle(world.acme, event, token=world.acme.context())
    assert answer.status_code == 401


@pytest.mark.parametrize("event", EVENTS)
def test_s03_without_atlassians_signature_nothing_changes(world: World, event: str) -> None:
    address = f"/connect/{event}"
    claims = tokens.claims_for(world.acme.client_key, "POST", address, aud=[BASE_URL])
    body = world.acme.body(event)
    with world.untouched():
        for token in (
            "",
            world.acme.product_signed("POST", address, aud=[BASE_URL]),
            tokens.hand_made_token({"alg": "none", "kid": KID}, claims),
            tokens.hand_made_token({"alg": "HS256", "kid": KID}, claims, world.acme.secret.encode()),
        ):
            assert world.request("POST", address, token, json=body).status_code == 401


def test_s04_a_token_signed_with_the_secret_of_its_own_body_is_refused(world: World) -> None:
    token = tokens.iframe_token(OTHER_SECRET, world.acme.client_key, "POST", INSTALLED, aud=[BASE_URL])
    with world.untouched():
        assert world.lifecycle(world.acme, token=token, sharedSecret=OTHER_SECRET).status_code == 401


@pytest.mark.parametrize("event", EVENTS)
def test_s05_a_token_of_one_tenant_does_not_speak_for_another(world: World, event: str) -> None:
    token = world.acme.lifecycle(f"/connect/{event}")
    with world.untouched():
        assert world.lifecycle(world.globex, event, token=token).status_code == 401


@pytest.mark.parametrize("client_key", [None, "", 7, ["acme-client-key"], {"a": 1}, "acme-client-key "])
def test_s05_the_body_must_name_the_tokens_tenant(world: World, client_key: object) -> None:
    with world.untouched():
        assert world.lifecycle(world.acme, clientKey=client_key).status_code == 401


def test_s05_the_body_must_be_about_this_app(world: World) -> None:
    with world.untouched():
        for key in (None, "com.example.other", ""):
            assert world.lifecycle(world.acme, key=key).status_code == 401


def test_s05_an_installation_id_of_another_tenant_is_not_taken_away(world: World) -> None:
    assert world.lifecycle(world.globex, installationId="ari:globex").status_code == 204
    assert world.lifecycle(world.acme, installationId="ari:globex").status_code == 204
    assert stored(world, world.globex.client_key).installation_id == "ari:globex"
    assert stored(world, world.acme.client_key).installation_id is None


@pytest.mark.parametrize("algorithm", ["none", "HS256", "hs256", "RS512", "rs256", ""])
def test_s06_only_rs256(world: World, algorithm: str) -> None:
    claims = tokens.claims_for(world.acme.client_key, "POST", INSTALLED, aud=[BASE_URL])
    with world.untouched():
        for secret in (b"", tokens.public_pem().encode()):
            token = tokens.hand_made_token({"alg": algorithm, "kid": KID}, claims, secret)
            assert world.lifecycle(world.acme, token=token).status_code == 401


def test_s06_a_stranger_s_key_opens_nothing(world: World) -> None:
    with world.untouched():
        for header in (
            {"kid": KID},
            {"kid": KID, "jku": "https://evil.example/keys"},
            {"kid": KID, "jwk": {}},
        ):
            token = world.acme.lifecycle(key_name="stranger", header=header)
            assert world.lifecycle(world.acme, token=token).status_code == 401


@pytest.mark.parametrize("kid", ["../x", "http://evil.example/x", "/x", "a" * 5000, "", None, 7])
def test_s07_an_odd_kid_calls_nobody(world: World, kid: object) -> None:
    claims = tokens.claims_for(world.acme.client_key, "POST", INSTALLED, aud=[BASE_URL])
    header = {"alg": "RS256"} if kid is None else {"alg": "RS256", "kid": kid}
    with world.untouched():
        token = tokens.hand_made_token(header, claims, b"x" * 32)
        assert world.lifecycle(world.acme, token=token).status_code == 401


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(403, b"<html>AccessDenied</html>"), 401),
        (Reply(404), 401),
        (Reply(302, b"", {"Location": "/x"}), 503),
        (Reply(200, b"<html>"), 503),
        (Reply(200, b"x" * 10_000_000), 503),
        (Reply(500), 503),
        (Reply(hang_up=True), 503),
    ],
    ids=["403", "404", "302", "html", "10MB", "500", "reset"],
)
def test_s07_a_bad_answer_of_the_key_host_is_no_key(world: World, reply: Reply, status: int) -> None:
    world.hub.answer = lambda call: reply
    token = world.acme.lifecycle(header={"kid": "unheard-of"})
    with world.untouched(calls=1):
        assert world.lifecycle(world.acme, token=token).status_code == status


@pytest.mark.parametrize("idle", [timedelta(0), KEPT_FOR, timedelta(days=100)])
@pytest.mark.parametrize("event", EVENTS)
def test_s07_strangers_do_not_stop_installs_and_uninstalls(world: World, event: str, idle: timedelta) -> None:
    """A minute's worth of tokens whose kids nobody knows, some time after the last real event, at a new process."""
    world.clock.offset += idle
    address = f"/connect/{event}"
    for number in range(MAX_QUESTIONS + 1):
        strange = tokens.lifecycle_token(
            "anything",
            address,
            base_url=BASE_URL,
            kid=f"kid-{number}",
            key_name="stranger",
            now=world.clock(),
        )
        assert world.request("POST", address, strange, json={}).status_code in {401, 503}
    real = world.acme.lifecycle(address, now=world.clock())
    assert world.lifecycle(world.acme, event, token=real).status_code == 204


def test_s07_only_what_was_accepted_puts_a_key_on_the_shelf(world: World) -> None:
    def kept() -> set[str]:
        return {row[0] for row in world.dump()["install_key"]}

    world.hub.answer = lambda call: Reply(200, tokens.public_pem().encode())
    with world.untouched(calls=2):
        for changed in ({"key_name": "stranger"}, {}):
            token = world.acme.lifecycle(header={"kid": "new"}, **changed)
            assert world.lifecycle(world.acme, token=token, key="com.example.other").status_code == 401
            world.tools.install_keys._known.clear()
    assert kept() == {KID}
    token = world.acme.lifecycle(header={"kid": "new"})
    assert world.lifecycle(world.acme, token=token).status_code == 204
    assert kept() == {KID, "new"}


@pytest.mark.parametrize("answer", [Reply(404), Reply(503)])
def test_s07_a_key_that_atlassian_took_back_opens_nothing_at_a_new_process(
    world: World, answer: Reply
) -> None:
    world.hub.answer = lambda call: Reply(404)
    world.clock.offset += KEPT_FOR
    assert world.lifecycle(world.acme, token=world.acme.lifecycle(now=world.clock())).status_code == 401
    assert world.dump()["install_key"] == []
    world.hub.answer = lambda call: answer
    keys = new_install_keys(world.tools, world.clock)
    world.app.extensions[TOOLS] = replace(world.tools, install_keys=keys)
    with world.untouched(calls=1):
        refused = world.lifecycle(world.acme, token=world.acme.lifecycle(now=world.clock()))
    assert refused.status_code in {401, 503}


def test_s08_only_the_configured_key_host_is_asked(world: World) -> None:
    token = world.acme.lifecycle(header={"kid": "another-kid"})
    with world.untouched(calls=1):
        answer = world.lifecycle(world.acme, token=token, baseUrl="https://x.jira-dev.com")
    assert answer.status_code == 401
    assert world.outgoing == [f"GET {world.hub.url}/another-kid"]


@pytest.mark.parametrize(
    "audience",
    [None, [], BASE_URL + ".evil.com", ["https://stranger.example"], [BASE_URL, "https://stranger.example"]],
)
def test_s09_only_for_us(world: World, audience: object) -> None:
    claims = tokens.claims_for(world.acme.client_key, "POST", INSTALLED, aud=audience)
    token = jwt.encode(claims, tokens.install_key(), algorithm="RS256", headers={"kid": KID})
    with world.untouched():
        assert world.lifecycle(world.acme, token=token).status_code == 401


@pytest.mark.parametrize(
    "moments",
    [
        {"exp": None},
        {"exp": timedelta(days=3650)},
        {"iat": timedelta(minutes=5), "exp": timedelta(minutes=9)},
        {"iat": -timedelta(minutes=9), "exp": -timedelta(seconds=31)},
    ],
)
def test_s10_only_while_it_lives(world: World, moments: dict[str, timedelta | None]) -> None:
    # From now on, not from when the tests were collected: that may be long ago.
    now = datetime.now(UTC)
    changed = {claim: None if away is None else now + away for claim, away in moments.items()}
    with world.untouched():
        assert world.lifecycle(world.acme, token=world.acme.lifecycle(**changed)).status_code == 401


@pytest.mark.parametrize("address", ["/connect/installed?x=1", "/connect/%69nstalled", "/connect//installed"])
def test_s11_only_for_this_address(world: World, address: str) -> None:
    with world.untouched():
        answer = world.request("POST", address, world.acme.lifecycle(), json=world.acme.body())
        assert answer.status_code in {401, 404}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'"text"'])
def test_s14_a_body_that_is_none_is_refused_quietly(world: World, event: str, body: bytes) -> None:
    address = f"/connect/{event}"
    with world.untouched():
        answer = world.request("POST", address, world.acme.lifecycle(address), data=body)
    assert answer.status_code == 422


def test_s14_a_giant_body_is_not_read(world: World) -> None:
    with world.untouched():
        answer = world.request("POST", INSTALLED, world.acme.lifecycle(), data=b"x" * (3 * 1024 * 1024))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "changed",
    [
        {"sharedSecret": None},
        {"sharedSecret": "short"},
        {"sharedSecret": 7},
        {"sharedSecret": "é" * 40},
        {"productType": "bitbucket"},
        {"productType": None},
        {"eventType": "uninstalled"},
        {"installationId": ["x"]},
        {"oauthClientId": "x" * 300},
        {"description": "\x00"},
        {"description": "\ud800"},
        {"oauthClientId": "half\udfff"},
    ],
)
def test_an_odd_field_is_refused_and_nothing_is_stored(world: World, changed: dict[str, Any]) -> None:
    with world.untouched():
        assert world.lifecycle(world.acme, **changed).status_code == 422


@pytest.mark.parametrize("event", ["enabled", "disabled"])
def test_s15_enabled_and_disabled_switch_nothing(world: World, event: str) -> None:
    address = f"/connect/{event}"
    with world.untouched():
        for token in ("", world.acme.product_signed("POST", address), world.acme.lifecycle(address)):
            assert world.request("POST", address, token, json=world.acme.body(event)).status_code == 404


def test_s16_a_real_uninstall_wipes_the_secret_and_keeps_the_rest(world: World) -> None:
    assert world.lifecycle(world.acme, "uninstalled").status_code == 204
    row = stored(world, world.acme.client_key)
    assert row.uninstalled_at is not None
    assert row.shared_secret_sealed is None
    assert shared_secret_of(world.tools, world.globex.client_key) == world.globex.secret
    with world.untouched():
        assert world.request("GET", "/app/overview", world.acme.context()).status_code == 401
        assert world.page(world.acme, "/pages/app").status_code == 401
    assert world.page(world.globex, "/pages/app").status_code != 401


def test_s16_installed_again_after_an_uninstall(world: World) -> None:
    world.lifecycle(world.acme, "uninstalled")
    world.acme.secret = OTHER_SECRET
    assert world.lifecycle(world.acme).status_code == 204
    assert stored(world, world.acme.client_key).uninstalled_at is None
    assert shared_secret_of(world.tools, world.acme.client_key) == OTHER_SECRET


def test_s16_a_401_of_the_site_is_no_uninstall(world: World) -> None:
    world.acme.listener.answer = lambda call: Reply(401)
    assert world.request("GET", "/app/configure", world.acme.context()).status_code == 503
    row = stored(world, world.acme.client_key)
    assert row.unreachable_since is not None
    assert row.uninstalled_at is None
    assert shared_secret_of(world.tools, world.acme.client_key) == world.acme.secret
    world.acme.listener.answer = world.acme.answer
    assert world.request("GET", "/app/configure", world.acme.context()).status_code == 200
    assert stored(world, world.acme.client_key).unreachable_since is None


def test_s18_two_tenants_on_one_address_are_two_tenants(world: World) -> None:
    token = tokens.lifecycle_token("acme-imported", INSTALLED, base_url=BASE_URL, kid=KID)
    body = world.acme.body(clientKey="acme-imported", sharedSecret=OTHER_SECRET)
    before = stored(world, world.acme.client_key)
    assert world.request("POST", INSTALLED, token, json=body).status_code == 204
    after = stored(world, world.acme.client_key)
    assert shared_secret_of(world.tools, world.acme.client_key) == world.acme.secret
    assert shared_secret_of(world.tools, "acme-imported") == OTHER_SECRET
    assert (before.last_lifecycle_at, before.base_url) == (after.last_lifecycle_at, after.base_url)
    assert stored(world, "acme-imported").organization_id is None


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "",
        7,
        "http://acme.atlassian.net",
        "https://127.0.0.1",
        "https://acme.atlassian.net.evil.com",
        "https://acme.atlassian.net@evil.example",
        "https://acme.atlassian.net:8443",
        "https://ácme.atlassian.net",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
    ],
)
def test_s29_an_address_that_is_no_site_is_refused(world: World, base_url: object) -> None:
    with world.untouched():
        assert world.lifecycle(world.acme, baseUrl=base_url).status_code == 422


def test_s29_a_display_address_that_is_no_site_is_not_believed(world: World) -> None:
    assert world.lifecycle(world.acme, displayUrl="javascript:alert(1)").status_code == 204
    assert stored(world, world.acme.client_key).display_url == world.acme.base_url


def test_reinstalling_replaces_the_secret_and_the_address(world: World) -> None:
    world.acme.secret = OTHER_SECRET
    assert world.lifecycle(world.acme, oauthClientId="oauth", installationId="ari:acme").status_code == 204
    row = stored(world, world.acme.client_key)
    assert (row.oauth_client_id, row.installation_id) == ("oauth", "ari:acme")
    assert shared_secret_of(world.tools, world.acme.client_key) == OTHER_SECRET
    assert world.lifecycle(world.acme, token=_later(world, 1)).status_code == 204
    assert stored(world, world.acme.client_key).installation_id is None


def _later(world: World, seconds: int, address: str = INSTALLED) -> str:
    return world.acme.lifecycle(address, now=datetime.now(UTC) + timedelta(seconds=seconds))


def test_s57_the_same_token_with_another_body_is_refused(world: World) -> None:
    token = _later(world, 1)
    assert world.lifecycle(world.acme, token=token).status_code == 204
    with world.untouched():
        assert world.lifecycle(world.acme, token=token, sharedSecret=OTHER_SECRET).status_code == 401


def test_s57_the_same_token_with_the_same_body_changes_nothing(world: World) -> None:
    token = _later(world, 1)
    assert world.lifecycle(world.acme, token=token).status_code == 204
    with world.untouched():
        assert world.lifecycle(world.acme, token=token).status_code == 204


def test_s57_the_order_of_arrival_does_not_matter(world: World) -> None:
    """Signed: uninstalled, then installed. Arrived: the other way round."""
    world.acme.secret = OTHER_SECRET
    assert world.lifecycle(world.acme, token=_later(world, 10)).status_code == 204
    with world.untouched():
        older = _later(world, 5, UNINSTALLED)
        assert world.lifecycle(world.acme, "uninstalled", token=older).status_code == 204
    assert shared_secret_of(world.tools, world.acme.client_key) == OTHER_SECRET


def test_s57_an_install_between_two_uninstalls_comes_too_late(world: World) -> None:
    for seconds in (5, 15):
        gone = _later(world, seconds, UNINSTALLED)
        assert world.lifecycle(world.acme, "uninstalled", token=gone).status_code == 204
    with world.untouched():
        assert world.lifecycle(world.acme, token=_later(world, 10)).status_code == 204
    assert shared_secret_of(world.tools, world.acme.client_key) is None


def test_s57_of_events_that_arrive_side_by_side_the_newest_wins(world: World) -> None:
    secrets = [f"{number}-{OTHER_SECRET}" for number in range(8)]
    events = [
        (_later(world, 1 + number), world.acme.body(sharedSecret=secrets[number])) for number in range(8)
    ]

    def arrive(event: tuple[str, dict[str, Any]]) -> int:
        token, body = event
        headers = {"Authorization": f"JWT {token}"}
        client = world.app.test_client()
        return client.post(INSTALLED, headers=headers, json=body, base_url=BASE_URL).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(arrive, reversed(events))) == {204}
    assert shared_secret_of(world.tools, world.acme.client_key) == secrets[-1]


def test_s57_one_event_that_arrives_twice_at_once_is_one(world: World) -> None:
    token, body = _later(world, 1), world.acme.body(clientKey=world.acme.client_key)

    def arrive(_: int) -> int:
        client = world.app.test_client()
        headers = {"Authorization": f"JWT {token}"}
        return client.post(INSTALLED, headers=headers, json=body, base_url=BASE_URL).status_code

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(arrive, range(6))) == {204}
    assert json.dumps(world.dump()["audit_entry"]).count("tenant:reinstalled") == 1


def test_s57_an_uninstall_that_overtook_its_install_wins(world: World) -> None:
    def token(address: str, seconds: int) -> str:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        return tokens.lifecycle_token("acme-new", address, base_url=BASE_URL, kid=KID, now=now)

    gone = world.acme.body("uninstalled", clientKey="acme-new")
    assert world.request("POST", UNINSTALLED, token(UNINSTALLED, 5), json=gone).status_code == 204
    with world.untouched():
        come = world.acme.body(clientKey="acme-new")
        assert world.request("POST", INSTALLED, token(INSTALLED, 1), json=come).status_code == 204
    assert shared_secret_of(world.tools, "acme-new") is None


def test_s57_an_expired_token_is_forgotten_only_when_it_is_of_no_use(world: World) -> None:
    token = _later(world, 1)
    body = world.acme.body()
    assert world.request("POST", INSTALLED, token, json=body).status_code == 204
    for seconds in (100, 200, 300):
        world.clock.offset = timedelta(seconds=seconds)
        other = world.globex.lifecycle(now=world.clock())
        assert world.lifecycle(world.globex, token=other).status_code == 204
        purge(world.tools)
        replayed = world.request("POST", INSTALLED, token, json=body | {"sharedSecret": OTHER_SECRET})
        assert replayed.status_code == 401
    assert shared_secret_of(world.tools, world.acme.client_key) == world.acme.secret
    world.clock.offset = timedelta(days=2)
    purge(world.tools)
    assert world.dump()["lifecycle_token"] == []


def test_every_accepted_event_is_in_the_audit_and_no_secret_is(world: World) -> None:
    world.lifecycle(world.acme, "uninstalled")
    entries = json.dumps(world.dump()["audit_entry"])
    assert entries.count("tenant:installed") == 2
    assert entries.count("tenant:uninstalled") == 1
    assert world.acme.secret not in entries
