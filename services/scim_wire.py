"""SCIM on the wire: bodies in, answers out, and what we let providers do that the RFC does not (RFC 7644)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    ResponseParameters,
    SCIMException,
    ScimPolicy,
)

ROOT = "/scim/v2"
MOST_RESULTS = 200
LONGEST_DOCUMENT = 60_000
"""Characters. A person is described by far less."""

# Entra takes values away by naming them, and writes into an e-mail address that is not there yet; every provider sends
# attributes of its own.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider is told. `body` None: nothing but the status."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def answered(deed: Callable[[], Answer]) -> Answer:
    """The answer of a deed, or its refusal in the RFC's form."""
    try:
        with POLICY:
            return deed()
    except SCIMException as problem:
        return _refusal(problem.to_error())
    except ValidationError as problem:
        return _refusal(Error.from_validation_errors(problem)[0])
    except RecursionError:
        return error_answer(400, "This is nested too deeply.", "invalidSyntax")


def error_answer(status: int, detail: str, scim_type: str | None = None) -> Answer:
    """A refusal of our own."""
    return _refusal(Error(status=status, scim_type=scim_type, detail=detail))


def _refusal(error: Error) -> Answer:
    status = error.status or 400
    return Answer(status, error.model_dump(scim_ctx=Context.DEFAULT))


def read_body(raw: bytes) -> dict[str, Any]:
    """The object in a body. Raises InvalidSyntaxException, and InvalidValueException for what no database keeps."""
    try:
        found = json.loads(raw, parse_constant=_refuse_constant)
        again = json.dumps(found, ensure_ascii=False)
        again.encode()
    except UnicodeEncodeError as problem:
        raise InvalidValueException(detail="A text holds half a character.") from problem
    except (ValueError, RecursionError) as problem:
        raise InvalidSyntaxException(detail="The body is not JSON.") from problem
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="The body is not a JSON object.")
    if "\\u0000" in again:
        raise InvalidValueException(detail="A text holds a NUL character.")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def response_parameters(query: Mapping[str, str], resource: type[Any]) -> ResponseParameters[Any]:
    """`attributes` and `excludedAttributes` of a request. Raises ValidationError."""
    names = ("attributes", "excludedAttributes")
    parameters: Any = ResponseParameters[resource]  # type: ignore[valid-type]
    found: ResponseParameters[Any] = parameters.model_validate(
        {name: query[name] for name in names if query.get(name)}
    )
    return found


def wants(parameters: ResponseParameters[Any], name: str) -> bool:
    """Whether an answer shows a whole attribute: what nobody wants to see is not fetched."""
    asked = [str(path).casefold() for path in parameters.attributes or ()]
    without = [str(path).casefold() for path in parameters.excluded_attributes or ()]
    name = name.casefold()
    if asked:
        return any(_last(path).split(".")[0] == name for path in asked)
    return all(_last(path) != name for path in without)


def asks_for_parts(parameters: ResponseParameters[Any], name: str) -> bool:
    """Whether an answer shows some parts of an attribute, and others not."""
    paths = (*(parameters.attributes or ()), *(parameters.excluded_attributes or ()))
    return any(_last(str(path)).casefold().startswith(f"{name.casefold()}.") for path in paths)


def _last(path: str) -> str:
    return path.rpartition(":")[2]


def require_id(text: str) -> str:
    """An id as we give them away. Raises NotFoundException for anything else."""
    if _ID.fullmatch(text) is None:
        raise NotFoundException(detail="There is nothing with this id.")
    return text


def tag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'W/"{version}"'


def require_match(if_match: str, version: int) -> None:
    """Raises PreconditionFailedException when the client has seen another version."""
    if not if_match or if_match.strip() == "*":
        return
    if str(version) not in _TAG.findall(if_match):
        raise PreconditionFailedException(detail="This was changed in the meantime: read it again.")


def is_known(if_none_match: str, version: int) -> bool:
    """Whether the client has this version already."""
    return if_none_match.strip() == "*" or str(version) in _TAG.findall(if_none_match)


def shorten_or_refuse(text: str | None, longest: int, name: str) -> str:
    """`text`, or "" for none. Raises InvalidValueException when it does not fit."""
    if text is not None and len(text) > longest:
        raise InvalidValueException(detail=f"At most {longest} characters fit into {name}.")
    return text or ""


def require_size(document: Mapping[str, Any]) -> None:
    """Raises InvalidValueException when there is more of it than anybody needs."""
    if len(json.dumps(document)) > LONGEST_DOCUMENT:
        raise InvalidValueException(detail="This is more than Rollcall keeps about one person or group.")
