"""People over SCIM, answered at once from our own rows; what changes at Atlassian is the worker's (RFC 7644, 3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scim2_models import Context, NotFoundException, SearchRequest, UniquenessException
from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from models.scim import ScimGroup, ScimMember, ScimUser, find_user, groups_by_user
from services.scim_addresses import by_address, by_typed_address, keep_addresses
from services.scim_connections import Provisioner
from services.scim_dialects import plain_resource
from services.scim_filters import Compare, Field, among, exact_text, moment, text, yes_or_no
from services.scim_lists import Shelf
from services.scim_patches import read_patch
from services.scim_person import fill, resource_of
from services.scim_resources import PersonResource
from services.scim_turns import hold
from services.scim_wire import (
    Answer,
    answered,
    is_known,
    read_body,
    require_id,
    require_match,
    response_parameters,
    tag_of,
    wants,
)
from services.toolbox import Toolbox


def shelf(tools: Toolbox, session: Session, who: Provisioner) -> Shelf:
    """The people of this connection. Only its own."""

    def show(found: list[ScimUser], request: SearchRequest[Any]) -> list[dict[str, Any]]:
        groups = _groups(session, who, found) if wants(request, "groups") else {}
        people = (resource_of(row, groups.get(row.id, ()), tools.settings.base_url) for row in found)
        context = Context.RESOURCE_QUERY_RESPONSE
        return [each.model_dump(scim_ctx=context, response_parameters=request) for each in people]

    rows = select(ScimUser).where(
        ScimUser.organization_id == who.organization_id,
        ScimUser.connection_id == who.connection_id,
        ScimUser.deleted_at.is_(None),
    )
    typed = {"emails": by_typed_address(session, who.organization_id)}
    return Shelf(PersonResource, rows, (ScimUser.created_at, ScimUser.id), _fields(session, who), typed, show)


def read_user(
    tools: Toolbox, who: Provisioner, user_id: str, query: Mapping[str, str], if_none_match: str
) -> Answer:
    """One of them; 304 when the client has this version."""

    def deed() -> Answer:
        with tools.begin() as session:
            row = _require(session, who, user_id)
            if if_none_match and is_known(if_none_match, row.version):
                return Answer(304, None, {"ETag": tag_of(row.version)})
            return _shown(tools, session, row, query, Context.RESOURCE_QUERY_RESPONSE)

    return answered(deed)


def create_user(tools: Toolbox, who: Provisioner, raw: bytes, query: Mapping[str, str]) -> Answer:
    """A new one: 201, or 409 when the name is taken."""

    def deed() -> Answer:
        resource = _sent(raw, Context.RESOURCE_CREATION_REQUEST)
        resource.active = resource.active is not False
        now = tools.clock()
        with tools.begin() as session:
            hold(session, who, now)
            row = ScimUser(organization_id=who.organization_id, id=str(uuid.uuid4()))
            row.connection_id, row.version, row.created_at = who.connection_id, 1, now
            fill(row, resource)
            _require_free(session, who, row)
            _take_over(session, who, row)
            row.changed_at = row.dirty_at = now
            row.state, row.reason = "waiting", ""
            session.add(row)
            keep_addresses(session, row, resource)
            made = _shown(tools, session, row, query, Context.RESOURCE_CREATION_RESPONSE)
            return Answer(201, made.body, made.headers)

    return answered(deed)


def replace_user(
    tools: Toolbox, who: Provisioner, user_id: str, raw: bytes, query: Mapping[str, str], if_match: str
) -> Answer:
    """PUT. What is left out is gone, but for `active`: nobody loses access by an omission."""

    def deed() -> Answer:
        # Before anything is held: to read what is sent may take seconds.
        wanted = _sent(raw, Context.RESOURCE_REPLACEMENT_REQUEST)

        def change(resource: Any) -> Any:
            if wanted.active is None:
                wanted.active = resource.active
            return wanted if wanted.replace(resource) else None

        context = Context.RESOURCE_REPLACEMENT_RESPONSE
        return _change(tools, who, user_id, query, if_match, context, change)

    return answered(deed)


def patch_user(
    tools: Toolbox, who: Provisioner, user_id: str, raw: bytes, query: Mapping[str, str], if_match: str
) -> Answer:
    """PATCH, in every dialect that we know."""

    def deed() -> Answer:
        patch = read_patch(raw, PersonResource)

        def change(resource: Any) -> Any:
            return resource if patch.apply(resource) else None

        context = Context.RESOURCE_PATCH_RESPONSE
        return _change(tools, who, user_id, query, if_match, context, change)

    return answered(deed)


def delete_user(tools: Toolbox, who: Provisioner, user_id: str, if_match: str) -> Answer:
    """DELETE: gone from every answer at once; what it means at Atlassian is the connection's setting."""

    def deed() -> Answer:
        now = tools.clock()
        with tools.begin() as session:
            hold(session, who, now)
            row = _require(session, who, user_id)
            require_match(if_match, row.version)
            _mark(row, now)
            row.deleted_at = now
            here = (ScimMember.organization_id == who.organization_id, ScimMember.user_id == row.id)
            group_ids = select(ScimMember.group_id).where(*here)
            session.execute(
                update(ScimGroup)
                .where(ScimGroup.organization_id == who.organization_id, ScimGroup.id.in_(group_ids))
                .values(version=ScimGroup.version + 1, changed_at=now)
                .execution_options(synchronize_session=False)
            )
            session.execute(delete(ScimMember).where(*here))
        return Answer(204)

    return answered(deed)


def _change(
    tools: Toolbox,
    who: Provisioner,
    user_id: str,
    query: Mapping[str, str],
    if_match: str,
    context: Context,
    change: Callable[[Any], Any],
) -> Answer:
    now = tools.clock()
    with tools.begin() as session:
        hold(session, who, now)
        row = _require(session, who, user_id)
        require_match(if_match, row.version)
        wanted = change(resource_of(row, (), tools.settings.base_url))
        if wanted is not None:
            with session.no_autoflush:
                before = row.document
                fill(row, wanted)
                _require_free(session, who, row)
            if row.document != before:
                _mark(row, now)
                keep_addresses(session, row, wanted)
        session.flush()
        return _shown(tools, session, row, query, context)


def _sent(raw: bytes, context: Context) -> Any:
    return PersonResource.model_validate(plain_resource(read_body(raw)), scim_ctx=context)


def _mark(row: ScimUser, now: datetime) -> None:
    row.version += 1
    row.changed_at = row.dirty_at = now
    row.state, row.reason, row.tried = "waiting", "", None


def _take_over(session: Session, who: Provisioner, row: ScimUser) -> None:
    """Somebody deleted and created again is the same person: what this connection gave and took goes along.

    So does the case in which a run has them in hand: what comes of it is theirs. Whoever has another userName by now is
    known by the address.
    """
    same = [ScimUser.user_name_key == row.user_name_key]
    if row.email:
        same.append(ScimUser.email == row.email)
    gone = (
        select(ScimUser)
        .where(
            ScimUser.organization_id == who.organization_id,
            ScimUser.connection_id == who.connection_id,
            ScimUser.deleted_at.is_not(None),
        )
        .order_by(ScimUser.deleted_at.desc())
        .limit(1)
    )
    # One question for each, which an index answers: for both in one, SQLite may read everybody of the connection.
    found = [each for one in same for each in session.scalars(gone.where(one))]
    former = max(found, key=lambda each: each.deleted_at or each.changed_at, default=None)
    if former is None:
        return
    row.given, row.taken, row.invited, row.account_id, row.case_id, row.leaver_id = (
        former.given, former.taken, former.invited, former.account_id, former.case_id, former.leaver_id,
    )  # fmt: skip
    former.given, former.taken, former.dirty_at, former.case_id, former.leaver_id = None, "", None, None, None
    former.state, former.reason = "settled", "Created again by the identity provider."


def _require(session: Session, who: Provisioner, user_id: str) -> ScimUser:
    row = find_user(session, who.organization_id, who.connection_id, require_id(user_id))
    if row is None:
        raise NotFoundException(detail="There is nobody with this id.")
    return row


def _require_free(session: Session, who: Provisioner, row: ScimUser) -> None:
    query = select(ScimUser.id).where(
        ScimUser.organization_id == who.organization_id,
        ScimUser.connection_id == who.connection_id,
        ScimUser.user_name_key == row.user_name_key,
        ScimUser.deleted_at.is_(None),
        ScimUser.id != row.id,
    )
    if session.scalar(query.limit(1)) is not None:
        raise UniquenessException(detail="Somebody with this userName is here already.")


def _shown(
    tools: Toolbox, session: Session, row: ScimUser, query: Mapping[str, str], context: Context
) -> Answer:
    parameters = response_parameters(query, PersonResource)
    who = Provisioner(row.organization_id, row.connection_id)
    groups = _groups(session, who, [row]).get(row.id, ()) if wants(parameters, "groups") else ()
    resource = resource_of(row, groups, tools.settings.base_url)
    body = resource.model_dump(scim_ctx=context, response_parameters=parameters)
    return Answer(200, body, {"ETag": tag_of(row.version), "Location": resource.meta.location})


def _groups(session: Session, who: Provisioner, rows: list[ScimUser]) -> dict[str, list[ScimGroup]]:
    return groups_by_user(session, who.organization_id, [row.id for row in rows])


def _fields(session: Session, who: Provisioner) -> dict[Field, Compare]:
    def members(group_id: str) -> Select[Any]:
        return select(ScimMember.user_id).where(
            ScimMember.organization_id == who.organization_id, ScimMember.group_id == group_id
        )

    return {
        ("id", None): exact_text(ScimUser.id),
        ("external_id", None): exact_text(ScimUser.external_id),
        ("user_name", None): text(ScimUser.user_name_key),
        ("display_name", None): text(ScimUser.display_name_key),
        ("active", None): yes_or_no(ScimUser.active),
        ("emails", "value"): by_address(session, who.organization_id),
        ("groups", "value"): among(members, ScimUser.id),
        ("meta", "created"): moment(ScimUser.created_at),
        ("meta", "last_modified"): moment(ScimUser.changed_at),
    }
