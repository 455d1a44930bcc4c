"""The page of one rule: what it says, what is missing, when it runs, its versions and runs."""

from __future__ import annotations

from services import rule_views
from views import show
from views.access import caller, tools


def content(rule_id: str, saved: str = "") -> str:
    """The page, for a caller who is an operator. Raises NotFound."""
    page = rule_views.show_rule(tools(), caller(), rule_id)
    return show.place(
        "rules/rule.html", tab="rules", title=page.line.name, page=page, line=page.line, saved=saved
    )
