"""`make bench`, or `python -m bench verify` for one part of it."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time

PARTS = {
    "verify": "proving who asks, one process each",
    "sync": "reading a whole directory from the sandbox",
    "people": "the People page at 100,000 people",
    "panels": "the panel on an issue at 100,000 people",
    "rules": "planning a rule over 100,000 people, and the first page of its preview",
    "roster": "a file of 20,000 people, checked row by row into a preview",
    "deeds": "10,000 suspensions beside the rate that Atlassian allows",
}


def main() -> int:
    """Run the parts named on the command line, or all; 1 when a goal was missed."""
    chosen = sys.argv[1:] or list(PARTS)
    unknown = set(chosen) - set(PARTS)
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    missed = []
    for part in chosen:
        print(f"\n{part}: {PARTS[part]}", flush=True)
        if not importlib.import_module(f"bench.{part}").main():
            missed.append(part)
    print(f"\nGoals missed in: {', '.join(missed)}" if missed else "\nAll goals reached.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
