"""The worker is started again after every crash: it loads what it needs, and no pages."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import TOP


def test_the_worker_loads_no_pages() -> None:
    ask = "import sys, jobs.engine, wiring; print(*{'views', 'app', 'scim2_models', 'alembic'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", ask], cwd=TOP, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
