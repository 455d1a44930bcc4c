"""What people of a site own, made once and always the same: projects, components, filters, issues, spaces, tokens."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox import works, world
from sandbox.seed import iso
from sandbox.store import Store

Row = tuple[str, str, str, str, str | None, str, int, int, str | None]
"""kind, id, key, name, holder, parent, shared, open, at."""

PROJECTS = {
    "WEB": ("Website relaunch", ("Checkout", "Search", "Accounts")),
    "OPS": ("Operations", ("Backups", "Monitoring", "On-call")),
    "HR": ("People and culture", ("Hiring", "Onboarding")),
    "FIN": ("Finance close", ("Month end", "Travel costs")),
    "MOB": ("Mobile app", ("Android", "iOS", "Push notices")),
    "LEGAL": ("Legal requests", ("Contracts",)),
}
FILTERS = (
    "Open bugs",
    "Due this week",
    "Without an assignee",
    "Released last month",
    "Blocked",
    "Waiting for a customer",
    "Security findings",
    "My team's sprint",
)
DASHBOARDS = ("Release health", "Team board", "Service levels", "Budget", "Incidents")
TASKS = (
    "Renew the certificate",
    "Write the release notes",
    "Answer the auditor",
    "Clean up old branches",
    "Check the invoices",
    "Plan the workshop",
    "Mend the broken export",
    "Update the price list",
)
SPACES = {
    "ENG": "Engineering",
    "PEOPLE": "People handbook",
    "SALES": "Sales playbook",
    "BOARD": "Board papers",
    "TRAVEL": "Travel and expenses",
    "DESIGN": "Design system",
}
TOKENS = ("Backup script", "Excel import", "Build server", "Status page", "Old laptop")


def fill(store: Store, organization: world.Organization) -> None:
    """Write everything down once; nothing happens the second time."""
    done = f"belongings:{organization.key}"
    if store.get(done):
        return
    with store.write() as connection:
        if store.get(done):
            return
        rnd = random.Random(f"belongings:{organization.key}")
        people = [
            str(row["account_id"])
            for row in store.all(
                "SELECT account_id FROM person WHERE org = ? AND kind = 'employee' AND account_status = 'active'"
                " AND membership = 'active' ORDER BY seq LIMIT 30",
                (organization.key,),
            )
        ]
        known = [person.account_id for person in organization.people]
        rows = [*_jira(known, people or known, rnd), *_tokens(known, people, rnd)]
        connection.executemany(
            "INSERT INTO belonging VALUES (?,?,?,?,?,?,?,?,?,?)", [(organization.key, *row) for row in rows]
        )
        _spaces(connection, organization, known, people or known, rnd)
        store.put(done, "1")


def _jira(known: list[str], people: list[str], rnd: random.Random) -> Iterator[Row]:
    """The third of the known people, a plain user, owns something of everything."""
    admin, plain = known[0], known[2]
    anybody = [*people, plain]
    yield ("project", works.PROJECT["id"], works.PROJECT["key"], works.PROJECT["name"], admin, "", 1, 1, None)
    issue = 11000
    for number, (key, (name, components)) in enumerate(PROJECTS.items(), start=1):
        project = str(10000 + number * 10)
        lead = plain if key in ("WEB", "HR") else rnd.choice(people)
        yield ("project", project, key, name, lead, "", 1, 1, None)
        for place, component in enumerate(components):
            owner = plain if (key, place) in (("WEB", 0), ("MOB", 1)) else rnd.choice([*people, None])
            yield ("component", f"{project}{place}", key, component, owner, project, 1, 1, None)
        for place in range(14):
            issue += 1
            owner = plain if place < 2 else rnd.choice([*anybody, None])
            yield (
                "issue",
                str(issue),
                f"{key}-{place + 1}",
                rnd.choice(TASKS),
                owner,
                project,
                1,
                int(place < 2 or rnd.random() < 0.7),
                None,
            )
    yield from _shared(plain, admin, people, rnd)


def _shared(plain: str, admin: str, people: list[str], rnd: random.Random) -> Iterator[Row]:
    """Filters and dashboards; some are private."""
    for number in range(36):
        owner = plain if number < 4 else admin if number == 4 else rnd.choice(people)
        private = number == 3 or (number > 4 and rnd.random() < 0.2)
        name = FILTERS[number % len(FILTERS)]
        title = name if number < len(FILTERS) else f"{name} ({number})"
        yield ("filter", str(10300 + number), "", title, owner, "", int(not private), 1, None)
    for number in range(14):
        owner = plain if number < 3 else rnd.choice(people)
        private = number == 2 or (number > 3 and rnd.random() < 0.2)
        name = DASHBOARDS[number % len(DASHBOARDS)]
        title = name if number < len(DASHBOARDS) else f"{name} ({number})"
        yield ("dashboard", str(10400 + number), "", title, owner, "", int(not private), 1, None)


def _tokens(known: list[str], people: list[str], rnd: random.Random) -> Iterator[Row]:
    """API tokens that nobody here can know: only their names and when they were used."""
    owners = [known[2], known[2], *rnd.sample(people, len(people) // 3)]
    for number, owner in enumerate(owners):
        label = TOKENS[number % len(TOKENS)]
        used = None if rnd.random() < 0.25 else iso(datetime.now(UTC) - timedelta(days=200 * rnd.random()))
        token_id = world.token_id("made-token", owner, str(number))
        yield ("token", token_id, "", label, owner, "", 1, 1, used)


def _spaces(
    connection: sqlite3.Connection,
    organization: world.Organization,
    known: list[str],
    people: list[str],
    rnd: random.Random,
) -> None:
    """Who may administer which space: people and groups. Those of the site may administer most, as a new space has it.

    BOARD is looked after by one person alone; nobody else may even change who may.
    """
    everybody = world.stable_id("group", organization.key, "confluence-users")
    admins = world.stable_id("group", organization.key, "site-admins")
    rows: list[tuple[str, str, str, str]] = []
    spaces = {works.SPACE["key"]: (works.SPACE["id"], works.SPACE["name"])}
    for number, (key, name) in enumerate(SPACES.items(), start=1):
        spaces[key] = (str(65537 + number * 11), name)
    for key, (space, name) in spaces.items():
        connection.execute(
            "INSERT INTO belonging VALUES (?,?,?,?,?,?,?,?,?,?)",
            (organization.key, "space", space, key, name, None, "", 1, 1, None),
        )
        sole = key in ("PEOPLE", "BOARD", "TRAVEL")
        stewards = [known[2]] if sole else rnd.sample(people, min(2, len(people)))
        rows += [(space, "user", one, "read") for one in stewards]
        rows += [(space, "user", one, "administer") for one in stewards]
        rows.append((space, "group", everybody, "read"))
        rows.append((space, "group", admins, "read"))
        if key != "BOARD":
            rows.append((space, "group", admins, "administer"))
    connection.executemany(
        "INSERT OR IGNORE INTO space_permission (org, space, principal_type, principal, operation)"
        " VALUES (?,?,?,?,?)",
        [(organization.key, *row) for row in rows],
    )
