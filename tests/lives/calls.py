"""The calls that reached Atlassian, as its own log has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {
    "suspend": "suspend", "restore": "restore", "leave_group": "leave_group", "join_group": "join_group",
    "revoke_role": "revoke_role", "assign_role": "assign_role", "disable": "deactivate", "enable": "reactivate",
    "remove": "remove", "invite": "invite",
}  # fmt: skip
TAKES = {"suspend", "leave_group", "revoke_role", "deactivate", "remove"}


@dataclass(frozen=True)
class Call:
    """One change that Atlassian was asked for: it `changed` something, or was answered `status` without."""

    who: str
    kind: str
    about: str
    changed: bool
    status: int

    def is_for(self, row: Sequence[Any]) -> bool:
        """Whether it makes this change of a case. What an invitation brings is in its action."""
        return self.kind == row[0] and (self.about == row[1] or self.kind == "invite")


def call_of(row: sqlite3.Row, names: Mapping[str, str]) -> Call:
    who, kind = names[row["account_id"]], KINDS[row["action"]]
    return Call(who, kind, row["about"] or "", bool(row["effective"]), row["status"])
