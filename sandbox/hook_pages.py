"""/hooks/<name> on the hub takes calls; /hooks shows what arrived."""

from __future__ import annotations

import json

from flask import Blueprint, Response, render_template, request

from sandbox.cloud import Cloud
from sandbox.hook_sink import Call


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("hook_pages", __name__)

    @routes.route("/hooks/<name>", methods=["POST", "PUT"])
    def take(name: str) -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        order = cloud.hook_sink.take(name, request.method, headers, request.get_data())
        cloud.stopping.wait(order.seconds)
        return Response("ok" if order.status < 300 else "as ordered", order.status, order.headers)

    @routes.get("/hooks")
    def page() -> str:
        """?call=: one of them as a whole."""
        calls = cloud.hook_sink.calls()[::-1]
        wanted = request.args.get("call", type=int)
        call = next((each for each in calls if each.n == wanted), calls[0] if calls else None)
        return render_template(
            "hooks.html",
            calls=calls,
            call=call,
            body=_readable(call) if call else "",
            hub=cloud.hub,
            title=_title,
        )

    return routes


def _readable(call: Call) -> str:
    try:
        return json.dumps(json.loads(call.body), indent=2, ensure_ascii=False)
    except ValueError:
        return call.body


def _title(call: Call) -> str:
    """What a call is about, whatever its form."""
    try:
        body = json.loads(call.body)
    except ValueError:
        return call.method
    return str(body.get("text") or body.get("type") or call.method) if isinstance(body, dict) else call.method
