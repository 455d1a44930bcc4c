"""A tiny app for the pretend Atlassian to install: a descriptor, one page on the genuine bridge, and a memory."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "io.example.standin"
PAGE = """<!doctype html><html><head><title>Stand-in</title><script src="{script}"></script>
<style>body {{ background: var(--ds-surface); color: var(--ds-text); font: 14px sans-serif }}</style></head><body>
<div class="ac-content"><h2 id="hello">Hello from the app</h2><pre id="out"></pre>
<button id="flag">Flag</button> <button id="dialog">Dialog</button> <button id="history">History</button>
<div id="tall" style="height: 700px; border-left: 4px solid currentColor"></div></div>
<script>
const out = {{}};
const show = () => {{ document.getElementById("out").textContent = JSON.stringify(out); }};
(async () => {{
  AP.theming.initializeTheming();
  out.token = await AP.context.getToken();
  out.user = await AP.user.getCurrentUser();
  out.locale = await AP.user.getLocale();
  await new Promise((done) => AP.getLocation((url) => {{ out.location = url; done(); }}));
  AP.history.getState("hash", (state) => {{ out.state = state; show(); }});
  try {{ await AP.request("/rest/api/3/myself"); }} catch (error) {{ out.request = "refused"; }}
  AP.events.on("flag.action", (event) => {{ out.action = event.actionIdentifier; show(); }});
  AP.events.on("dialog.close", () => {{ out.dialog = "closed"; show(); }});
  AP.events.on("history.popstate", (event) => {{ out.popped = event.state; show(); }});
  show();
  document.getElementById("flag").onclick = () => AP.flag.create(
    {{ title: "20 idle people hold seats", body: "See who they are.", type: "warning", actions: {{ look: "Look" }} }});
  document.getElementById("dialog").onclick = () => AP.dialog.create(
    {{ key: "general", size: "medium", chrome: true, header: "A dialog",
       submitText: "Suspend", cancelText: "Cancel" }});
  document.getElementById("history").onclick = () => AP.history.pushState("idle=90&page=2");
  out.done = true; show();
}})();
</script></body></html>"""


@dataclass(frozen=True)
class Received:
    """One request the app got: `target` is path and query as sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class StandIn:
    """Runs until close(). `lifecycle_status` is what it answers to installed and uninstalled."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.script = ""
        self.lifecycle_status = 204
        app = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                app.received.append(Received(self.command, self.path, dict(self.headers.items()), body))
                status, kind, content = app.reply(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def reply(self, target: str) -> tuple[int, str, bytes]:
        path = target.partition("?")[0]
        if path.endswith("/atlassian-connect.json"):
            return 200, "application/json", json.dumps(self.descriptor(path.split("/")[1])).encode()
        if path.startswith("/hello"):
            return 200, "text/html", PAGE.format(script=self.script).encode()
        return self.lifecycle_status, "text/plain", b""

    def descriptor(self, product: str) -> dict[str, Any]:
        event = "jira:issue_created" if product == "jira" else "page_created"
        return {
            "key": KEY,
            "name": "Stand-in",
            "baseUrl": self.url,
            "authentication": {"type": "jwt"},
            "scopes": ["READ"],
            "lifecycle": {"installed": "/installed", "uninstalled": "/uninstalled"},
            "modules": {
                "generalPages": [
                    {
                        "key": "general",
                        "url": "/hello?a=b%20c&from={ac.from}",
                        "name": {"value": "Who is here"},
                    }
                ],
                "adminPages": [{"key": "admin", "url": "/hello/admin", "name": {"value": "Stand-in admin"}}],
                "configurePage": {
                    "key": "configure",
                    "url": "/hello/configure",
                    "name": {"value": "Configure"},
                },
                "postInstallPage": {
                    "key": "started",
                    "url": "/hello/started",
                    "name": {"value": "Get started"},
                },
                "webhooks": [{"event": event, "url": "/hook?x=1,2&x=0"}],
            },
        }

    def last(self, path: str) -> Received:
        return next(one for one in reversed(self.received) if one.target.partition("?")[0] == path)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
