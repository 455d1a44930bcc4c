"""Who calls the admin APIs: the bearer key, its organization and its powers."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from sandbox import world
from sandbox.answers import Refusal, errors, proxy
from sandbox.cloud import Cloud
from sandbox.people import Directory


@dataclass(frozen=True, slots=True)
class Bearer:
    """A valid key: its organization, its owner's account id, and whether it was made with scopes."""

    organization: world.Organization
    owner: str
    scoped: bool


def bearer(cloud: Cloud) -> Bearer | None:
    """The key sent as `Authorization: Bearer`; None for none, a wrong or an expired one."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return None
    row = cloud.store.one("SELECT * FROM admin_key WHERE key = ? AND expired = 0", (key.strip(),))
    return Bearer(world.ORGANIZATIONS[row["org"]], row["owner"], bool(row["scoped"])) if row else None


def any_key(cloud: Cloud) -> Bearer:
    """For v1 calls: 401 in the gateway's form without a valid key."""
    held = bearer(cloud)
    if held is None:
        raise proxy(401, "Unauthorized")
    return held


def organization_key(cloud: Cloud, org_id: str, *, v1: bool = False) -> Bearer:
    """A valid key of just this organization; 401, 403 (another's) or 404 (no such organization)."""
    held = bearer(cloud)
    if held is None:
        raise proxy(401, "Unauthorized") if v1 else unauthenticated()
    if held.organization.id != org_id:
        if org_id in world.BY_ID:
            raise errors(403, "ADMIN-403-3", "Not allowed to manage the org")
        raise errors(404, "ADMIN-404-2", "Organization not found")
    return held


def people_key(
    cloud: Cloud, org_id: str, directory_id: str, *, write: bool = False
) -> tuple[Bearer, Directory]:
    """The right to people: a key without scopes and a directory of the organization (`-` = all, for reads only)."""
    held = organization_key(cloud, org_id)
    if held.scoped:
        raise errors(403, "ADMIN-403-2", "Forbidden", "The API key's scopes do not allow this request.")
    if directory_id != held.organization.directory_id and (write or directory_id != "-"):
        raise errors(404, "ADMIN-404-1", "Unknown resource", "We couldn't find the directory.")
    return held, cloud.directory(held.organization.key)


def unauthenticated() -> Refusal:
    return errors(401, "ADMIN-401-2", "Unauthorized", "You need to authenticate to submit this request.")
