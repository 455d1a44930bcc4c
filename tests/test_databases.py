"""The real migrations make what the models say, on both databases; every test has its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, insert, select
from sqlalchemy.orm import Session

from models import Base
from models.organization import Organization
from models.run import Case
from rules.changes import Change, ChangeKind
from services.orders import changes_of, done_changes
from tests.databases import PostgresDatabases, migrate, sqlalchemy_url

CREATED = datetime(2026, 5, 3, 12, tzinfo=UTC)


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_has_a_database_of_its_own(database_url: str, time: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        assert connection.execute(select(Organization.id)).all() == []
        row = {"id": "acme", "name": "Acme", "created_at": CREATED}
        connection.execute(insert(Organization).values(row))
    engine.dispose()


def test_an_upgrade_that_ends_in_the_middle_has_changed_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    migrate(url, revision="0013")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE membership ADD COLUMN shown_by TEXT")
    with pytest.raises(AssertionError, match="duplicate column"):
        migrate(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE membership DROP COLUMN shown_by")
    migrate(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


Rows = dict[str, list[dict[str, Any]]]
"""Everything in a database: table → rows, in no order."""


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as the version before rules made it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.sqlite'}"
        migrate(url, revision="0002")
        yield url
    else:
        databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
        with databases.blank() as url:
            migrate(url, revision="0002")
            yield url


RENAMED = {"family": "place"}
"""What was called otherwise in the old database."""


def everything(engine: Engine) -> Rows:
    with engine.connect() as connection:
        metadata = MetaData()
        metadata.reflect(connection)
        return {
            name: [dict(row._mapping) for row in connection.execute(select(table))]
            for name, table in metadata.tables.items()
            if name != "alembic_version"
        }


def fill(engine: Engine) -> None:
    """Two organizations that call their runs and cases alike; what acme's run took, globex's gave back."""
    rows: Rows = {"organization": [], "tenant": [], "person": [], "membership": [], "seat": [], "signal": []}
    rows |= {"directory_group": [], "run": [], "run_case": [], "operator": []}
    for organization, deed, left_as in [("acme", "suspend", "suspended"), ("globex", "restore", "active")]:
        here = {"organization_id": organization}
        rows["organization"].append({"id": organization, "name": organization, "created_at": CREATED})
        rows["tenant"].append(
            here
            | dict.fromkeys(["product", "base_url", "display_url", "description"], "x")
            | {"client_key": f"key-{organization}", "installed_at": CREATED, "last_lifecycle_at": CREATED}
        )
        rows["operator"].append(
            here | {"account_id": "ana", "reason": "named", "named_by": "ana", "named_at": CREATED}
        )
        rows["directory_group"].append(here | {"group_id": "g", "name": "Everybody"})
        for account_id in ("uma", "ulf", "umi", "una"):
            them = here | {"account_id": account_id}
            words = ["directory_id", "name", "search_text", "email_domain", "account_type", "account_status"]
            words += [
                "membership_status",
                "status",
                "claim_status",
                "management_source",
                "activity",
                "seen_in",
            ]
            rows["person"].append(
                them
                | dict.fromkeys(words, "x")
                | dict.fromkeys(["in_several_directories", "is_org_admin", "is_bot"], False)
                | {"seat_count": 1, "sync_id": "s", "synced_at": CREATED}
            )
            rows["membership"].append(them | {"group_id": "g"})
            rows["seat"].append(
                them | {"resource_id": "r", "product_key": "jira-software", "activity": "never"}
            )
            rows["signal"].append(them | {"family": "jira", "seen_at": CREATED})
        for run_id, state, asked in [("r1", "finished", deed), ("r2", "preview", "suspend")]:
            rows["run"].append(
                here
                | {"id": run_id, "deed": asked, "state": state, "requested_by": "ana", "created_at": CREATED}
            )
        for case_id, run_id, account_id, state, left in [
            ("c1", "r1", "uma", "acted", left_as),
            ("c2", "r1", "ulf", "undone", left_as),
            ("c3", "r1", "umi", "failed", None),
            ("c4", "r1", "una", "acting", None),
            ("c5", "r2", "uma", "planned", None),
            ("c6", "r2", "ulf", "guarded", None),
        ]:
            case: dict[str, Any] = here | {
                "id": case_id,
                "run_id": run_id,
                "account_id": account_id,
                "directory_id": "d",
            }
            case |= {"name": account_id, "state": state, "reason": "Why.", "attempt": 1, "troubles": 0}
            over = CREATED + timedelta(hours=1) if left else None
            rows["run_case"].append(case | {"earlier": {"status": "x"}, "left_as": left, "finished_at": over})
    with engine.begin() as connection:
        metadata = MetaData()
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            if rows.get(table.name):
                connection.execute(insert(table), rows[table.name])


def assert_nothing_lost(before: Rows, after: Rows, *, but: set[str]) -> None:
    for table, rows in before.items():
        names = RENAMED if after[table] and "place" in after[table][0] else {}
        kept = [
            {names.get(name, name): value for name, value in row.items() if name not in but} for row in rows
        ]
        found = [{name: row[name] for name in kept[0]} for row in after[table]] if kept else after[table]
        assert sorted(found, key=repr) == sorted(kept, key=repr), table


def assert_whole(engine: Engine) -> None:
    """No row refers to one that is gone, and the tables are those of the models."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.slow
def test_an_old_database_keeps_everything_when_rules_come(old_database_url: str) -> None:
    """No row goes with a table that is copied; every case has its own deed, and its changes where they landed."""
    engine = create_engine(sqlalchemy_url(old_database_url))
    fill(engine)
    before = everything(engine)
    assert all(before[table] for table in ("membership", "seat", "run_case", "tenant"))
    migrate(old_database_url)
    assert_whole(engine)
    assert_nothing_lost(before, everything(engine), but={"left_as"})
    with Session(engine) as session:
        cases = {(case.organization_id, case.id): case for case in session.scalars(select(Case))}
    deeds = {key: case.deed for key, case in cases.items()}
    assert {deeds["acme", f"c{number}"] for number in range(1, 7)} == {"suspend"}
    assert [deeds["globex", f"c{number}"] for number in range(1, 7)] == ["restore"] * 4 + ["suspend"] * 2
    for organization, kind in [("acme", ChangeKind.SUSPEND), ("globex", ChangeKind.RESTORE)]:
        for case_id in ("c1", "c2"):
            case = cases[organization, case_id]
            assert (done_changes(case), case.changed) == ((Change(kind),), True)
            assert case.finished_at == CREATED + timedelta(hours=1)
        for case_id in ("c3", "c4", "c5", "c6"):
            case = cases[organization, case_id]
            assert (changes_of(case), case.changed) == (None, False)
    engine.dispose()


@pytest.mark.slow
def test_whoever_upgrades_at_the_same_time_waits(postgres_databases: PostgresDatabases) -> None:
    with (
        postgres_databases.blank() as url,
        ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool,
    ):
        assert list(pool.map(migrate, [url] * 3)) == [None] * 3
        engine = create_engine(sqlalchemy_url(url))
        assert_whole(engine)
        engine.dispose()


@pytest.mark.slow
def test_the_way_back_and_forth_again_loses_nobody(old_database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(old_database_url))
    fill(engine)
    before = everything(engine)
    migrate(old_database_url)
    migrate(old_database_url, "downgrade", "0002")
    back = everything(engine)
    assert back.keys() == before.keys()
    assert {table: {*rows[0]} for table, rows in back.items() if rows} == {
        table: {*rows[0]} for table, rows in before.items() if rows
    }
    assert_nothing_lost(before, back, but={"left_as"})
    migrate(old_database_url)
    assert_whole(engine)
    assert_nothing_lost(before, everything(engine), but={"left_as"})
    engine.dispose()
