"""Who came, changed or went is told to the apps of their site, as Jira and Confluence tell it. Groups are not told."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, g, has_request_context

from sandbox import installer
from sandbox.cloud import Cloud
from sandbox.installer import NotPossible

CAME, CHANGED, WENT = "came", "changed", "went"
EVENTS = {
    CAME: {"jira": "user_created", "confluence": "user_created"},
    CHANGED: {"jira": "user_updated"},
    WENT: {"jira": "user_deleted", "confluence": "user_removed"},
}
BY_DEED = {
    "invite": CAME,
    "suspend": CHANGED,
    "restore": CHANGED,
    "disable": CHANGED,
    "enable": CHANGED,
    "cancel_delete": CHANGED,
    "delete": WENT,
    "remove": WENT,
}
"""What a call of the organization API means for somebody."""


def note(org: str, account_id: str, what: str | None) -> None:
    """It is told when the request is over: while somebody writes, nobody is called."""
    if what is not None and has_request_context():
        g.setdefault("announcements", []).append((org, account_id, what))


def add_to(program: Flask, cloud: Cloud) -> None:
    """Tells what the request has noted, if this Cloud tells such things at all."""

    @program.after_request
    def tell(response: Response) -> Response:
        for org, account_id, what in g.pop("announcements", ()) if cloud.announces else ():
            for tenant in installer.tenants(cloud):
                event = EVENTS[what].get(tenant.product)
                if event and tenant.installed and tenant.site == org:
                    # An app that does not answer keeps nobody from working.
                    with suppress(NotPossible):
                        installer.fire_webhook(cloud, org, tenant.product, event, account_id)
        return response
