"""Languages: what we say to the people concerned, in theirs. A language is one file, translations/<language>.po.

English is what stands in the program; every other language is a catalogue, read when the program runs.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parent.parent / "translations"
ENGLISH = "en"
LONGEST_HEADER = 500

_PREFERENCE = re.compile(
    r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language. `values` fill the places of a sentence: "Hello %(name)s"."""

    language: str
    texts: gettext.NullTranslations

    def gettext(self, sentence: str, /, **values: object) -> str:
        """The sentence in this language; the English one when nobody translated it."""
        return _filled(self.texts.gettext(sentence), values)

    def ngettext(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The same for a sentence that depends on a number; it stands for %(count)s."""
        return _filled(self.texts.ngettext(one, many, count), {"count": count, **values})

    def date(self, day: date) -> str:
        """12 May 2027, as this language writes it."""
        # Rollcall writes days before months everywhere else, too.
        pattern = "d MMMM y" if self.language == ENGLISH else "long"
        return format_date(day, pattern, locale=self.language)


def msgid(sentence: str) -> str:
    """Marks a sentence that is kept in English and translated when it is shown."""
    return sentence


def languages() -> dict[str, str]:
    """Every language that we speak, by its own name: {"en": "English", "de": "Deutsch"}."""
    return {language: _name(language) for language in _known()}


@cache
def catalogue(language: str) -> Catalogue:
    """The sentences of a language; English for one that we do not speak."""
    if language not in _known() or language == ENGLISH:
        return Catalogue(ENGLISH, gettext.NullTranslations())
    with (FOLDER / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Catalogue(language, gettext.GNUTranslations(compiled))


def best_language(accept_language: str, otherwise: str = ENGLISH) -> str:
    """The language that a browser's Accept-Language header likes best of ours; `otherwise` when it likes none."""
    wanted = _preferred(accept_language[:LONGEST_HEADER])
    best = negotiate_locale(wanted, _known(), sep="-") if wanted else None
    return best or (otherwise if otherwise in _known() else ENGLISH)


def _preferred(header: str) -> list[str]:
    """What the header names, the most wanted first."""
    found: list[tuple[float, str]] = []
    for part in header.split(","):
        named = _PREFERENCE.fullmatch(part.strip())
        if named is not None and named[1] != "*" and float(named[2] or 1) > 0:
            found.append((float(named[2] or 1), named[1]))
    return [name for _wish, name in sorted(found, key=lambda one: -one[0])]


@cache
def _known() -> Sequence[str]:
    return (ENGLISH, *sorted(file.stem for file in FOLDER.glob("*.po")))


def _name(language: str) -> str:
    name = Locale.parse(language, sep="-").get_display_name(language) or language
    return name[:1].upper() + name[1:]


def _filled(sentence: str, values: dict[str, object]) -> str:
    return sentence % values if values else sentence
