"""Addresses of the app's pages, for people outside of it: in messages of hooks, in mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from config import APP_KEY
from models.tenant import Product, doors_of


def link_to(session: Session, organization_id: str, path: str) -> str:
    """A page of the app inside the product of a door, Jira's first; the host hands it on (static/bridge.js)."""
    doors = sorted(doors_of(session, organization_id), key=lambda door: door.product != Product.JIRA)
    if not doors:
        return ""
    place = path.removeprefix("/app/")
    return f"{doors[0].display_url.rstrip('/')}/plugins/servlet/ac/{APP_KEY}/rollcall-app#!{place}"
