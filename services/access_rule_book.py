"""What the access rules say this moment about the cases of a run that one of them began."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.access_rule import access_rules_of
from models.run import Run
from rules.access_rule import AccessRule
from rules.roster import Origin

DELETED = "The access rule was deleted."
ONLY_LISTS = "The access rule only lists by now."


@dataclass(frozen=True, slots=True)
class AccessBook:
    """The rule as it is now, the other live ones, and what stands against everything that the run still has to do."""

    rule: AccessRule | None = None
    others: tuple[AccessRule, ...] = ()
    objection: str | None = None


def open_at(session: Session, run: Run) -> AccessBook:
    """Empty for runs of anything else. An undo is no deed of the rule."""
    if run.origin != Origin.ACCESS_RULE or run.undoes is not None:
        return AccessBook()
    stored = access_rules_of(session, run.organization_id)
    mine = next((each for each in stored if each.id == run.origin_id), None)
    if mine is None:
        return AccessBook(objection=DELETED)
    if not mine.is_live:
        return AccessBook(objection=ONLY_LISTS)
    return AccessBook(mine.rule, tuple(each.rule for each in stored if each.is_live and each.id != mine.id))
