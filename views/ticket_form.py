"""The form of a ticket rule: what was typed, and a stored rule as if it had been."""

from __future__ import annotations

from flask import request

from models.ticket import TicketRule
from services.ticket_wishes import TicketWish

TEXTS = (
    "name",
    "client_key",
    "project",
    "request_types",
    "domains",
    "person",
    "person_field",
    "gives_kind",
    "profile_id",
    "days",
)


def typed_rule() -> TicketWish:
    """The form that was sent."""
    texts = {name: request.form.get(name, "")[:3000] for name in TEXTS}
    return TicketWish(
        **texts,
        groups=tuple(request.form.getlist("groups")),
        gives=tuple(request.form.getlist("gives")),
        with_approval=request.form.get("with_approval") != "no",
        comments=request.form.get("comments") == "yes",
    )


def as_typed(rule: TicketRule) -> TicketWish:
    """What somebody would have typed for this rule."""
    return TicketWish(
        name=rule.name,
        client_key=rule.client_key,
        project=rule.project,
        request_types=", ".join(rule.request_types),
        domains=", ".join(rule.domains),
        groups=tuple(rule.groups),
        person="field" if rule.person_field else "reporter",
        person_field=rule.person_field,
        gives_kind="profile" if rule.profile_id is not None else "groups",
        profile_id=rule.profile_id or "",
        gives=tuple(rule.gives),
        days=str(rule.days or ""),
        with_approval=rule.with_approval,
        comments=rule.comments,
    )
