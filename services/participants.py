"""Who has to do with an issue or a page, and what its reader may do there: asked of Atlassian, never of the page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from connect.caller import Caller
from connect.errors import AtlassianError, Invalid, Unavailable
from connect.gateway.confluence import ConfluenceSite
from connect.gateway.jira import ADMINISTER_PROJECTS, VIEW_WATCHERS, JiraSite
from models.tenant import find_tenant
from rules.panel import ContentKind, Role
from services.installing import shared_secret_of
from services.places import Places
from services.toolbox import Toolbox

logger = logging.getLogger("rollcall.panels")

REMEMBERED_FOR = timedelta(seconds=60)
MAX_REMEMBERED = 10_000
PATIENCE = 3.0
"""Seconds: a panel that comes later is of no use to anybody."""
MOST_WATCHERS = 50
MOST_AT_ONCE = 3
"""Panels of one tenant that wait for Atlassian. Operators have places of their own, and one of the eight threads of a
web process is left for everybody else."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue by its id and its project's, as the product signed them; without a project nobody administers it."""

    id: int
    project_id: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """A page or blog post by its id, as the product signed it."""

    id: int
    kind: ContentKind


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do there: administer the project (in Confluence: the site), see who watches."""

    administers: bool
    sees_watchers: bool


NO_RIGHTS = Rights(administers=False, sees_watchers=False)


class Remembered(Generic[Answer]):
    """Answers of the last minute, `most` at once. Keys begin with the tenant. Thread-safe."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[datetime, Answer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, now: datetime, ask: Callable[[], Answer]) -> Answer:
        """What is remembered, else what `ask` answers now."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            return kept[1]
        answer = ask()
        with self._lock:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = (now + REMEMBERED_FOR, answer)
        return answer


class Participants:
    """The one memory of a process. When Atlassian does not answer, nobody may do anything.

    That too many wait for it is remembered of nobody.
    """

    def __init__(self) -> None:
        self._people: Remembered[dict[str, Role] | None] = Remembered()
        self._rights: Remembered[Rights] = Remembered()
        self._places = Places(MOST_AT_ONCE)

    def of(self, tools: Toolbox, client_key: str, place: Issue | Content) -> dict[str, Role] | None:
        """Account id → the role, the most important first; None when Atlassian does not tell."""

        def ask() -> dict[str, Role] | None:
            with self._places.one_of(client_key):
                return _people(tools, client_key, place)

        with suppress(Unavailable):
            return self._people.get((client_key, place), tools.clock(), ask)
        return None

    def rights(self, tools: Toolbox, caller: Caller, place: Issue | Content) -> Rights:
        """What the caller may do there. Somebody who is not logged in may do nothing."""
        account_id = caller.account_id
        if account_id is None:
            return NO_RIGHTS
        where = place.project_id if isinstance(place, Issue) else None
        key = (caller.tenant, account_id, type(place), where)

        def ask() -> Rights:
            with self._places.one_of(caller.tenant):
                return _rights(tools, caller.tenant, account_id, place)

        with suppress(Unavailable):
            return self._rights.get(key, tools.clock(), ask)
        return NO_RIGHTS


def _people(tools: Toolbox, client_key: str, place: Issue | Content) -> dict[str, Role] | None:
    try:
        with _site(tools, client_key) as site:
            if isinstance(site, JiraSite) and isinstance(place, Issue):
                issue = site.people_of_issue(place.id)
                watchers = [(watcher, Role.WATCHER) for watcher in issue.watchers[:MOST_WATCHERS]]
                return _first_role(
                    (issue.assignee, Role.ASSIGNEE), (issue.reporter, Role.REPORTER), *watchers
                )
            if isinstance(site, ConfluenceSite) and isinstance(place, Content):
                content = site.people_of_content(place.id, place.kind)
                return _first_role((content.owner, Role.OWNER), (content.last_editor, Role.LAST_EDITOR))
    except (AtlassianError, Invalid) as problem:
        logger.info("a panel stays empty: %s", problem.reason)
        return None
    return {}


def _rights(tools: Toolbox, client_key: str, account_id: str, place: Issue | Content) -> Rights:
    try:
        with _site(tools, client_key) as site:
            if isinstance(site, JiraSite) and isinstance(place, Issue) and place.project_id is not None:
                granted = site.rights_in_project(account_id, place.project_id)
                return Rights(ADMINISTER_PROJECTS in granted, VIEW_WATCHERS in granted)
            if isinstance(site, ConfluenceSite) and isinstance(place, Content):
                return Rights(administers=site.is_admin(account_id), sees_watchers=False)
    except (AtlassianError, Invalid) as problem:
        logger.info("a panel takes its reader for somebody without rights: %s", problem.reason)
    return NO_RIGHTS


@contextmanager
def _site(tools: Toolbox, client_key: str) -> Iterator[JiraSite | ConfluenceSite | None]:
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        place = (tenant.product, tenant.base_url) if tenant is not None else None
    secret = shared_secret_of(tools, client_key)
    if place is None or secret is None:
        yield None
        return
    with tools.atlassian.site_as_app(*place, client_key, secret, PATIENCE) as site:
        yield site


def _first_role(*found: tuple[str | None, Role]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for account_id, role in found:
        if account_id is not None:
            roles.setdefault(account_id, role)
    return roles
