"""The yardstick: the least Flask + PyJWT app that does the same work as Rollcall's three kinds of request.

Everything in one file and nothing general: this is what Rollcall's rooms, marks and toolbox are compared with. The
same work means: the same proofs, the tenant from SQLite, its secret unsealed, and for an install one transaction with
an audit row. Environment: BASE_URL, DATABASE_URL, INSTALL_KEYS_URL, SEALING_KEY (base64), PAGE (the HTML to answer).
"""

import base64
import hashlib
import os
import sqlite3
import time
from functools import cache
from urllib.parse import parse_qsl, quote

import jwt
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, Response, abort, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import LargeBinary, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Both tables."""


db = SQLAlchemy(model_class=Base)
cipher = AESGCM(base64.b64decode(os.environ["SEALING_KEY"]))


class Tenant(Base):
    """An installation and its sealed secret."""

    __tablename__ = "tenant"
    client_key: Mapped[str] = mapped_column(primary_key=True)
    base_url: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AuditEntry(Base):
    """What happened."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_key: Mapped[str]
    event: Mapped[str]
    at: Mapped[float]


def create_app() -> Flask:
    """The app, with its two tables made."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "connect", as_rollcall_does)
        db.create_all()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    app.add_url_rule("/healthz", view_func=lambda: "ok", endpoint="healthz")
    app.add_url_rule("/pages/app", view_func=page)
    app.add_url_rule("/app/whoami", view_func=whoami)
    app.add_url_rule("/connect/installed", view_func=installed, methods=["POST"])
    return app


def as_rollcall_does(connection: sqlite3.Connection, _record: object) -> None:
    """SQLite waits for the disk as seldom as in models/db.py: otherwise this app would do more."""
    connection.execute("PRAGMA synchronous=NORMAL")


def page() -> Response:
    """A page inside the product: proven by the token in its address, for exactly this request."""
    prove(request.args.get("jwt", ""), query_string_hash())
    return Response(
        os.environ["PAGE"], headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


def whoami() -> Response:
    """A fragment asked for by a page: proven by a context token in the header."""
    claims = prove(request.headers.get("Authorization", "").removeprefix("JWT "), "context-qsh")
    return Response(f"<p>{claims.get('sub', 'nobody')}</p>")


def installed() -> tuple[str, int]:
    """Atlassian installs the app, again: the secret is sealed and stored, and audited."""
    token = request.headers.get("Authorization", "").removeprefix("JWT ")
    body = request.get_json()
    try:
        key = public_key(jwt.get_unverified_header(token)["kid"])
        claims = jwt.decode(token, key, ["RS256"], audience=os.environ["BASE_URL"], options=MUST_HAVE)
    except jwt.PyJWTError:
        abort(401)
    if claims["qsh"] != query_string_hash() or claims["iss"] != body["clientKey"]:
        abort(401)
    client_key = body["clientKey"]
    sealed = seal(body["sharedSecret"], client_key)
    tenant = db.session.get(Tenant, client_key)
    if tenant is None:
        db.session.add(Tenant(client_key=client_key, base_url=body["baseUrl"], sealed=sealed))
    else:
        tenant.base_url, tenant.sealed = body["baseUrl"], sealed
    db.session.add(AuditEntry(client_key=client_key, event="tenant:installed", at=time.time()))
    db.session.commit()
    return "", 204


MUST_HAVE = {"require": ["iss", "iat", "exp", "qsh"]}


def prove(token: str, qsh: str) -> dict[str, str]:
    """The claims of a token signed with the tenant's secret; 401 otherwise."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        tenant = db.session.get(Tenant, issuer) or abort(401)
        secret = unseal(tenant.sealed, issuer)
        claims = jwt.decode(token, secret, ["HS256"], options={**MUST_HAVE, "verify_aud": False})
    except jwt.PyJWTError:
        abort(401)
    if claims["qsh"] != qsh:
        abort(401)
    return claims


def query_string_hash() -> str:
    """Atlassian's hash of method, path and sorted query of the request at hand."""
    pairs: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query_string.decode(), keep_blank_values=True):
        if name != "jwt":
            pairs.setdefault(quote(name, safe="~"), []).append(quote(value, safe="~"))
    query = "&".join(f"{name}={','.join(sorted(values))}" for name, values in sorted(pairs.items()))
    path = request.environ["RAW_URI"].split("?", 1)[0]
    return hashlib.sha256(f"{request.method}&{path}&{query}".encode()).hexdigest()


@cache
def public_key(kid: str) -> str:
    """Atlassian's public key, asked for once."""
    return requests.get(f"{os.environ['INSTALL_KEYS_URL']}/{kid}", timeout=5).text


def seal(secret: str, client_key: str) -> bytes:
    """AES-GCM, bound to the tenant."""
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, secret.encode(), client_key.encode())


def unseal(sealed: bytes, client_key: str) -> str:
    """What `seal` was given."""
    return cipher.decrypt(sealed[:12], sealed[12:], client_key.encode()).decode()
