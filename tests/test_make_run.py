"""`make run`: what the shell has in its environment for other programs changes nothing."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from config import Settings
from scripts.run import APP, local_world, read_or_make_secrets

TOP = Path(__file__).resolve().parent.parent


def test_it_listens_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5000")
    for name, value in local_world().items():
        monkeypatch.setenv(name, value)
    assert f"http://{runpy.run_path(str(TOP / 'gunicorn.conf.py'))['bind']}" == APP


def test_it_keeps_its_work_beside_its_own_database(tmp_path: Path) -> None:
    shell = {"JOBS_DATABASE_URL": "postgresql://rollcall@db.example.com/jobs"}
    settings = Settings.from_environment(
        shell | local_world() | read_or_make_secrets(tmp_path / "secrets.env")
    )
    assert settings.jobs_database_url == settings.database_url.replace("rollcall.", "rollcall-jobs.")
