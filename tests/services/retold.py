"""The pretend Atlassian, some of whose answers come otherwise: as Atlassian may tell them too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from services.toolbox import Toolbox
from tests.connect.listener import Call, Reply, listening
from tests.world import World

Tell = Callable[[Call, Any], Any]
"""(request, JSON of the answer) -> the JSON that the app reads instead, or a whole Reply."""
Row = dict[str, Any]


@contextmanager
def retold(world: World, tell: Tell) -> Iterator[Toolbox]:
    """The app's toolbox, whose organization API is one that tells some things otherwise."""

    def answer(call: Call) -> Reply:
        headers = {
            name: value for name, value in call.headers.items() if name in {"Authorization", "Content-Type"}
        }
        found = world.lines.request(
            call.method, f"{world.sandbox.hub}{call.path}", body=call.body, headers=headers, retries=False
        )
        told = tell(call, json.loads(found.data) if found.data else None)
        if isinstance(told, Reply):
            return told
        return Reply(found.status, json.dumps(told).encode() if told is not None else b"")

    with listening() as here:
        here.answer = answer
        yield replace(world.tools, atlassian=replace(world.tools.atlassian, api_url=here.url))


def is_reading_of_people(call: Call) -> bool:
    """Whether somebody reads people with all that is told of them."""
    return call.path.endswith("/users/search") and b'"expand"' in call.body


def with_everybody(change: Callable[[Row], Row]) -> Tell:
    """Tells of each person what `change` makes of them."""

    def tell(call: Call, answer: Any) -> Any:
        if is_reading_of_people(call):
            answer["data"] = [change(person) for person in answer["data"]]
        return answer

    return tell
