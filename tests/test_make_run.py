"""`make run`: what the shell has in its environment for other programs changes nothing."""

from __future__ import annotations

import os
import runpy
import subprocess
from pathlib import Path

import pytest
from requests.utils import should_bypass_proxies

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


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_stands_between_its_programs(tmp_path: Path, name: str) -> None:
    probe = tmp_path / "probe.mk"
    probe.write_text("probe:\n\t@echo $$no_proxy\n")
    shell = {each: value for each, value in os.environ.items() if each.lower() != "no_proxy"}
    made = subprocess.run(
        ["make", "-s", "-f", "Makefile", "-f", str(probe), "probe"],
        cwd=TOP, env=shell | {name: "npm.example.com"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert should_bypass_proxies(f"{APP}/", no_proxy=made.stdout.strip())
    # What the shell excepts stays so.
    assert should_bypass_proxies("https://npm.example.com/", no_proxy=made.stdout.strip())
