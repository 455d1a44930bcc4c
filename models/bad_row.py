"""BadRow: a row of a file of people that nothing came of, as it stood there, to be mended."""

from __future__ import annotations

from sqlalchemy import JSON, ColumnElement, ForeignKeyConstraint, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base


class BadRow(Base):
    """`cells` as in the file, `problems` as [column, sentence]. The header is kept beside them, without problems."""

    __tablename__ = "bad_row"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    is_header: Mapped[bool] = mapped_column(default=False)
    email: Mapped[str] = mapped_column(String(320), default="")
    cells: Mapped[list[str]] = mapped_column(JSON)
    problems: Mapped[list[list[str]]] = mapped_column(JSON)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "run_id"], ["run.organization_id", "run.id"], ondelete="CASCADE"
        ),
    )


def count_bad_rows(session: Session, organization_id: str, run_id: str) -> int:
    query = select(func.count(BadRow.line)).where(
        *_of_run(organization_id, run_id), BadRow.is_header.is_(False)
    )
    return session.scalar(query) or 0


def bad_rows_of(
    session: Session, organization_id: str, run_id: str, *, after: int = -1, offset: int = 0, limit: int = 50
) -> list[BadRow]:
    """Rows behind the line `after`, in their order, without the header."""
    query = select(BadRow).where(
        *_of_run(organization_id, run_id), BadRow.is_header.is_(False), BadRow.line > after
    )
    return list(session.scalars(query.order_by(BadRow.line).offset(offset).limit(limit)))


def header_of(session: Session, organization_id: str, run_id: str) -> list[str]:
    """The header of the file; empty when every row of it was good."""
    query = select(BadRow.cells).where(*_of_run(organization_id, run_id), BadRow.is_header.is_(True))
    return session.scalar(query) or []


def _of_run(organization_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    return (BadRow.organization_id == organization_id, BadRow.run_id == run_id)
