"""What calls to one site by an API token share: the connection, and ids that stand in paths (S32)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connect.errors import Invalid, Unauthorized
from connect.gateway.http import Authorization, Http
from connect.hosts import SiteOrigins
from rules.handover import Found

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_KEY = re.compile(r"~?[0-9A-Za-z_:-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """What was found on one page, and where the next one begins; None after the last."""

    found: tuple[Found, ...]
    next: str | None


class SiteCalls:
    """One site by one API token. Raises Invalid when the address is not an allowed site (S29)."""

    def __init__(
        self,
        base_url: str,
        *,
        origins: SiteOrigins,
        authorization: Authorization,
        clock: Callable[[], datetime],
    ) -> None:
        self._http = Http(origins.check(base_url).base_url, authorization=authorization, clock=clock)

    def met(self, error: Unauthorized) -> bool:
        """Whether it is this token that the site rejected, and not a credential that is in use beside it."""
        return self._http.met(error)

    def close(self) -> None:
        self._http.close()


def number(value: str) -> str:
    """An id made of digits, as it stands in a path; Invalid for anything else (S32)."""
    if not _NUMBER.fullmatch(value):
        raise Invalid("id", reason="odd_id")
    return value


def key(value: str) -> str:
    """The key of a project, issue or space; Invalid for an odd one (S32)."""
    if not _KEY.fullmatch(value):
        raise Invalid("key", reason="odd_key")
    return value
