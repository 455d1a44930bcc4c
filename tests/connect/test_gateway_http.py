"""connect/gateway: what leaves, what an answer means; against a real HTTP server."""

from __future__ import annotations

import json
import logging
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from connect.errors import (
    AccessForbidden,
    AtlassianError,
    Gone,
    Invalid,
    RateLimited,
    SiteMoved,
    Unauthorized,
    Unavailable,
    Unexpected,
    Why,
)
from connect.gateway.confluence import ConfluenceSite
from connect.gateway.credentials import as_app, basic, bearer
from connect.gateway.http import MAX_ANSWER_BYTES, Http
from connect.gateway.jira import JiraSite, MyselfRecord
from connect.gateway.organization import OrganizationGateway, OrganizationRecord, WorkspaceRecord
from connect.gateway.people_calls import EXPAND, MOST_UNREADABLE
from connect.hosts import SiteOrigins
from connect.qsh import query_string_hash
from rules.person import GroupRef, ProductAccess
from tests.connect.listener import Call, Listener, Reply, listening

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = "ATCTT3xFfGN0-admin-key"
SECRET = "acme-shared-secret-0123456789-0123456789"


def clock() -> datetime:
    return NOW


def as_json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def always(reply: Reply) -> Callable[[Call], Reply]:
    return lambda call: reply


def http(listener: Listener) -> Http:
    return Http(listener.url, authorization=bearer(KEY), clock=clock)


def organization(listener: Listener) -> OrganizationGateway:
    return OrganizationGateway(listener.url, KEY, clock=clock)


def jira(listener: Listener, path: str = "") -> JiraSite:
    app = as_app(app_key="io.rollcall.app", client_key="acme", secret=SECRET, clock=clock)
    return JiraSite(listener.url + path, origins=SiteOrigins((listener.url,)), authorization=app, clock=clock)


def by_token(kind: type[JiraSite | ConfluenceSite], listener: Listener) -> Any:
    token = basic("ana@acme.example", "ATATT-token")
    return kind(listener.url, origins=SiteOrigins((listener.url,)), authorization=token, clock=clock)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(301, b"", {"Location": "https://evil.example/"}), SiteMoved),
        (Reply(302, b"", {"Location": "/elsewhere"}), SiteMoved),
        (Reply(302, b"", {"Location": "http://[nowhere"}), SiteMoved),
        (Reply(302, b"", {"Location": "\xff\xfe"}), SiteMoved),
        (Reply(303, b""), SiteMoved),
        (Reply(304, b""), SiteMoved),
        (Reply(307, b"", {"Location": "/elsewhere"}), SiteMoved),
        (Reply(400, b"{}"), Unexpected),
        (Reply(401, b""), Unauthorized),
        (Reply(403, b""), AccessForbidden),
        (Reply(403, b"\n<html>Request blocked</html>"), Unavailable),
        (Reply(404, b""), Gone),
        (Reply(404, b"<!doctype html>"), Unavailable),
        (Reply(405, b""), Unexpected),
        (Reply(408, b""), Unavailable),
        (Reply(409, b""), Unexpected),
        (Reply(410, b""), Unexpected),
        (Reply(425, b""), Unavailable),
        (Reply(429, b""), RateLimited),
        (Reply(500, b""), Unavailable),
        (Reply(503, b"<html>"), Unavailable),
        (Reply(200, b"<html>maintenance</html>"), Unavailable),
        (Reply(200, b"maintenance"), Unavailable),
        (Reply(200, b"[" * 100_000), Unavailable),
        (Reply(200, b"\xff\xfe"), Unavailable),
        (Reply(hang_up=True), Unavailable),
    ],
    ids=lambda value: f"{value.status}{value.body[:5]!r}" if isinstance(value, Reply) else value.__name__,
)
def test_each_answer_has_its_error(reply: Reply, error: type[AtlassianError], listener: Listener) -> None:
    listener.answer = always(reply)
    with pytest.raises(error):
        http(listener).get("/a")
    assert len(listener.calls) == 1  # nothing is tried twice, nothing is followed (S30)


def test_s30_no_redirect_is_followed_with_the_key(listener: Listener) -> None:
    with listening() as evil:
        listener.answer = always(Reply(302, b"", {"Location": f"{evil.url}/steal"}))
        with pytest.raises(SiteMoved) as problem:
            organization(listener).suspend("org", "dir", "ana")
        assert "address" in problem.value.sentence
        assert evil.calls == []
        assert [call.method for call in listener.calls] == ["POST"]


def test_an_unreachable_host_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        Http("http://127.0.0.1:9", authorization=bearer(KEY), clock=clock).get("/a")


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({}, NOW + timedelta(seconds=60)),
        ({"Retry-After": "7"}, NOW + timedelta(seconds=7)),
        ({"Retry-After": "0"}, NOW + timedelta(seconds=1)),
        ({"Retry-After": "-5"}, NOW + timedelta(seconds=60)),
        ({"Retry-After": "999999999999"}, NOW + timedelta(hours=1)),
        ({"Retry-After": "Mon, 23 Nov 2026 12:02:00 GMT"}, NOW + timedelta(minutes=2)),
        ({"Retry-After": "soon"}, NOW + timedelta(seconds=60)),
        ({"Retry-After": "²"}, NOW + timedelta(seconds=60)),
        ({"Retry-After": f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}"}, NOW + timedelta(seconds=60)),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}, NOW + timedelta(hours=1)),
        ({"X-RateLimit-Reset": "2026-11-23T12:05Z"}, NOW + timedelta(minutes=5)),
        ({"X-RateLimit-Reset": "2026-11-23T12:05:30+00:00"}, NOW + timedelta(minutes=5, seconds=30)),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, NOW + timedelta(seconds=90)),
        ({"X-RateLimit-Reset": "9" * 40}, NOW + timedelta(hours=1)),
        ({"X-RateLimit-Reset": "1999-01-01T00:00:00Z"}, NOW + timedelta(seconds=1)),
        ({"X-RateLimit-Reset": "9999-12-31T23:59:59-23:59"}, NOW + timedelta(seconds=60)),
        ({"X-RateLimit-Reset": "later"}, NOW + timedelta(seconds=60)),
        ({"Retry-After": "3", "X-RateLimit-Reset": "2026-11-23T12:05Z"}, NOW + timedelta(seconds=3)),
    ],
)
def test_rate_limits_say_until_when_and_nobody_sleeps(
    headers: dict[str, str], until: datetime, listener: Listener
) -> None:
    listener.answer = always(Reply(429, b"", headers))
    started = time.perf_counter()
    with pytest.raises(RateLimited) as problem:
        http(listener).get("/a")
    assert problem.value.until == until
    assert time.perf_counter() - started < 1
    assert len(listener.calls) == 1


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, {}, Why.SCOPE),
        (403, {"errors": [{"code": "ADMIN-403-3", "title": "Forbidden"}]}, Why.ORGANIZATION),
        (403, {"errors": [{"code": "ADMIN-UAM-403-2", "title": "Forbidden"}]}, Why.ORGANIZATION),
        (403, {"errors": [{"code": "ADMIN-403-5", "title": "Not allowed to manage the group"}]}, Why.GROUP),
        (403, {"errors": [{"code": "ADMIN-403-5", "detail": "scopes are insufficient"}]}, Why.SCOPE),
        (401, {"code": 401, "message": "Unauthorized; scope does not match"}, Why.SCOPE),
        (403, [1], Why.SCOPE),
        (403, {"errors": ["text"]}, Why.SCOPE),
        (403, {"errors": []}, Why.SCOPE),
    ],
)
def test_forbidden_says_what_is_missing(status: int, body: object, why: Why, listener: Listener) -> None:
    listener.answer = always(as_json(body, status))
    with pytest.raises(AccessForbidden) as problem:
        organization(listener).people_page("org", "-")
    assert problem.value.why is why


def test_on_a_site_forbidden_means_rights(listener: Listener) -> None:
    listener.answer = always(Reply(403))
    with pytest.raises(AccessForbidden) as problem:
        jira(listener).is_admin("ana")
    assert problem.value.why is Why.RIGHTS


def test_an_answer_too_large_is_not_swallowed(listener: Listener) -> None:
    listener.answer = always(Reply(200, b" " * (MAX_ANSWER_BYTES + 1)))
    with pytest.raises(Unavailable):
        http(listener).get("/a")


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/a",
        "//evil.example",
        "a",
        "",
        "/a?b=c",
        "/a#b",
        "/a/../b",
        "/../a",
        "/a/.",
        "/a b",
        "/ä",
    ],
)
def test_s31_gateways_take_paths_never_addresses(path: str, listener: Listener) -> None:
    with pytest.raises(ValueError, match="S31"):
        http(listener).get(path)
    assert listener.calls == []


@pytest.mark.parametrize("url", ["http://evil.example", "ftp://127.0.0.1", "", "127.0.0.1"])
def test_s31_calls_leave_by_https_or_stay_here(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Http(url, authorization=bearer(KEY), clock=clock)


def test_no_cookie_is_kept_and_no_environment_is_believed(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    listener.answer = always(Reply(200, b"{}", {"Set-Cookie": "session=globex; Path=/"}))
    calls = http(listener)
    calls.get("/a")
    calls.get("/b")
    assert "Cookie" not in listener.calls[1].headers


def test_waiting_is_measured(listener: Listener) -> None:
    listener.answer = always(Reply(200, b"{}", after_seconds=0.1))
    calls = http(listener)
    calls.get("/a")
    calls.get("/a")
    assert calls.calls == 2
    assert 0.2 <= calls.seconds_waited < 1


def test_s41_nothing_secret_is_logged_even_at_debug(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.answer = always(as_json({"name": "Ana Answer", "email": "ana@acme.example"}))
    with caplog.at_level(logging.DEBUG):
        http(listener).post("/a", {"password": "swordfish"})
        jira(listener)._http.get("/a", (("q", "question"),))
    assert logging.getLogger("atlassian.rest_client").isEnabledFor(logging.DEBUG) is False
    for word in (KEY, "swordfish", "Ana", "acme.example", "eyJ", "question"):
        assert word not in caplog.text


@pytest.mark.parametrize("secret", ["", "a b", "a\nb", "kéy", "a\x00"])
def test_a_key_that_could_not_stand_in_a_header_is_refused(secret: str) -> None:
    with pytest.raises(Invalid):
        bearer(secret)
    with pytest.raises(Invalid):
        basic("ana@acme.example", secret)


def test_calls_as_the_app_are_signed_for_this_very_request(listener: Listener) -> None:
    listener.answer = always(as_json({"globalPermissions": ["ADMINISTER"]}))
    assert jira(listener).is_admin("ana") is True
    call = listener.calls[0]
    assert (call.method, call.path) == ("POST", "/rest/api/3/permissions/check")
    assert json.loads(call.body) == {"globalPermissions": ["ADMINISTER"], "accountId": "ana"}
    claims = jwt.decode(
        call.headers["Authorization"].removeprefix("JWT "), options={"verify_signature": False}
    )
    assert claims["qsh"] == query_string_hash("POST", "/rest/api/3/permissions/check", "")


def test_confluence_is_signed_relative_to_wiki(listener: Listener) -> None:
    operations = [
        {"operation": "use", "targetType": "application"},
        {"operation": "administer", "targetType": "application"},
    ]
    listener.answer = always(as_json({"operations": operations}))
    app = as_app(app_key="io.rollcall.app", client_key="acme", secret=SECRET, clock=clock)
    site = ConfluenceSite(
        listener.url + "/wiki", origins=SiteOrigins((listener.url,)), authorization=app, clock=clock
    )
    assert site.is_admin("5b:1") is True
    assert listener.calls[0].path == "/wiki/rest/api/user?accountId=5b%3A1&expand=operations"
    claims = jwt.decode(
        listener.calls[0].headers["Authorization"].removeprefix("JWT "), options={"verify_signature": False}
    )
    assert claims["qsh"] == query_string_hash("GET", "/rest/api/user", "accountId=5b:1&expand=operations")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"globalPermissions": []}, False),
        ({"globalPermissions": ["SYSTEM_ADMIN"]}, False),
        ({}, Unexpected),
        ([], Unexpected),
        ("yes", Unexpected),
        ({"globalPermissions": "ADMINISTER"}, Unexpected),
        ({"globalPermissions": {"ADMINISTER": True}}, Unexpected),
    ],
)
def test_s22_an_odd_answer_is_never_a_yes_in_jira(answer: object, outcome: Any, listener: Listener) -> None:
    listener.answer = always(as_json(answer))
    if outcome is False:
        assert jira(listener).is_admin("ana") is False
    else:
        with pytest.raises(outcome):
            jira(listener).is_admin("ana")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"operations": []}, False),
        ({"operations": [{"operation": "administer", "targetType": "space"}]}, False),
        ({"operations": [{"operation": "use", "targetType": "application"}]}, False),
        ({}, Unexpected),
        ({"operations": ["administer"]}, Unexpected),
        ({"operations": None}, False),
    ],
)
def test_s22_an_odd_answer_is_never_a_yes_in_confluence(
    answer: object, outcome: Any, listener: Listener
) -> None:
    listener.answer = always(as_json(answer))
    site = by_token(ConfluenceSite, listener)
    if outcome is False:
        assert site.is_admin("ana") is False
    else:
        with pytest.raises(outcome):
            site.is_admin("ana")


def test_s29_a_site_is_checked_before_each_call(listener: Listener) -> None:
    token = basic("ana@acme.example", "token-token")
    for kind in (JiraSite, ConfluenceSite):
        with pytest.raises(Invalid):
            kind(
                listener.url,
                origins=SiteOrigins(("https://*.atlassian.net",)),
                authorization=token,
                clock=clock,
            )
    assert listener.calls == []


def test_the_owner_of_an_api_token(listener: Listener) -> None:
    answers = {
        "/rest/api/3/myself": {"accountId": "ana", "emailAddress": "ana@acme.example", "displayName": "Ana"},
        "/rest/api/3/mypermissions?permissions=ADMINISTER": {
            "permissions": {"ADMINISTER": {"havePermission": True}}
        },
        "/rest/api/user/current?expand=operations": {
            "accountId": "ana",
            "publicName": "Ana",
            "operations": [],
        },
    }
    listener.answer = lambda call: as_json(answers[call.path])
    site = by_token(JiraSite, listener)
    assert site.myself() == MyselfRecord("ana", "ana@acme.example", "Ana")
    assert site.may_administer() is True
    wiki = by_token(ConfluenceSite, listener)
    assert wiki.current_user() == MyselfRecord("ana", None, "Ana")
    assert wiki.may_administer() is False
    assert (
        b64decode(listener.calls[0].headers["Authorization"].removeprefix("Basic "))
        == b"ana@acme.example:ATATT-token"
    )


@pytest.mark.parametrize(
    "answer", [{}, {"permissions": {}}, {"permissions": {"ADMINISTER": {"havePermission": "true"}}}]
)
def test_s22_permission_is_true_or_no(answer: dict[str, Any], listener: Listener) -> None:
    listener.answer = always(as_json(answer))
    site = by_token(JiraSite, listener)
    if "permissions" in answer:
        assert site.may_administer() is False
    else:
        with pytest.raises(Unexpected):
            site.may_administer()


def test_a_rejected_api_token_has_its_own_sentence(listener: Listener) -> None:
    listener.answer = always(Reply(401))
    for question in (by_token(JiraSite, listener).myself, by_token(ConfluenceSite, listener).current_user):
        with pytest.raises(Unauthorized) as problem:
            question()
        assert "API token" in problem.value.sentence


def test_a_token_by_which_confluence_knows_nobody_is_a_rejected_one(listener: Listener) -> None:
    """A site that visitors may read answers who they are, and not 401 (specs: confluence-v1, User)."""
    listener.answer = always(as_json({"type": "anonymous", "displayName": "Anonymous", "operations": []}))
    site = by_token(ConfluenceSite, listener)
    for question in (site.current_user, site.may_administer):
        with pytest.raises(Unauthorized) as problem:
            question()
        assert "API token" in problem.value.sentence


ORGS = "/admin/v1/orgs"


def test_organizations_by_full_next_addresses(listener: Listener) -> None:
    def answer(call: Call) -> Reply:
        number = 2 if "cursor=second" in call.path else 1
        links = {"next": f"{listener.url}{ORGS}?cursor=second"} if number == 1 else {}
        return as_json(
            {"data": [{"id": f"org-{number}", "attributes": {"name": f"Org {number}"}}], "links": links}
        )

    listener.answer = answer
    assert organization(listener).organizations() == [
        OrganizationRecord("org-1", "Org 1"),
        OrganizationRecord("org-2", "Org 2"),
    ]
    assert [call.path for call in listener.calls] == [ORGS, f"{ORGS}?cursor=second"]
    assert {call.headers["Authorization"] for call in listener.calls} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/admin/v1/orgs?cursor=x",
        "http://127.0.0.1:9/admin/v1/orgs?cursor=x",
        "//evil.example/admin/v1/orgs?cursor=x",
        "{url}/admin/v1/orgs/other?cursor=x",
        "{url}@evil.example/admin/v1/orgs?cursor=x",
        "/admin/v1/orgs?cursor=x",
        "{url}/admin/v1/orgs?cursor=",
        "{url}/admin/v1/orgs",
    ],
)
def test_s31_a_next_page_elsewhere_is_refused(link: str, listener: Listener) -> None:
    listener.answer = lambda call: as_json({"data": [], "links": {"next": link.format(url=listener.url)}})
    with pytest.raises(Unexpected):
        organization(listener).organizations()
    assert len(listener.calls) == 1


# As in Atlassian's examples: signs of base64 that mean something else in an address.
@pytest.mark.parametrize("cursor", ["/xI7pHI7Q8E1Q+pVV00ys..", "Qh8E1QpVV00ys/xI7pHI7Q..", "a+b/c=="])
@pytest.mark.parametrize("link", ["{cursor}", "{url}{path}?cursor={cursor}", "{url}{path}?cursor={escaped}"])
def test_a_cursor_is_sent_back_as_it_came(link: str, cursor: str, listener: Listener) -> None:
    path = "/admin/v2/orgs/org/directories/-/users/search"
    following = link.format(url=listener.url, path=path, cursor=cursor, escaped=quote(cursor, safe=""))
    listener.answer = always(as_json({"data": [PERSON], "links": {"next": following}}))
    assert organization(listener).people_page("org", "-").next_cursor == cursor


def test_a_list_that_goes_round_is_left(listener: Listener) -> None:
    listener.answer = always(as_json({"data": [], "links": {"next": "same"}}))
    with pytest.raises(Unexpected):
        organization(listener).workspaces("org")
    assert len(listener.calls) == 2


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, {"data": ["x"]}, [], {"data": [{"name": "no id"}]}]
)
def test_s46_a_page_without_people_in_it_is_not_an_empty_page(body: object, listener: Listener) -> None:
    listener.answer = always(as_json(body))
    with pytest.raises(Unexpected):
        organization(listener).people_page("org", "-")


def test_workspaces_with_seats(listener: Listener) -> None:
    attributes = {
        "name": "acme",
        "typeKey": "confluence",
        "hostUrl": "https://acme.atlassian.net",
        "capacity": 10,
        "usage": 7,
    }
    listener.answer = always(
        as_json(
            {
                "data": [
                    {"id": "ari:1", "attributes": attributes},
                    {"id": "ari:2", "attributes": {"capacity": None}},
                ]
            }
        )
    )
    assert organization(listener).workspaces("org") == [
        WorkspaceRecord("ari:1", "acme", "confluence", "https://acme.atlassian.net", 10, 7),
        WorkspaceRecord("ari:2", "", "", None, None, None),
    ]


@pytest.mark.parametrize("told", ["https://acme.atlassian.net", "acme.atlassian.net"])
def test_a_product_is_at_one_address_however_it_is_written(told: str, listener: Listener) -> None:
    listener.answer = always(as_json({"data": [{"id": "ari:1", "attributes": {"hostUrl": told}}]}))
    (workspace,) = organization(listener).workspaces("org")
    assert workspace.host_url == "https://acme.atlassian.net"


@pytest.mark.parametrize("unlimited", [-1, 2**63 - 1, "100", None])
def test_a_licence_without_a_limit_is_no_full_one(unlimited: object, listener: Listener) -> None:
    """No seat would be free, and nobody could be invited; or the number would not go into any database."""
    attributes = {"typeKey": "confluence", "capacity": unlimited, "usage": unlimited}
    listener.answer = always(as_json({"data": [{"id": "ari:1", "attributes": attributes}]}))
    (workspace,) = organization(listener).workspaces("org")
    assert (workspace.capacity, workspace.usage) == (None, None)


@pytest.mark.parametrize("named", ["jira", "jira-software"])
def test_a_product_has_one_name_beside_its_site_and_beside_a_person(named: str, listener: Listener) -> None:
    listener.answer = always(as_json({"data": [{"id": "ari:1", "attributes": {"typeKey": named}}]}))
    (workspace,) = organization(listener).workspaces("org")
    access = {"id": "ari:1", "key": named}
    listener.answer = always(as_json({"data": [{**PERSON, "productAccess": [access]}]}))
    (person,) = organization(listener).people_page("org", "-").people
    assert (workspace.type_key, person.products[0].key) == ("jira-software", "jira-software")


PERSON = {
    "accountId": "5b10:ana",
    "accountType": "atlassian",
    "name": "Ana",
    "nickname": "ana",
    "email": "ana@acme.example",
    "accountStatus": "active",
    "membershipStatus": "active",
    "status": "active",
    "claimStatus": "managed",
    "managementSource": None,
    "addedToOrg": "2024-02-03T04:05:06Z",
    "platformRoles": ["atlassian/org-admin"],
    "productAccess": [
        {"id": "ari:jira", "key": "jira-software", "lastActiveTimestamp": "2026-11-01T10:00:00.123Z"},
        {"id": "ari:wiki", "key": "confluence"},
    ],
    "groups": [{"id": "g1", "name": None}, {"id": "ari:cloud:identity::group/g2", "name": "team"}],
}


def test_a_page_of_people(listener: Listener) -> None:
    listener.answer = always(
        as_json({"data": [PERSON, {"accountId": "b"}], "links": {"next": "bare-cursor_1"}})
    )
    page = organization(listener).people_page("org", "dir", cursor="earlier")
    assert page.next_cursor == "bare-cursor_1"
    ana, other = page.people
    assert ana.is_org_admin
    assert ana.added_at == datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert ana.products == (
        ProductAccess("ari:jira", "jira-software", datetime(2026, 11, 1, 10, 0, 0, 123000, UTC)),
        ProductAccess("ari:wiki", "confluence", None),
    )
    assert ana.groups == (GroupRef("g1", ""), GroupRef("g2", "team"))
    assert (other.email, other.products, other.added_at) == (None, (), None)
    assert json.loads(listener.calls[0].body) == {
        "limit": 100,
        "expand": ["platformRoles", "productAccess", "groups"],
        "cursor": "earlier",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"productAccess": [{"id": "p", "lastActiveTimestamp": "yesterday"}]},
        {"productAccess": [{"id": "p", "lastActiveTimestamp": 17}]},
        {"productAccess": "all"},
        {"platformRoles": "atlassian/org-admin"},
        {"platformRoles": [None]},
        {"addedToOrg": "long ago"},
        {"status": 1},
    ],
)
def test_s45_s48_what_cannot_be_read_is_never_taken_for_nothing(
    changed: dict[str, Any], listener: Listener
) -> None:
    listener.answer = always(as_json({"data": [PERSON | changed, {"accountId": "b"}, {"name": "nobody"}]}))
    gateway = organization(listener)
    page = gateway.people_page("org", "-")
    assert ([one.account_id for one in page.people], page.unreadable) == (["b"], ("5b10:ana",))
    assert [one.account_id for one in gateway.people("org", "dir", ["5b10:ana", "b"])] == ["b"]
    with pytest.raises(Unexpected):
        gateway.person("org", "dir", "5b10:ana")


@pytest.mark.parametrize("nought", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01"])
def test_s45_where_programs_begin_to_count_is_no_date(nought: str, listener: Listener) -> None:
    access = [{"id": "ari:wiki", "key": "confluence", "lastActiveTimestamp": nought}]
    told = PERSON | {"addedToOrg": nought, "productAccess": access}
    listener.answer = always(as_json({"data": [told]}))
    (ana,) = organization(listener).people_page("org", "-").people
    assert (ana.added_at, ana.products[0].last_active) == (None, None)


def test_s46_a_page_that_nobody_understands_is_no_page(listener: Listener) -> None:
    odd = [{"accountId": f"{number}", "status": 1} for number in range(MOST_UNREADABLE + 1)]
    listener.answer = always(as_json({"data": [PERSON, *odd[1:]]}))
    assert len(organization(listener).people_page("org", "-").unreadable) == MOST_UNREADABLE
    listener.answer = always(as_json({"data": [PERSON, *odd]}))
    with pytest.raises(Unexpected):
        organization(listener).people_page("org", "-")


@pytest.mark.parametrize("nobody", [{}, {"accountId": None}, {"accountId": ""}])
def test_an_answer_that_does_not_say_whom_it_is_about_does_not_say_that_they_are_gone(
    nobody: dict[str, str | None], listener: Listener
) -> None:
    listener.answer = always(as_json({"data": [{"name": "Ana"} | nobody]}))
    with pytest.raises(Unexpected):
        organization(listener).person("org", "dir", "5b10:ana")
    assert organization(listener).people("org", "dir", ["5b10:ana"]) == []


@pytest.mark.parametrize("bare", [{}, {"groups": None, "productAccess": None, "platformRoles": None}])
def test_what_nothing_is_said_of_is_told_apart_from_what_is_empty(
    bare: dict[str, None], listener: Listener
) -> None:
    listener.answer = always(as_json({"data": [{"accountId": "somebody"} | bare]}))
    page = organization(listener).people_page("org", "-")
    assert (page.untold, page.people[0].untold) == (frozenset(EXPAND), frozenset(EXPAND))
    listener.answer = always(as_json({"data": [{"accountId": "somebody"} | bare | {"groups": []}]}))
    assert organization(listener).people_page("org", "-").untold == frozenset(EXPAND) - {"groups"}


def test_one_person_now(listener: Listener) -> None:
    listener.answer = always(as_json({"data": [{"accountId": "somebody-else"}, PERSON]}))
    assert organization(listener).person("org", "dir", "5b10:ana").name == "Ana"
    listener.answer = always(as_json({"data": [{"accountId": "somebody-else"}]}))
    with pytest.raises(Gone):
        organization(listener).person("org", "dir", "5b10:ana")


def test_suspend_and_restore(listener: Listener) -> None:
    listener.answer = always(Reply(204))
    gateway = organization(listener)
    gateway.suspend("org", "dir", "5b10:ana")
    gateway.restore("org", "dir", "5b10:ana")
    assert [(call.method, call.path, call.body) for call in listener.calls] == [
        ("POST", "/admin/v2/orgs/org/directories/dir/users/5b10%3Aana/suspend", b""),
        ("POST", "/admin/v2/orgs/org/directories/dir/users/5b10%3Aana/restore", b""),
    ]


@pytest.mark.parametrize(
    "odd", ["", "../../orgs/x", "a/b", "a?b", "a b", "a%2fb", "a" * 129, "ä", "a\n", "."]
)
def test_s32_odd_ids_call_nobody(odd: str, listener: Listener) -> None:
    gateway = organization(listener)
    for call in (
        lambda: gateway.suspend("org", "dir", odd),
        lambda: gateway.restore("org", "dir", odd),
        lambda: gateway.person("org", "dir", odd),
        lambda: gateway.suspend("org", odd, "ana"),
        lambda: gateway.suspend(odd, "dir", "ana"),
        lambda: gateway.people_page(odd, "-"),
        lambda: gateway.workspaces(odd),
        lambda: gateway.directories(odd),
    ):
        with pytest.raises(Invalid):
            call()
    assert listener.calls == []


def test_writes_need_a_real_directory(listener: Listener) -> None:
    with pytest.raises(Invalid):
        organization(listener).suspend("org", "-", "ana")
    assert listener.calls == []
