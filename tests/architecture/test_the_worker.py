"""The worker is started again after every crash: it loads what it needs, and no pages. How programs end that are set

up wrongly."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.sources import TOP


def test_the_worker_loads_no_pages() -> None:
    ask = "import sys, jobs.engine, wiring; print(*{'views', 'app', 'scim2_models', 'alembic'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", ask], cwd=TOP, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


@pytest.mark.parametrize(
    "program",
    [("jobs",), ("gunicorn", "--log-level", "critical", "app:create_app()"), ("flask", "db", "upgrade")],
    ids=["worker", "web", "flask"],
)
def test_a_program_that_is_set_up_wrongly_says_so_and_nothing_else(program: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", *program]
    environment = {"BIND": "127.0.0.1:0"}
    ended = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    said = ended.stderr.splitlines()
    assert said[0].removeprefix("Error: ") == "Rollcall cannot start:"
    assert {line.split()[1] for line in said[1:]} == {
        "BASE_URL",
        "DATABASE_URL",
        "CREDENTIAL_KEYS",
        "SECRET_KEY",
    }
