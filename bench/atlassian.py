"""Atlassian's side of the measured requests: the key host, an installation, and signed requests made in advance."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

APP_KEY = "io.rollcall.app"
SITE = "http://127.0.0.1:8401"
CLIENT_KEY = str(uuid4())
SECRET = secrets.token_urlsafe(64)
CONTEXT = {"xdm_e": SITE, "cp": "", "lic": "active", "cv": "1001.0.0", "theme": "light:light dark:dark"}


class KeyHost:
    """Serves the public half of a fresh key at /<kid>, as Atlassian's install key host does."""

    def __init__(self) -> None:
        self.kid = str(uuid4())
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        pem, path = self._key.public_key().public_bytes(*form), f"/{self.kid}"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == path else 404)
                self.send_header("Content-Type", "application/x-pem-file")
                self.send_header("Content-Length", str(len(pem)))
                self.end_headers()
                self.wfile.write(pem)

            def log_message(self, *_words: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def sign(self, claims: dict[str, object]) -> str:
        """An RS256 token, as lifecycle calls carry it."""
        return jwt.encode(claims, self._key, "RS256", headers={"kid": self.kid})

    def stop(self) -> None:
        """No more keys."""
        self._server.shutdown()
        self._server.server_close()


def page(path: str) -> bytes:
    """A page's address as the product makes it, with its token."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(CONTEXT.items()))
    token = _hs256({"qsh": _hash("GET", path, query)})
    return _http(f"GET {path}?{query}&jwt={token}")


def fragment(path: str) -> bytes:
    """What htmx asks for inside a page, with a context token."""
    return _http(
        f"GET {path}", {"Authorization": f"JWT {_hs256({'qsh': 'context-qsh'})}", "HX-Request": "true"}
    )


def installed(path: str, base_url: str, keys: KeyHost) -> bytes:
    """The product installs the app, again, with the same secret."""
    now = int(time.time())
    claims = {
        "iss": CLIENT_KEY, "aud": [base_url], "iat": now, "exp": now + 900, "jti": str(uuid4()),
        "qsh": _hash("POST", path, ""),
    }  # fmt: skip
    body = {
        "key": APP_KEY, "clientKey": CLIENT_KEY, "sharedSecret": SECRET, "baseUrl": SITE, "displayUrl": SITE,
        "productType": "jira", "eventType": "installed", "description": "Bench", "publicKey": "",
        "serverVersion": "100200", "pluginsVersion": "1001.0.0",
    }  # fmt: skip
    return _http(f"POST {path}", {"Authorization": f"JWT {keys.sign(claims)}"}, json.dumps(body).encode())


def _hs256(claims: dict[str, object]) -> str:
    now = int(time.time())
    # Nobody is logged in: proving the request is measured, not asking Atlassian what somebody may do.
    return jwt.encode({"iss": CLIENT_KEY, "iat": now, "exp": now + 900, **claims}, SECRET, "HS256")


def _hash(method: str, path: str, query: str) -> str:
    return hashlib.sha256(f"{method}&{path}&{query}".encode()).hexdigest()


def _http(line: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    every = {"Host": "127.0.0.1", "Accept": "text/html", **(headers or {})}
    if body:
        every |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + body
