"""The three ways our requests are signed, as functions (method, path, raw query) -> Authorization header."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime

from connect.errors import Invalid
from connect.gateway.http import Authorization
from connect.tokens import sign_request


def bearer(key: str) -> Authorization:
    """An Admin API key. Raises Invalid("admin_key") when it could not stand in a header."""
    _check_printable(key, "admin_key")
    return lambda method, path, query: f"Bearer {key}"


def basic(email: str, token: str) -> Authorization:
    """An account's API token with its e-mail address. Raises Invalid("api_token" or "admin_email")."""
    _check_printable(token, "api_token")
    if ":" in email or not email.isprintable():
        raise Invalid("admin_email")
    header = "Basic " + b64encode(f"{email}:{token}".encode()).decode("ascii")
    return lambda method, path, query: header


def as_app(*, app_key: str, client_key: str, secret: str, clock: Callable[[], datetime]) -> Authorization:
    """The app itself, by the tenant's shared secret; each request gets its own short-lived token (platform.md A3)."""

    def authorization(method: str, path: str, query: str) -> str:
        token = sign_request(
            method=method,
            path=path,
            query=query,
            app_key=app_key,
            client_key=client_key,
            secret=secret,
            now=clock(),
        )
        return f"JWT {token}"

    return authorization


def _check_printable(secret: str, field: str) -> None:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(field, "This does not look like a key or token: it holds blanks or unusual characters.")
