"""Fill an empty store with a deterministic organization: the same seed gives the same people, days before today."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox import world
from sandbox.draft import Draft
from sandbox.seed_groups import team_plan, write_teams
from sandbox.seed_people import population
from sandbox.store import Store


def fill(store: Store, *, people: int, small: int, seed: str, now: datetime) -> None:
    """Write both organizations; `people` in acme, `small` in globex."""
    with store.write() as connection:
        for organization, count in ((world.ACME, people), (world.GLOBEX, small)):
            teams = write_teams(connection, organization)
            drafts = population(organization, count, random.Random(f"{seed}:{organization.key}"))
            _write_people(connection, organization, teams, drafts, now)
        _write_credentials(connection)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _write_people(
    connection: sqlite3.Connection,
    organization: world.Organization,
    teams: dict[str, str],
    drafts: Iterator[Draft],
    now: datetime,
) -> None:
    row = connection.execute("SELECT coalesce(max(seq), 0) FROM person").fetchone()
    seq = int(row[0])
    plans = team_plan(organization)
    grants = {name: {resource for resource, _ in plan[2]} for name, plan in plans.items()}
    people, members, synced, direct, activity = [], [], [], [], []
    for draft in drafts:
        seq += 1
        people.append(_person_row(seq, organization.key, draft, now))
        members += [(seq, teams[name]) for name in dict.fromkeys(draft.teams)]
        synced += [(seq, teams[name]) for name in dict.fromkeys(draft.teams) if plans[name][1]]
        direct += [(seq, resource, role) for resource, role in draft.direct]
        held = {resource for name in draft.teams for resource in grants[name]} | {r for r, _ in draft.direct}
        activity += [
            (seq, resource, iso(now - timedelta(days=days)))
            for resource, days in draft.active_days.items()
            if resource in held
        ]
    connection.executemany("INSERT INTO person VALUES (" + ",".join("?" * 24) + ")", people)
    connection.executemany("INSERT INTO member VALUES (?,?)", members)
    connection.executemany("INSERT INTO synced_member VALUES (?,?)", synced)
    connection.executemany("INSERT INTO direct_role VALUES (?,?,?)", direct)
    connection.executemany("INSERT INTO activity VALUES (?,?,?)", activity)


def _person_row(seq: int, org: str, draft: Draft, now: datetime) -> tuple[object, ...]:
    left = None if draft.left_days is None else iso(now - timedelta(days=draft.left_days))
    place = draft.place or (None, None)
    return (
        seq,
        org,
        draft.account_id,
        draft.name,
        draft.nickname,
        draft.email,
        draft.hidden,
        draft.email.split("@")[1],
        draft.verified,
        draft.account_status,
        draft.membership,
        None,
        0.0,
        draft.claim,
        draft.source,
        draft.mfa,
        iso(now - timedelta(days=draft.added_days)),
        left,
        draft.job,
        draft.department,
        place[0],
        place[1],
        draft.kind,
        " ".join(draft.roles),
    )


def _write_credentials(connection: sqlite3.Connection) -> None:
    for key in world.ADMIN_KEYS:
        owner = world.ORGANIZATIONS[key.org].admin.account_id
        connection.execute(
            "INSERT INTO admin_key VALUES (?,?,?,?,?,?)",
            (key.key, key.org, owner, key.scoped, key.expired, key.label),
        )
    for token in world.API_TOKENS:
        person = next(p for p in world.ORGANIZATIONS[token.org].people if p.email == token.email)
        connection.execute(
            "INSERT INTO api_token VALUES (?,?,?,?,?,?,?)",
            (
                token.token,
                token.org,
                person.account_id,
                token.email,
                token.scoped,
                token.expired,
                token.label,
            ),
        )
