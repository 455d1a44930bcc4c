"""Where install keys outlive the process that read them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from connect.install_keys import InstallKey
from models.install_key import find_install_key, forget_install_key


@dataclass(frozen=True, slots=True)
class InstallKeyShelf:
    """connect.install_keys.Shelf in the database. What is put on it is the installation's, when it is accepted."""

    looks: Engine
    sessions: sessionmaker[Session]

    def find(self, kid: str) -> InstallKey | None:
        with self.looks.connect() as connection:
            found = find_install_key(connection, kid)
        return None if found is None else InstallKey(*found)

    def forget(self, kid: str) -> None:
        with self.sessions.begin() as session:
            forget_install_key(session.connection(), kid)
