"""Who is in a provider's group: rows, not a document, so that a change of one person reads one person."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from scim2_models import InvalidValueException, PatchOp, PatchOperation
from scim2_models.path import CompareOperator, Comparison, LogicalExpr, LogicalOperator
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.scim import ScimConnection, ScimGroup, ScimMember, ScimUser
from services.scim_connections import Provisioner

BATCH = 500


def mentioned(operations: PatchOp[Any]) -> set[str] | None:
    """The ids of the members that a PATCH is about; None when it may be about every member.

    A group of ten thousand need not be read to take one of them out.
    """
    found: set[str] = set()
    for operation in operations.operations or ():
        ids = _mentioned(operation)
        if ids is None:
            return None
        found |= ids
    return found


def _mentioned(operation: PatchOperation[Any]) -> set[str] | None:
    replaces = operation.op is PatchOperation.Op.replace_
    path = operation.path
    if path is None:
        value = operation.value if isinstance(operation.value, dict) else {}
        touched = [item for name, item in value.items() if name.casefold().rpartition(":")[2] == "members"]
        return None if replaces and touched else _ids(touched[0] if touched else [])
    binding = path.resolve()
    if binding is None or binding.field_name != "members":
        return set()
    if binding.sub_field_name is not None and path.value_filter is None:
        return None
    if path.value_filter is not None:
        return _compared(path.value_filter)
    if replaces or operation.value is None:
        return None
    return _ids(operation.value)


def _ids(value: Any) -> set[str] | None:
    entries = value if isinstance(value, list) else [value]
    ids = [entry.get("value") if isinstance(entry, dict) else None for entry in entries]
    return {str(each) for each in ids} if all(ids) else None


def _compared(node: Any) -> set[str] | None:
    terms = node.terms if isinstance(node, LogicalExpr) and node.op is LogicalOperator.or_ else (node,)
    ids = {
        term.value
        for term in terms
        if isinstance(term, Comparison)
        and term.op is CompareOperator.eq
        and term.attr_path.attr.casefold() == "value"
        and isinstance(term.value, str)
    }
    return ids if len(ids) == len(terms) else None


Members = dict[str, str]
"""Id of a person → what the provider calls them in this group, "" for nothing."""


def members_in(
    session: Session, who: Provisioner, group_id: str, among: Collection[str] | None = None
) -> Members:
    """The members of a group, or those of them who are `among` some ids."""
    query = select(ScimMember.user_id, ScimMember.display).where(
        ScimMember.organization_id == who.organization_id, ScimMember.group_id == group_id
    )
    if among is None:
        return dict(session.execute(query.order_by(ScimMember.user_id)).all())
    found: Members = {}
    for batch in _batches(among):
        found |= dict(session.execute(query.where(ScimMember.user_id.in_(batch))).all())
    return found


def move(
    session: Session, who: Provisioner, group_id: str, before: Members, after: Members, now: datetime
) -> bool:
    """Writes who came and who went; whoever did is looked at by the worker. Whether anything changed.

    Raises InvalidValueException for a member who is nobody here.
    """
    came, went = after.keys() - before.keys(), before.keys() - after.keys()
    renamed = {user_id for user_id in after.keys() & before.keys() if after[user_id] != before[user_id]}
    _require_known(session, who, came)
    here = (ScimMember.organization_id == who.organization_id, ScimMember.group_id == group_id)
    for batch in _batches(went | renamed):
        session.execute(delete(ScimMember).where(*here, ScimMember.user_id.in_(batch)))
    rows = [
        {
            "organization_id": who.organization_id,
            "group_id": group_id,
            "user_id": user_id,
            "display": after[user_id],
        }
        for user_id in sorted(came | renamed)
    ]
    if rows:
        session.execute(insert(ScimMember), rows)
    look_again(session, who.organization_id, came | went, now)
    return bool(came or went or renamed)


def look_again(session: Session, organization_id: str, user_ids: Iterable[str], now: datetime) -> None:
    """Their access may have to follow."""
    for batch in _batches(user_ids):
        session.execute(
            update(ScimUser)
            .where(ScimUser.organization_id == organization_id, ScimUser.id.in_(batch))
            .values(dirty_at=now, state="waiting", reason="", tried=None)
            .execution_options(synchronize_session=False)
        )


def look_again_by_profile(session: Session, organization_id: str, profile_id: str, now: datetime) -> None:
    """The access of everybody in a group that gives this profile may have to follow, in a moment."""
    giving = ScimGroup.organization_id == organization_id, ScimGroup.profile_id == profile_id
    # The connections first: a change by the provider, or the worker, holds one before it touches anybody.
    connection_ids = select(ScimGroup.connection_id).where(*giving)
    session.execute(
        update(ScimConnection)
        .where(ScimConnection.organization_id == organization_id, ScimConnection.id.in_(connection_ids))
        .values(look_at=now)
        .execution_options(synchronize_session=False)
    )
    members = select(ScimMember.user_id).where(
        ScimMember.organization_id == organization_id,
        ScimMember.group_id.in_(select(ScimGroup.id).where(*giving)),
    )
    look_again(session, organization_id, set(session.scalars(members)), now)


def _require_known(session: Session, who: Provisioner, user_ids: set[str]) -> None:
    for batch in _batches(user_ids):
        known = session.scalars(
            select(ScimUser.id).where(
                ScimUser.organization_id == who.organization_id,
                ScimUser.connection_id == who.connection_id,
                ScimUser.deleted_at.is_(None),
                ScimUser.id.in_(batch),
            )
        )
        if set(batch) - set(known):
            raise InvalidValueException(
                detail="A member is nobody whom this connection knows. Groups in groups are not supported."
            )


def _batches(ids: Iterable[str]) -> list[list[str]]:
    found = sorted(ids)
    return [found[start : start + BATCH] for start in range(0, len(found), BATCH)]
