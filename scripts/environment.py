"""Makes `.venv` and puts the pinned, hashed packages into it.

    python3 scripts/environment.py run     what Rollcall needs to run
    python3 scripts/environment.py test    that, and what the tests and checks need

Standard library only, and old enough Python that an outdated `python3` can still say what is wrong. Called by
the Makefile, which remembers by stamp files that it was done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
REQUIREMENTS = {"run": "requirements.txt", "test": "requirements-dev.txt", "node": "requirements-node.txt"}


def main() -> int:
    """Install one set of requirements; 0 when it is there."""
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in REQUIREMENTS:
        return _say("Say what to install: " + ", ".join(REQUIREMENTS) + ".")
    if not PYTHON.exists() and not _make_venv():
        return 1
    if not _has_pip() and not _run([str(PYTHON), "-m", "ensurepip", "--upgrade"]):
        return _say("The environment in .venv has no pip. Remove .venv and try again.")
    if not install(REQUIREMENTS[what]):
        return _say("The packages could not be installed; pip's own words are above.")
    return 0


def install(requirements: str) -> bool:
    """Install exactly what a lock file lists: every file must match one of its hashes."""
    print(f"Installing {requirements} into .venv ...", flush=True)
    command = [
        str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--require-hashes", "--requirement", str(TOP / requirements),
    ]  # fmt: skip
    return _run(command)


def _make_venv() -> bool:
    python = _new_enough_python()
    if not python:
        _say("Rollcall needs Python 3.11 or newer; found only {}.{}.".format(*sys.version_info[:2]))
        return False
    print("Making .venv ...", flush=True)
    if _venv(python):
        return True
    # Debian and Ubuntu leave ensurepip out of python3; it comes with a package of its own.
    package = _venv_package(python)
    if shutil.which("apt-get") and os.geteuid() == 0:
        print(f"This Python can't make environments yet; installing {package} ...", flush=True)
        if _apt("update") and _apt("install", package) and _venv(python):
            return True
    shutil.rmtree(VENV, ignore_errors=True)
    how = f"sudo apt-get install {package}" if shutil.which("apt-get") else "install Python's venv"
    _say(f"This Python can't make an environment. Do this once, then try again: {how}")
    return False


def _new_enough_python() -> str:
    if sys.version_info >= OLDEST:
        return sys.executable
    names = ("python3.14", "python3.13", "python3.12", "python3.11")
    return next((found for found in map(shutil.which, names) if found), "")


def _venv(python: str) -> bool:
    done = subprocess.run([python, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    return done.returncode == 0 and PYTHON.exists() and _has_pip()


def _venv_package(python: str) -> str:
    """Debian's name of the package with ensurepip for this Python."""
    ask = "import sys; print('python{}.{}-venv'.format(*sys.version_info[:2]))"
    return subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def _has_pip() -> bool:
    return _run([str(PYTHON), "-m", "pip", "--version"], quiet=True)


def _apt(*words: str) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", "-y", *words]
    return subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode == 0


def _run(command: list[str], *, quiet: bool = False) -> bool:
    out = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=out, stderr=out, check=False).returncode == 0


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
