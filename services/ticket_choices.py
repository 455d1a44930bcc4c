"""What the form of a ticket rule offers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from connect.caller import Caller
from models.people import Group
from models.profile import profiles_of
from services.doors import require_organization
from services.ticket_comments import can_comment
from services.ticket_wishes import jira_doors
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers: Jira sites, groups and those of them that may be given, profiles, each as (id, words)."""

    doors: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    givable: list[tuple[str, str]]
    profiles: list[tuple[str, str]]
    without_token: frozenset[str]


def choices(tools: Toolbox, caller: Caller) -> Choices:
    """What the form of a rule offers."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        doors = jira_doors(session, organization_id)
        groups = session.scalars(
            select(Group).where(Group.organization_id == organization_id).order_by(Group.name)
        ).all()
        return Choices(
            doors=[(door.client_key, host_of(door.display_url or door.base_url)) for door in doors],
            groups=[(group.group_id, group.name) for group in groups],
            givable=[
                (group.group_id, group.name) for group in groups if group.modifiable and not group.synced
            ],
            profiles=[(profile.id, profile.name) for profile in profiles_of(session, organization_id)],
            without_token=frozenset(
                door.client_key for door in doors if not can_comment(session, door.client_key)
            ),
        )


def host_of(address: str) -> str:
    """The host of a site, as people know it."""
    return address.removeprefix("https://").removeprefix("http://").partition("/")[0]
