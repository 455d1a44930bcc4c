"""The groups of a generated organization, and what they grant."""

from __future__ import annotations

import sqlite3

from sandbox import names, world

USER, ADMIN, AGENT = "atlassian/user", "atlassian/admin", "atlassian/user"


def team_plan(organization: world.Organization) -> dict[str, tuple[str, bool, list[tuple[str, str]]]]:
    """name -> description, synced by an identity provider, what it grants."""
    jira, confluence = organization.resource(world.JIRA), organization.resource(world.CONFLUENCE)
    plan: dict[str, tuple[str, bool, list[tuple[str, str]]]] = {
        "org-admins": ("Organization administrators", False, []),
        "site-admins": ("Administrators of the site", False, [(jira, ADMIN), (confluence, ADMIN)]),
        "jira-admins": ("Administer Jira", False, [(jira, ADMIN)]),
        "confluence-admins": ("Administer Confluence", False, [(confluence, ADMIN)]),
        "jira-users": ("Default access to Jira", False, [(jira, USER)]),
        "confluence-users": ("Default access to Confluence", False, [(confluence, USER)]),
        "all-staff": ("Everybody employed: Jira and Confluence", True, [(jira, USER), (confluence, USER)]),
        "contractors": ("People from outside", False, [(confluence, USER)]),
    }
    for department in names.JOBS:
        grants = [(jira, USER), (confluence, USER)] if department in ("Engineering", "Product") else []
        plan["team-" + department.lower()] = (department, True, grants)
    if world.SERVICE_DESK in organization.products:
        plan["service-desk-agents"] = ("Agents", False, [(organization.resource(world.SERVICE_DESK), AGENT)])
    return plan


def write_teams(connection: sqlite3.Connection, organization: world.Organization) -> dict[str, str]:
    """name -> the id under which it was written."""
    ids = {}
    for name, (description, synced, grants) in team_plan(organization).items():
        ids[name] = world.stable_id("group", organization.key, name)
        connection.execute(
            "INSERT INTO team VALUES (?,?,?,?,?)", (ids[name], organization.key, name, description, synced)
        )
        connection.executemany(
            "INSERT INTO team_role VALUES (?,?,?)", [(ids[name], *grant) for grant in grants]
        )
    return ids
