"""A PATCH, read and applied, with a limit: scim2-models compares everybody it names with everybody who is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from scim2_models import Context, PatchOp, PayloadTooLargeException, Resource

from services.batches import batches
from services.scim_dialects import plain_operations
from services.scim_wire import read_body

MOST_NAMED = 2_000
"""Operations, values to take away, comparisons in paths: reading them compares them with each other."""
MOST_COMPARED = 300_000
"""A few seconds. Meanwhile, on SQLite, nothing of any organization is written (S54)."""
PART = 40
"""So many of them are applied together where it can be done in parts: twice as many take four times as long."""
_JOINTS = re.compile(r"\s(?:and|or)\s", re.IGNORECASE)


@dataclass(slots=True)
class _Allowance:
    """How much may still be compared for one request."""

    left: int = MOST_COMPARED

    def take(self, compared: int) -> None:
        self.left -= compared
        if self.left < 0:
            raise _too_much()


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be changed. `named` is what it looks for, `brought` how many values it adds."""

    operations: PatchOp[Any]
    named: int
    brought: int
    allowance: _Allowance

    def apply(self, resource: Resource[Any]) -> bool:
        """Whether it changed anything. Raises PayloadTooLargeException before it does."""
        fields = (getattr(resource, name) for name in type(resource).model_fields)
        there = sum(len(each) for each in fields if isinstance(each, list))
        self.allowance.take(self.named * (there + self.brought))
        return self.operations.patch(resource)


def read_patch(raw: bytes, kind: type[Resource[Any]]) -> Patch:
    """A PATCH in every dialect that we know. Raises PayloadTooLargeException."""
    return _patch(_plain_body(raw), kind, _Allowance())


def read_parts(raw: bytes, kind: type[Resource[Any]]) -> list[Patch]:
    """The same as several, at least one: each is to be applied to what the one before it has left."""
    body, allowance = _plain_body(raw), _Allowance()
    names = [name for name in body if name.casefold() == "operations"]
    if len(names) != 1 or not body[names[0]] or not isinstance(body[names[0]], list):
        return [_patch(body, kind, allowance)]
    return [_patch(body | {names[0]: part}, kind, allowance) for part in _parts(body[names[0]])]


def _plain_body(raw: bytes) -> dict[str, Any]:
    body = plain_operations(read_body(raw))
    if sum(map(_named, _operations(body))) > MOST_NAMED:
        raise _too_much()
    return body


def _operations(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    # By what they are: the library takes these names in any spelling.
    lists = [each for each in body.values() if isinstance(each, list)]
    return [each for some in lists for each in some if isinstance(each, dict)]


def _patch(body: dict[str, Any], kind: type[Resource[Any]], allowance: _Allowance) -> Patch:
    of_kind: Any = PatchOp[kind]  # type: ignore[valid-type]
    read = of_kind.model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    found = _operations(body)
    return Patch(read, sum(map(_named, found)), sum(map(_brought, found)), allowance)


def _parts(operations: list[Any]) -> list[list[Any]]:
    parts: list[list[Any]] = []
    room = 0
    for operation in chain.from_iterable(map(_pieces, operations)):
        named = _named(operation) if isinstance(operation, dict) else 1
        if named > room:
            parts.append([])
            room = PART
        parts[-1].append(operation)
        room -= named
    return parts


def _pieces(operation: Any) -> list[Any]:
    """To take many away is to take away some of them, and then the others."""
    value = operation.get("value") if isinstance(operation, dict) else None
    if not isinstance(value, list) or not _removes(operation) or len(value) < PART:
        return [operation]
    return [operation | {"value": some} for some in batches(value, PART - 1)]


def _named(operation: Mapping[str, Any]) -> int:
    words = [each for each in operation.values() if isinstance(each, str)]
    compared = sum(len(_JOINTS.findall(each)) for each in words)
    return 1 + compared + (_values(operation) if _removes(operation) else 0)


def _brought(operation: Mapping[str, Any]) -> int:
    return 0 if _removes(operation) else _values(operation)


def _values(operation: Mapping[str, Any]) -> int:
    parts = [*operation.values()]
    parts += [item for each in parts if isinstance(each, dict) for item in each.values()]
    return sum(len(each) for each in parts if isinstance(each, list))


def _removes(operation: Mapping[str, Any]) -> bool:
    return any(isinstance(each, str) and each.casefold() == "remove" for each in operation.values())


def _too_much() -> PayloadTooLargeException:
    return PayloadTooLargeException(detail="This is too much for one PATCH: send some hundred at a time.")
