"""Error bodies of the admin APIs (admin-organization: Errors, ProxyError; admin-user-management: {key})."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Response, jsonify


class Refusal(Exception):
    """An answer that ends a request early."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    def response(self) -> Response:
        answer = jsonify(self.body)
        answer.status_code = self.status
        return answer


def application_error(status: int, code: str, title: str, detail: str = "") -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "status": str(status),
        "code": code,
        "title": title,
        "detail": detail or title,
    }


def errors(status: int, code: str, title: str, detail: str = "") -> Refusal:
    """`{"errors": [...]}` as the v2 calls answer."""
    return Refusal(status, {"errors": [application_error(status, code, title, detail)]})


def proxy(status: int, message: str) -> Refusal:
    """`{"code": 401, "message": ...}` as the gateway in front of the v1 calls answers."""
    return Refusal(status, {"code": status, "message": message})
