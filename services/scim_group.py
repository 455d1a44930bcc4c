"""A group of the identity provider: from the SCIM resource into a row, and back."""

from __future__ import annotations

from typing import Any

from scim2_models import Context, InvalidValueException

from models.scim import ScimGroup
from services.scim_members import Members
from services.scim_person import key_of, meta_of
from services.scim_resources import GroupResource
from services.scim_wire import ROOT, require_size, shorten_or_refuse
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
        if not member.value or member.type not in (None, "User"):
            raise InvalidValueException(detail="A member is named by the id of a User.")
        found[member.value] = (member.display or "")[:255]
    if len(found) > MOST_MEMBERS:
        raise InvalidValueException(detail=f"A group has at most {MOST_MEMBERS} members.")
    return found


def resource_of(tools: Toolbox, row: ScimGroup, members: Members) -> Any:
    base = f"{tools.settings.base_url}{ROOT}"
    return GroupResource.model_validate(
        row.document
        | {
            "id": row.id,
            "meta": meta_of("Group", f"{base}/Groups/{row.id}", row.version, row.created_at, row.changed_at),
            "members": [
                {
                    "value": user_id,
                    "$ref": f"{base}/Users/{user_id}",
                    "type": "User",
                    "display": display or None,
                }
                for user_id, display in members.items()
            ]
            or None,
        }
    )
