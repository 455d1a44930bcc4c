"""E-mail addresses as people write them, alone or in a list of any shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses, parseaddr

LONGEST_ADDRESS = 254
LONGEST_NAME = 255
_ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:|\"]{1,64}@(?:[^\s@<>()\[\]\\,;:|\".]{1,63}\.){1,8}[^\s@<>()\[\]\\,;:|\".]{2,63}"
)
# Whole: a part of an address that is too long, or has two @, is somebody else's.
_INSIDE = re.compile(
    r"(?:mailto:)?(?<![^\s<>()\[\]\\,;:|\"])(" + _ADDRESS.pattern + r")(?!\.?[^\s<>()\[\]\\,;:|\".])",
    re.IGNORECASE,
)
_NOT_IN_A_NAME = " \t,;:<>()[]\"'“”•*-\u2013|"
# The library reads brackets inside of brackets by calling itself.
_NO_BRACKETS = str.maketrans("()[]", "    ")
_MOST_OF_A_LINE = 10_000
"""Characters: nobody writes longer ones, and patterns stay fast."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody in a pasted list, and on which of its lines."""

    email: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A part of a pasted list in which no address was found."""

    text: str
    line: int


def is_address(text: str) -> bool:
    """Whether this is one e-mail address and nothing else."""
    return len(text) <= LONGEST_ADDRESS and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def read_list(text: str) -> tuple[list[Named], list[NotUnderstood]]:
    """People of a pasted list, each address once, and what was not understood.

    One on each line, or several separated by commas, semicolons or tabs; with names in front or behind, in angle
    brackets, quotes or columns.
    """
    people: dict[str, Named] = {}
    odd: list[NotUnderstood] = []
    for number, line in enumerate(text.replace("\0", " ").splitlines(), 1):
        for found in _read_line(line[:_MOST_OF_A_LINE], number):
            if isinstance(found, NotUnderstood):
                odd.append(found)
            else:
                people.setdefault(found.email.lower(), found)
    return list(people.values()), odd


def _read_line(line: str, number: int) -> Iterator[Named | NotUnderstood]:
    if not line.strip(_NOT_IN_A_NAME):
        return
    addresses = list(_INSIDE.finditer(line))
    if not addresses:
        yield NotUnderstood(line.strip()[:100], number)
    elif line.count("@") == 1:
        # "Nora Newman <nora@x.y>", "nora@x.y, Nora Newman", "Newman, Nora (nora@x.y)": the rest is the name.
        yield _one(line, addresses[0], number)
    else:
        yield from _several(line, addresses, number)


def _several(line: str, addresses: list[re.Match[str]], number: int) -> Iterator[Named | NotUnderstood]:
    parts = getaddresses([re.sub(r"[;\t|]", ",", line).translate(_NO_BRACKETS)])
    known = [(name, _INSIDE.fullmatch(address)) for name, address in parts]
    if sum(found is not None for _name, found in known) < len(addresses):
        # Only blanks between them, or a shape that no mail has: the addresses alone.
        for one in addresses:
            yield Named(one[1], "", number)
        for word in _INSIDE.sub(" ", line).split():
            if "@" in word:
                yield NotUnderstood(word[:100], number)
        return
    for (name, address), (_name, found) in zip(parts, known, strict=True):
        if found is not None:
            yield Named(found[1], _clean(name), number)
        elif (name + address).strip(_NOT_IN_A_NAME):
            yield NotUnderstood(f"{name} {address}".strip()[:100], number)


def _one(line: str, found: re.Match[str], number: int) -> Named | NotUnderstood:
    name, address = parseaddr(line.strip().translate(_NO_BRACKETS))
    if address != found[1] or not name:
        name = f"{line[: found.start()]} {line[found.end() :]}"
    return Named(found[1], _clean(name), number)


def _clean(name: str) -> str:
    """ "Newman, Nora" becomes "Nora Newman"; numbers of a list and anything unprintable go."""
    name = "".join(letter if letter.isprintable() else "," if letter == "\t" else " " for letter in name)
    parts = [" ".join(part.strip(_NOT_IN_A_NAME).split()) for part in re.split(r"[,;|]", name)]
    parts = [part for part in parts if any(letter.isalpha() for letter in part)]
    name = " ".join(reversed(parts) if len(parts) == 2 else parts)
    return re.sub(r"^\d+[.)]\s*", "", name)[:LONGEST_NAME]
