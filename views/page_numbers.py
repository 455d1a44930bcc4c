"""Which page of a long list a request asks for."""

from __future__ import annotations

from flask import request

from rules.numbers import whole_number

LAST = 999_999


def page_asked_for(name: str = "page") -> int:
    """The number in the address or the form; the first page for anything odd. `name`: of which list, of several."""
    return whole_number(request.values.get(name, ""), LAST) or 1
