"""Cells of a table file: a spreadsheet takes none of them for a formula, whatever it thinks divides them (S53).

Which mark divides cells is a matter of the reader's language: in half of Europe it is the semicolon, and then what
stands behind one inside of a cell is a cell of its own. Quotation marks alone do not help: they count only where a cell
begins.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r'\A(?=[=+\-@\t\r])|(?<=[;\t\r\n])"*(?=[=+\-@])')
_MARKED = re.compile(r"""\A'(?=[=+\-@\t\r])|((?<=[;\t\r\n])"*)'(?=[=+\-@])""")


def no_formula(text: str) -> str:
    """The text with an apostrophe before each place that a spreadsheet might take for the beginning of a formula."""
    return _FORMULA.sub(r"\g<0>'", text)


def as_typed(text: str) -> str:
    """The text without the apostrophes that we, or a spreadsheet, put before what looks like a formula."""
    return _MARKED.sub(r"\1", text)
