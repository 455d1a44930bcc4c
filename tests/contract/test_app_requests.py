"""Every request the app's gateways send is one that Atlassian's OpenAPI files allow, read from the sandbox's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connect.errors import AccessForbidden, Gone, Unexpected, Why
from connect.gateway.answers import NO_SEAT_LEFT
from connect.gateway.confluence import ConfluenceSite
from connect.gateway.credentials import as_app, basic
from connect.gateway.jira import ADMINISTER_PROJECTS, VIEW_WATCHERS, JiraSite
from connect.gateway.organization import OrganizationGateway
from connect.hosts import SiteOrigins
from rules.panel import ContentKind
from rules.person import Privilege, RoleHeld
from sandbox import server, world
from tests.contract.specifications import AVAILABLE, logged, request_findings
from tests.sandbox.standin import KEY, StandIn

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="Atlassian's OpenAPI files are not beside the repository"
)

ANA = world.ACME.people[0].account_id
UMA = world.ACME.people[2].account_id
PLACE = (world.ACME.id, world.ACME.directory_id)


@pytest.fixture(scope="module")
def running() -> Iterator[server.Sandbox]:
    app = StandIn()
    cloud = server.start(people=250, app_base_url=app.url)
    yield cloud
    cloud.stop()
    app.close()


@pytest.fixture
def cloud(running: server.Sandbox) -> server.Sandbox:
    """The first day, and a stand-in is installed in both products of acme."""
    running.cloud.reset()
    for product in ("jira", "confluence"):
        place = {"site": "acme", "product": product}
        requests.post(f"{running.hub}/control/install", json=place, timeout=10).raise_for_status()
    return running


def now() -> datetime:
    return datetime.now(UTC)


def kind_of(cloud: server.Sandbox, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(
        f"{cloud.hub}/control/people", params={"kind": kind, "limit": 250}, timeout=10
    ).json()
    return found


def judged(cloud: server.Sandbox, *paths: str) -> None:
    """The log holds each of these paths, and no specification finds fault with any request in it."""
    entries = requests.get(f"{cloud.hub}/control/requests", timeout=10).json()
    for path in paths:
        assert any(entry["path"].endswith(path) for entry in entries), path
    assert [finding for entry in entries for finding in request_findings(logged(entry))] == []


def test_the_organization_gateway(cloud: server.Sandbox) -> None:
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    assert [one.id for one in gateway.organizations()] == [world.ACME.id]
    assert [one.id for one in gateway.directories(world.ACME.id)] == [world.ACME.directory_id]
    assert len(gateway.workspaces(world.ACME.id)) == 5
    assert gateway.people_count(*PLACE) == 250
    page, seen = gateway.people_page(*PLACE), 0
    while True:
        seen += len(page.people)
        if page.next_cursor is None:
            break
        page = gateway.people_page(*PLACE, cursor=page.next_cursor)
    assert seen == 250
    gateway.suspend(*PLACE, UMA)
    assert gateway.person(*PLACE, UMA).membership_status == "suspended"
    gateway.restore(*PLACE, UMA)
    gateway.close()
    judged(cloud, "/v1/orgs", "/directories", "/workspaces", "/users/search", "/suspend", "/restore")


def test_roles_groups_and_removal(cloud: server.Sandbox) -> None:
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": 2}, timeout=10)
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    jira, role = world.ACME.resource(world.JIRA), "atlassian/admin"
    groups = {one.name: one for one in gateway.groups(*PLACE)}
    assert groups["all-staff"].synced
    assert not groups["all-staff"].modifiable
    assert groups["contractors"].modifiable
    granting = {*gateway.groups_granting(*PLACE, jira)}
    assert {groups[name].id for name in ("site-admins", "jira-admins", "jira-users")} <= granting
    gateway.assign_role(world.ACME.id, UMA, jira, role)
    assert RoleHeld(jira, role, direct=True, by_group=False) in gateway.roles_of(*PLACE, UMA)
    assert {ANA, UMA} <= set(gateway.holders_of_role(*PLACE, jira, role))
    assert ANA in gateway.org_admins(world.ACME.id)
    assert UMA not in gateway.org_admins(world.ACME.id)
    gateway.revoke_role(world.ACME.id, UMA, jira, role)
    assert UMA not in gateway.holders_of_role(*PLACE, jira, role)
    gateway.join_group(*PLACE, groups["contractors"].id, UMA)
    assert groups["contractors"].id in gateway.groups_of(*PLACE, [UMA])
    with pytest.raises(Unexpected) as problem:
        gateway.join_group(*PLACE, groups["contractors"].id, UMA)
    assert (problem.value.status, problem.value.code in NO_SEAT_LEFT) == (409, False)
    assert "contractors" in {one.name for one in gateway.person(*PLACE, UMA).groups}
    gateway.leave_group(*PLACE, groups["contractors"].id, UMA)
    with pytest.raises(Gone):
        gateway.leave_group(*PLACE, groups["contractors"].id, UMA)
    with pytest.raises(AccessForbidden) as refused:
        gateway.leave_group(*PLACE, groups["all-staff"].id, UMA)
    assert refused.value.why is Why.GROUP
    gateway.remove(*PLACE, UMA)
    with pytest.raises(Gone):
        gateway.person(*PLACE, UMA)
    assert gateway.people_count(*PLACE) == 249, "her managed account is not in the directory any more"
    owners = {one.owner_account_id for one in gateway.workspaces(world.ACME.id)}
    assert owners == {None, world.stable_id("account", "acme", "owner")}
    gateway.close()
    paths = (
        "/groups/search",
        "/role-assignments",
        "/roles/assign",
        "/roles/revoke",
        "/memberships",
        f"/{UMA}",
    )
    judged(cloud, *paths)


def test_seats_run_out(cloud: server.Sandbox) -> None:
    limit = {"site": "acme", "product": "jira", "capacity": 1}
    requests.put(f"{cloud.hub}/control/seats", json=limit, timeout=10).raise_for_status()
    person = next(one for one in kind_of(cloud, "external") if "jira-software" not in one["last_active"])
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    group = next(one.id for one in gateway.groups(*PLACE) if one.name == "jira-users")
    jira = world.ACME.resource(world.JIRA)
    for deed in (
        lambda: gateway.join_group(*PLACE, group, person["account_id"]),
        lambda: gateway.assign_role(world.ACME.id, person["account_id"], jira, "atlassian/user"),
    ):
        with pytest.raises(Unexpected) as problem:
            deed()
        assert problem.value.code in NO_SEAT_LEFT
    gateway.assign_role(world.ACME.id, person["account_id"], jira, "atlassian/guest")
    gateway.close()
    judged(cloud, "/memberships", "/roles/assign")


def test_the_life_of_an_account(cloud: server.Sandbox) -> None:
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    employee = next(one for one in kind_of(cloud, "employee") if one["source"] == "invited")["account_id"]
    google = kind_of(cloud, "google-synced")[0]["account_id"]
    names = ("lifecycle.enablement", "lifecycle.delete")
    assert gateway.privileges(employee, names) == dict.fromkeys(names, Privilege(allowed=True))
    refused = Privilege(allowed=False, reason="externalDirectory.google")
    assert gateway.privileges(google, names[:1]) == {names[0]: refused}
    for deed, status in (
        (lambda: gateway.deactivate(employee, "Left us"), "deactivated"),
        (lambda: gateway.reactivate(employee), "active"),
        (lambda: gateway.deactivate(employee), "deactivated"),
        (lambda: gateway.delete_account(employee), "for_deletion"),
        (lambda: gateway.keep_account(employee), "active"),
    ):
        deed()
        assert gateway.person(*PLACE, employee).status == status
    with pytest.raises(Unexpected) as conflict:
        gateway.reactivate(employee)
    assert (conflict.value.status, conflict.value.code) == (409, "conflict.lifecycleErrors")
    with pytest.raises(AccessForbidden) as problem:
        gateway.deactivate(google)
    assert problem.value.why is Why.RIGHTS
    gateway.close()
    judged(cloud, "/manage", "/disable", "/enable", "/delete", "/cancel-delete")


@pytest.mark.parametrize("typed", ["ana@acme.example", "Ana@Acme.Example"])
def test_somebody_is_found_by_their_address_however_it_is_written(cloud: server.Sandbox, typed: str) -> None:
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    found = gateway.person_at(world.ACME.id, typed)
    assert found is not None
    assert (found[0], found[1].account_id) == (world.ACME.directory_id, ANA)
    gateway.close()
    judged(cloud, "/users/search")


def test_workspaces_on_several_pages_where_the_cursor_must_travel_alone(cloud: server.Sandbox) -> None:
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": 2}, timeout=10)
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    assert len(gateway.workspaces(world.ACME.id)) == 5
    gateway.close()
    judged(cloud, "/workspaces")


def test_the_gateways_of_the_sites(cloud: server.Sandbox) -> None:
    tenants = requests.get(f"{cloud.hub}/control/tenants", timeout=10).json()
    gateways: dict[str, type[Any]] = {"jira": JiraSite, "confluence": ConfluenceSite}
    token = world.API_TOKENS[0]
    for tenant in tenants:
        gateway = gateways[tenant["product"]]
        own = as_app(app_key=KEY, client_key=tenant["client_key"], secret=tenant["shared_secret"], clock=now)
        how = {"origins": SiteOrigins([cloud.acme]), "clock": now}
        app = gateway(tenant["base_url"], authorization=own, **how)
        assert app.is_admin(ANA)
        assert not app.is_admin(UMA)
        if isinstance(app, JiraSite):
            assert app.people_of_issue(10042).reporter == ANA
            assert UMA in app.people_of_issue(10042).watchers
            assert app.people_of_issue(10037).assignee is None
            assert app.rights_in_project(ANA, 10000) == {ADMINISTER_PROJECTS, VIEW_WATCHERS}
            assert app.rights_in_project(UMA, 10000) == {VIEW_WATCHERS}
            assert app.rights_in_project(ANA, 10009) == set()
        else:
            assert app.people_of_content(98313, ContentKind.PAGE).owner == UMA
            blog_post = app.people_of_content(98314, ContentKind.BLOG_POST)
            assert blog_post.owner == blog_post.last_editor is not None
            with pytest.raises(Gone):
                app.people_of_content(98314, ContentKind.PAGE)
        app.close()
        person = gateway(tenant["base_url"], authorization=basic(token.email, token.token), **how)
        assert person.may_administer()
        assert (person.myself() if tenant["product"] == "jira" else person.current_user()).account_id == ANA
        person.close()
    judged(cloud, "/permissions/check", "/myself", "/mypermissions", "/rest/api/user", "/user/current")
    judged(cloud, "/issue/10042", "/issue/10042/watchers", "/pages/98313", "/blogposts/98314")


def test_the_same_people_come_by_cursors_written_as_whole_addresses(cloud: server.Sandbox) -> None:
    requests.post(f"{cloud.hub}/control/settings", json={"full_links": True}, timeout=10)
    gateway = OrganizationGateway(cloud.hub, world.ADMIN_KEYS[0].key, clock=now)
    first = gateway.people_page(*PLACE)
    second = gateway.people_page(*PLACE, cursor=first.next_cursor)
    assert {one.account_id for one in first.people}.isdisjoint(one.account_id for one in second.people)
    gateway.close()
    judged(cloud, "/users/search")
