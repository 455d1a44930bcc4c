"""A second organization in which everything goes by the same names: nothing that happens here may touch it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, literal, select
from sqlalchemy.orm import Session

from models.db import Base
from tests.world import ACME, World

TWIN = "twin"
_ITS_OWN = {"organization", "ticket_rule", "ticket_call"}
"""Where one row is the only one of its name anywhere."""
_WAITS = {"resume_at", "next_run_at", "next_at", "look_at", "ask_at", "token_hash"}
"""Nothing is due there, and no token opens it."""

Facts = dict[str, list[tuple[Any, ...]]]


def make_a_twin(world: World, now: datetime) -> Facts:
    """What is remembered of acme this moment, as another organization's; what that one holds."""
    tables = [each for each in Base.metadata.sorted_tables if _may_be_copied(each)]
    with world.tools.begin() as session:
        for table in reversed(tables):
            session.execute(table.delete().where(table.c.organization_id == TWIN))
        organization = Base.metadata.tables["organization"]
        session.execute(organization.delete().where(organization.c.id == TWIN))
        itself = {"id": TWIN, "name": "Twin", "created_at": now, "doorless_since": now}
        session.execute(insert(organization), itself | {"paused_until": now + timedelta(days=9999)})
        for table in tables:
            _copy(session, table)
    return of_the_twin(world)


def of_the_twin(world: World) -> Facts:
    with world.tools.begin() as session:
        return {
            table.name: sorted(
                (tuple(row) for row in session.execute(select(table).where(table.c.organization_id == TWIN))),
                key=repr,
            )
            for table in Base.metadata.sorted_tables
            if "organization_id" in table.c
        }


def _copy(session: Session, table: Table) -> None:
    names = [column.name for column in table.c if column.name not in _WAITS or not column.nullable]
    values = [literal(TWIN) if name == "organization_id" else table.c[name] for name in names]
    session.execute(insert(table).from_select(names, select(*values).where(table.c.organization_id == ACME)))


def _may_be_copied(table: Table) -> bool:
    return table.name not in _ITS_OWN and "organization_id" in table.primary_key.columns
