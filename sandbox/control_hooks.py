"""Control API: the calls of hooks that came, and how the next ones are answered."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox.cloud import Cloud
from sandbox.hook_sink import Order


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/hooks")
    def hook_calls() -> Response:
        """?name=: in order of arrival, {n, name, at, method, headers, body, status}."""
        return jsonify([call.as_data() for call in cloud.hook_sink.calls(request.args.get("name", ""))])

    @routes.post("/hooks/<name>/answer")
    def order_answer(name: str) -> tuple[Response, int]:
        """{status, headers, seconds, times}: how calls of this name are answered from now on."""
        cloud.hook_sink.order(name, Order.parse(request.get_json()))
        return jsonify(ok=True), 201

    @routes.delete("/hooks")
    def forget_hooks() -> Response:
        """Calls and orders."""
        cloud.hook_sink.clear()
        return jsonify(ok=True)
