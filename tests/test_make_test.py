"""`make test`: a browser is found or installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def test_where_the_system_has_no_chromium_playwrights_gets_what_it_needs(tmp_path: Path) -> None:
    """As on Ubuntu, whose Chromium is a snap. Only root may install packages."""
    (tmp_path / "apt-get").write_text("#!/bin/sh\n")
    (tmp_path / "apt-get").chmod(0o755)
    stand_in = tmp_path / "playwright" / "__main__.py"
    stand_in.parent.mkdir()
    (stand_in.parent / "__init__.py").touch()
    stand_in.write_text(f"import sys\nprint(*sys.argv[1:], file=open({str(tmp_path / 'asked')!r}, 'a'))\n")
    subprocess.run(
        [sys.executable, "-c", "from scripts import chromium; chromium.by_playwright()"],
        cwd=TOP,
        env={"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["install-deps chromium"] * (os.geteuid() == 0) + ["install chromium"]
