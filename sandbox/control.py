"""The sandbox's own control API under /control on the hub: what a test or the control page changes or looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import (
    announcements,
    control_belongings,
    control_groups,
    control_hooks,
    control_limits,
    control_mail,
    control_tickets,
    control_works,
    deeds,
    installer,
    keyhost,
    world,
)
from sandbox.cloud import Cloud
from sandbox.faults import Fault
from sandbox.installer import NotPossible
from sandbox.people import filtered

# PATCH /control/people: our word -> the column
COLUMNS = {
    "membership_status": "membership",
    "account_status": "account_status",
    "name": "name",
    "nickname": "nickname",
    "email": "email",
    "email_hidden": "email_hidden",
    "email_verified": "email_verified",
    "management_source": "source",
    "claim_status": "claim",
    "added_at": "added_at",
    "platform_roles": "platform_roles",
}


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("control", __name__, url_prefix="/control")

    def place() -> tuple[str, str]:
        data: Any = request.get_json(silent=True) or request.args
        return str(data.get("site", "acme")), str(data.get("product", "jira"))

    @routes.errorhandler(NotPossible)
    def not_possible(error: NotPossible) -> tuple[Response, int]:
        return jsonify(error=str(error)), 409

    @routes.errorhandler(ValueError)
    def bad_value(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    _installs(routes, cloud, place)
    _people(routes, cloud)
    _watching(routes, cloud)
    control_groups.add_routes(routes, cloud)
    control_limits.add_routes(routes, cloud)
    control_mail.add_routes(routes, cloud)
    control_tickets.add_routes(routes, cloud)
    control_hooks.add_routes(routes, cloud)
    control_works.add_routes(routes, cloud)
    control_belongings.add_routes(routes, cloud)

    @routes.post("/keys/<key>/expire")
    def expire(key: str) -> tuple[Response, int]:
        """Let an admin key or an API token expire (`?expired=false` revives it)."""
        expired = int(request.args.get("expired", "true") != "false")
        with cloud.store.write() as connection:
            changed = sum(
                connection.execute(
                    f"UPDATE {table} SET expired = ? WHERE {column} = ?", (expired, key)
                ).rowcount
                for table, column in (("admin_key", "key"), ("api_token", "token"))
            )
        return jsonify(changed=changed), 200 if changed else 404

    @routes.get("/credentials")
    def credentials() -> Response:
        """Everything a newcomer may paste."""
        return jsonify(
            admin_keys=[dict(row) for row in cloud.store.all("SELECT * FROM admin_key ORDER BY rowid")],
            api_tokens=[dict(row) for row in cloud.store.all("SELECT * FROM api_token ORDER BY rowid")],
        )

    @routes.post("/rotate-install-key")
    def rotate() -> Response:
        """Sign lifecycle callbacks with a new key from now on."""
        return jsonify(kid=keyhost.rotate(cloud.store))

    @routes.route("/settings", methods=["GET", "POST"])
    def settings() -> Response:
        """`max_page`: pages no longer than this (null = as asked); `full_links`: whole addresses as links.next.

        `announces`: the apps of a site are told who came, changed or went.
        """
        data = request.get_json(silent=True) or {}
        if "max_page" in data:
            cloud.max_page = None if data["max_page"] is None else int(data["max_page"])
        if "full_links" in data:
            cloud.full_links = bool(data["full_links"])
        if "announces" in data:
            cloud.announces = bool(data["announces"])
        return jsonify(max_page=cloud.max_page, full_links=cloud.full_links, announces=cloud.announces)

    @routes.post("/reset")
    def reset() -> Response:
        """Back to the first day."""
        cloud.reset()
        return jsonify(ok=True)

    return routes


def _installs(routes: Blueprint, cloud: Cloud, place: Callable[[], tuple[str, str]]) -> None:
    @routes.post("/install")
    def install() -> Response:
        return jsonify(installer.install(cloud, *place()))

    @routes.post("/uninstall")
    def uninstall() -> Response:
        return jsonify(installer.uninstall(cloud, *place()))

    @routes.get("/tenants")
    def tenants() -> Response:
        """Installed tenants; with ?all=1 the removed ones too."""
        return jsonify(
            [
                {
                    "site": t.site,
                    "product": t.product,
                    "client_key": t.client_key,
                    "app_key": t.app_key,
                    "shared_secret": t.shared_secret,
                    "base_url": t.base_url,
                    "installed": t.installed,
                    "modules": installer.modules(t),
                }
                for t in installer.tenants(cloud)
                if t.installed or request.args.get("all")
            ]
        )

    @routes.post("/webhook")
    def webhook() -> Response:
        """Fire an event of somebody: {site, product, event, account_id}."""
        data = request.get_json()
        statuses = installer.fire_webhook(cloud, *place(), data["event"], data["account_id"])
        return jsonify(statuses=statuses)

    @routes.get("/page-url")
    def page_url() -> Response:
        """A freshly signed iframe address: ?site&product&module&account_id (left out = anonymous) and ac.… values."""
        tenant = installer.require_tenant(cloud, *place())
        values = {key: value for key, value in request.args.items() if key.startswith("ac.")}
        return jsonify(
            url=installer.page_url(tenant, request.args["module"], request.args.get("account_id"), values)
        )

    @routes.get("/context-token")
    def context_token() -> Response:
        """What AP.context.getToken() would give: ?site&product&account_id."""
        tenant = installer.require_tenant(cloud, *place())
        return jsonify(token=installer.context_token(tenant, request.args.get("account_id")))


def _people(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/people")
    def people() -> Response:
        """?site&kind&q&status&limit: what the sandbox itself knows, kinds included."""
        site = request.args.get("site", "acme")
        asked: dict[str, Any] = {"searchTerm": request.args.get("q")}
        if request.args.get("status"):
            asked["status"] = [request.args["status"]]
        where = filtered(site, asked)
        if request.args.get("kind"):
            where.add("kind = :kind", kind=request.args["kind"])
        directory = cloud.directory(site)
        after = ("", int(request.args["after"])) if request.args.get("after") else None
        rows = directory.page(where, after, int(request.args.get("limit", 50)), None)
        access = directory.access([row["seq"] for row in rows])
        hidden = ("former_membership", "former_until", "org")
        return jsonify(
            [
                {
                    **{key: row[key] for key in row.keys() if key not in hidden},  # noqa: SIM118
                    "last_active": {
                        world.product_of(resource): moment for resource, moment in access.get(row["seq"], [])
                    },
                }
                for row in rows
            ]
        )

    @routes.patch("/people/<account_id>")
    def change(account_id: str) -> tuple[Response, int]:
        """?site: {last_active: {product: ISO date or null}, membership_status, account_status, name, email, …}."""
        data = dict(request.get_json())
        last_active = data.pop("last_active", {})
        unknown = set(data) - set(COLUMNS)
        site = request.args.get("site") or data.get("site") or _site_of(cloud, account_id)
        if unknown or site is None:
            return jsonify(error=f"unknown: {', '.join(sorted(unknown)) or account_id}"), 400
        if not isinstance(last_active, dict):
            products = [world.product_of(r) for r, _ in _access(cloud, site, account_id)]
            last_active = dict.fromkeys(products, last_active)
        if isinstance(data.get("platform_roles"), list):
            data["platform_roles"] = " ".join(data["platform_roles"])
        last_active = {world.product_named(key): value for key, value in last_active.items()}
        found = cloud.directory(site).change(
            account_id, {COLUMNS[k]: v for k, v in data.items()}, last_active
        )
        if found and data:
            announcements.note(site, account_id, announcements.CHANGED)
        return jsonify(changed=found), 200 if found else 404

    @routes.delete("/people/<account_id>")
    def leave(account_id: str) -> tuple[Response, int]:
        """Somebody leaves the directory."""
        site = request.args.get("site") or _site_of(cloud, account_id)
        removed = site is not None and cloud.directory(site).remove(account_id)
        if site is not None and removed:
            announcements.note(site, account_id, announcements.WENT)
        return jsonify(removed=removed), 200 if removed else 404


def _site_of(cloud: Cloud, account_id: str) -> str | None:
    row = cloud.store.one("SELECT org FROM person WHERE account_id = ? ORDER BY seq", (account_id,))
    return str(row["org"]) if row else None


def _access(cloud: Cloud, site: str, account_id: str) -> list[tuple[str, str | None]]:
    directory = cloud.directory(site)
    person = directory.find(account_id)
    return directory.access([person["seq"]]).get(person["seq"], []) if person else []


def _watching(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(cloud.faults.listing())

    @routes.post("/faults")
    def add_faults() -> tuple[Response, int]:
        """One fault or a list of them: {match, method, kind, times, seconds, after, skip}."""
        data = request.get_json()
        added = [
            cloud.faults.add(Fault.parse(entry)).id for entry in (data if isinstance(data, list) else [data])
        ]
        return jsonify(ids=added), 201

    @routes.delete("/faults")
    def clear_faults() -> Response:
        """All, or ?id=."""
        cloud.faults.clear(request.args.get("id", type=int))
        return jsonify(ok=True)

    @routes.get("/requests")
    def requests_seen() -> Response:
        """?since=n&limit=1000&path=regex."""
        entries = cloud.journal.since(
            request.args.get("since", 0, type=int), request.args.get("limit", 1000, type=int)
        )
        return jsonify(entries)

    @routes.delete("/requests")
    def forget_requests() -> Response:
        cloud.journal.clear()
        return jsonify(ok=True)

    @routes.get("/effects")
    def effects() -> Response:
        """{account_id: {"suspend": changes, …, "calls": {action: calls}, "by": {"action:about": changes}}}."""
        return jsonify(deeds.effects(cloud.store))

    @routes.delete("/effects")
    def forget_effects() -> Response:
        deeds.forget(cloud.store)
        return jsonify(ok=True)
