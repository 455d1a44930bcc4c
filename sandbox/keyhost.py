"""The install-key host (connect-install-keys.atlassian.com/<kid>): public keys that sign lifecycle callbacks."""

from __future__ import annotations

import json
from functools import cache
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Blueprint, Response, abort

from sandbox.store import Store


def signing_key(store: Store) -> tuple[str, rsa.RSAPrivateKey]:
    """(kid, private key) of the key in use; made when there is none."""
    held = store.get("install_key")
    if held is None:
        rotate(store)
        held = store.get("install_key") or "[]"
    kid, private, _ = json.loads(held)[-1]
    return kid, _read(private)


@cache
def _read(pem: str) -> rsa.RSAPrivateKey:
    """Reading a key checks its numbers, and takes longer than all else that an installation does."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def rotate(store: Store) -> str:
    """Sign with a new key from now on; earlier public keys stay readable. The new kid."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    kid = str(uuid4())
    with store.write():
        keys = json.loads(store.get("install_key") or "[]")
        store.put("install_key", json.dumps([*keys, (kid, pem, public)]))
    return kid


def blueprint(store: Store) -> Blueprint:
    """GET /<kid> and /install-keys/<kid>: the PEM of a public key, 404 for an unknown one."""
    routes = Blueprint("keyhost", __name__)

    @routes.get("/<uuid:kid>")
    @routes.get("/install-keys/<uuid:kid>")
    def public_key(kid: UUID) -> Response:
        for known, _, public in json.loads(store.get("install_key") or "[]"):
            if known == str(kid):
                return Response(public, mimetype="application/x-pem-file")
        abort(404)

    return routes
