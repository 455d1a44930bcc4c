"""What all calls of the organization's Admin API share: the connection, ids in paths (S32), lists page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connect.errors import Invalid, Unauthorized, Unexpected, Why
from connect.gateway.answers import identifier, mapping, rows
from connect.gateway.credentials import bearer
from connect.gateway.http import READ_SECONDS, Http
from connect.gateway.paging import next_cursor

MAX_PAGES = 1000
LONGEST_KEY = 100
LONGEST_GROUP_ID = 100

_ACCOUNT_ID = re.compile(r"[0-9A-Za-z:_|-]{1,128}", re.ASCII)
_GROUP_ARI = "ari:cloud:identity::group/"
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}|-", re.ASCII)
_PRODUCT_KEYS = {"jira": "jira-software", "jira-service-desk": "jira-servicedesk"}


@dataclass(slots=True)
class Place:
    """Where the reading of a long list is. Whoever keeps it, with the rows so far, can go on there after a pause."""

    cursor: str | None = None
    is_read: bool = False


class AdminCalls:
    """One organization administrator's key at work; the families of calls are built on this.

    One instance serves one thread. `seconds_waited` and `calls` are those of Http.
    """

    def __init__(
        self, api_url: str, admin_key: str, *, clock: Callable[[], datetime], patience: float = READ_SECONDS
    ) -> None:
        self._api_url = api_url
        self._http = Http(
            api_url,
            authorization=bearer(admin_key),
            clock=clock,
            forbidden_means=Why.SCOPE,
            patience=patience,
        )

    @property
    def calls(self) -> int:
        return self._http.calls

    @property
    def seconds_waited(self) -> float:
        return self._http.seconds_waited

    def met(self, error: Unauthorized) -> bool:
        """Whether it is this key that Atlassian rejected, and not a credential that is in use beside it."""
        return self._http.met(error)

    def close(self) -> None:
        self._http.close()

    def _next(self, answer: dict[str, Any], path: str, current: str | None) -> str | None:
        return next_cursor(answer, api_url=self._api_url, path=path, current=current)

    def _listed(self, path: str, query: tuple[tuple[str, str], ...]) -> Iterator[dict[str, Any]]:
        """Every row of a list read by GET; beside a cursor these take no other word."""
        return self._pages(
            path, lambda cursor: self._http.get(path, query if cursor is None else (("cursor", cursor),))
        )

    def _found(self, path: str, body: dict[str, Any], place: Place | None = None) -> Iterator[dict[str, Any]]:
        """Every row of a search by POST, from `place` on."""
        return self._pages(path, lambda cursor: self._http.post(path, with_cursor(body, cursor)), place)

    def _pages(
        self, path: str, ask: Callable[[str | None], Any], place: Place | None = None
    ) -> Iterator[dict[str, Any]]:
        place = place or Place()
        for _ in range(MAX_PAGES):
            answer = mapping(ask(place.cursor))
            yield from rows(answer.get("data"))
            place.cursor = self._next(answer, path, place.cursor)
            if place.cursor is None:
                place.is_read = True
                return
        raise Unexpected(200, reason="atlassian_endless_list")


def with_cursor(body: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    return body if cursor is None else {**body, "cursor": cursor}


def group_id_of(row: dict[str, Any], name: str = "id") -> str:
    """The id of a group: beside a person Atlassian gives it as an ARI (specs: MultiDirectoryUserGroup), elsewhere bare.

    Both are one group: else no protection by a group and no rule would know its members (S48).
    """
    return identifier(row, name, len(_GROUP_ARI) + LONGEST_GROUP_ID).removeprefix(_GROUP_ARI)


def product_key(word: str) -> str:
    """One name for one product, whichever of Atlassian's calls tells of it: they name the same one differently."""
    return _PRODUCT_KEYS.get(word, word)[:LONGEST_KEY]


def checked_id(value: str) -> str:
    """The id of an organization, directory or group, or "-"; Invalid for an odd one (S32)."""
    if not _ID.fullmatch(value):
        raise Invalid("id", reason="odd_id")
    return value


def checked_account_id(value: str) -> str:
    """An account id as it stands in a path; Invalid for an odd one (S32)."""
    if not _ACCOUNT_ID.fullmatch(value):
        raise Invalid("account_id", reason="odd_account_id")
    return quote(value, safe="")


def directory_path(org_id: str, directory_id: str) -> str:
    """/admin/v2/orgs/{org}/directories/{dir}, where reads may say "-" for all directories."""
    return f"/admin/v2/orgs/{checked_id(org_id)}/directories/{checked_id(directory_id)}"


def one_directory_path(org_id: str, directory_id: str) -> str:
    """The same for writes, which need a real directory."""
    if directory_id == "-":
        raise Invalid("directory_id", reason="write_needs_a_directory")
    return directory_path(org_id, directory_id)
