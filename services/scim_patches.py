"""A PATCH, read and applied, with a limit: scim2-models compares everybody it names with everybody who is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim2_models import Context, PatchOp, PayloadTooLargeException, Resource

from services.scim_dialects import plain_operations
from services.scim_wire import read_body

MOST_NAMED = 2_000
"""Operations, values to take away, comparisons in paths: reading them compares them with each other."""
MOST_COMPARED = 300_000
"""A few seconds. Meanwhile, on SQLite, nothing of any organization is written (S54)."""
_JOINTS = re.compile(r"\s(?:and|or)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be changed. `named` is what it looks for, `brought` how many values it adds."""

    operations: PatchOp[Any]
    named: int
    brought: int

    def apply(self, resource: Resource[Any]) -> bool:
        """Whether it changed anything. Raises PayloadTooLargeException before it does."""
        fields = (getattr(resource, name) for name in type(resource).model_fields)
        there = sum(len(each) for each in fields if isinstance(each, list))
        if self.named * (there + self.brought) > MOST_COMPARED:
            raise _too_much()
        return self.operations.patch(resource)


def read_patch(raw: bytes, kind: type[Resource[Any]]) -> Patch:
    """A PATCH of a person or a group, in every dialect that we know. Raises PayloadTooLargeException."""
    body = plain_operations(read_body(raw))
    # By what they are: the library takes these names in any spelling.
    lists = [each for each in body.values() if isinstance(each, list)]
    found = [each for some in lists for each in some if isinstance(each, dict)]
    named = sum(map(_named, found))
    if named > MOST_NAMED:
        raise _too_much()
    of_kind: Any = PatchOp[kind]  # type: ignore[valid-type]
    operations = of_kind.model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    return Patch(operations, named, sum(map(_brought, found)))


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
