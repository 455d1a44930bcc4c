"""Reading the whole directory page by page. The place stands in the sync's row, so that any worker can go on (S46)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from connect.errors import AppError, AtlassianError, RateLimited, Unauthorized, Unavailable, Unexpected
from connect.gateway.organization import OrganizationGateway, PeoplePage
from models.audit import APP
from models.credential import CredentialState, admin_keys_of
from models.organization import close_gate
from models.people import Membership, Person, Seat
from models.sync import Sync, SyncState
from models.tenant import doors_of
from services.absences import end_absences_of_the_present
from services.directory import believe_directories, mark_leavers, store_people
from services.directory_news import ask_for
from services.directory_outline import has_place, read_outline
from services.doors import opened
from services.loops import find_loops
from services.seats import replace_admins, replace_grants, replace_seats, store_groups
from services.settling import settling
from services.silent_pages import in_full
from services.silent_products import administered_after_all
from services.still_here import still_here
from services.syncing import EVERY, end_sync, fail_sync
from services.toolbox import Toolbox

logger = logging.getLogger("rollcall.sync")

PAGES_AT_A_TIME = 20
"""Pages per durable step: a step is short enough to be repeated, long enough not to be paperwork."""
MOST_PAGES = 20_000
"""More than any organization has: a list that goes on beyond them does not end."""
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
FORGOTTEN = "Atlassian had forgotten how far it was read."
"""Kept as the sync's problem until the next one."""


class SyncStep(StrEnum):
    """What the worker does next: MORE at once, or nothing (DONE), or nothing until the row's `resume_at` (LATER)."""

    MORE = "more"
    DONE = "done"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which directory the reading is."""

    organization_id: str
    sync_id: str
    directory_id: str
    directory_index: int
    is_last_directory: bool
    cursor: str | None


class _Interrupted(Exception):
    """The sync was stopped, or another worker went on with it."""


def take_pages(tools: Toolbox, organization_id: str, sync_id: str) -> SyncStep:
    """Reads and stores the next pages. May be repeated at any point: a page that was stored is only stored again."""
    try:
        with opened(tools, organization_id) as gateway:
            return _read_on(tools, gateway, organization_id, sync_id)
    except _Interrupted:
        return SyncStep.DONE
    except RateLimited as pause:
        return _pause(tools, organization_id, sync_id, pause, until=pause.until)
    except (Unavailable, Unauthorized) as problem:
        return _pause(tools, organization_id, sync_id, problem)
    except AppError as problem:
        if _is_place_forgotten(problem) and _begin_again(tools, organization_id, sync_id):
            return SyncStep.MORE
        fail_sync(tools, organization_id, sync_id, f"{problem.sentence} {problem.next_step}")
        return SyncStep.DONE


def _read_on(tools: Toolbox, gateway: OrganizationGateway, organization_id: str, sync_id: str) -> SyncStep:
    place = _place(tools, organization_id, sync_id) or _begin(tools, gateway, organization_id, sync_id)
    counted = 0.0
    for read, here in _pages(tools, gateway, place, PAGES_AT_A_TIME):
        page = read
        if read.next_cursor is None and here.is_last_directory:
            missed = still_here(tools, gateway, organization_id, sync_id, read)
            page = replace(read, unreadable=(*read.unreadable, *missed))
        waited = gateway.seconds_waited
        if _store(tools, here, page, waited - counted):
            return SyncStep.DONE
        counted = waited
    return SyncStep.MORE


def _pages(
    tools: Toolbox, gateway: OrganizationGateway, place: _Place, count: int
) -> Iterator[tuple[PeoplePage, _Place]]:
    """Pages from `place` to the end of its directory, at most `count`. The next is on its way while one is stored."""
    # Once for these pages: Atlassian may leave out what is empty, and say nothing of almost everybody.
    org_admins = cache(gateway.org_admins)

    def fetch(cursor: str | None) -> PeoplePage:
        page = gateway.people_page(place.organization_id, place.directory_id, cursor)
        return in_full(tools, gateway, org_admins, place.organization_id, place.directory_id, page)

    with ThreadPoolExecutor(max_workers=1) as ahead:
        coming: Future[PeoplePage] | None = ahead.submit(fetch, place.cursor)
        cursor, met = place.cursor, {place.cursor}
        for remaining in range(count - 1, -1, -1):
            assert coming is not None
            page = coming.result()
            if page.next_cursor is not None and page.next_cursor in met:
                raise Unexpected(200, reason="atlassian_odd_cursor")
            met.add(page.next_cursor)
            coming = ahead.submit(fetch, page.next_cursor) if page.next_cursor and remaining else None
            yield page, replace(place, cursor=cursor)
            cursor = page.next_cursor
            if cursor is None:
                return


def _place(tools: Toolbox, organization_id: str, sync_id: str) -> _Place | None:
    with tools.begin() as session:
        sync = session.get(Sync, sync_id)
        if sync is None or sync.organization_id != organization_id or sync.state != SyncState.RUNNING.value:
            raise _Interrupted
        if not sync.directory_ids:
            return None
        if sync.pages >= MOST_PAGES:
            raise Unexpected(200, reason="atlassian_endless_list")
        directories = sync.directory_ids.split(",")
        return _Place(
            organization_id,
            sync_id,
            directories[sync.directory_index],
            sync.directory_index,
            sync.directory_index == len(directories) - 1,
            sync.cursor,
        )


def _begin(tools: Toolbox, gateway: OrganizationGateway, organization_id: str, sync_id: str) -> _Place:
    outline = read_outline(tools, gateway, organization_id, sync_id)
    admins_untold = outline.admins_untold | administered_after_all(tools, gateway, organization_id, outline)
    with tools.begin() as session:
        # Behind the gate no deed begins that takes somebody from those who administer a product.
        close_gate(session, organization_id)
        administrators = sorted({account_id for _, account_id in outline.admins})
        read_since = session.scalar(select(Sync.started_at).where(Sync.id == sync_id))
        acted_on = settling(tools, session, organization_id, administrators, read_since=read_since)
        # Administrators before seats, as a deed writes them: else each would wait for the other for ever.
        replace_admins(session, organization_id, outline.admins, acted_on, admins_untold)
        replace_seats(session, organization_id, outline.workspaces)
        replace_grants(session, organization_id, outline.grants, outline.grants_untold)
        store_groups(session, organization_id, outline.groups)
        session.execute(
            update(Sync)
            .where(Sync.id == sync_id, Sync.organization_id == organization_id, Sync.directory_ids == "")
            .values(
                directory_ids=",".join(outline.directory_ids),
                expected=outline.people,
                outline=None,
                # What `gateway` itself waited is counted with the first page.
                api_seconds=Sync.api_seconds + outline.seconds_waited,
            )
        )
    place = _place(tools, organization_id, sync_id)
    assert place is not None
    return place


def _store(tools: Toolbox, place: _Place, page: PeoplePage, page_seconds: float) -> bool:
    """Stores one page and moves the place on, in one transaction. True when the whole sync is complete.

    `page_seconds` is how long Atlassian's answers took since the page before.
    """
    now = tools.clock()
    ends_directory = page.next_cursor is None
    with tools.begin() as session:
        moved = session.execute(
            update(Sync)
            .where(
                Sync.id == place.sync_id,
                Sync.organization_id == place.organization_id,
                Sync.state == SyncState.RUNNING.value,
                Sync.directory_index == place.directory_index,
                # Another worker that stored this page already has moved the cursor on: this one gives way.
                Sync.cursor.is_(None) if place.cursor is None else Sync.cursor == place.cursor,
            )
            .values(
                cursor=page.next_cursor,
                directory_index=place.directory_index + (ends_directory and not place.is_last_directory),
                pages=Sync.pages + 1,
                people=Sync.people + len(page.people),
                api_seconds=Sync.api_seconds + page_seconds,
            )
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            raise _Interrupted
        kept = _kept(tools, session, place, page)
        people = [facts for facts in page.people if facts.account_id not in kept]
        store_people(session, place.organization_id, place.directory_id, place.sync_id, people, now)
        _leave_as_known(session, place, page.unreadable)
        if not (ends_directory and place.is_last_directory):
            return False
        sync = session.get_one(Sync, place.sync_id)
        session.refresh(sync)
        if not sync.people:
            # Whoever made the key is somebody: that all have left is not what this says (S46).
            raise Unexpected(200, reason="atlassian_odd_people")
        mark_leavers(session, place.organization_id, place.sync_id, now)
        believe_directories(session, place.organization_id, place.sync_id)
        sync.people = session.scalar(
            select(func.count(Person.account_id)).where(
                Person.organization_id == place.organization_id,
                Person.sync_id == place.sync_id,
                # Who was removed while they were read was seen, and is not here.
                Person.left_at.is_(None),
            )
        ) or 0  # fmt: skip
        end_sync(session, sync, SyncState.COMPLETE, now=now, actor=APP)
        # What was done while it was read, or shortly before, may not show in it.
        read_since = sync.started_at - timedelta(seconds=tools.settings.settle_seconds)
        end_absences_of_the_present(session, place.organization_id, now, read_since)
        find_loops(session, place.organization_id, now, read_since)
        return True


def _leave_as_known(session: Session, place: _Place, unreadable: Sequence[str]) -> None:
    """Of whom Atlassian says something that cannot be read: they were seen, and nothing about them is changed."""
    if not unreadable:
        return
    logger.warning("%d people of %s cannot be read", len(unreadable), place.organization_id)
    session.execute(
        update(Person)
        .where(Person.organization_id == place.organization_id, Person.account_id.in_(unreadable))
        # Who is in several directories may be readable in another one, and is not in that one alone.
        .values(sync_id=place.sync_id, met_in_several=Person.in_several_directories)
        .execution_options(synchronize_session=False)
    )
    for model in (Seat, Membership):
        # Of somebody in several directories, what no directory of this sync has shown would go.
        session.execute(
            update(model)
            .where(
                model.organization_id == place.organization_id,
                model.account_id.in_(unreadable),
                model.shown_by != "",
            )
            .values(shown_by=place.sync_id)
            .execution_options(synchronize_session=False)
        )


def _kept(tools: Toolbox, session: Session, place: _Place, page: PeoplePage) -> frozenset[str]:
    """Who was just acted on: they are seen, stay as the deed left them, and are read again once Atlassian shows it.

    The page may show what was before the deed.
    """
    now, settle = tools.clock(), timedelta(seconds=tools.settings.settle_seconds)
    acted_on = settling(tools, session, place.organization_id, [facts.account_id for facts in page.people])
    if not acted_on:
        return frozenset()
    seen = (
        update(Person)
        .where(
            Person.organization_id == place.organization_id,
            Person.account_id.in_(acted_on),
            Person.in_several_directories.is_(False),
        )
        .values(sync_id=place.sync_id)
        .returning(Person.account_id)
        .execution_options(synchronize_session=False)
    )
    kept = frozenset(session.scalars(seen))
    for account_id in sorted(kept):
        ask_for(session, place.organization_id, account_id, now, settle)
    return kept


def _is_place_forgotten(problem: AppError) -> bool:
    """So Atlassian turns down a cursor that it does not know any more, as after a long pause, or any odd question."""
    return isinstance(problem, Unexpected) and problem.status == 400


def _begin_again(tools: Toolbox, organization_id: str, sync_id: str) -> bool:
    """From the beginning of the list that was being read: whoever was read of it stays read. False without a place in
    one, and where that was in vain: only after another pause may it be forgotten once more.
    """
    with tools.begin() as session:
        sync = session.get(Sync, sync_id)
        if sync is None or sync.organization_id != organization_id or sync.state != SyncState.RUNNING.value:
            return False
        if sync.problem == FORGOTTEN or not (sync.cursor or has_place(sync.outline)):
            return False
        in_directories_before = select(func.count(Person.account_id)).where(
            Person.organization_id == organization_id,
            Person.sync_id == sync_id,
            Person.directory_id.in_(sync.directory_ids.split(",")[: sync.directory_index]),
        )
        sync.people = session.scalar(in_directories_before) or 0
        sync.cursor, sync.outline, sync.problem = None, None, FORGOTTEN
    logger.warning("the sync of %s begins a list again", organization_id)
    return True


def _pause(
    tools: Toolbox, organization_id: str, sync_id: str, problem: AtlassianError, until: datetime | None = None
) -> SyncStep:
    now = tools.clock()
    with tools.begin() as session:
        sync = session.get(Sync, sync_id)
        if sync is None or sync.organization_id != organization_id or sync.state != SyncState.RUNNING.value:
            return SyncStep.DONE
        no_key_left = isinstance(problem, Unauthorized) and all(
            key.state == CredentialState.REJECTED.value for key in admin_keys_of(session, organization_id)
        )
        # By the clock, not by its attempts: a large directory is read between many pauses.
        is_old = sync.started_at <= now - EVERY
        if no_key_left or is_old or not doors_of(session, organization_id):
            reason = f"{problem.sentence} {problem.next_step}"
            end_sync(session, sync, SyncState.FAILED, now=now, actor=APP, problem=reason)
            return SyncStep.DONE
        sync.resume_at = until or now + min(FIRST_PAUSE * 2 ** min(sync.attempt - 1, 10), LONGEST_PAUSE)
        sync.problem = problem.sentence
        return SyncStep.LATER
