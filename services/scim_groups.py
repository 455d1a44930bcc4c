"""Groups over SCIM; what their members get is decided by the profile that an operator maps them to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from scim2_models import (
    Context,
    NotFoundException,
    SearchRequest,
    UniquenessException,
)
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.scim import ScimGroup, ScimMember, find_group
from services.scim_connections import Provisioner
from services.scim_filters import Compare, Field, among, exact_text, moment, text
from services.scim_former_groups import give_as_before, remember
from services.scim_group import fill, members_named, resource_of, shown
from services.scim_lists import Shelf
from services.scim_members import look_again, members_in, mentioned, move
from services.scim_patches import Patch, read_parts
from services.scim_resources import GroupResource
from services.scim_turns import hold
from services.scim_wire import (
    ROOT,
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

MOST_SHOWN = 200
"""Members up to which a PATCH is answered with the whole group."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What `make` makes of a group with those of its members whom it is `about`; None: it may be about all of them."""

    about: Collection[str] | None
    make: Callable[[Any], Any]


def shelf(tools: Toolbox, session: Session, who: Provisioner) -> Shelf:
    """The groups of this connection. Only its own."""

    def show(found: list[ScimGroup], request: SearchRequest[Any]) -> list[dict[str, Any]]:
        shows, context = wants(request, "members"), Context.RESOURCE_QUERY_RESPONSE
        return [
            shown(tools, row, members_in(session, who, row.id) if shows else {}, context, request)
            for row in found
        ]

    rows = select(ScimGroup).where(
        ScimGroup.organization_id == who.organization_id, ScimGroup.connection_id == who.connection_id
    )
    return Shelf(GroupResource, rows, (ScimGroup.created_at, ScimGroup.id), _fields(who), {}, show)


def read_group(
    tools: Toolbox, who: Provisioner, group_id: str, query: Mapping[str, str], if_none_match: str
) -> Answer:
    """One of them; 304 when the client has this version."""

    def deed() -> Answer:
        with tools.begin() as session:
            row = _require(session, who, group_id)
            if if_none_match and is_known(if_none_match, row.version):
                return Answer(304, None, {"ETag": tag_of(row.version)})
            return _shown(tools, session, who, row, query, Context.RESOURCE_QUERY_RESPONSE)

    return answered(deed)


def create_group(tools: Toolbox, who: Provisioner, raw: bytes, query: Mapping[str, str]) -> Answer:
    """A new one: 201, or 409 when the name is taken."""

    def deed() -> Answer:
        resource = GroupResource.model_validate(read_body(raw), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        now = tools.clock()
        with tools.begin() as session:
            hold(session, who, now)
            row = ScimGroup(organization_id=who.organization_id, id=str(uuid.uuid4()))
            row.connection_id, row.version = who.connection_id, 1
            row.created_at = row.changed_at = now
            fill(row, resource)
            _require_free(session, who, row)
            give_as_before(session, row, now)
            session.add(row)
            session.flush()
            move(session, who, row.id, {}, members_named(resource), now)
            made = _shown(tools, session, who, row, query, Context.RESOURCE_CREATION_RESPONSE)
            return Answer(201, made.body, made.headers)

    return answered(deed)


def replace_group(
    tools: Toolbox, who: Provisioner, group_id: str, raw: bytes, query: Mapping[str, str], if_match: str
) -> Answer:
    """PUT: the members are those that are named."""

    def deed() -> Answer:
        wanted = GroupResource.model_validate(read_body(raw), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)

        def change(resource: Any) -> Any:
            wanted.replace(resource)
            return wanted

        context = Context.RESOURCE_REPLACEMENT_RESPONSE
        return _change(tools, who, group_id, query, if_match, context, [_Change(None, change)])

    return answered(deed)


def patch_group(
    tools: Toolbox, who: Provisioner, group_id: str, raw: bytes, query: Mapping[str, str], if_match: str
) -> Answer:
    """PATCH; of a large group the answer is only that it is done (204): nobody reads thousands of members."""

    def deed() -> Answer:
        changes = [
            _Change(mentioned(part.operations), partial(_patched, part))
            for part in read_parts(raw, GroupResource)
        ]
        return _change(tools, who, group_id, query, if_match, Context.RESOURCE_PATCH_RESPONSE, changes)

    return answered(deed)


def delete_group(tools: Toolbox, who: Provisioner, group_id: str, if_match: str) -> Answer:
    """DELETE: its members lose what only this group gave them, unless it comes again."""

    def deed() -> Answer:
        now = tools.clock()
        with tools.begin() as session:
            hold(session, who, now)
            row = _require(session, who, group_id)
            require_match(if_match, row.version)
            look_again(session, who.organization_id, members_in(session, who, row.id), now)
            remember(session, row, now)
            session.delete(row)
        return Answer(204)

    return answered(deed)


def _change(
    tools: Toolbox,
    who: Provisioner,
    group_id: str,
    query: Mapping[str, str],
    if_match: str,
    context: Context,
    changes: Iterable[_Change],
) -> Answer:
    now = tools.clock()
    with tools.begin() as session:
        hold(session, who, now)
        row = _require(session, who, group_id)
        require_match(if_match, row.version)
        described = row.document
        with session.no_autoflush:
            moved = [_make(tools, session, who, row, change, now) for change in changes]
            _require_free(session, who, row)
        if any(moved) or row.document != described:
            row.version, row.changed_at = row.version + 1, now
        session.flush()
        asks = "attributes" in query or "excludedAttributes" in query
        if context is Context.RESOURCE_PATCH_RESPONSE and not asks and _is_large(session, row):
            return Answer(204, None, {"ETag": tag_of(row.version)})
        return _shown(tools, session, who, row, query, context)


def _make(
    tools: Toolbox, session: Session, who: Provisioner, row: ScimGroup, change: _Change, now: datetime
) -> bool:
    """Whether a member came, went or is called something else."""
    before = members_in(session, who, row.id, change.about)
    wanted = change.make(resource_of(tools, row, before))
    fill(row, wanted)
    return move(session, who, row.id, before, members_named(wanted), now)


def _patched(patch: Patch, resource: Any) -> Any:
    patch.apply(resource)
    return resource


def _is_large(session: Session, row: ScimGroup) -> bool:
    query = select(ScimMember.user_id).where(
        ScimMember.organization_id == row.organization_id, ScimMember.group_id == row.id
    )
    return session.scalar(query.offset(MOST_SHOWN).limit(1)) is not None


def _shown(
    tools: Toolbox,
    session: Session,
    who: Provisioner,
    row: ScimGroup,
    query: Mapping[str, str],
    context: Context,
) -> Answer:
    parameters = response_parameters(query, GroupResource)
    shows = wants(parameters, "members")
    members = members_in(session, who, row.id) if shows else {}
    body = shown(tools, row, members, context, parameters)
    location = f"{tools.settings.base_url}{ROOT}/Groups/{row.id}"
    return Answer(200, body, {"ETag": tag_of(row.version), "Location": location})


def _require(session: Session, who: Provisioner, group_id: str) -> ScimGroup:
    row = find_group(session, who.organization_id, who.connection_id, require_id(group_id))
    if row is None:
        raise NotFoundException(detail="There is no group with this id.")
    return row


def _require_free(session: Session, who: Provisioner, row: ScimGroup) -> None:
    query = select(ScimGroup.id).where(
        ScimGroup.organization_id == who.organization_id,
        ScimGroup.connection_id == who.connection_id,
        ScimGroup.display_name_key == row.display_name_key,
        ScimGroup.id != row.id,
    )
    if session.scalar(query.limit(1)) is not None:
        raise UniquenessException(detail="A group with this displayName is here already.")


def _fields(who: Provisioner) -> dict[Field, Compare]:
    def groups(user_id: str) -> Select[Any]:
        return select(ScimMember.group_id).where(
            ScimMember.organization_id == who.organization_id, ScimMember.user_id == user_id
        )

    return {
        ("id", None): exact_text(ScimGroup.id),
        ("external_id", None): exact_text(ScimGroup.external_id),
        ("display_name", None): text(ScimGroup.display_name_key),
        ("members", "value"): among(groups, ScimGroup.id),
        ("meta", "created"): moment(ScimGroup.created_at),
        ("meta", "last_modified"): moment(ScimGroup.changed_at),
    }
