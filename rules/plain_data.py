"""Plain data, as YAML, JSON and forms bring it, read field by field: every problem is found, none stops the reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

MOST_VALUES = 500
MOST_LETTERS = 255


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one field; `field` is its path ("steps.0.when.not_seen"), empty for the whole."""

    field: str
    sentence: str


class BadRule(ValueError):
    """The data is no rule. `problems` are all there are, in the order of the fields."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(f"{problem.field}: {problem.sentence}" for problem in problems))
        self.problems = problems


class Fields:
    """The fields of one part. A field that is absent reads as None or empty; so does a bad one, with its problem."""

    def __init__(self, data: object, path: str, known: Sequence[str], problems: list[Problem]) -> None:
        self._path, self._problems = path, problems
        self._data: dict[object, object] = {}
        self.is_readable = isinstance(data, Mapping)
        if isinstance(data, Mapping):
            self._data = dict(data)
        else:
            problems.append(Problem(path, f"Write fields here: {', '.join(known)}."))
        for key in self._data:
            if key not in known:
                self.problem(_shown(key), _unknown(key, known))

    def __contains__(self, key: str) -> bool:
        return key in self._data

    @property
    def has_any(self) -> bool:
        return bool(self._data)

    def value(self, key: str) -> object:
        """As it was brought; None when absent."""
        return self._data.get(key)

    def path(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def problem(self, key: str, sentence: str) -> None:
        self._problems.append(Problem(self.path(key) if key else self._path, sentence))

    def number(self, key: str, least: int, most: int, unit: str) -> int | None:
        """A whole number. `unit` is the plural that people read."""
        if key not in self._data:
            return None
        value = self._data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            negative = isinstance(value, int) and value < 0
            wrong = (
                f"{unit.capitalize()} cannot be negative: write"
                if negative
                else f"{unit.capitalize()}: write"
            )
            self.problem(key, f"{wrong} a whole number from {least:,} to {most:,}.")
            return None
        return value

    def limit(self, key: str, most: int, unit: str, default: int | None) -> int | None:
        """A number, or "none", which is read as None: that there is no limit must be said (S47)."""
        if key not in self._data:
            return default
        if self._data[key] == "none":
            return None
        value = self._data[key]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        self.problem(
            key,
            f"{unit.capitalize()}: write a whole number from 0 (nobody) to {most:,}, or “none” for no limit.",
        )
        return default

    def choice(self, key: str, choices: Sequence[str]) -> str | None:
        """One of the words."""
        if key not in self._data:
            return None
        value = self._data[key]
        if isinstance(value, str) and value in choices:
            return value
        meant = get_close_matches(value, choices, 1) if isinstance(value, str) else []
        hint = f" Did you mean “{meant[0]}”?" if meant else ""
        self.problem(key, f"“{_shown(value)}” is no choice here.{hint} There are: {', '.join(choices)}.")
        return None

    def flag(self, key: str, *, absent: bool = False) -> bool:
        """True or false; `absent` is what it is when nobody says it."""
        value = self._data.get(key, absent)
        if isinstance(value, bool):
            return value
        self.problem(key, "Write true or false.")
        return False

    def text(self, key: str, most: int) -> str | None:
        """One line of text, without the spaces around it."""
        if key not in self._data:
            return None
        value = self._data[key]
        if not isinstance(value, str):
            self.problem(key, "Write text here, in quotes if it looks like a number or a time.")
        elif not is_plain(value):
            self.problem(key, "Has characters that cannot be kept: write one line of plain text.")
        elif not value.strip() or len(value) > most:
            self.problem(key, f"Write 1 to {most} characters.")
        else:
            return value.strip()
        return None

    def texts(
        self,
        key: str,
        tidy: Callable[[str], str] = str.strip,
        objection: Callable[[str], str | None] = lambda _text: None,
    ) -> tuple[str, ...]:
        """A list of texts, each once. Absent means no condition; an empty list is nobody's intention (S47)."""
        found: dict[str, None] = {}
        for place, value in self.list_of(key, MOST_VALUES):
            if not isinstance(value, str):
                self.problem(place, "Write text here, in quotes if it looks like a number.")
            elif (
                not is_plain(value)
                or not value.strip()
                or len(tidy(value)) > MOST_LETTERS
                or len(value) > MOST_LETTERS
            ):
                self.problem(place, f"Write 1 to {MOST_LETTERS} characters of plain text.")
            elif sentence := objection(tidy(value)):
                self.problem(place, sentence)
            else:
                found[tidy(value)] = None
        return tuple(found)

    def list_of(self, key: str, most: int, of: str = "values") -> list[tuple[str, object]]:
        """(path below this part, value) of each value of a list with at least one; empty when absent."""
        if key not in self._data:
            return []
        value = self._data[key]
        if not isinstance(value, list):
            self.problem(key, "Write a list here.")
        elif not value:
            self.problem(key, "The list is empty: leave it out to mean no condition.")
        elif len(value) > most:
            self.problem(key, f"At most {most} {of}.")
        else:
            return [(f"{key}.{number}", each) for number, each in enumerate(value)]
        return []

    def part(self, key: str, known: Sequence[str]) -> Fields:
        """The fields one level down; empty when absent."""
        return Fields(self._data.get(key, {}), self.path(key), known, self._problems)


def is_plain(text: str) -> bool:
    """Whether every database and file can keep this text: no control characters (NUL), no halves of a character."""
    return not any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def _unknown(key: object, known: Sequence[str]) -> str:
    meant = get_close_matches(key, known, 1) if isinstance(key, str) else []
    hint = f" Did you mean “{meant[0]}”?" if meant else f" There are: {', '.join(known)}."
    return f"Rollcall does not know “{_shown(key)}”.{hint}"


def _shown(value: object) -> str:
    """A value as part of a sentence: short, and nothing that a page or a terminal stumbles over."""
    text = value if isinstance(value, str) else repr(value) if _is_short(value) else "this"
    return "".join(letter if is_plain(letter) else "\N{REPLACEMENT CHARACTER}" for letter in text[:40])


def _is_short(value: object) -> bool:
    # Python refuses to write out numbers of thousands of digits.
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**12)
