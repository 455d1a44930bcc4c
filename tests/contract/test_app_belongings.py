"""What the app asks about belongings is what Atlassian's OpenAPI files allow, read from the sandbox's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from connect.errors import AccessForbidden, Gone, Invalid, Unavailable, Unexpected
from connect.gateway.confluence_spaces import ConfluenceSpaces, Stewards
from connect.gateway.credentials import basic
from connect.gateway.jira_belongings import JiraBelongings
from connect.gateway.organization import OrganizationGateway
from connect.hosts import SiteOrigins
from rules.handover import Found, Kind
from sandbox import server, world
from sandbox.belongings import Belongings
from tests.contract.specifications import AVAILABLE, logged, request_findings

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="Atlassian's OpenAPI files are not beside the repository"
)

ANA, JON, UMA = (person.account_id for person in world.ACME.people[:3])


@pytest.fixture(scope="module")
def cloud() -> Iterator[server.Sandbox]:
    cloud = server.start(people=120)
    yield cloud
    judged(cloud)
    cloud.stop()


def judged(cloud: server.Sandbox) -> None:
    """No specification finds fault with any request in the log."""
    entries = requests.get(f"{cloud.hub}/control/requests", timeout=10).json()
    assert [finding for entry in entries for finding in request_findings(logged(entry))] == []


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def jira(cloud: server.Sandbox) -> Iterator[JiraBelongings]:
    token = world.API_TOKENS[0]
    site = JiraBelongings(
        cloud.acme,
        origins=SiteOrigins((cloud.acme,)),
        authorization=basic(token.email, token.token),
        clock=now,
    )
    yield site
    site.close()


@pytest.fixture
def confluence(cloud: server.Sandbox) -> Iterator[ConfluenceSpaces]:
    token = world.API_TOKENS[0]
    site = ConfluenceSpaces(
        f"{cloud.acme}/wiki",
        origins=SiteOrigins((cloud.acme,)),
        authorization=basic(token.email, token.token),
        clock=now,
    )
    yield site
    site.close()


def everything(jira: JiraBelongings, kind: Kind) -> list[Found]:
    pages = {
        Kind.PROJECT: jira.projects_led_by,
        Kind.COMPONENT: jira.components_led_by,
        Kind.FILTER: jira.filters_of,
        Kind.DASHBOARD: jira.dashboards_of,
    }
    found: list[Found] = []
    start = "0"
    while True:
        page = pages[kind](UMA, start)
        found += page.found
        if page.next is None:
            return found
        start = page.next


@pytest.mark.parametrize("max_page", [None, 2])
def test_what_somebody_owns_is_found_on_every_page(
    cloud: server.Sandbox, jira: JiraBelongings, max_page: int | None
) -> None:
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": max_page}, timeout=10)
    assert {one.key for one in everything(jira, Kind.PROJECT)} == {"WEB", "HR"}
    assert {(one.key, one.name) for one in everything(jira, Kind.COMPONENT)} == {
        ("WEB", "Checkout"),
        ("MOB", "iOS"),
    }
    assert len(everything(jira, Kind.FILTER)) == 4
    assert len(everything(jira, Kind.DASHBOARD)) == 2
    found: list[Found] = []
    token = ""
    while True:
        page = jira.open_issues_of(UMA, token)
        found += page.found
        if page.next is None:
            break
        token = page.next
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": None}, timeout=10)
    assert len(found) == jira.count_open_issues(UMA) >= 13
    assert all(one.place and one.key for one in found)


@pytest.mark.parametrize("kind", [Kind.PROJECT, Kind.COMPONENT, Kind.FILTER, Kind.DASHBOARD, Kind.ISSUE])
def test_it_changes_hands_and_back(jira: JiraBelongings, kind: Kind) -> None:
    one = jira.open_issues_of(UMA).found[0] if kind is Kind.ISSUE else everything(jira, kind)[0]
    assert jira.holder(kind, one.reference) == UMA
    jira.give(kind, one.reference, JON)
    assert jira.holder(kind, one.reference) == JON
    jira.give(kind, one.reference, UMA)
    assert jira.holder(kind, one.reference) == UMA
    with pytest.raises((Unexpected, Gone)):
        jira.give(kind, one.reference, "nobody")
    with pytest.raises(Gone):
        jira.holder(kind, "999")


def test_what_could_change_a_question_is_no_account(jira: JiraBelongings) -> None:
    for odd in ('x" OR assignee is EMPTY OR assignee = "', "../myself", ""):
        with pytest.raises(Invalid):
            jira.count_open_issues(odd)
        with pytest.raises(Invalid):
            jira.give(Kind.FILTER, "10300", odd)
    with pytest.raises(Invalid):
        jira.holder(Kind.FILTER, "1/owner")


def test_who_may_be_assigned(jira: JiraBelongings) -> None:
    project = everything(jira, Kind.PROJECT)[0].reference
    assert jira.may_be_assigned(JON, project)
    assert not jira.may_be_assigned("nobody", project)


def test_spaces_their_stewards_and_one_more(cloud: server.Sandbox, confluence: ConfluenceSpaces) -> None:
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": 2}, timeout=10)
    found: dict[str, tuple[Found, Stewards]] = {}
    cursor = ""
    while True:
        page = confluence.spaces(cursor)
        found |= {space.key: (space, stewards) for space, stewards in page.spaces}
        if page.next is None:
            break
        cursor = page.next
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": None}, timeout=10)
    people, board = found["PEOPLE"], found["BOARD"]
    assert people[1].users == board[1].users == {UMA}
    assert people[1].groups == {world.stable_id("group", "acme", "site-admins")}
    assert len(confluence.let_administer(people[0].reference, "PEOPLE", JON)) == 2
    assert confluence.let_administer(people[0].reference, "PEOPLE", JON) == []
    assert confluence.stewards(people[0].reference).users == {UMA, JON}
    confluence.let_administer_no_more(people[0].reference, "PEOPLE", JON)
    assert confluence.stewards(people[0].reference).users == {UMA}
    assert confluence.may_read(people[0].reference, JON)
    with pytest.raises(AccessForbidden):
        confluence.let_administer(board[0].reference, "BOARD", JON)
    with pytest.raises(Gone):
        confluence.stewards("999")


def test_who_may_read_a_space_no_more(cloud: server.Sandbox, confluence: ConfluenceSpaces) -> None:
    (space,) = (
        one.reference for one, _stewards in confluence.spaces(limit=100).spaces if one.key == "PEOPLE"
    )
    confluence.let_administer(space, "PEOPLE", JON)
    confluence.let_administer_no_more(space, "PEOPLE", JON, nor_read=True)
    assert not confluence.may_read(space, JON)
    confluence.let_administer_no_more(space, "PEOPLE", JON, nor_read=True)
    # Somebody let them write since: with the permission to read that would be gone too.
    confluence.let_administer(space, "PEOPLE", JON)
    Belongings(cloud.cloud, world.ORGANIZATIONS["acme"]).grant(space, "user", JON, "create")
    confluence.let_administer_no_more(space, "PEOPLE", JON, nor_read=True)
    assert confluence.may_read(space, JON)
    assert JON not in confluence.stewards(space).users


def test_who_administers_a_space_by_a_role(cloud: server.Sandbox, confluence: ConfluenceSpaces) -> None:
    page = confluence.spaces(limit=100)
    (space,) = (space.reference for space, _stewards in page.spaces if space.key == "TRAVEL")
    before = confluence.stewards(space)

    def give(kind: str, principal: str, role: str = "keepers") -> None:
        asked = {"role": role, "kind": kind, "principal": principal}
        assert requests.post(f"{cloud.hub}/control/spaces/TRAVEL/roles", json=asked, timeout=10).ok

    def expected(users: set[str], groups: set[str], by_role: bool) -> Stewards:
        return Stewards(before.users | users, before.groups | groups, by_role)

    give("USER", JON)
    give("GROUP", "some-group")
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": 1}, timeout=10)
    assert confluence.stewards(space) == expected({JON}, {"some-group"}, False)
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": None}, timeout=10)
    # Whoever has a licence is nobody by name.
    give("ACCESS_CLASS", "all-licensed-users")
    assert confluence.stewards(space) == expected({JON}, {"some-group"}, True)
    # A fault is not taken for an answer.
    fault = {"match": "role-assignments$", "kind": "500", "times": 1}
    assert requests.post(f"{cloud.hub}/control/faults", json=fault, timeout=10).ok
    with pytest.raises(Unavailable):
        confluence.stewards(space)


def test_api_tokens(cloud: server.Sandbox) -> None:
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    tokens = gateway.tokens_of(UMA)
    assert any(one.last_used for one in tokens)
    gateway.revoke_token(UMA, tokens[0].id)
    assert len(gateway.tokens_of(UMA)) == len(tokens) - 1
    with pytest.raises(Gone):
        gateway.revoke_token(UMA, tokens[0].id)
    gateway.close()
