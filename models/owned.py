"""What an organization owns: the rows that go with it."""

from __future__ import annotations

from sqlalchemy import Table, delete, select, tuple_
from sqlalchemy.orm import Session

from models.db import Base


def owned_tables() -> list[Table]:
    """Every table whose rows go with their organization; what hangs from others comes before them."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if any(
            "organization_id" in key.column_keys and key.ondelete == "CASCADE"
            for key in table.foreign_key_constraints
        )
    ]


def take_rows(session: Session, table: Table, organization_id: str, most: int) -> bool:
    """Takes up to `most` rows of an organization out of one of these tables. Returns whether there may be more."""
    key = tuple_(*table.primary_key)
    some = select(*table.primary_key).where(table.c.organization_id == organization_id).limit(most)
    taken = session.execute(delete(table).where(key.in_(some)))
    return bool(taken.rowcount == most)  # type: ignore[attr-defined]
