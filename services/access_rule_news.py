"""People whom live access rules are to look at before the next sync, because they were read again by themselves.

A rule that only lists waits for the sync: its list would change under whoever is reading it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from models.access_rule import AccessRuleNews, StoredAccessRule, hold_access_rules
from rules.rule import Mode
from services.directory import upsert


def tell(session: Session, organization_id: str, account_id: str) -> None:
    """Every live rule looks at this person soon, once."""
    live = (StoredAccessRule.organization_id == organization_id, StoredAccessRule.mode == Mode.LIVE.value)
    # What somebody takes who is evaluating was there when they began to read.
    hold_access_rules(session, *live)
    for rule_id in session.scalars(select(StoredAccessRule.id).where(*live)).all():
        _put(session, organization_id, rule_id, [account_id], second=False)


def take(session: Session, stored: StoredAccessRule) -> dict[str, bool]:
    """Whom to look at now → whether it is their second look. They are no longer waiting."""
    mine = _mine(stored)
    found = dict(session.execute(select(AccessRuleNews.account_id, AccessRuleNews.second).where(*mine)).all())
    session.execute(delete(AccessRuleNews).where(*mine))
    return found


def look_at_all(session: Session, stored: StoredAccessRule) -> None:
    """A look at everybody begins: whoever waits now is seen by it. Who is told of from here on waits for the next."""
    session.execute(update(AccessRuleNews).where(*_mine(stored)).values(second=True))


def looked_at_all(session: Session, stored: StoredAccessRule) -> None:
    """That look is over."""
    session.execute(delete(AccessRuleNews).where(*_mine(stored), AccessRuleNews.second.is_(True)))


def again(session: Session, stored: StoredAccessRule, account_ids: Iterable[str]) -> None:
    """The rule looks at them once more, when its run is over."""
    _put(session, stored.organization_id, stored.id, account_ids, second=True)


def _mine(stored: StoredAccessRule) -> tuple[ColumnElement[bool], ...]:
    return (
        AccessRuleNews.organization_id == stored.organization_id,
        AccessRuleNews.rule_id == stored.id,
    )


def _put(
    session: Session, organization_id: str, rule_id: str, account_ids: Iterable[str], *, second: bool
) -> None:
    upsert(
        session,
        AccessRuleNews,
        [
            {
                "organization_id": organization_id,
                "rule_id": rule_id,
                "account_id": account_id,
                "second": second,
            }
            for account_id in account_ids
        ],
    )
