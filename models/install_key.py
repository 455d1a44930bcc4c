"""Install keys of Atlassian that have opened a lifecycle event: a new process knows them without asking."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Row, String, Text, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from models.db import Base, UtcDateTime


class KeptInstallKey(Base):
    """A public key; `read_at` is when Atlassian's host last gave it."""

    __tablename__ = "install_key"

    kid: Mapped[str] = mapped_column(String(200), primary_key=True)
    pem: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)


_BY_KID = KeptInstallKey.kid == bindparam("kid")
_FOUND = select(KeptInstallKey.pem, KeptInstallKey.read_at).where(_BY_KID)


def find_install_key(connection: Connection, kid: str) -> Row[str, datetime] | None:
    """The PEM, and when it was read."""
    return connection.execute(_FOUND, {"kid": kid}).first()


def keep_install_key(connection: Connection, kid: str, pem: str, read_at: datetime) -> None:
    """Kept, if what is kept is older."""
    kept = find_install_key(connection, kid)
    # Looked at first: an event an hour writes here, and the others wait for no row that all of them share.
    if kept is not None and kept.read_at >= read_at:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(KeptInstallKey).values(kid=kid, pem=pem, read_at=read_at)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["kid"], set_={"pem": pem, "read_at": read_at})
    )


def forget_install_key(connection: Connection, kid: str) -> None:
    connection.execute(delete(KeptInstallKey).where(_BY_KID), {"kid": kid})
