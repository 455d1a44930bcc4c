"""An identity provider as our service meets it: a base URL, a bearer token, requests over real HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import requests

from connect.caller import Caller
from models.scim import ScimUser
from services import identity_providers
from tests.world import World

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class IdentityProvider:
    """One connection of an organization, seen from the other side."""

    world: World
    token: str
    connection_id: str
    operator: Caller

    def send(
        self, method: str, path: str, body: Any = None, *, status: int | None = None, **more: Any
    ) -> requests.Response:
        """One request; `status` is what it has to be answered with."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        headers |= more.pop("headers", {})
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self.world.http.request(
            method, f"{self.world.url}/scim/v2{path}", data=data, headers=headers, **more
        )
        if status is not None:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def json(
        self, method: str, path: str, body: Any = None, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        found: dict[str, Any] = self.send(method, path, body, status=status, **more).json()
        return found

    def find(self, kind: str, filter: str) -> list[dict[str, Any]]:
        """What a filter finds."""
        found: list[dict[str, Any]] = self.json("GET", f"/{kind}", params={"filter": filter})["Resources"]
        return found

    def add(self, email: str, **changed: Any) -> str:
        """A new person; their id."""
        body = {"schemas": [USER], "userName": email, "active": True} | changed
        return str(self.json("POST", "/Users", body, 201)["id"])

    def group(self, name: str, *members: str) -> str:
        """A new group; its id."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        return str(self.json("POST", "/Groups", body, 201)["id"])

    def patch(self, path: str, *operations: dict[str, Any], status: int = 200) -> dict[str, Any]:
        return self.json("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, status)

    def refuse(self, method: str, path: str, body: Any, status: int, scim_type: str | None = None) -> str:
        """A request that has to be refused in the RFC's form; the detail."""
        answer = self.send(method, path, body, status=status)
        found = answer.json()
        assert answer.headers["Content-Type"] == "application/scim+json"
        assert found["schemas"] == [ERROR]
        assert found["status"] == str(status)
        assert found.get("scimType") == scim_type
        return str(found["detail"])

    def stored(self, user_id: str) -> ScimUser:
        return next(row for row in self.world.rows(ScimUser) if row.id == user_id)


def connected(world: World, site: str = "acme", provider: str = "other") -> IdentityProvider:
    """Somebody connects an identity provider; the organization is known already."""
    operator = world.caller({"acme": "ana", "globex": "gina"}[site], site)
    made, token = identity_providers.connect(
        world.tools, operator, name=f"{provider} of {site}", provider=provider
    )
    return IdentityProvider(world, token, made.id, operator)
