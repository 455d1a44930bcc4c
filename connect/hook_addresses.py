"""Which addresses a hook may have: the kind's own hosts, or any public one for signed calls (S29)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from connect.errors import Invalid
from connect.hosts import is_loopback
from connect.public_hosts import check_target, target
from rules.topics import HookKind

LONGEST_ADDRESS = 2000

# One pattern for the whole address, as in connect/hosts.py: user info, fragments, blanks, backslashes, quotes and
# letters outside ASCII cannot be in it.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*)?",
    re.ASCII,
)
_WELL_KNOWN_PORTS = range(1, 1024)


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a kind's addresses live: a host beginning with a dot stands for everything below it."""

    places: tuple[tuple[str, str], ...]
    sentence: str
    next_step: str

    def has(self, host: str, path: str) -> bool:
        return any(
            (host.endswith(place) if place.startswith(".") else host == place) and path.startswith(start)
            for place, start in self.places
        )


_HOMES = {
    # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    HookKind.SLACK: _Home(
        (("hooks.slack.com", "/services/"),),
        "This is not the address of a Slack incoming webhook.",
        "Copy it from your Slack app, under Incoming Webhooks: it begins with https://hooks.slack.com/services/.",
    ),
    # What the Workflows app hands out: the older addresses, and those of Power Platform that replace them.
    HookKind.TEAMS: _Home(
        ((".logic.azure.com", "/"), (".api.powerplatform.com", "/"), ("api.powerautomate.com", "/")),
        "This is not the address of a Teams workflow.",
        "Make a workflow “Send webhook alerts to a channel” in Teams and copy its address: its host ends with "
        "api.powerplatform.com or logic.azure.com. Addresses of the older connectors (webhook.office.com) are retired.",
    ),
    HookKind.JIRA_AUTOMATION: _Home(
        (("api-private.atlassian.com", "/automation/webhooks/"), ("automation.atlassian.com", "/pro/hooks/")),
        "This is not the address of an incoming webhook of Jira Automation.",
        "Copy it from the rule's trigger “Incoming webhook”: it begins with "
        "https://api-private.atlassian.com/automation/webhooks/.",
    ),
}


@dataclass(frozen=True, slots=True)
class HookAddress:
    """A checked address, taken apart. `addresses` are the IP addresses that were checked: only they are called."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def check_hook_address(kind: HookKind, address: str, allowed: Collection[str]) -> HookAddress:
    """Takes an address apart and looks its host up now. `allowed` is PRIVATE_TARGETS: whoever runs Rollcall vouches.

    Raises Invalid("address"), with the reason public_hosts.NOT_FOUND when the host is not known at the moment.
    """
    found = _ADDRESS.fullmatch(address) if len(address) <= LONGEST_ADDRESS else None
    if found is None:
        raise Invalid(
            "address",
            "This is not an address that can be called.",
            "Copy it as a whole: it begins with https://.",
        )
    scheme, host, path = found["scheme"], found["host"].lower().strip("[]"), found["path"] or "/"
    port = int(found["port"]) if found["port"] else 443 if scheme == "https" else 80
    vouched_for = target(host, port) in allowed
    if scheme == "http" and not (vouched_for and is_loopback(host)):
        raise Invalid(
            "address", "Hooks are called by https alone.", "Give an address that begins with https://."
        )
    if not vouched_for:
        _check_place(kind, host, port, path)
    return HookAddress(scheme, host, port, path, check_target(host, port, allowed))


def _check_place(kind: HookKind, host: str, port: int, path: str) -> None:
    home = _HOMES.get(kind)
    if home is not None and not (port == 443 and home.has(host, path)):
        raise Invalid("address", home.sentence, home.next_step)
    if port != 443 and port in _WELL_KNOWN_PORTS:
        raise Invalid(
            "address", "No hook listens on this port.", "Leave the port out, or take one from 1024 on."
        )
