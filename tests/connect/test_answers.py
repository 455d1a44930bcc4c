"""What an answer may hold and what becomes of it."""

from __future__ import annotations

import json

import pytest

from connect.gateway.answers import text


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('"Ana Marić"', "Ana Marić"),
        ('"A\\u0000na"', "Ana"),
        ('"half a pair \\ud83d"', "half a pair ?"),
        ('"a whole one \\ud83d\\ude00"', "a whole one 😀"),
        ("null", ""),
    ],
)
def test_a_word_is_one_that_every_database_takes(sent: str, expected: str) -> None:
    assert text({"name": json.loads(sent)}, "name") == expected
