"""A small threaded HTTP/1.1 server for WSGI programs that keeps connections open (Werkzeug's own closes each)."""

from __future__ import annotations

import io
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

App = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


class Handler(BaseHTTPRequestHandler):
    """One connection: requests in, answers out, each answer in a single write."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        head: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            names = {name.lower() for name, _ in headers}
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
            lines += [] if "date" in names else [f"Date: {self.date_time_string()}"]
            head[:] = [line.encode("latin-1") for line in lines]
            return lambda data: None

        try:
            result = self.server.app(self._environ(body), start_response)
            content = b"".join(result)
            close = getattr(result, "close", None)
            if close:
                close()
        except ConnectionError:
            self.close_connection = True
            return
        if not any(line.lower().startswith(b"content-length:") for line in head):
            head.append(b"Content-Length: %d" % len(content))
        self.wfile.write(b"\r\n".join(head) + b"\r\n\r\n" + (b"" if self.command == "HEAD" else content))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def _environ(self, body: bytes) -> WSGIEnvironment:
        target = self.requestline.split(" ")[1]
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "SERVER_PROTOCOL": self.request_version,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "sandbox.socket": self.connection,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """The journal is our log."""


class Server(socketserver.ThreadingTCPServer):
    """Listens on the loopback address. `ended` is called in each connection's thread at its end."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, app: App, ended: Callable[[], None]) -> None:
        self.app = app
        self._ended = ended
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
            self._ended()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Stop listening and end every connection."""
        self.shutdown()
        self.server_close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
