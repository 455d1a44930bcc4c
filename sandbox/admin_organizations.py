"""Organization API: /admin/v1/orgs, domains, /admin/v2/orgs/{orgId}/directories and workspaces."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from sandbox import paging, seats, world
from sandbox.admin_access import any_key, organization_key
from sandbox.answers import Refusal, application_error
from sandbox.cloud import Cloud
from sandbox.people import Where


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_organizations", __name__, url_prefix="/admin")

    def organization(known: world.Organization) -> dict[str, Any]:
        self = f"{cloud.hub}/admin/v1/orgs/{known.id}"
        return {
            "id": known.id,
            "type": "orgs",
            "attributes": {"name": known.name},
            "links": {"self": self},
            "relationships": {
                "domains": {"links": {"related": f"{self}/domains"}},
                "users": {"links": {"related": f"{self}/users"}},
            },
        }

    @routes.get("/v1/orgs")
    def orgs() -> Response:
        """GET /v1/orgs: the organizations of the key."""
        known = any_key(cloud).organization
        return jsonify(data=[organization(known)], links={"self": f"{cloud.hub}/admin/v1/orgs"})

    @routes.get("/v1/orgs/<org_id>")
    def org(org_id: str) -> Response:
        """GET /v1/orgs/{orgId}."""
        return jsonify(data=organization(organization_key(cloud, org_id, v1=True).organization))

    @routes.get("/v1/orgs/<org_id>/domains")
    def domains(org_id: str) -> Response:
        """GET /v1/orgs/{orgId}/domains."""
        known = organization_key(cloud, org_id, v1=True).organization
        self = f"{cloud.hub}/admin/v1/orgs/{known.id}/domains"
        data = []
        for name in known.domains:
            number = world.stable_id("domain", name)
            data.append(
                {
                    "id": number,
                    "type": "domains",
                    "links": {"self": f"{self}/{number}"},
                    "attributes": {"name": name, "claim": {"type": "dns", "status": "verified"}},
                }
            )
        return jsonify(data=data, links={"self": self})

    @routes.get("/v2/orgs/<org_id>/directories")
    def directories(org_id: str) -> Response:
        """GET /v2/orgs/{orgId}/directories: one directory an organization."""
        known = organization_key(cloud, org_id).organization
        term = request.args.get("searchTerm", "").lower()
        name = f"{known.name} directory"
        data = (
            [{"directoryId": known.directory_id, "name": name, "icon": f"{cloud.hub}/static/directory.png"}]
            if term in name.lower()
            else []
        )
        return jsonify(data=data, links={"self": paging.make({"directories": 0})})

    @routes.post("/v2/orgs/<org_id>/workspaces")
    def workspaces(org_id: str) -> Response:
        """POST /v2/orgs/{orgId}/workspaces: sites' products; `links.next` is a full address."""
        try:
            known = organization_key(cloud, org_id).organization
        except Refusal as refusal:
            raise Refusal(
                refusal.status,
                refusal.body.get("errors", [refusal.body])[0]
                if refusal.status != 401
                else {"code": 401, "message": "Unauthorized"},
            ) from None
        asked = _workspace_search()
        found = [entry for entry in _workspaces(cloud, known) if _matches(asked.get("query"), entry)]
        start, limit = asked["start"], asked["limit"]
        if cloud.max_page:
            limit = min(limit, cloud.max_page)
        page = found[start : start + limit]
        self = f"{cloud.hub}/admin/v2/orgs/{known.id}/workspaces"
        links = {"self": self}
        if start + limit < len(found):
            cursor = paging.make(
                {"start": start + limit, "limit": asked["limit"], "query": asked.get("query")}
            )
            links["next"] = self + "?" + urlencode({"cursor": cursor})
        return jsonify(
            data=page,
            links=links,
            meta={
                "total": len(found),
                "pageSize": len(page),
                "startIndex": start + 1 if page else None,
                "endIndex": start + len(page) if page else None,
            },
        )

    return routes


def _workspace_search() -> dict[str, Any]:
    """The body, checked: a cursor travels alone."""
    body = request.get_json(silent=True) if request.content_length else {}
    if not isinstance(body, dict):
        raise Refusal(400, application_error(400, "ADMIN-400-24", "Invalid request body"))
    if body.get("cursor"):
        if set(body) != {"cursor"}:
            raise Refusal(
                400,
                application_error(
                    400,
                    "ADMIN-400-24",
                    "Invalid request body",
                    "No other properties may be present with a cursor.",
                ),
            )
        try:
            return paging.read(body["cursor"])
        except paging.BadCursor:
            raise Refusal(400, application_error(400, "ADMIN-400-1", "Invalid page cursor")) from None
    limit = body.get("limit", 20)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise Refusal(
            400, application_error(400, "ADMIN-400-24", "Invalid request body", "limit is 1 to 1000")
        )
    return {"start": 0, "limit": limit, "query": body.get("query")}


def _matches(query: dict[str, Any] | None, entry: dict[str, Any]) -> bool:
    """The operators `and`, `nor`, `field`, `searchWorkspaces`; the others match everything."""
    if not query:
        return True
    if query.get("and"):
        return all(_matches(part, entry) for part in query["and"])
    if query.get("nor"):
        return not any(_matches(part, entry) for part in query["nor"])
    if query.get("field"):
        name, values = query["field"].get("name", ""), query["field"].get("values")
        value = entry["attributes"].get(name.removeprefix("attributes."), entry.get(name))
        return not values or value in values
    if query.get("searchWorkspaces"):
        text = query["searchWorkspaces"].lower()
        return (
            text in entry["attributes"]["name"].lower()
            or text in (entry["attributes"].get("hostUrl") or "").lower()
        )
    return True


def _workspaces(cloud: Cloud, known: world.Organization) -> list[dict[str, Any]]:
    site = cloud.sites[known.key]
    directory = cloud.directory(known.key)
    entries = []
    for product in known.products:
        where = Where.organization(known.key)
        resource = known.resource(product)
        where.add(
            "seq IN (SELECT seq FROM member JOIN team_role ON team_role.team = member.team WHERE resource = :r"
            " UNION SELECT seq FROM direct_role WHERE resource = :r)",
            r=resource,
        )
        capacity = seats.capacity(cloud, resource, directory.count(where))
        entries.append(_workspace(cloud, known, resource, known.key, product, site, capacity))
    other = world.stable_id("cloud", known.key, "labs")
    owner = world.stable_id("account", known.key, "owner")
    labs = _workspace(
        cloud,
        known,
        f"ari:cloud:{world.JIRA}::site/{other}",
        f"{known.key}-labs",
        world.JIRA,
        f"https://{known.key}-labs.atlassian.net",
        10,
    )
    labs["attributes"]["owner"] = f"ari:cloud:identity::user/{owner}"
    code = _workspace(
        cloud,
        known,
        f"ari:cloud:bitbucket::workspace/{world.stable_id('code', known.key)}",
        f"{known.key}-code",
        "bitbucket",
        f"https://bitbucket.org/{known.key}-code",
        25,
    )
    code["attributes"]["usage"] = 17
    return [*entries, labs, code]


def _workspace(
    cloud: Cloud, known: world.Organization, ari: str, name: str, product: str, host: str, capacity: int
) -> dict[str, Any]:
    return {
        "id": ari,
        "type": "workspace",
        "links": {"self": f"{cloud.hub}/admin/v2/orgs/{known.id}/workspaces"},
        "attributes": {
            "name": name,
            "typeKey": world.ACCESS_KEYS.get(product, product),
            "type": world.PRODUCT_NAMES.get(product, product.title()),
            "owner": None,
            "status": "online",
            "statusDetails": [],
            "icons": {},
            "avatars": {},
            "labels": [],
            "sandbox": {"type": "NONE"},
            "hostUrl": host,
            "realm": "commercial",
            "regions": ["eu-central-1"],
            "capacity": capacity,
            "createdAt": "2021-03-02T09:00:00.000Z",
        },
        "relationships": {},
    }
