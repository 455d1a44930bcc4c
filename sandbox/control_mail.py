"""Control API: the mails that came, and what goes wrong at the mail server."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox import mailbox
from sandbox.cloud import Cloud


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/mails")
    def mails() -> Response:
        """?to=address: newest first, each with `times`, how often it was handed in."""
        found = mailbox.mails(cloud.store, request.args.get("to", ""))
        return jsonify([mail.as_data() for mail in found])

    @routes.delete("/mails")
    def forget_mails() -> Response:
        mailbox.forget(cloud.store)
        return jsonify(ok=True)

    @routes.get("/mail-faults")
    def mail_faults() -> Response:
        return jsonify(cloud.mail_faults.listing())

    @routes.post("/mail-faults")
    def add_mail_fault() -> tuple[Response, int]:
        """{kind: refuse | busy | drop, recipient: address or empty, times: n | null}."""
        cloud.mail_faults.add(request.get_json())
        return jsonify(ok=True), 201

    @routes.delete("/mail-faults")
    def clear_mail_faults() -> Response:
        cloud.mail_faults.clear()
        return jsonify(ok=True)
