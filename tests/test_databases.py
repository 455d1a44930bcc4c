"""The real migrations make what the models say, on both databases; every test has its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, select

from models import Base
from models.organization import Organization
from tests.databases import sqlalchemy_url

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
