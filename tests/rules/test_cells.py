"""Cells: an apostrophe before whatever may be taken for a formula, and away again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.cells import as_typed, no_formula


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("Uma - Lindqvist; née Berg", "Uma - Lindqvist; née Berg"),
        ("=1+1", "'=1+1"),
        ("x;=1+1;", "x;'=1+1;"),
        ('x;"=1+1', "x;\"'=1+1"),
        ("designers;-berlin", "designers;'-berlin"),
        ("two\n=lines", "two\n'=lines"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_s53_an_apostrophe_stands_where_a_formula_might_begin(text: str, cell: str) -> None:
    assert no_formula(text) == cell
    assert as_typed(cell) == text


@given(st.text(alphabet=';\t\r\n"=+-@x|, ', max_size=20))
def test_what_is_written_comes_back_as_it_was(text: str) -> None:
    assert as_typed(no_formula(text)) == text
