"""Languages: every sentence that is said to people has a translation, with the same places to fill in."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.languages import FOLDER, best_language, catalogue, languages

TOP = Path(__file__).resolve().parent.parent.parent
METHODS = [
    ("services/**.py", "python"),
    ("views/**.py", "python"),
    ("templates/**", "jinja2.ext:babel_extract"),
]
KEYWORDS = {"_": None, "gettext": None, "msgid": None, "ngettext": (1, 2)}
PLACES = re.compile(r"%\((\w+)\)s|\{\{\s*[\w.]+\s*\}\}|\{[\w.]+\}")
FILES = sorted(FOLDER.glob("*.po"))


@cache
def used() -> frozenset[str | tuple[str, ...]]:
    """Every sentence that the program says in somebody's language."""
    found: set[str | tuple[str, ...]] = set()
    for folder in ("services", "views", "templates"):
        methods = [(pattern.removeprefix(f"{folder}/"), how) for pattern, how in METHODS if folder in pattern]
        for _file, _line, message, _comments, _context in extract_from_dir(
            TOP / folder, methods, keywords=KEYWORDS
        ):
            found.add(message)
    return frozenset(found)


def read(file: Path) -> Catalog:
    with file.open("rb") as lines:
        return read_po(lines, locale=file.stem, abort_invalid=True)


def texts_of(message: object) -> list[str]:
    return [message] if isinstance(message, str) else list(message)  # type: ignore[call-overload]


def test_the_program_says_something() -> None:
    assert "Keep my access" in used()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_everything_is_translated(file: Path) -> None:
    catalog = read(file)
    known = {message.id: message for message in catalog if message.id}
    missing = [
        sentence for sentence in used() if sentence not in known or not all(texts_of(known[sentence].string))
    ]
    assert missing == []
    assert not [message.id for message in known.values() if message.fuzzy]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_translated_that_nobody_says(file: Path) -> None:
    assert {message.id for message in read(file) if message.id} - used() == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_places_to_fill_in_are_the_same(file: Path) -> None:
    for message in read(file):
        if message.id:
            wanted = {tuple(sorted(set(PLACES.findall(text)))) for text in texts_of(message.id)}
            places = set().union(*wanted)
            for text in texts_of(message.string):
                assert set(PLACES.findall(text)) <= places, text
            if isinstance(message.id, str):
                assert set(PLACES.findall(str(message.string))) == places, message.id


@pytest.mark.parametrize(
    ("header", "otherwise", "best"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        ("en-GB,en;q=0.9,de;q=0.5", "de", "en"),
        ("fr, en;q=0.3, de;q=0.5", "en", "de"),
        ("fr", "de", "de"),
        ("", "de", "de"),
        ("*", "de", "de"),
        ("de;q=0", "en", "en"),
        ("", "tlh", "en"),
        (";;;q=9,../../etc/passwd,\0," + "de," * 10_000, "en", "de"),
    ],
)
def test_the_language_that_a_browser_likes_best(header: str, otherwise: str, best: str) -> None:
    assert best_language(header, otherwise) == best


def test_what_nobody_translated_stays_english() -> None:
    assert set(languages()) >= {"en", "de"}
    assert languages()["de"] == "Deutsch"
    assert (
        catalogue("de").gettext("Nobody has translated %(what)s.", what="this")
        == "Nobody has translated this."
    )
    assert catalogue("../../etc/passwd").language == "en"
    assert catalogue("en").date(date(2027, 5, 1)) == "1 May 2027"
    assert catalogue("de").date(date(2027, 5, 1)) == "1. Mai 2027"
