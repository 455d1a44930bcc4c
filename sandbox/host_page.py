"""The pages a person sees: a product's chrome with the app's pages in iframes, bridged by atlassian-connect-js."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, send_from_directory

from sandbox import installer, works, world
from sandbox.cloud import Cloud
from sandbox.installer import NotPossible, Tenant

STATIC = Path(__file__).parent / "static"
BUILD = STATIC / "build"
AP_SCRIPT_HOST = "connect-cdn.atl-paas.net"


def assets(cloud: Cloud) -> Blueprint:
    """On the hub: /all.js with its themes (AP_SCRIPT_URL); everywhere: /host/assets/…."""
    routes = Blueprint("assets", __name__)

    @routes.get("/host/assets/<path:name>")
    def asset(name: str) -> Response:
        answer = send_from_directory(STATIC, name, max_age=60)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    @routes.get("/all.js")
    def bridge() -> Response:
        """The genuine iframe side of the bridge; its style sheets come from here instead of Atlassian's network."""
        source = BUILD / "connect" / "iframe.js"
        if not source.exists():
            abort(404, "the bridge is not built: run `node scripts/build-assets.mjs`")
        script = source.read_text(encoding="utf-8").replace(
            '"https://" + CDN_DOMAIN', '"http://" + CDN_DOMAIN'
        )
        script = script.replace(AP_SCRIPT_HOST, cloud.hub.removeprefix("http://"))
        return Response(script, mimetype="text/javascript", headers={"Access-Control-Allow-Origin": "*"})

    @routes.get("/themes/<path:name>")
    def theme(name: str) -> Response:
        return send_from_directory(BUILD / "connect" / "themes", name, max_age=60)

    @routes.get("/<any('surfaces.css', 'legacy-text-colors.css'):name>")
    def sheet(name: str) -> Response:
        return send_from_directory(BUILD / "connect", name, max_age=60)

    return routes


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    """The pages of one site and what their script asks for under /host."""
    routes = Blueprint("host_page", __name__)
    organization = world.ORGANIZATIONS[site]

    @routes.errorhandler(NotPossible)
    def not_possible(error: NotPossible) -> tuple[Response, int]:
        return jsonify(error=str(error)), 409

    def product() -> str:
        return "confluence" if request.args.get("product") == "confluence" else "jira"

    def tenant() -> Tenant | None:
        return installer.find_tenant(cloud, site, product())

    @routes.get("/")
    @routes.get("/plugins/servlet/upm")
    @routes.get("/plugins/servlet/ac/<app>/<module>")
    def jira(**_: str) -> str:
        return page("jira")

    @routes.get("/browse/<key>")
    def issue(key: str) -> str:
        return page("jira", find(key))

    @routes.get("/jira/dashboards/<dashboard>")
    def dashboard(dashboard: str) -> str:
        if dashboard != works.DASHBOARD["id"]:
            abort(404)
        return page("jira", place="dashboard")

    @routes.get("/wiki/spaces/<space>/<any(pages, blogposts):kind>/<page_id>")
    def content(page_id: str, **_: str) -> str:
        return page("confluence", find(page_id))

    def find(name: str) -> works.Issue | works.Page:
        for one in works.everything(cloud.store, organization):
            if name in (one.id, getattr(one, "key", "")):
                return one
        abort(404)

    @routes.get("/wiki")
    @routes.get("/wiki/")
    @routes.get("/wiki/plugins/servlet/upm")
    @routes.get("/wiki/plugins/servlet/ac/<app>/<module>")
    def confluence(**_: str) -> str:
        return page("confluence")

    def page(name: str, work: works.Issue | works.Page | None = None, place: str = "") -> str:
        people = [
            {"id": p.account_id, "name": p.name, "says": p.says, "power": p.power}
            for p in organization.people
            if not p.says.startswith("Second")
        ]
        settings: dict[str, Any] = {
            "product": name,
            "site": site,
            "hub": cloud.hub,
            "sites": cloud.sites,
            "people": people,
            "base": "/wiki" if name == "confluence" else "",
            "place": place,
            "work": shown(work) if work is not None else None,
            "works": [
                shown(one)
                for one in (
                    works.pages(cloud.store, organization)
                    if name == "confluence"
                    else works.issues(cloud.store, organization)
                )
            ],
            "dashboard": works.DASHBOARD,
        }
        return render_template(
            "host.html",
            settings=settings,
            organization=organization,
            title="Confluence" if name == "confluence" else "Jira",
        )

    def shown(work: works.Issue | works.Page) -> dict[str, Any]:
        """As the script draws it, with the names of its people."""

        def name_of(account_id: str | None) -> str:
            person = cloud.directory(site).find(account_id) if account_id else None
            return str(person["name"]) if person is not None else "Nobody"

        if isinstance(work, works.Issue):
            people = [("Assignee", name_of(work.assignee)), ("Reporter", name_of(work.reporter))]
            people += [("Watcher", name_of(watcher)) for watcher in work.watchers]
            return {"id": work.id, "key": work.key, "title": work.summary, "people": people,
                    "address": f"/browse/{work.key}"}  # fmt: skip
        people = [("Owner", name_of(work.owner)), ("Last edited by", name_of(work.editor))]
        address = f"/wiki/spaces/{works.SPACE['key']}/{work.kind}s/{work.id}"
        return {"id": work.id, "key": "", "title": work.title, "people": people, "address": address}

    @routes.get("/host/state")
    def state() -> Response:
        """?product: is the app installed, and its page modules."""
        known = tenant()
        if known is None:
            return jsonify(installed=False)
        return jsonify(
            installed=True,
            app_key=known.app_key,
            app_name=known.descriptor.get("name", known.app_key),
            modules=installer.modules(known),
            panels=installer.panels(known),
            client_key=known.client_key,
        )

    @routes.get("/host/frame")
    def frame() -> Response:
        """?product&module&as: the address for an iframe, signed now. ?work: on which issue or page it is shown."""
        known = installer.require_tenant(cloud, site, product())
        extra = {key: value for key, value in request.args.items() if key.startswith("ac.")}
        if "work" in request.args:
            work = request.args["work"]
            extra |= works.variables(None if work == works.DASHBOARD["id"] else find(work))
        return jsonify(
            url=installer.page_url(known, request.args["module"], request.args.get("as") or None, extra)
        )

    @routes.get("/host/token")
    def token() -> Response:
        """?product&as: a fresh context token."""
        known = installer.require_tenant(cloud, site, product())
        return jsonify(token=installer.context_token(known, request.args.get("as") or None))

    @routes.post("/host/install")
    def install() -> Response:
        return jsonify(installer.install(cloud, site, product()))

    @routes.post("/host/uninstall")
    def uninstall() -> Response:
        return jsonify(installer.uninstall(cloud, site, product()))

    return routes
