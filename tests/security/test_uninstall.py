"""The last door closes: work stops and secrets go at once, everything else waits for the purge (S16)."""

from __future__ import annotations

from datetime import date

import pytest

from models.audit import AuditEntry
from models.credential import Credential, CredentialKind
from models.organization import Organization
from models.run import Run
from models.sync import Sync
from models.tenant import find_tenant
from rules.case import RunState
from services.doors import credential_row
from tests.security.organizations import NOW, link, run_of
from tests.security.world import Tenant, World

KEY = "ATCTT-acme-admin-key-0123456789"


def give_key(world: World, tenant: Tenant) -> None:
    sealed = world.tools.vault.seal(
        KEY, row=credential_row(tenant.client_key, CredentialKind.ADMIN_KEY), column="sealed"
    )
    with world.tools.begin() as session:
        session.add(
            Credential(
                client_key=tenant.client_key,
                kind=CredentialKind.ADMIN_KEY.value,
                sealed=sealed,
                last_four="6789",
                stored_by="ana",
                stored_at=NOW,
                expires_on=date(2027, 11, 1),
                checked_at=NOW,
            )
        )


def set_to_work(world: World, org: str, tenant: Tenant) -> None:
    with world.tools.begin() as session:
        run = session.get_one(Run, (org, run_of(tenant)))
        run.state, run.finished_at = RunState.RUNNING.value, None
        session.add(
            Sync(id="running", organization_id=org, requested_by="ana", started_at=NOW, state="running")
        )


def at_work(world: World, org: str, tenant: Tenant) -> tuple[str, str]:
    with world.tools.begin() as session:
        return session.get_one(Run, (org, run_of(tenant))).state, session.get_one(Sync, "running").state


@pytest.fixture
def org(world: World) -> str:
    """acme and globex are two doors of one organization, each with its own key, and work is going on."""
    found = link(world, world.acme, "ana")
    with world.tools.begin() as session:
        tenant = find_tenant(session, world.globex.client_key)
        assert tenant is not None
        tenant.organization_id = found
    give_key(world, world.acme)
    give_key(world, world.globex)
    set_to_work(world, found, world.acme)
    return found


def test_s16_one_door_of_two_closes_and_the_work_goes_on(world: World, org: str) -> None:
    assert world.lifecycle(world.acme, "uninstalled").status_code == 204
    assert at_work(world, org, world.acme) == ("running", "running")
    with world.tools.begin() as session:
        assert session.get(Credential, (world.acme.client_key, "admin_key")) is None
        assert session.get(Credential, (world.globex.client_key, "admin_key")) is not None
        assert session.get_one(Organization, org).doorless_since is None


def test_s16_the_last_door_stops_the_work_and_wipes_the_secrets(world: World, org: str) -> None:
    world.lifecycle(world.acme, "uninstalled")
    world.lifecycle(world.globex, "uninstalled")
    assert at_work(world, org, world.acme) == ("stopped", "stopped")
    with world.tools.begin() as session:
        assert session.query(Credential).count() == 0
        assert session.get_one(Organization, org).doorless_since is not None
        events = [entry.event for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert {"tenant:installed", "tenant:uninstalled", "run:stopped", "sync:stopped"} <= set(events)
    dump = world.dump()
    assert dump["person"], "people are purged later, not now"
    assert all(row[5] is None for row in dump["tenant"])


def test_s16_an_uninstall_that_is_refused_stops_nothing(world: World, org: str) -> None:
    with world.untouched():
        for token in (world.acme.context(), world.globex.lifecycle("/connect/uninstalled"), "a.b.c"):
            assert world.lifecycle(world.acme, "uninstalled", token=token).status_code == 401
    assert at_work(world, org, world.acme) == ("running", "running")


def test_s27_a_new_installation_is_no_door_until_it_has_a_key_of_its_own(world: World, org: str) -> None:
    world.lifecycle(world.acme, "uninstalled")
    assert world.lifecycle(world.acme).status_code == 204
    with world.tools.begin() as session:
        tenant = find_tenant(session, world.acme.client_key)
        assert tenant is not None
        assert tenant.organization_id is None
    answer = world.request("GET", "/app/people", world.acme.context("ana"))
    assert answer.status_code == 409
    assert "Person of" not in answer.text


def test_s27_a_neighbour_on_the_same_address_is_no_door_either(world: World) -> None:
    """Jira and Confluence of one site share an address; only a key of its own links the second one."""
    link(world, world.acme, "ana")
    neighbour = Tenant("neighbour", "neighbour-client-key", "confluence", world.acme.listener)
    assert world.lifecycle(neighbour).status_code == 204
    world.acme.listener.answer = neighbour.answer
    answer = world.request("GET", "/app/people", neighbour.context("ana"))
    assert answer.status_code == 409
    assert "Person of acme" not in answer.text
