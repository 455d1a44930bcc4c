"""Which people a list shows: the filter as a value, and its form as words in an address (to be bookmarked)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rules.numbers import whole_number

STATUSES = ("active", "suspended", "deactivated", "not_invited", "for_deletion", "left")
IDLE_WORDS = ("never", "unknown")
SORTS = ("name", "seen", "status", "email", "added")
MOST_IDLE_DAYS = 3650


class BadFilter(ValueError):
    """A word of the filter makes no sense; `field` names it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """All conditions hold together. `idle` is a number of days, "never", "unknown" or None.

    With `product` set, `idle` speaks of that product alone. `synced` is about the identity provider. People who left
    the directory are shown only by status "left".
    """

    text: str = ""
    product: str = ""
    idle: int | str | None = None
    status: str = ""
    claim: str = ""
    group: str = ""
    domain: str = ""
    synced: bool | None = None
    sort: str = "name"
    descending: bool = False

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> PeopleFilter:
        """Reads the filter from an address. Unknown words are ignored; raises BadFilter for bad values."""
        return cls(
            text=_word(words.get("text", ""), 100),
            product=_word(words.get("product", ""), 100),
            idle=_idle(words.get("idle", "").strip()),
            status=_one_of("status", words.get("status", ""), ("", *STATUSES)),
            claim=_one_of("claim", words.get("claim", ""), ("", "managed", "unmanaged")),
            group=_word(words.get("group", ""), 100),
            domain=_word(words.get("domain", "").lower(), 255),
            synced={"yes": True, "no": False}.get(words.get("synced", "")),
            sort=_one_of("sort", words.get("sort", "") or "name", SORTS),
            descending=words.get("down", "") == "yes",
        )

    def to_words(self) -> dict[str, str]:
        """The shortest words that `from_words` reads back as this filter."""
        words = {
            "text": self.text,
            "product": self.product,
            "idle": "" if self.idle is None else str(self.idle),
            "status": self.status,
            "claim": self.claim,
            "group": self.group,
            "domain": self.domain,
            "synced": {True: "yes", False: "no", None: ""}[self.synced],
            "sort": "" if self.sort == "name" else self.sort,
            "down": "yes" if self.descending else "",
        }
        return {word: value for word, value in words.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether anything but the order differs from "everybody"."""
        return replace(self, sort="name", descending=False) != PeopleFilter()


def _word(value: str, most: int) -> str:
    # PostgreSQL takes no NUL in a text. Stripped last, so that what was cut off reads back as the same.
    return value.replace("\0", "").strip()[:most].strip()


def _idle(word: str) -> int | str | None:
    if not word:
        return None
    if word in IDLE_WORDS:
        return word
    if days := whole_number(word, MOST_IDLE_DAYS):
        return days
    raise BadFilter("idle", f"Idle days must be a number from 1 to {MOST_IDLE_DAYS}.")


def _one_of(field: str, word: str, allowed: tuple[str, ...]) -> str:
    if word not in allowed:
        raise BadFilter(field, f"“{word[:40]}” is not a choice here.")
    return word
