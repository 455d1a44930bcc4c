"""Start the pretend Cloud: one process, four ports (hub, site acme, site globex, mail), a thread a connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from sandbox import (
    admin_accounts,
    admin_groups,
    admin_invites,
    admin_members,
    admin_organizations,
    admin_people,
    admin_roles,
    admin_tokens,
    announcements,
    confluence_spaces,
    control,
    control_page,
    hook_pages,
    host_page,
    jira_lists,
    jira_projects,
    jira_search,
    keyhost,
    mail_pages,
    site_api,
    ticket_api,
    ticket_pages,
    work_api,
)
from sandbox.admin_access import bearer
from sandbox.answers import Refusal
from sandbox.cloud import Cloud
from sandbox.journal import is_api
from sandbox.post_office import PostOffice
from sandbox.rate import is_change, too_many
from sandbox.store import Store
from sandbox.wire import Server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Sandbox:
    """A running pretend Cloud; `hub`, `acme`, `globex` are its addresses, `post_office` takes mails (host:port)."""

    def __init__(self, cloud: Cloud, servers: list[Server], post_office: PostOffice) -> None:
        self.cloud = cloud
        self.hub = cloud.hub
        self.acme = cloud.sites["acme"]
        self.globex = cloud.sites["globex"]
        self.post_office = cloud.post_office
        self._mail = post_office
        self._servers = servers
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in servers
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until stop() or Ctrl-C."""
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.5)

    def stop(self) -> None:
        """Stop listening, end waiting faults, close the store."""
        self.cloud.stopping.set()
        for server in self._servers:
            server.hang_up()
        for thread in self._threads:
            thread.join(5)
        self._mail.stop()
        self.cloud.store.close()


def start(
    ports: tuple[int, int, int, int] = (0, 0, 0, 0),
    state: str = ":memory:",
    people: int = 2000,
    app_base_url: str = "http://127.0.0.1:8000",
    seed: str = "rollcall",
    small: int = 60,
    *,
    announces: bool = False,
) -> Sandbox:
    """Listen and serve in background threads. Port 0 takes a free one; `state` is an SQLite file.

    `announces`: the apps of a site are told who came, changed or went; otherwise whoever fires a webhook says so.
    """
    cloud = Cloud(Store(state), app_base_url.rstrip("/"), people, seed, small, announces)
    cloud.fill_once()
    keyhost.signing_key(cloud.store)
    hub, *sites = (_program(name) for name in ("hub", "acme", "globex"))
    servers = [
        Server(port, _layers(cloud, program), cloud.store.leave_thread)
        for port, program in zip(ports[:3], (hub, *sites), strict=True)
    ]
    cloud.hub = servers[0].address
    cloud.sites = {program.name: server.address for program, server in zip(sites, servers[1:], strict=True)}
    post_office = PostOffice(cloud.store, cloud.mail_faults, ports[3])
    cloud.post_office = f"127.0.0.1:{post_office.port}"
    _fill_hub(hub, cloud)
    for program in sites:
        for routes in (
            site_api.blueprint(cloud, program.name),
            work_api.blueprint(cloud, program.name),
            ticket_api.blueprint(cloud, program.name),
            ticket_pages.blueprint(cloud, program.name),
            jira_projects.blueprint(cloud, program.name),
            jira_lists.blueprint(cloud, program.name),
            jira_search.blueprint(cloud, program.name),
            confluence_spaces.blueprint(cloud, program.name),
            host_page.blueprint(cloud, program.name),
            host_page.assets(cloud),
        ):
            program.register_blueprint(routes)
    return Sandbox(cloud, servers, post_office)


def _program(name: str) -> Flask:
    program = Flask(name, root_path=str(Path(__file__).parent), static_folder=None)
    program.json.sort_keys = False  # type: ignore[attr-defined]

    @program.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return refusal.response()

    return program


def _fill_hub(program: Flask, cloud: Cloud) -> None:
    @program.before_request
    def slow_down() -> Response | None:
        held = bearer(cloud) if is_change(request) else None
        seconds = cloud.rate.wait(held.organization.key) if held else 0
        return too_many(cloud.rate, seconds) if seconds else None

    announcements.add_to(program, cloud)
    for routes in (
        keyhost.blueprint(cloud.store),
        admin_organizations.blueprint(cloud),
        admin_people.blueprint(cloud),
        admin_groups.blueprint(cloud),
        admin_members.blueprint(cloud),
        admin_invites.blueprint(cloud),
        admin_roles.blueprint(cloud),
        admin_accounts.organization_blueprint(cloud),
        admin_accounts.management_blueprint(cloud),
        admin_tokens.blueprint(cloud),
        control.blueprint(cloud),
        control_page.blueprint(cloud),
        mail_pages.blueprint(cloud),
        hook_pages.blueprint(cloud),
        host_page.assets(cloud),
    ):
        program.register_blueprint(routes)


def _layers(cloud: Cloud, program: Flask) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Around every API request: the journal, then the faults; around a hook's: the faults. The rest stays whole."""

    def faulty(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return cloud.faults.spoil(program.wsgi_app, environ, start_response)

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/hooks/"):
            return faulty(environ, start_response)
        if not is_api(environ["PATH_INFO"]):
            return program.wsgi_app(environ, start_response)
        return cloud.journal.watch(faulty, program.name, environ, start_response)

    return outer
