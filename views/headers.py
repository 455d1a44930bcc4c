"""What every answer says to the browser: constant, never taken from a request (S35, S36)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, request

ALONE = "keep_page"
"""The blueprint whose pages stand alone: nobody frames them, they run no script, no search engine keeps them (S55)."""
A_YEAR = 365 * 24 * 3600
AN_HOUR = 3600


def add_headers(app: Flask, *, site_origins: Sequence[str], ap_script_url: str) -> None:
    """Puts the security headers on every answer, error pages included. Both arguments are the configured ones."""
    fixed = {
        "Content-Security-Policy": content_security_policy(site_origins, ap_script_url),
        "Strict-Transport-Security": f"max-age={A_YEAR}; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }

    alone = fixed | {"Content-Security-Policy": POLICY_OF_A_PAGE_ALONE, "X-Robots-Tag": "noindex, nofollow"}

    def add(response: Response) -> Response:
        response.headers.update(alone if request.blueprint == ALONE else fixed)
        response.headers["Cache-Control"] = _cache_control(response)
        return response

    app.after_request(add)


POLICY_OF_A_PAGE_ALONE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def content_security_policy(site_origins: Sequence[str], ap_script_url: str) -> str:
    """Which sites may frame us, and where scripts and styles may come from: ourselves and the host's bridge."""
    bridge = urlsplit(ap_script_url)
    bridge_origin = f"{bridge.scheme}://{bridge.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {bridge_origin}",
            # The bridge writes its own margins into style attributes, and loads the theme from where it lives.
            f"style-src 'self' 'unsafe-inline' {bridge_origin}",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {' '.join(site_origins)}",
        )
    )


def _cache_control(response: Response) -> str:
    if request.endpoint != "static" or response.status_code not in (200, 304):
        return "no-store"
    # A file asked for by version never changes under that address.
    return f"public, max-age={A_YEAR}, immutable" if request.args.get("v") else f"public, max-age={AN_HOUR}"
