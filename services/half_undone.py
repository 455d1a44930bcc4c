"""An undo that ended halfway: what it did give back is no longer there to be taken back by the next one (S51)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.run import Case, find_case
from rules.changes import Change, ChangeKind


def leave_the_rest(session: Session, undo: Case) -> None:
    """Of the case taken back, only what `undo` has not given back counts as done from now on."""
    original = find_case(session, undo.organization_id, undo.undoes) if undo.undoes is not None else None
    if original is None:
        return
    given = {Change.from_words(row).inverse() for row in undo.changes or () if row[3]}
    if any(
        Change.from_words(row) == Change(ChangeKind.DEACTIVATE) and not row[3] for row in undo.changes or ()
    ):
        # The account is not as it was before its deletion until it is deactivated again.
        given.discard(Change(ChangeKind.DELETE))
    if given:
        original.changes = [
            [*row[:3], bool(row[3]) and Change.from_words(row) not in given] for row in original.changes or ()
        ]
        original.changed = any(row[3] for row in original.changes)
