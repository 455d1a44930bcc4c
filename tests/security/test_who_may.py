"""Proven people and what they may: administrators, operators, everybody else (S19, S21-S27)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from models.credential import Credential
from models.people import Group, Membership
from services.places import MOST_AT_ONCE
from tests.connect.listener import Call, Reply
from tests.security.organizations import (
    access_rule_of,
    case_of,
    connection_of,
    delivery_of,
    hook_of,
    leaver_of,
    link,
    profile_of,
    protected_of,
    rule_of,
    run_of,
    scim_group_of,
    ticket_call_of,
    ticket_rule_of,
)
from tests.security.routes import VALUES, Route, personal_routes
from tests.security.world import BASE_URL, Tenant, World
from views.access import Mark, Right, UnmarkedView, admin_only, api, lifecycle, page, protect, public

GUARDED = tuple(route for route in personal_routes() if route.right is not None)
ADMIN_ROUTES = tuple(route for route in GUARDED if route.right is Right.ADMIN)
OPERATOR_ROUTES = tuple(route for route in GUARDED if route.right is Right.OPERATOR)

# Whoever adds a view here says why: without a mark of its own, no other test would miss the right.
FOR_EVERYBODY_WHO_IS_PROVEN = {
    "GET /pages/app",  # chooses what to show by itself: see the test of a plain user below
    "GET /panels/byline",
    "GET /panels/gadget",
    "GET /panels/issue",
    "GET /panels/page",
    "POST /app/keep",
    "POST /app/keep/longer",
}
FOR_ADMINISTRATORS = {
    "GET /pages/configure",
    "GET /pages/get-started",
    "GET /app/get-started",
    "GET /app/configure",
    "GET /app/configure/<kind>",
    "GET /app/configure/<kind>/replace",
    "POST /app/configure/<kind>/check",
    "POST /app/configure/<kind>/forget",
    "POST /app/configure/admin-key",
    "POST /app/configure/api-token",
}


def test_s21_s26_every_view_is_for_operators_but_these() -> None:
    assert {str(route) for route in set(personal_routes()) - set(GUARDED)} == FOR_EVERYBODY_WHO_IS_PROVEN
    assert {str(route) for route in ADMIN_ROUTES} == FOR_ADMINISTRATORS


def open_as(world: World, tenant: Tenant, route: Route, account_id: str | None, address: str = "") -> int:
    """The status a person of this tenant gets."""
    address = address or route.address
    if route.mark is Mark.PAGE:
        return world.page(tenant, address, account_id).status_code
    return world.request(route.method, address, tenant.context(account_id)).status_code


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_s21_a_plain_user_gets_nothing(world: World, route: Route) -> None:
    link(world, world.acme, "ana")
    link(world, world.globex, "ana")
    for tenant in (world.acme, world.globex):
        with world.untouched(calls=1 if route.right is Right.ADMIN else 0):
            assert open_as(world, tenant, route, "uma") == 403


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_s21_a_plain_user_gets_nothing_before_a_key_is_stored_either(world: World, route: Route) -> None:
    with world.untouched(calls=1):
        assert open_as(world, world.acme, route, "uma") == 403


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_s25_an_anonymous_visitor_gets_nothing_and_nobody_is_asked(world: World, route: Route) -> None:
    link(world, world.acme, "ana")
    with world.untouched():
        assert open_as(world, world.acme, route, None) == 403


@pytest.mark.parametrize("account_id", ["uma", None])
def test_s21_the_app_page_shows_a_plain_user_nothing(world: World, account_id: str | None) -> None:
    link(world, world.acme, "ana")
    answer = world.page(world.acme, "/pages/app", account_id)
    assert answer.status_code == 403
    assert "Rollcall" in answer.text
    assert "Person of" not in answer.text
    assert "acme organization" not in answer.text


@pytest.mark.parametrize("route", OPERATOR_ROUTES, ids=str)
def test_s26_a_product_administrator_who_is_no_operator_may_not(world: World, route: Route) -> None:
    link(world, world.acme, "oscar")
    with world.untouched():
        assert open_as(world, world.acme, route, "ana") == 403


def test_s26_an_operator_may(world: World) -> None:
    link(world, world.acme, "oscar")
    for route in OPERATOR_ROUTES:
        assert open_as(world, world.acme, route, "oscar") not in {401, 403, 500}, route


def test_s26_an_operator_of_one_organization_is_nobody_in_another(world: World) -> None:
    link(world, world.acme, "oscar")
    link(world, world.globex, "olga")
    for route in OPERATOR_ROUTES:
        with world.untouched():
            assert open_as(world, world.globex, route, "oscar") == 403, route


@pytest.mark.parametrize("route", OPERATOR_ROUTES, ids=str)
def test_s26_an_administrator_without_a_key_is_told_what_to_do(world: World, route: Route) -> None:
    with world.untouched(calls=1):
        token = world.acme.context("ana")
        answer = world.request(route.method, route.address, token)
    assert answer.status_code == 409
    assert "Configure Token" in answer.text


FAILURES: dict[str, Callable[[Call], Reply]] = {
    "500": lambda call: Reply(500),
    "401": lambda call: Reply(401),
    "403": lambda call: Reply(403),
    "404": lambda call: Reply(404),
    "429": lambda call: Reply(429),
    "302": lambda call: Reply(302, b"", {"Location": "/login"}),
    "html": lambda call: Reply(200, b"<html>ADMINISTER</html>"),
    "nothing": lambda call: Reply(200, b""),
    "a list": lambda call: Reply(200, b'["ADMINISTER"]'),
    "a text": lambda call: Reply(200, b'{"globalPermissions": "ADMINISTER", "operations": "administer"}'),
    "a reset": lambda call: Reply(hang_up=True),
}


@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "401"])
@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=str)
def test_s22_no_answer_is_never_a_yes(world: World, route: Route, failure: str) -> None:
    for tenant in (world.acme, world.globex):
        tenant.listener.answer = FAILURES[failure]
        with world.untouched(calls=1):
            assert open_as(world, tenant, route, "ana") == 503


@pytest.mark.parametrize("what", ["whether somebody administers it", "what a key opens"])
def test_atlassian_that_never_answers_one_tenant_takes_no_place_from_another(world: World, what: str) -> None:
    answers, silent = list[int](), threading.Event()
    asked = world.acme.listener if what == "whether somebody administers it" else world.hub
    is_open = asked.answer

    def never(call: Call) -> Reply:
        silent.wait(30)
        return Reply(503)

    def ask(tenant: Tenant) -> None:
        headers = {"Authorization": f"JWT {tenant.context('ana')}"}
        client = world.app.test_client()
        if what == "what a key opens" and tenant is world.acme:
            form = {"key": "ATCTT3x-" + "k" * 40, "expires_on": str(world.clock().date() + timedelta(days=9))}
            found = client.post("/app/configure/admin-key", data=form, headers=headers, base_url=BASE_URL)
        else:
            found = client.get("/app/configure", headers=headers, base_url=BASE_URL)
        answers.append(found.status_code)

    asked.answer = never
    before = len(asked.calls)
    waiting = [threading.Thread(target=ask, args=[world.acme]) for _ in range(MOST_AT_ONCE)]
    for thread in waiting:
        thread.start()
    end = time.monotonic() + 20
    while len(asked.calls) - before < MOST_AT_ONCE and time.monotonic() < end:
        time.sleep(0.01)
    started = time.monotonic()
    ask(world.acme)
    ask(world.globex)
    assert (answers, time.monotonic() - started < 8) == ([503, 200], True)
    assert len(asked.calls) - before == MOST_AT_ONCE
    silent.set()
    for thread in waiting:
        thread.join()
    asked.answer = is_open
    ask(world.acme)
    assert len(asked.calls) - before > MOST_AT_ONCE, "the places are free again"


def test_however_many_ask_at_once_all_are_answered_where_the_site_answers(world: World) -> None:
    answers, is_open = list[int](), world.acme.listener.answer

    def soon(call: Call) -> Reply:
        time.sleep(0.02)
        return is_open(call)

    def ask() -> None:
        headers = {"Authorization": f"JWT {world.acme.context('ana')}"}
        form = {"key": "too short", "expires_on": ""}
        client = world.app.test_client()
        answers.append(
            client.post("/app/configure/admin-key", data=form, headers=headers, base_url=BASE_URL).status_code
        )

    world.acme.listener.answer = soon
    asking = [threading.Thread(target=ask) for _ in range(3 * MOST_AT_ONCE)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert answers == [422] * len(asking)


def test_s22_a_site_that_refuses_our_signature_lets_nobody_in(world: World) -> None:
    world.acme.listener.answer = FAILURES["401"]
    for route in ADMIN_ROUTES:
        assert open_as(world, world.acme, route, "ana") == 503


def test_s23_a_yes_is_remembered_for_a_minute_for_reading(world: World) -> None:
    token = world.acme.context("ana", exp=datetime.now(UTC) + timedelta(minutes=15))
    for _ in range(3):
        assert world.request("GET", "/app/configure", token).status_code == 200
    assert len(world.outgoing) == 1
    world.acme.admins.clear()
    world.clock.offset = timedelta(seconds=59)
    assert world.request("GET", "/app/configure", token).status_code == 200
    world.clock.offset = timedelta(seconds=61)
    assert world.request("GET", "/app/configure", token).status_code == 403
    assert len(world.outgoing) == 2


def test_s23_each_write_asks_anew(world: World) -> None:
    assert world.request("GET", "/app/configure", world.acme.context("ana")).status_code == 200
    world.acme.admins.clear()
    with world.untouched(calls=1):
        answer = world.request("POST", "/app/configure/admin-key/forget", world.acme.context("ana"))
    assert answer.status_code == 403
    assert world.request("GET", "/app/configure", world.acme.context("ana")).status_code == 403


def test_s23_what_is_remembered_belongs_to_one_person_of_one_tenant(world: World) -> None:
    assert world.request("GET", "/app/configure", world.acme.context("ana")).status_code == 200
    assert world.request("GET", "/app/configure", world.acme.context("uma")).status_code == 403
    world.globex.admins.clear()
    assert world.request("GET", "/app/configure", world.globex.context("ana")).status_code == 403
    assert len(world.outgoing) == 3


def test_s23_a_no_is_not_remembered(world: World) -> None:
    assert world.request("GET", "/app/configure", world.acme.context("uma")).status_code == 403
    world.acme.admins.add("uma")
    assert world.request("GET", "/app/configure", world.acme.context("uma")).status_code == 200


def test_s24_the_name_of_a_group_gives_no_right(world: World) -> None:
    org = link(world, world.acme)
    with world.tools.begin() as session:
        for number, name in enumerate(("site-admins", "org-admins", "administrators")):
            session.add(Group(organization_id=org, group_id=f"g{number}", name=name))
        session.flush()
        for number in range(3):
            session.add(Membership(organization_id=org, account_id="person-acme", group_id=f"g{number}"))
    for route in GUARDED:
        assert open_as(world, world.acme, route, "person-acme") == 403, route


IDS = (
    "<account_id>",
    "<run_id>",
    "<rule_id>",
    "<protected_id>",
    "<hook_id>",
    "<leaver_id>",
    "<delivery_id>",
    "<connection_id>",
    "<group_id>",
    "<ticket_rule_id>",
    "<access_rule_id>",
    "<case_id>",
    "<profile_id>",
)
WITH_IDS = tuple(route for route in GUARDED if any(name in route.rule for name in IDS))


def ids_of(tenant: Tenant) -> dict[str, str]:
    """One of everything behind this tenant."""
    return VALUES | {
        "account_id": f"person-{tenant.name}",
        "run_id": run_of(tenant),
        "rule_id": rule_of(tenant),
        "protected_id": protected_of(tenant),
        "hook_id": hook_of(tenant),
        "leaver_id": leaver_of(tenant),
        "connection_id": connection_of(tenant),
        "group_id": scim_group_of(tenant),
        "delivery_id": delivery_of(tenant),
        "ticket_rule_id": ticket_rule_of(tenant),
        "call_id": ticket_call_of(tenant),
        "access_rule_id": access_rule_of(tenant),
        "case_id": case_of(tenant),
        "profile_id": profile_of(tenant),
    }


def test_there_are_routes_with_ids() -> None:
    assert len(WITH_IDS) >= 8


@pytest.mark.parametrize("route", WITH_IDS, ids=str)
def test_s19_an_id_of_globex_does_not_exist_for_acme(world: World, route: Route) -> None:
    link(world, world.acme, "oscar")
    link(world, world.globex, "oscar")
    address = route.with_values(ids_of(world.globex))
    with world.untouched():
        answer = world.request(route.method, address, world.acme.context("oscar"))
        assert answer.status_code == 404
        assert "globex" not in answer.text


@pytest.mark.parametrize("route", WITH_IDS, ids=str)
def test_s19_and_its_own_ids_do(world: World, route: Route) -> None:
    link(world, world.acme, "oscar", "person-acme")
    address = route.with_values(ids_of(world.acme))
    assert world.request(route.method, address, world.acme.context("oscar")).status_code not in {
        401,
        403,
        404,
        500,
    }


@pytest.mark.parametrize("route", [route for route in personal_routes() if route.method == "GET"], ids=str)
def test_s19_what_acme_is_shown_never_holds_globex(world: World, route: Route) -> None:
    link(world, world.acme, "ana")
    link(world, world.globex, "ana")
    address = route.with_values(ids_of(world.acme))
    if route.mark is Mark.PAGE:
        answer = world.page(world.acme, address)
    else:
        answer = world.request("GET", address, world.acme.context("ana"))
    assert answer.status_code < 400
    assert "globex" not in answer.text


def test_s20_ids_of_globex_in_a_form_do_nothing(world: World) -> None:
    link(world, world.acme, "oscar")
    link(world, world.globex, "oscar")
    token = world.acme.context("oscar")
    with world.untouched():
        named = world.request("POST", "/app/operators", token, data={"account_id": "person-globex"})
        assert named.status_code == 422
    form = {"deed": "suspend", "account_ids": "person-globex,case-globex"}
    previewed = world.request("POST", "/app/runs", token, data=form)
    assert "Person of globex" not in previewed.text
    with world.tools.begin() as session:
        assert session.get(Credential, (world.acme.client_key, "admin_key")) is None


def test_a_view_without_a_mark_stops_the_start() -> None:
    app = Flask("forgetful")
    app.add_url_rule("/open", "open", lambda: "welcome")
    with pytest.raises(UnmarkedView, match="open"):
        protect(app)


def test_a_view_with_two_marks_stops_the_start() -> None:
    with pytest.raises(UnmarkedView):
        public(api(lambda: "either"))
    with pytest.raises(UnmarkedView):
        page(lifecycle(lambda: "either"))


def test_a_right_nobody_could_have_stops_the_start() -> None:
    app = Flask("confused")
    app.add_url_rule("/open", "open", public(admin_only(lambda: "welcome")))
    with pytest.raises(UnmarkedView, match="right"):
        protect(app)
