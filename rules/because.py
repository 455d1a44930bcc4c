"""Why the time of a rule's step has come for somebody: facts, which each reader is told in their own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from rules.products import product_name


class BecauseKind(StrEnum):
    """Which of a step's conditions holds."""

    SEEN = "seen"
    NEVER = "never"
    INVITED = "invited"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    LAST_DAY = "last_day"


@dataclass(frozen=True, slots=True)
class Because:
    """`days` since then; `product` is a product's key: the one they were seen in, or never were.

    `of_one` says that the rule looked at this product alone. `day` is somebody's last day.
    """

    kind: BecauseKind
    days: int = 0
    product: str = ""
    of_one: bool = False
    day: date | None = None

    @property
    def sentence(self) -> str:
        """About them, to an operator."""
        product = product_name(self.product) if self.product else ""
        match self.kind:
            case BecauseKind.SEEN if self.of_one:
                return f"Last seen in {product} {ago(self.days)}."
            case BecauseKind.SEEN:
                return f"Last seen {ago(self.days)}, in {product}."
            case BecauseKind.NEVER:
                return f"Never came{f' to {product}' if product else ''}; added {ago(self.days)}."
            case BecauseKind.INVITED:
                return f"Invited {ago(self.days)}, not answered."
            case BecauseKind.LAST_DAY:
                return f"Their last day was {self.day:%-d %B %Y}." if self.day else ""
            case _:
                return f"{self.kind.capitalize()} for {days_words(self.days)} or longer."

    def to_words(self) -> dict[str, Any]:
        found = {
            "kind": self.kind.value,
            "days": self.days,
            "product": self.product,
            "of_one": self.of_one,
            "day": self.day.isoformat() if self.day else "",
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Because:
        return cls(
            BecauseKind(words["kind"]),
            int(words.get("days", 0)),
            str(words.get("product", "")),
            bool(words.get("of_one", False)),
            date.fromisoformat(words["day"]) if words.get("day") else None,
        )


def days_words(days: int) -> str:
    """93 days."""
    return "1 day" if days == 1 else f"{days:,} days"


def ago(days: int) -> str:
    """93 days ago."""
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days_words(days)} ago"
