"""Fill an empty store with a deterministic organization: the same seed gives the same people, days before today."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sandbox import names, world
from sandbox.store import Store

USER, ADMIN, AGENT = "atlassian/user", "atlassian/admin", "atlassian/user"
ORG_ADMIN, SITE_ADMIN = "atlassian/org-admin", "atlassian/site-admin"


@dataclass(slots=True)
class Draft:
    """One person before they are written down."""

    account_id: str
    name: str
    nickname: str
    email: str
    kind: str
    job: str | None = None
    department: str | None = None
    place: tuple[str, str] | None = None
    account_status: str = "active"
    membership: str = "active"
    claim: str = "managed"
    source: str | None = "invited"
    verified: bool = True
    hidden: bool = False
    mfa: bool = False
    added_days: float = 400.0
    left_days: float | None = None
    roles: tuple[str, ...] = ()
    teams: list[str] = field(default_factory=list)
    direct: list[tuple[str, str]] = field(default_factory=list)
    active_days: dict[str, float] = field(default_factory=dict)


def fill(store: Store, *, people: int, small: int, seed: str, now: datetime) -> None:
    """Write both organizations; `people` in acme, `small` in globex."""
    with store.write() as connection:
        for organization, count in ((world.ACME, people), (world.GLOBEX, small)):
            teams = _write_teams(connection, organization)
            drafts = _population(organization, count, random.Random(f"{seed}:{organization.key}"))
            _write_people(connection, organization, teams, drafts, now)
        _write_credentials(connection)


# -- groups -----------------------------------------------------------------------------------------------------


def _team_plan(organization: world.Organization) -> dict[str, tuple[str, bool, list[tuple[str, str]]]]:
    """name -> description, synced by an identity provider, what it grants."""
    jira, confluence = organization.resource(world.JIRA), organization.resource(world.CONFLUENCE)
    plan: dict[str, tuple[str, bool, list[tuple[str, str]]]] = {
        "org-admins": ("Organization administrators", False, []),
        "site-admins": ("Administrators of the site", False, [(jira, ADMIN), (confluence, ADMIN)]),
        "jira-admins": ("Administer Jira", False, [(jira, ADMIN)]),
        "confluence-admins": ("Administer Confluence", False, [(confluence, ADMIN)]),
        "jira-users": ("Default access to Jira", False, [(jira, USER)]),
        "confluence-users": ("Default access to Confluence", False, [(confluence, USER)]),
        "all-staff": ("Everybody employed: Jira and Confluence", True, [(jira, USER), (confluence, USER)]),
        "contractors": ("People from outside", False, [(confluence, USER)]),
    }
    for department in names.JOBS:
        grants = [(jira, USER), (confluence, USER)] if department in ("Engineering", "Product") else []
        plan["team-" + department.lower()] = (department, True, grants)
    if world.SERVICE_DESK in organization.products:
        plan["service-desk-agents"] = ("Agents", False, [(organization.resource(world.SERVICE_DESK), AGENT)])
    return plan


def _write_teams(connection: sqlite3.Connection, organization: world.Organization) -> dict[str, str]:
    ids = {}
    for name, (description, synced, grants) in _team_plan(organization).items():
        ids[name] = world.stable_id("group", organization.key, name)
        connection.execute(
            "INSERT INTO team VALUES (?,?,?,?,?)", (ids[name], organization.key, name, description, synced)
        )
        connection.executemany(
            "INSERT INTO team_role VALUES (?,?,?)", [(ids[name], *grant) for grant in grants]
        )
    return ids


# -- people -----------------------------------------------------------------------------------------------------


def _population(organization: world.Organization, count: int, rnd: random.Random) -> Iterator[Draft]:
    known = [_known(organization, person) for person in organization.people]
    owner = _employee(organization, rnd, set(), kind="other-site-owner")
    yield from [*known, owner][:count]
    used: set[str] = {draft.email for draft in known} | {owner.email}
    for index in range(len(known) + 1, count):
        share = rnd.random()
        if share < 0.012:
            yield _robot(organization, rnd, index, "bot")
        elif share < 0.02:
            yield _robot(organization, rnd, index, "service-account")
        elif share < 0.13:
            yield _external(organization, rnd, used)
        else:
            yield _employee(organization, rnd, used)


def _known(organization: world.Organization, person: world.KnownPerson) -> Draft:
    city = ("Zagreb", "Europe/Zagreb")
    draft = Draft(
        person.account_id,
        person.name,
        person.name.split()[0],
        person.email,
        "known",
        "IT Administrator",
        "Operations",
        city,
        mfa=True,
        added_days=900,
        teams=["all-staff"],
    )
    draft.active_days = {organization.resource(p): 0.05 for p in (world.JIRA, world.CONFLUENCE)}
    if person.power == "admin":
        draft.roles = (ORG_ADMIN, SITE_ADMIN)
        draft.teams += ["org-admins", "site-admins"]
    elif person.power == "product-admin":
        draft.teams += ["jira-admins", "confluence-admins"]
    return draft


def _account_id(rnd: random.Random) -> str:
    if rnd.random() < 0.3:
        return f"5{rnd.getrandbits(92):023x}"
    prefix = "557058" if rnd.random() < 0.25 else "712020"
    return f"{prefix}:{UUID(int=rnd.getrandbits(128), version=4)}"


def _name(rnd: random.Random) -> tuple[str, str, str, tuple[str, str]]:
    """first, last, shown name, place."""
    first_names, last_names, places = rnd.choice(names.CULTURES)
    first, last = rnd.choice(first_names), rnd.choice(last_names)
    eastern = not first.isascii() and not names.ascii_slug(first)
    return first, last, f"{last}{first}" if eastern else f"{first} {last}", rnd.choice(places)


def _mailbox(first: str, last: str, domain: str, used: set[str], rnd: random.Random) -> str:
    stem = ".".join(part for part in (names.ascii_slug(first), names.ascii_slug(last)) if part)
    stem = stem or f"u{rnd.randrange(10**6):06d}"
    email, number = f"{stem}@{domain}", 1
    while email in used:
        number = number + 1 if number < 9 else rnd.randrange(10, 10**6)
        email = f"{stem}{number}@{domain}"
    used.add(email)
    return email


def _idle_days(rnd: random.Random) -> float | None:
    """Days since somebody was last seen; None = never. Most came this week, a long tail did not."""
    share = rnd.random()
    for limit, low, high in (
        (0.40, 0.02, 2),
        (0.60, 1, 7),
        (0.72, 7, 30),
        (0.80, 30, 60),
        (0.86, 60, 90),
        (0.93, 90, 200),
        (0.97, 200, 800),
    ):
        if share < limit:
            return low + (high - low) * float(rnd.random() ** 1.4)
    return None


def _employee(
    organization: world.Organization, rnd: random.Random, used: set[str], kind: str = "employee"
) -> Draft:
    first, last, shown, place = _name(rnd)
    domain = organization.domains[0] if rnd.random() < 0.93 else organization.domains[-1]
    department = rnd.choices(tuple(names.JOBS), (36, 9, 6, 14, 12, 7, 5, 3, 8))[0]
    draft = Draft(
        _account_id(rnd),
        shown,
        first,
        _mailbox(first, last, domain, used, rnd),
        kind,
        rnd.choice(names.JOBS[department]),
        department,
        place,
        mfa=rnd.random() < 0.7,
        added_days=20 + 1500 * rnd.random() ** 1.5,
    )
    draft.source = "synced" if rnd.random() < 0.6 else "invited"
    draft.hidden = rnd.random() < 0.03
    draft.teams.append("team-" + department.lower())
    _grant_access(organization, draft, rnd)
    _live(organization, draft, rnd)
    if (draft.kind, draft.source) == ("employee", "invited") and _comes_from_google(draft.account_id):
        draft.kind = "google-synced"
    if kind == "other-site-owner":
        draft.name, draft.account_id = "Renzo Vasari", world.stable_id("account", organization.key, "owner")
        draft.membership, draft.account_status, draft.roles = "active", "active", (SITE_ADMIN,)
        draft.active_days = {organization.resource(world.JIRA): 140.0}
        draft.email = _mailbox("renzo", "vasari", domain, used, rnd)
    return draft


def _comes_from_google(account_id: str) -> bool:
    """A few accounts belong to a Google directory. Drawn from the id, so that nobody else becomes somebody else."""
    return random.Random(f"google:{account_id}").random() < 0.08


def _grant_access(organization: world.Organization, draft: Draft, rnd: random.Random) -> None:
    way = rnd.random()
    if draft.source == "synced" or way < 0.4:
        draft.teams.append("all-staff")
    if way < 0.35:
        draft.teams.append("jira-users")
    if 0.2 < way < 0.6:
        draft.teams.append("confluence-users")
    if way > 0.93:
        draft.direct.append((organization.resource(world.JIRA), USER))
    if world.SERVICE_DESK in organization.products and (draft.department == "Support" or way > 0.97):
        draft.teams.append("service-desk-agents")


def _live(organization: world.Organization, draft: Draft, rnd: random.Random) -> None:
    """Give a state and last-active dates."""
    share = rnd.random()
    if share < 0.05:
        draft.kind, draft.verified, draft.added_days = (
            "invited-never-came",
            False,
            3 + 400 * rnd.random() ** 2,
        )
        draft.mfa = False
        return
    idle = _idle_days(rnd)
    if share < 0.09:
        draft.kind, draft.membership, idle = "suspended", "suspended", 60 + 300 * rnd.random()
    elif share < 0.13:
        draft.kind, draft.account_status, idle = "deactivated", "inactive", 90 + 500 * rnd.random()
        draft.left_days = idle - 5 * rnd.random()
    elif share < 0.132:
        draft.kind, draft.account_status, idle = "for-deletion", "closed", 200 + 200 * rnd.random()
        draft.left_days = 5.0
    if idle is None:
        return
    draft.added_days = max(draft.added_days, idle + 1)
    for product in organization.products:
        if rnd.random() < 0.85:
            later = idle + (0 if rnd.random() < 0.5 else rnd.random() ** 2 * 90)
            draft.active_days[organization.resource(product)] = min(later, draft.added_days)


def _external(organization: world.Organization, rnd: random.Random, used: set[str]) -> Draft:
    first, last, shown, place = _name(rnd)
    domain = rnd.choice(names.EXTERNAL_DOMAINS)
    draft = Draft(
        _account_id(rnd),
        shown,
        first,
        _mailbox(first, last, domain, used, rnd),
        "external",
        place=place,
        claim="unmanaged",
        source=None if rnd.random() < 0.5 else "invited",
        hidden=rnd.random() < 0.35,
        added_days=10 + 700 * rnd.random(),
        teams=["contractors"],
    )
    if rnd.random() < 0.4:
        draft.teams.append("jira-users")
    _live(organization, draft, rnd)
    if draft.kind in ("deactivated", "for-deletion"):  # only their own organization can do that
        draft.kind, draft.account_status, draft.left_days = "external", "active", None
    return draft


def _robot(organization: world.Organization, rnd: random.Random, index: int, kind: str) -> Draft:
    """Apps' and service accounts: the API calls them `atlassian` too; only the address tells (spec: accountType)."""
    if kind == "bot":
        name = rnd.choice(
            ("Slack Bridge", "Build Notifier", "Trello Importer", "Automation", "Release Bot", "Chart Maker")
        )
        email = f"{UUID(int=rnd.getrandbits(128), version=4)}@bots.connect.atlassian.com"
    else:
        name = rnd.choice(("svc-backup", "svc-reporting", "svc-ci", "svc-sync", "svc-terraform"))
        email = f"{name}-{index}@serviceaccount.atlassian.com"
    draft = Draft(
        _account_id(rnd),
        f"{name} {index}" if kind == "bot" else f"{name}-{index}",
        name,
        email,
        kind,
        claim="unmanaged",
        source=None,
        added_days=50 + 600 * rnd.random(),
        teams=["jira-users"],
    )
    if rnd.random() < 0.3:
        draft.active_days[organization.resource(world.JIRA)] = rnd.random() * 200
    return draft


# -- writing ----------------------------------------------------------------------------------------------------


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
    plans = _team_plan(organization)
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
