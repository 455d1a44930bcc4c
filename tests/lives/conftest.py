from __future__ import annotations

from tests.services.conftest import neighbours, sqlite_app

__all__ = ["neighbours", "sqlite_app"]
