"""Organization API: a person's roles on products; giving and taking one (v1: …/users/{userId}/roles/assign|revoke)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import deeds, holdings, paging, seats, world
from sandbox.admin_access import organization_key, people_key
from sandbox.answers import Refusal, errors
from sandbox.cloud import Cloud
from sandbox.people import Directory

ORG_ADMIN, SITE_ADMIN = "atlassian/org-admin", "atlassian/site-admin"
PRODUCT_ROLES = (
    "atlassian/user",
    "atlassian/user-access-admin",
    "atlassian/admin",
    "atlassian/guest",
    "atlassian/contributor",
    "atlassian/customer",
    "atlassian/basic",
    "atlassian/stakeholder",
)
AI_ACCESS = "atlassian/ai-access"
# They exist in Jira Service Management only (admin-organization, roleIds).
SERVICE_DESK_ROLES = ("atlassian/customer", "atlassian/stakeholder")


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_roles", __name__, url_prefix="/admin")

    @routes.get("/v2/orgs/<org_id>/directories/<directory_id>/users/<account_id>/role-assignments")
    def role_assignments(org_id: str, directory_id: str, account_id: str) -> Response:
        """GET …/users/{accountId}/role-assignments: product roles and how they were given."""
        _, directory = people_key(cloud, org_id, directory_id)
        row = directory.find(account_id)
        if row is None:
            raise errors(404, "ADMIN-404-8", "User not found")
        asked = _page_asked()
        data = [
            one
            for one in (*_on_platform(directory.organization, row), *_on_products(directory, row))
            if not asked["wanted"] or one["resourceId"] in asked["wanted"]
        ]
        start = asked["roles"]
        end = start + min(asked["limit"], cloud.max_page or 100)
        links = {"self": paging.make(asked)}
        if end < len(data):
            links["next"] = paging.make({**asked, "roles": end})
        return jsonify(data=data[start:end], links=links)

    @routes.post("/v1/orgs/<org_id>/users/<account_id>/roles/assign")
    def assign(org_id: str, account_id: str) -> tuple[str, int]:
        """POST /v1/orgs/{orgId}/users/{userId}/roles/assign: 204, also for a role that was there."""
        return change(org_id, account_id, gives=True)

    @routes.post("/v1/orgs/<org_id>/users/<account_id>/roles/revoke")
    def revoke(org_id: str, account_id: str) -> tuple[str, int]:
        """POST /v1/orgs/{orgId}/users/{userId}/roles/revoke: 204; what a group grants stays."""
        return change(org_id, account_id, gives=False)

    def change(org_id: str, account_id: str, *, gives: bool) -> tuple[str, int]:
        held = organization_key(cloud, org_id, v1=True)
        if held.scoped:
            raise errors(403, "ADMIN-UAM-403-1", "Forbidden")
        directory = cloud.directory(held.organization.key)
        role, resource = _role_asked(held.organization)
        with cloud.store.write():
            person = directory.find(account_id)
            refusal, effective = None, False
            if person is None:
                refusal = errors(404, "ADMIN-UAM-404-3", "Resource not found")
            elif gives and seats.none_left(cloud, directory, account_id, [(resource, role)]):
                refusal = errors(409, "ADMIN-UAM-409-3", "Product License Limit Exceeded")
            elif role in (ORG_ADMIN, SITE_ADMIN):
                effective = _change_platform_role(directory, person, role, gives=gives)
            else:
                delay = cloud.faults.visibility_delay(request.method, request.path)
                kept = holdings.role_on(resource, role)
                effective = holdings.put(cloud.store, person["seq"], kept, present=gives, delay=delay)
            deeds.record(
                cloud.store,
                held.organization.key,
                account_id,
                "assign_role" if gives else "revoke_role",
                effective=effective,
                status=refusal.status if refusal else 204,
                about=resource or None,
            )
        if refusal:
            raise refusal
        return "", 204

    return routes


def _page_asked() -> dict[str, Any]:
    """Beside a cursor all other parameters are discarded."""
    try:
        if request.args.get("cursor"):
            asked = paging.read(request.args["cursor"])
            return {"roles": int(asked["roles"]), "limit": asked["limit"], "wanted": asked["wanted"]}
        limit = int(request.args.get("limit", 20))
    except (ValueError, KeyError):
        raise errors(400, "ADMIN-400-1", "Invalid page cursor") from None
    if not 1 <= limit <= 100:
        raise errors(400, "ADMIN-400-24", "Invalid request", "limit is 1 to 100")
    return {"roles": 0, "limit": limit, "wanted": request.args.getlist("resourceIds")}


def _on_products(directory: Directory, row: sqlite3.Row) -> list[dict[str, Any]]:
    return [
        {
            "directoryId": directory.organization.directory_id,
            "resourceId": resource,
            "resourceOwner": world.product_of(resource),
            "roles": sorted(roles),
            "roleAssignments": [
                {"role": role, "roleAssignmentMethods": methods} for role, methods in roles.items()
            ],
            "userDirectoryStatus": row["shown_membership"],
        }
        for resource, roles in sorted(_with_ai(directory.roles(row["seq"])).items())
    ]


def _on_platform(organization: world.Organization, row: sqlite3.Row) -> list[dict[str, Any]]:
    """Administrators of the organization and of the site: these roles belong to no directory."""
    places = {ORG_ADMIN: f"org/{organization.id}", SITE_ADMIN: f"site/{organization.cloud_id}"}
    return [
        {
            "directoryId": None,
            "resourceId": f"ari:cloud:platform::{places[role]}",
            "resourceOwner": "platform",
            "roles": [role],
            "roleAssignments": [{"role": role, "roleAssignmentMethods": ["direct"]}],
        }
        for role in row["platform_roles"].split()
        if role in places
    ]


def _with_ai(found: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """Whoever may use an app may use its AI: a role among the others that neither roles/assign nor /revoke knows."""
    direct = {resource for resource, roles in found.items() if any("direct" in way for way in roles.values())}
    return {
        resource: {**roles, AI_ACCESS: ["direct" if resource in direct else "inferred"]}
        for resource, roles in found.items()
    }


def _role_asked(organization: world.Organization) -> tuple[str, str]:
    """The role and its resource, "" for the organization's own role, whose resource is ignored."""
    body: Any = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    role, resource = body.get("role"), body.get("resource")
    if role == ORG_ADMIN:
        return ORG_ADMIN, ""
    if role not in (*PRODUCT_ROLES, SITE_ADMIN) or not isinstance(resource, str) or not resource:
        raise _bad("ADMIN-UAM-400-1", "Bad Request")
    products = {organization.resource(product): product for product in organization.products}
    if role == SITE_ADMIN:
        products[f"ari:cloud:platform::site/{organization.cloud_id}"] = "platform"
    if resource not in products:
        raise errors(404, "ADMIN-UAM-404-3", "Resource not found")
    if role in SERVICE_DESK_ROLES and products[resource] != world.SERVICE_DESK:
        raise _bad("ADMIN-UAM-400-3", "Invalid Role for Resource")
    return role, resource


def _bad(code: str, title: str) -> Refusal:
    return errors(400, code, title)


def _change_platform_role(directory: Directory, person: sqlite3.Row, role: str, *, gives: bool) -> bool:
    had = person["platform_roles"].split()
    if (role in had) is gives:
        return False
    roles = [*had, role] if gives else [one for one in had if one != role]
    return directory.change(person["account_id"], {"platform_roles": " ".join(roles)}, {})
