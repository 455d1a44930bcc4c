"""Pins requirements*.in into requirements*.txt for every platform and Python from 3.11, by hashes.

    python scripts/lock.py             keep what is pinned, add what is new
    python scripts/lock.py --upgrade   the newest versions allowed

Without index addresses: a lock made behind a mirror is the same as one made elsewhere. Then npm's lock.
"""

import os
import subprocess
import sys

import assets
import environment

# In this order: the tests run on what is pinned for running.
PINNED = ("requirements.in", "requirements-dev.in", "requirements-node.in")


def main() -> int:
    """Write all locks; 0 when all were written."""
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    options = [
        "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
        "--no-emit-find-links", *upgrade,
    ]  # fmt: skip
    env = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    for source in PINNED:
        target = source.replace(".in", ".txt")
        command = [sys.executable, "-m", "uv", "pip", "compile", *options, source, "--output-file", target]
        subprocess.run(command, cwd=environment.TOP, env=env, check=True)
    _, npm = assets.find_node()
    options = ["--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved"]
    subprocess.run([*npm, "install", *options], cwd=environment.TOP, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
