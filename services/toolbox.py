"""What every deed needs, in one value: made once by wiring.py, handed to every service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from config import Settings
from connect.hosts import SiteOrigins
from connect.install_keys import InstallKeys
from services.atlassian import Atlassian
from services.vault import Vault


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Settings, memory, clock and the ways to Atlassian. `clock` gives aware UTC moments; `looks` is for look()."""

    settings: Settings
    engine: Engine
    looks: Engine
    sessions: sessionmaker[Session]
    vault: Vault
    clock: Callable[[], datetime]
    atlassian: Atlassian
    install_keys: InstallKeys
    origins: SiteOrigins

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: everything inside is kept, or nothing."""
        with self.sessions.begin() as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """For one question that every request asks: a connection costs a fraction of a session. Keeps nothing."""
        with self.looks.connect() as connection:
            yield connection
