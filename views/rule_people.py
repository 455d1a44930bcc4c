"""A named list of people, typed as account ids or e-mail addresses."""

from __future__ import annotations

from models.people_search import accounts_by_address
from rules.plain_data import Problem
from services.doors import require_organization
from views.access import caller, tools

MOST_LOOKED_UP = 500


def with_account_ids(words: list[str]) -> tuple[list[str], list[Problem]]:
    """The list with account ids for addresses, and a problem for each address that is nobody's."""
    organization_id = require_organization(tools(), caller())
    looked_up = words[:MOST_LOOKED_UP]
    with tools().begin() as session:
        here = accounts_by_address(session, organization_id, [word for word in looked_up if "@" in word])
    found: list[str] = []
    problems = []
    for word in looked_up:
        account_id = here.get(word.lower()) if "@" in word else word
        if account_id is None:
            sentence = f"Nobody in your directory has the address {word[:80]}: use the account id."
            problems.append(Problem("who.people", sentence))
        else:
            found.append(account_id)
    return [*found, *words[MOST_LOOKED_UP:]], problems
