"""A person of the identity provider: from the SCIM resource into a row, and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from unicodedata import normalize

from scim2_models import Context, InvalidValueException

from models.scim import ScimGroup, ScimUser
from services.scim_resources import PersonResource
from services.scim_wire import ROOT, require_size, shorten_or_refuse, tag_of

_OURS = frozenset({"schemas", "id", "meta", "groups", "password"})


def fill(row: ScimUser, resource: Any) -> None:
    """Writes a resource into its row; a password is not kept. Raises InvalidValueException for what does not fit."""
    document = resource.model_dump(scim_ctx=Context.DEFAULT)
    document = {name: value for name, value in document.items() if name not in _OURS}
    require_size(document)
    row.document = document
    row.user_name = shorten_or_refuse(resource.user_name, 320, "userName")
    if not row.user_name.strip():
        raise InvalidValueException(detail="userName is empty.")
    row.user_name_key = key_of(row.user_name)
    row.external_id = shorten_or_refuse(resource.external_id, 255, "externalId")
    row.display_name = _name_of(resource)
    row.display_name_key = key_of(shorten_or_refuse(resource.display_name, 255, "displayName"))
    # Whoever no longer says whether somebody is active has not said that they are.
    row.active = row.active if resource.active is None else resource.active
    row.email = _address_of(row.user_name, [each for each in resource.emails or () if each.value])


def resource_of(row: ScimUser, groups: Iterable[ScimGroup], base_url: str) -> Any:
    """The resource as the provider sees it."""
    return PersonResource.model_validate(
        row.document
        | {
            "id": row.id,
            "meta": meta_of(
                "User", f"{base_url}{ROOT}/Users/{row.id}", row.version, row.created_at, row.changed_at
            ),
            "groups": [
                {
                    "value": group.id,
                    "$ref": f"{base_url}{ROOT}/Groups/{group.id}",
                    "display": group.display_name,
                    "type": "direct",
                }
                for group in groups
            ]
            or None,
        }
    )


def meta_of(
    kind: str, location: str, version: int, created_at: datetime, changed_at: datetime
) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "location": location,
        "version": tag_of(version),
        "created": created_at,
        "lastModified": changed_at,
    }


def key_of(text: str) -> str:
    """The form in which names are compared, as scim2-models compares them; at most 400 characters."""
    return normalize("NFC", normalize("NFC", text).lower())[:400]


def _name_of(resource: Any) -> str:
    name = resource.name
    parts = [name.formatted, " ".join(filter(None, (name.given_name, name.family_name)))] if name else []
    found = next(filter(None, (resource.display_name, *parts)), "")
    return str(found)[:255]


def _address_of(user_name: str, addresses: list[Any]) -> str:
    """Where an invitation goes: the primary address, the one at work, any; or the user name, if it is one."""
    by_rank = sorted(addresses, key=lambda each: (not each.primary, str(each.type) != "work"))
    named = [str(each.value).lower() for each in by_rank] + [user_name.strip().lower()]
    return next((each for each in named if len(each) <= 320 and _is_address(each)), "")


def _is_address(text: str) -> bool:
    name, at, domain = text.rpartition("@")
    return bool(name and at and "." in domain and " " not in text)
