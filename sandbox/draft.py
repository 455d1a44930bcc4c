"""Somebody of a generated organization, before they are written down."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Draft:
    """Days are counted back from today; `kind` is what the control page filters by."""

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
