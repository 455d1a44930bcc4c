"""Prints the path of a Chromium for the browser tests, installing one when the machine has none.

Looked for in this order: CHROMIUM_PATH, a Chromium or Chrome of the system's, `apt-get` when we are root, a
download by Playwright.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# Names in other alphabets are drawn in the screenshots, too.
PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-cjk")
# What Playwright's own driver needs and a small Debian lacks.
DRIVER_PACKAGES = ("libatomic1",)


def main() -> int:
    """Print the path; 1 and a sentence when there is no browser to be had."""
    found = from_variable() or on_this_machine() or by_apt() or by_playwright()
    if not found:
        sentence = "No Chromium found or installed. Install one and name it: CHROMIUM_PATH=/path make test"
        print(sentence, file=sys.stderr)
        return 1
    if not driver_starts() and not (apt_install(*DRIVER_PACKAGES) and driver_starts()):
        print(
            f"Playwright's driver does not start. Try: sudo apt-get install {DRIVER_PACKAGES[0]}",
            file=sys.stderr,
        )
        return 1
    print(found)
    return 0


def driver_starts() -> bool:
    """Whether Playwright's driver, a program that comes with the package, runs on this machine."""
    ask = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(ask, capture_output=True, check=False).returncode == 0


def from_variable() -> str:
    """The path somebody chose by CHROMIUM_PATH."""
    return os.environ.get("CHROMIUM_PATH", "")


def on_this_machine() -> str:
    """A browser that starts: Ubuntu's `chromium-browser` may be only a hint to install another."""
    found = [path for path in map(shutil.which, NAMES) if path]
    if MAC.exists():
        found.append(str(MAC))
    return next((path for path in found if _starts(path)), "")


def by_apt() -> str:
    """Debian's Chromium, when we are allowed to install it."""
    return on_this_machine() if apt_install(*PACKAGES) else ""


def apt_install(*packages: str) -> bool:
    """Whether Debian's packages are installed now; only root may, elsewhere nothing is tried."""
    if not may_install():
        return False
    print(f"Installing {', '.join(packages)} with apt-get ...", file=sys.stderr, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", "-y", *words], env=env, stdout=subprocess.DEVNULL, check=False
        )
    return done.returncode == 0


def may_install() -> bool:
    """Whether we are allowed to install packages of the system's."""
    return bool(shutil.which("apt-get")) and os.geteuid() == 0


def by_playwright() -> str:
    """Playwright's own Chromium, downloaded once into the user's cache."""
    # Ubuntu's packages have no Chromium but in a snap, and a small Ubuntu lacks what this one needs to start.
    for what in ("install-deps", "install") if may_install() else ("install",):
        subprocess.run([sys.executable, "-m", "playwright", what, "chromium"], stdout=sys.stderr, check=False)
    ask = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else ""


def _starts(path: str) -> bool:
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
