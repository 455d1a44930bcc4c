"""Several leavers at once, by a pasted list of people or the rows of a file."""

from __future__ import annotations

from connect.caller import Caller
from connect.errors import Invalid
from models.leaver import LeaverOrigin
from models.people import accounts_by_address
from rules.addresses import read_list
from services.doors import require_organization
from services.leavers import MOST_AT_ONCE, begin_leaver
from services.toolbox import Toolbox

LONGEST_LIST = 100_000
_SHOWN = 5


def request_listed(tools: Toolbox, caller: Caller, text: str) -> int:
    """Everybody on the list becomes a leaver, or nobody: returns how many.

    Raises Invalid when something is not understood, somebody is not in the directory, or these are too many.
    """
    organization_id = require_organization(tools, caller)
    if len(text) > LONGEST_LIST:
        raise Invalid("people", "This list is too long.", f"Up to {MOST_AT_ONCE} people at a time.")
    people, odd = read_list(text)
    if odd:
        raise Invalid(
            "people", f"Line {odd[0].line} has no e-mail address.", "Write one address on each line."
        )
    if not people:
        raise Invalid("people", "Nobody is on this list.", "Paste the addresses of those who are leaving.")
    if len(people) > MOST_AT_ONCE:
        raise Invalid(
            "people", f"These are more than {MOST_AT_ONCE} people.", f"Up to {MOST_AT_ONCE} at a time."
        )
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        accounts = accounts_by_address(session, organization_id, [one.email for one in people])
        strangers = [one.email for one in people if one.email.lower() not in accounts]
        if strangers:
            more = f", and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
            raise Invalid(
                "people",
                f"Not in your directory: {', '.join(strangers[:_SHOWN])}{more}.",
                "Mend or leave out these addresses. Whose address is hidden is found by name above.",
            )
        for account_id in dict.fromkeys(accounts[one.email.lower()] for one in people):
            begin_leaver(session, organization_id, account_id, by=by, now=now, origin=LeaverOrigin.CSV)
    return len(people)
