"""The dialects of providers: rewritten into what RFC 7644 says before anybody reads it."""

from __future__ import annotations

from typing import Any

from scim2_models import EnterpriseUser

from services.scim_resources import GroupResource, PersonResource

_LISTS = frozenset(
    str(field.serialization_alias).casefold()
    for resource in (PersonResource, GroupResource)
    for name, field in resource.model_fields.items()
    if resource.get_field_multiplicity(name)
)
_ENTERPRISE = str(EnterpriseUser.__schema__).casefold()
_MANAGER = f"{_ENTERPRISE}:manager"


def plain_resource(body: dict[str, Any]) -> dict[str, Any]:
    """The same person, with a manager who is named by id alone as the RFC has it."""
    return {
        name: _with_manager(value) if name.casefold() == _ENTERPRISE and isinstance(value, dict) else value
        for name, value in body.items()
    }


def _with_manager(value: dict[str, Any]) -> dict[str, Any]:
    return {name: _manager(item) if name.casefold() == "manager" else item for name, item in value.items()}


def _manager(value: Any) -> Any:
    return ({"value": value} if value else None) if isinstance(value, str) else value


def plain_operations(body: dict[str, Any]) -> dict[str, Any]:
    """The same PATCH, said plainly.

    - Entra names a manager by id alone, where the RFC has an object with the id in it.
    - Without a path, keys such as `emails[type eq "work"].value` become operations of their own.
    - Entra names whom to remove together with an empty `$ref`, which nobody has.
    - Entra's older dialect wraps a single value into a list of one object: `[{"value": …}]`.
    - Entra says what a plain value was when it takes that away; the path names it already.
    """
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return body
    return body | {"Operations": [plain for each in operations for plain in _plain(each)]}


def _plain(operation: Any) -> list[Any]:
    if not isinstance(operation, dict):
        return [operation]
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path:
        return [_with_path(operation, path, value)]
    if not isinstance(value, dict):
        return [operation]
    apart = {key: item for key, item in value.items() if "[" in key or key.casefold() == _MANAGER}
    together = {key: item for key, item in value.items() if key not in apart}
    split = [_with_path(operation | {"path": key, "value": item}, key, item) for key, item in apart.items()]
    return ([operation | {"value": together}] if together or not split else []) + split


def _with_path(operation: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    removes = str(operation.get("op")).casefold() == "remove"
    if removes and (_takes_one(path) or path.endswith("]")):
        return operation | {"value": None}
    if path.casefold() == _MANAGER and _is_wrapped(value):
        value = value[0]["value"]
    if path.casefold() == _MANAGER and isinstance(value, str):
        # An empty one takes the manager away.
        return operation | ({"value": {"value": value}} if value else {"op": "remove", "value": None})
    if removes and isinstance(value, list):
        return operation | {"value": [_without_nulls(each) for each in value]}
    if _is_wrapped(value) and _takes_one(path):
        return operation | {"value": value[0]["value"]}
    return operation


def _without_nulls(entry: Any) -> Any:
    return (
        {name: item for name, item in entry.items() if item is not None} if isinstance(entry, dict) else entry
    )


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "value" in value[0]


def _takes_one(path: str) -> bool:
    """Whether the path leads to one value. `members` and the other lists take lists."""
    name = path.rpartition(":")[2] if path.casefold().startswith("urn:") else path
    return not name.endswith("]") and name.casefold().partition(".")[0] not in _LISTS
