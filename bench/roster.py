"""A file of 20,000 people, checked row by row into a preview, on SQLite and PostgreSQL."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import select

from bench.insider import inside
from bench.world import World, request, world
from connect.caller import Caller
from models.people import Person
from services import people_file, profiles
from services.profiles import Typed
from services.toolbox import Toolbox
from tests.postgres import serve

PEOPLE = 20_000
ROWS = 20_000
SECONDS = 10.0
PAGE_MS = 200.0
GROWTH_MB = 60.0
"""How much memory a file may take: a batch of its rows, and whom it has met already."""


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), PEOPLE) as running:
        on_sqlite = files("SQLite", running)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "pg") as server,
        world(Path(folder), PEOPLE, server.url("postgres")) as running,
    ):
        on_postgresql = files("PostgreSQL", running)
    return on_sqlite and on_postgresql


def files(kind: str, running: World) -> bool:
    """A file of newcomers, one of people who are here, and one in which every second row has to be mended."""
    running.synced()
    running.tidy()
    print(f"  {kind}")
    with inside(running) as (tools, caller):
        _make_profile(tools, caller)
        here = _addresses(tools)
        # The first file of a process pays for what is loaded once.
        people_file.preview_file(
            tools, caller, _lines([f"first-{number}@x.example" for number in range(2000)])
        )
        reached = [
            one_file(
                "newcomers", running, tools, caller, [f"new-{number}@x.example" for number in range(ROWS)]
            ),
            one_file("people who are here", running, tools, caller, here),
            one_file(
                "half of it to mend", running, tools, caller, [*here[: ROWS // 2], *["nobody"] * (ROWS // 2)]
            ),
        ]
    return all(reached)


def one_file(name: str, running: World, tools: Toolbox, caller: Caller, addresses: Sequence[str]) -> bool:
    """How long its rows take to be a preview, how much memory, and the preview's page as the browser gets it."""
    before = _megabytes()
    start = time.perf_counter()
    run_id = people_file.preview_file(tools, caller, _lines(addresses))
    took, growth = time.perf_counter() - start, _megabytes() - before
    headers = {"Authorization": f"JWT {running.token()}", "HX-Request": "true"}
    pages = []
    for _ in range(7):
        start = time.perf_counter()
        request(running.app, f"/app/runs/{run_id}", headers)
        pages.append((time.perf_counter() - start) * 1000)
    page = sorted(pages)[-2]
    reached = took <= SECONDS and growth <= GROWTH_MB and page <= PAGE_MS
    print(
        f"    {name:20} {len(addresses):7,} rows in {took:5.2f} s, {growth:4.0f} MB more   its page {page:6.1f} ms"
        f"{'' if reached else '  ← MISSED'}",
        flush=True,
    )
    return reached


def _make_profile(tools: Toolbox, caller: Caller) -> None:
    organization = profiles.organization_now(tools, caller)
    # No seat is taken: the pretend organization would run out of them.
    roles = [
        f"atlassian/guest {one.resource_id}"
        for one in organization.products.values()
        if one.key == "confluence"
    ]
    profiles.save_profile(tools, caller, None, Typed(name="Guest", roles=roles))


def _addresses(tools: Toolbox) -> list[str]:
    with tools.begin() as session:
        query = select(Person.email).where(Person.email.is_not(None), Person.left_at.is_(None)).limit(ROWS)
        return [email for email in session.scalars(query) if email]


def _lines(addresses: Sequence[str]) -> Iterator[bytes]:
    yield b"e-mail;name;profile;note\r\n"
    for number, address in enumerate(addresses):
        yield f'{address};"Some Body {number}";guest;"from the file"\r\n'.encode()


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
