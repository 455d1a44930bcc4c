"""The worker is started again after every crash: it loads what it needs, and no pages."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import TOP


def test_the_worker_loads_no_pages() -> None:
    ask = "import sys, jobs.engine, wiring; print(*{'views', 'app', 'scim2_models', 'alembic'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", ask], cwd=TOP, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_a_worker_that_is_set_up_wrongly_says_so_and_nothing_else() -> None:
    command = [sys.executable, "-m", "jobs"]
    ended = subprocess.run(command, cwd=TOP, env={}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    said = ended.stderr.splitlines()
    assert said[0] == "Rollcall cannot start:"
    assert {line.split()[1] for line in said[1:]} == {
        "BASE_URL",
        "DATABASE_URL",
        "CREDENTIAL_KEYS",
        "SECRET_KEY",
    }
