"""Every route of the app, from its own map: a new one is in every matrix by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from app import create_app
from tests.connect.listener import Listener
from tests.security.world import settings_for
from views.access import Mark, Right, mark_of, right_of

VALUES = {
    "account_id": "ana",
    "run_id": "7b3f9f6e-0000-4000-8000-000000000001",
    "rule_id": "7b3f9f6e-0000-4000-8000-000000000002",
    "protected_id": "7b3f9f6e-0000-4000-8000-000000000003",
    "token": "WyJvcmciLCJjYXNlIiwiYW5hIl0.forged",
    "hook_id": "7b3f9f6e-0000-4000-8000-000000000004",
    "delivery_id": "7b3f9f6e-0000-4000-8000-000000000005",
    "profile_id": "7b3f9f6e-0000-4000-8000-000000000006",
    "case_id": "7b3f9f6e-0000-4000-8000-000000000007",
    "leaver_id": "7b3f9f6e-0000-4000-8000-000000000008",
    "ticket_rule_id": "7b3f9f6e-0000-4000-8000-000000000008",
    "call_id": "7b3f9f6e-0000-4000-8000-000000000009",
    "step": "stop",
    "access_rule_id": "7b3f9f6e-0000-4000-8000-000000000009",
    "word": "approve",
    "event": "page_created",
    "kind": "admin-key",
    "topic": "person:warned",
    "language": "en",
    "stop_token": "x.y",
    "filename": "mark.svg",
    "connection_id": "7b3f9f6e-0000-4000-8000-000000000007",
    "group_id": "7b3f9f6e-0000-4000-8000-000000000008",
    "scim_id": "7b3f9f6e-0000-4000-8000-000000000006",
    "name": "User",
    "urn": "urn:ietf:params:scim:schemas:core:2.0:User",
    "_elsewhere": "nowhere",
}


@dataclass(frozen=True)
class Route:
    method: str
    rule: str
    endpoint: str
    mark: Mark
    right: Right | None

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def address(self) -> str:
        """The address with a value in each place."""
        return self.with_values(VALUES)

    def with_values(self, values: dict[str, str]) -> str:
        parts = []
        for part in self.rule.split("/"):
            name = part.strip("<>").rpartition(":")[2]
            parts.append(values[name] if part.startswith("<") else part)
        return "/".join(parts)


@cache
def all_routes() -> tuple[Route, ...]:
    here = Listener(url="http://127.0.0.1:9")
    app = create_app(settings_for("sqlite:////nowhere/rollcall.sqlite", here, here))
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        mark = mark_of(view)
        assert mark is not None
        found.extend(
            Route(method, rule.rule, rule.endpoint, mark, right_of(view))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        )
    return tuple(sorted(found, key=str))


def guarded_routes() -> tuple[Route, ...]:
    return tuple(route for route in all_routes() if route.mark is not Mark.PUBLIC)


def personal_routes() -> tuple[Route, ...]:
    """Routes that a person opens: pages and what they ask for."""
    return tuple(route for route in all_routes() if route.mark in (Mark.PAGE, Mark.API))
