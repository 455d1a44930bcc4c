"""Addresses of the app's pages, for people outside of it: in messages of hooks, in mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from config import APP_KEY
from models.tenant import Product, doors_of


def app_home(display_url: str, base_url: str) -> str:
    """The app inside one product, as people open it; the two addresses are those of its tenant."""
    return f"{(display_url or base_url).rstrip('/')}/plugins/servlet/ac/{APP_KEY}/rollcall-app"


def link_to(session: Session, organization_id: str, path: str) -> str:
    """A page of the app inside the product of a door, Jira's first; "" without a door.

    The host hands on what is behind the #! (static/bridge.js).
    """
    doors = sorted(doors_of(session, organization_id), key=lambda door: door.product != Product.JIRA)
    if not doors:
        return ""
    return f"{app_home(doors[0].display_url, doors[0].base_url)}#!{path.removeprefix('/app/')}"
