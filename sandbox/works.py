"""What people of a site work on: a few issues, pages and a dashboard, with the people who have to do with them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import world
from sandbox.seed import iso
from sandbox.store import Store

PROJECT = {"id": "10000", "key": "DEMO", "name": "Demo"}
SPACE = {"id": "65537", "key": "DEMO", "name": "Demo space"}
DASHBOARD = {"id": "10100", "name": "Team dashboard", "item": "10200"}


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue of the one project; account ids."""

    id: str
    key: str
    summary: str
    assignee: str | None
    reporter: str | None
    watchers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page (`kind` "page") or a blog post ("blogpost") of the one space; account ids."""

    id: str
    kind: str
    title: str
    owner: str
    editor: str


def issues(store: Store, organization: world.Organization) -> list[Issue]:
    """The newest first; what was changed through the control API is in them."""
    ana, jon, uma = (person.account_id for person in organization.people[:3])
    cast = _cast(store, organization)
    drafts = [
        Issue(
            "10042",
            "DEMO-42",
            "Order new chairs for the Zagreb office",
            cast["idle"],
            ana,
            (cast["suspended"], uma),
        ),
        Issue("10041", "DEMO-41", "Renew the domain", cast["suspended"], cast["deactivated"]),
        Issue("10038", "DEMO-38", "Write the onboarding page", uma, ana, (jon,)),
        Issue("10037", "DEMO-37", "Water the plants", None, uma),
    ]
    changes = _changes(store, organization)
    return [replace(one, **changes.get(one.id, {})) for one in drafts]


def pages(store: Store, organization: world.Organization) -> list[Page]:
    """The newest first; what was changed through the control API is in them."""
    ana, jon, uma = (person.account_id for person in organization.people[:3])
    cast = _cast(store, organization)
    drafts = [
        Page("98311", "page", "Meeting notes", cast["idle"], ana),
        Page("98312", "page", "How we work", cast["suspended"], cast["deactivated"]),
        Page("98313", "page", "Travel policy", uma, jon),
        Page("98314", "blogpost", "A new office", cast["idle"], cast["idle"]),
    ]
    changes = _changes(store, organization)
    return [replace(one, **changes.get(one.id, {})) for one in drafts]


def everything(store: Store, organization: world.Organization) -> list[Issue | Page]:
    """Issues and pages."""
    return [*issues(store, organization), *pages(store, organization)]


def change(store: Store, organization: world.Organization, work_id: str, people: dict[str, Any]) -> None:
    """Other people for an issue or page. ValueError for an unknown one, or an unknown role."""
    known = {one.id: one for one in everything(store, organization)}
    if work_id not in known or set(people) - {"assignee", "reporter", "watchers", "owner", "editor"}:
        raise ValueError(f"there is no such issue or page, or role: {work_id!r}, {sorted(people)}")
    if set(people) - set(asdict(known[work_id])):
        raise ValueError("an issue has assignee, reporter, watchers; a page owner and editor")
    changes = _changes(store, organization)
    changes[work_id] = changes.get(work_id, {}) | people
    store.put(f"works:{organization.key}", json.dumps(changes))


def variables(work: Issue | Page | None) -> dict[str, str]:
    """What a product puts into the {variables} of a module's address; None stands for the dashboard."""
    if isinstance(work, Issue):
        return {
            "issue.id": work.id,
            "issue.key": work.key,
            "issuetype.id": "10001",
            "project.id": PROJECT["id"],
            "project.key": PROJECT["key"],
        }
    if isinstance(work, Page):
        return {
            "content.id": work.id,
            "content.type": work.kind,
            "content.version": "1",
            "space.id": SPACE["id"],
            "space.key": SPACE["key"],
        }
    return {
        "dashboard.id": DASHBOARD["id"],
        "dashboardItem.id": DASHBOARD["item"],
        "dashboardItem.key": "rollcall-gadget",
        "dashboardItem.viewType": "default",
    }


def _changes(store: Store, organization: world.Organization) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(store.get(f"works:{organization.key}") or "{}")
    for people in found.values():
        if "watchers" in people:
            people["watchers"] = tuple(people["watchers"])
    return found


def _cast(store: Store, organization: world.Organization) -> dict[str, str]:
    """Somebody who stayed away, somebody suspended, somebody deactivated; kept, so that an issue keeps its people."""
    kept = store.get(f"cast:{organization.key}")
    if kept is not None:
        found: dict[str, str] = json.loads(kept)
        return found
    long_ago = iso(datetime.now(UTC) - timedelta(days=120))
    last = "(SELECT max(last_active) FROM activity WHERE activity.seq = person.seq)"
    wanted = {
        "idle": f"kind = 'employee' AND {last} < '{long_ago}'",
        "suspended": "kind = 'suspended'",
        "deactivated": "kind = 'deactivated'",
    }
    cast = {}
    for role, condition in wanted.items():
        row = store.one(
            f"SELECT account_id FROM person WHERE org = ? AND {condition} ORDER BY seq LIMIT 1",
            (organization.key,),
        )
        cast[role] = str(row["account_id"]) if row is not None else organization.admin.account_id
    store.put(f"cast:{organization.key}", json.dumps(cast))
    return cast
