"""A program that is started before `flask db upgrade`, or without a database, says so; no word is taken for lost."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app import create_app
from config import Settings
from models.db import db
from models.revision import is_behind
from tests.databases import PostgresDatabases, migrate, sqlalchemy_url

TOP = Path(__file__).resolve().parent.parent


def environment(database_url: str) -> dict[str, str]:
    return {
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PATH": os.environ["PATH"],
    }


def behind(database_url: str) -> bool:
    engine = create_engine(sqlalchemy_url(database_url))
    try:
        with engine.connect() as connection:
            return is_behind(connection)
    finally:
        engine.dispose()


@pytest.mark.slow
def test_a_database_is_behind_until_it_is_upgraded_to_the_newest_migration(
    postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    with postgres_databases.blank() as blank:
        for url in (blank, f"sqlite:///{tmp_path / 'new.sqlite'}"):
            assert behind(url)
            migrate(url)
            assert not behind(url)
            migrate(url, "downgrade", "head-1")
            assert behind(url)


BEHIND = "The database was not upgraded to this version of Rollcall. Run `flask db upgrade`."
AWAY = "The database does not answer, or takes nothing at the moment. What was said: "


def said_by(database_url: str, *program: str) -> list[str]:
    """The lines with which a program ends that cannot do what it is for."""
    command = [sys.executable, "-m", *program]
    ended = subprocess.run(
        command, cwd=TOP, env=environment(database_url), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    return ended.stderr.splitlines()


def test_a_worker_says_that_the_database_was_not_upgraded_or_is_away_and_ends(tmp_path: Path) -> None:
    first, why = said_by(f"sqlite:///{tmp_path / 'empty.sqlite'}", "jobs")
    assert (first, why) == ("Rollcall cannot start:", f"  - {BEHIND}")
    first, why = said_by("postgresql://postgres@127.0.0.1:1/rollcall", "jobs")
    assert first == "Rollcall cannot start:"
    assert why.startswith(f"  - {AWAY}connection failed: ")
    assert why.endswith("Start it again later.")


def test_whoever_types_a_command_reads_so_too(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: []")
    assert said_by(f"sqlite:///{tmp_path / 'empty.sqlite'}", "flask", "rotate-keys") == [f"Error: {BEHIND}"]
    (why,) = said_by("postgresql://postgres@127.0.0.1:1/rollcall", "flask", "rules", "plan", str(rules))
    assert why.startswith(f"Error: {AWAY}connection failed: ")
    assert why.endswith("Run this again later.")


def test_whoever_asks_meanwhile_is_asked_to_come_back(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment(environment(f"sqlite:///{tmp_path / 'empty.sqlite'}")))
    try:
        asked = {"base_url": "http://127.0.0.1:8000"}
        health = app.test_client().get("/healthz", **asked)
        assert (health.status_code, health.json) == (
            503,
            {"status": "The database was not upgraded to this version of Rollcall."},
        )
        token = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
        provider = app.test_client().get("/scim/v2/Users", headers=token, **asked)
        assert (provider.status_code, provider.headers["Retry-After"]) == (503, "60")
        assert "was not upgraded" in provider.text
    finally:
        with app.app_context():
            db.engine.dispose()
