"""What is forgotten, and when. Nothing else is (S52)."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event, insert

from models.audit import AuditEntry, Event
from models.credential import CredentialKind
from models.install_key import KeptInstallKey
from models.organization import Organization
from models.people import Person
from models.tenant import LifecycleToken, Tenant
from services import credentials
from services.doors import require_organization
from services.installing import shared_secret_of
from services.people import person_page
from services.retention import PORTION, purge
from services.summary import summary
from tests.services.workers import Crash, Killed, with_something_between
from tests.world import ACME, ACME_KEY, GLOBEX, World

OWNED = (
    *("person", "seat", "membership", "directory_group", "signal", "run", "run_case", "sync"),
    *("operator", "seats", "summary"),
)
MANY = ("person", "audit_entry")


def about(world: World, organization_id: str) -> dict[str, int]:
    """How many rows of each table are of this organization."""
    return {
        name: sum(organization_id in row for row in rows)
        for name, rows in world.dump().items()
        if name in OWNED
    }


def filled(world: World) -> str:
    """Both organizations with something in every table; somebody of acme with a history."""
    ana, gina = world.synced(), world.synced("globex")
    somebody = world.changeable(1)[0]
    for who, site in ((ana, "acme"), (gina, "globex")):
        world.begin_run(who, world.changeable(2, site))
        assert world.webhook("jira:issue_created", world.changeable(1, site)[0], site) == [204]
        summary(world.tools, require_organization(world.tools, who))
    world.act()
    return somebody


def test_s52_an_organization_without_a_door_is_purged_after_n_days_and_no_other(world: World) -> None:
    filled(world)
    kept = about(world, GLOBEX)
    assert all(about(world, ACME).values())
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    world.later(days=29, hours=23)
    purge(world.tools)
    assert all(count for name, count in about(world, ACME).items())
    assert any(entry.organization_id == ACME for entry in world.rows(AuditEntry))
    world.later(hours=2)
    purge(world.tools)
    assert not any(about(world, ACME).values())
    assert about(world, GLOBEX) == kept
    assert [row.id for row in world.rows(Organization)] == [GLOBEX]
    assert len(world.rows(Tenant)) == 1
    entries = world.rows(AuditEntry)
    assert not any(entry.organization_id == ACME for entry in entries)
    assert any(entry.organization_id == GLOBEX for entry in entries)
    (purged,) = [entry for entry in entries if entry.event == Event.ORGANIZATION_PURGED]
    assert (purged.actor, purged.subject, purged.organization_id) == ("rollcall", None, None)
    before = world.dump()
    purge(world.tools)
    assert world.dump() == before, "once is enough"


def left_for_good(world: World, more: int = 0) -> None:
    """acme went a month ago; it had so many more people, and entries about them."""
    filled(world)
    somebody, entry = as_row(world.rows(Person)[0]), as_row(world.rows(AuditEntry)[0])
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    with world.tools.begin() as session:
        session.get_one(Organization, ACME).doorless_since = world.clock() - timedelta(days=31)
        for model, one, key in ((Person, somebody, "account_id"), (AuditEntry, entry, "id")):
            rows = [one | {"organization_id": ACME, key: 100_000 + number} for number in range(more)]
            if rows:
                session.execute(insert(model), rows)


def as_row(stored: Any) -> dict[str, Any]:
    return {column.key: getattr(stored, column.key) for column in type(stored).__mapper__.column_attrs}


def test_others_write_between_two_portions_of_what_is_forgotten(sqlite_world: World) -> None:
    world = sqlite_world
    left_for_good(world, PORTION)
    left = []

    def look(when: str, _what: str) -> None:
        # Whoever finds it locked is not told to wait.
        with closing(sqlite3.connect(str(world.tools.engine.url.database), timeout=0)) as other, other:
            other.execute("UPDATE organization SET name = name WHERE id = ?", (GLOBEX,))
            left.append([other.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in MANY])

    purge(with_something_between(world.tools, look))
    for counts in zip(*left, strict=True):
        taken = [before - after for before, after in pairwise(counts)]
        assert max(taken) == PORTION
        assert sum(taken) > PORTION
    assert [row.id for row in world.rows(Organization)] == [GLOBEX]


def test_what_is_forgotten_halfway_is_opened_by_nobody_and_forgotten_to_its_end(world: World) -> None:
    left_for_good(world)
    kept = about(world, GLOBEX)
    world.install("acme")
    halfway = []
    for moment in (1, 2, 9, 30, 60, 1000):
        death = Crash(moment)
        with suppress(Killed):
            purge(with_something_between(world.tools, death))
        if death.moment and (found := world.stored(Organization, ACME)).forgotten_since is not None:
            halfway.append(found)
            key = {"key": ACME_KEY, "expires_on": world.in_a_year()}
            answer = world.call("POST", "/app/configure/admin-key", data=key)
            assert answer.status_code == 409
            assert "is just being forgotten" in answer.text
    assert len(halfway) > 2
    assert not any(about(world, ACME).values())
    assert about(world, GLOBEX) == kept
    assert len(world.audit(Event.ORGANIZATION_PURGED)) == 1
    world.store_key()


def test_a_door_that_opens_again_in_time_keeps_everything(sqlite_world: World) -> None:
    world = sqlite_world
    somebody = filled(world)
    ana = world.caller("ana")
    kept = about(world, ACME)
    credentials.forget(world.tools, ana, CredentialKind.ADMIN_KEY)
    world.later(days=29)
    purge(world.tools)
    world.store_key()
    world.later(days=29)
    purge(world.tools)
    assert about(world, ACME) | {"sync": 0} == kept | {"sync": 0}
    assert person_page(world.tools, ana, somebody).history


@pytest.mark.parametrize("world", [pytest.param("postgres_app", marks=pytest.mark.slow)], indirect=True)
def test_who_is_installed_again_while_what_is_overdue_is_purged_stays(world: World) -> None:
    """SQLite lets nobody between."""
    key = world.caller("ana").tenant
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    with world.tools.begin() as session:
        session.get_one(Tenant, key).uninstalled_at = world.clock() - timedelta(days=31)
    again: list[str] = []

    def just_before(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("DELETE FROM tenant") and not again:
            again.append(world.install("acme"))

    event.listen(world.tools.engine, "before_cursor_execute", just_before)
    try:
        purge(world.tools)
    finally:
        event.remove(world.tools.engine, "before_cursor_execute", just_before)
    assert again == [key]
    assert shared_secret_of(world.tools, key) is not None
    assert any(entry.event == Event.TENANT_INSTALLED for entry in world.rows(AuditEntry))


def test_lifecycle_tokens_outlive_their_use(sqlite_world: World) -> None:
    world = sqlite_world
    now = world.clock()
    world.later(days=1)
    purge(world.tools)
    spent = len(world.rows(LifecycleToken))
    with world.tools.begin() as session:
        session.execute(
            insert(LifecycleToken),
            [{"token_hash": "a" * 64, "body_hash": "b", "client_key": "x", "expires_at": now}],
        )
    purge(world.tools)
    assert len(world.rows(LifecycleToken)) == spent


def test_s07_an_install_key_that_nothing_came_with_for_a_year_is_forgotten(sqlite_world: World) -> None:
    world = sqlite_world
    assert len(world.rows(KeptInstallKey)) == 1
    world.later(days=364)
    purge(world.tools)
    assert len(world.rows(KeptInstallKey)) == 1
    world.later(days=2)
    purge(world.tools)
    assert world.rows(KeptInstallKey) == []
