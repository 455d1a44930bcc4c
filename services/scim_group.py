"""A group of the identity provider: from the SCIM resource into a row, and back."""

from __future__ import annotations

from typing import Any

from scim2_models import Context, InvalidValueException, ResponseParameters

from models.scim import ScimGroup
from services.scim_members import Members
from services.scim_person import key_of, meta_of
from services.scim_resources import GroupResource
from services.scim_wire import ROOT, asks_for_parts, require_size, shorten_or_refuse
from services.toolbox import Toolbox

_OURS = frozenset({"schemas", "id", "meta", "members"})
MOST_MEMBERS = 50_000


def fill(row: ScimGroup, resource: Any) -> None:
    document = resource.model_dump(scim_ctx=Context.DEFAULT)
    document = {name: value for name, value in document.items() if name not in _OURS}
    require_size(document)
    row.document = document
    row.display_name = shorten_or_refuse(resource.display_name, 255, "displayName")
    if not row.display_name.strip():
        raise InvalidValueException(detail="displayName is empty.")
    row.display_name_key = key_of(row.display_name)
    row.external_id = shorten_or_refuse(resource.external_id, 255, "externalId")


def members_named(resource: Any) -> Members:
    found: Members = {}
    for member in resource.members or ():
        # Who is no person is found out by the id: what providers write for a type is many things.
        if not member.value:
            raise InvalidValueException(detail="A member is named by the id of a User.")
        found[member.value] = (member.display or "")[:255]
    if len(found) > MOST_MEMBERS:
        raise InvalidValueException(detail=f"A group has at most {MOST_MEMBERS} members.")
    return found


def shown(
    tools: Toolbox, row: ScimGroup, members: Members, context: Context, parameters: ResponseParameters[Any]
) -> dict[str, Any]:
    """What the provider reads of a group."""
    if not asks_for_parts(parameters, "members"):
        # As they are: made into resources first, twenty thousand members take seconds, and ten times the memory.
        alone = resource_of(tools, row, {})
        body: dict[str, Any] = alone.model_dump(scim_ctx=context, response_parameters=parameters)
        return body | ({"members": _said(tools, members)} if members else {})
    whole = resource_of(tools, row, members)
    found: dict[str, Any] = whole.model_dump(scim_ctx=context, response_parameters=parameters)
    return found


def _said(tools: Toolbox, members: Members) -> list[dict[str, str]]:
    users = f"{tools.settings.base_url}{ROOT}/Users"
    return [
        {"value": user_id, "$ref": f"{users}/{user_id}", "type": "User"}
        | ({"display": display} if display else {})
        for user_id, display in members.items()
    ]


def resource_of(tools: Toolbox, row: ScimGroup, members: Members) -> Any:
    base = f"{tools.settings.base_url}{ROOT}"
    return GroupResource.model_validate(
        row.document
        | {
            "id": row.id,
            "meta": meta_of("Group", f"{base}/Groups/{row.id}", row.version, row.created_at, row.changed_at),
            "members": _said(tools, members) or None,
        }
    )
