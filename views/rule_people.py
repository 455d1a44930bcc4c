"""A named list of people, typed as account ids or e-mail addresses."""

from __future__ import annotations

from models.people_search import find_people
from rules.filters import PeopleFilter
from rules.plain_data import Problem
from services.doors import require_organization
from views.access import caller, tools

MOST_LOOKED_UP = 500


def with_account_ids(words: list[str]) -> tuple[list[str], list[Problem]]:
    """The list with account ids for addresses, and a problem for each address that is nobody's."""
    organization_id = require_organization(tools(), caller())
    found: list[str] = []
    problems = []
    with tools().begin() as session:
        for word in words[:MOST_LOOKED_UP]:
            if "@" not in word:
                found.append(word)
                continue
            people = find_people(session, organization_id, PeopleFilter(text=word), tools().clock())
            account_id = next(
                (each.account_id for each in people if (each.email or "").casefold() == word.casefold()), None
            )
            if account_id is None:
                sentence = f"Nobody in your directory has the address {word[:80]}: use the account id."
                problems.append(Problem("who.people", sentence))
            else:
                found.append(account_id)
    return [*found, *words[MOST_LOOKED_UP:]], problems
