"""Which page of a long list a request asks for."""

from __future__ import annotations

from flask import request

from rules.numbers import whole_number

LAST = 999_999


def page_asked_for() -> int:
    """The number in the address or the form; the first page for anything odd."""
    return whole_number(request.values.get("page", ""), LAST) or 1
