"""Who works in a generated organization: those everybody knows, employees, people from outside, and robots."""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

from sandbox import names, world
from sandbox.draft import Draft
from sandbox.seed_groups import USER
from sandbox.seed_lives import live

ORG_ADMIN, SITE_ADMIN = "atlassian/org-admin", "atlassian/site-admin"


def population(organization: world.Organization, count: int, rnd: random.Random) -> Iterator[Draft]:
    """`count` people, those everybody knows first: the same ones whenever `rnd` begins the same."""
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
    live(organization, draft, rnd)
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
    live(organization, draft, rnd)
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
