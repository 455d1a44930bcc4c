"""Who is asking? One function per kind of token, without flags (S1, S2); the outgoing signature is here too.

Every refusal is errors.NotAuthenticated with a reason for the log. A token's claims are data only after its
signature is proven; what is read before that serves to find the key and to refuse early.
Source: platform.md A3-A5.
"""

from __future__ import annotations

import hmac
import json
import re
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import jwt

from connect.caller import Caller, Via
from connect.errors import NotAuthenticated
from connect.qsh import query_string_hash

MAX_TOKEN_BYTES = 8192
LEEWAY = timedelta(seconds=30)
MAX_LIFE = timedelta(hours=1)
SIGNED_REQUEST_LIFE = timedelta(minutes=3)
CONTEXT_QSH = "context-qsh"

REQUIRED_CLAIMS = ["iss", "iat", "exp", "qsh"]
REQUIRED_LIFECYCLE_CLAIMS = ["iss", "iat", "exp", "qsh", "aud"]

_ACCOUNT_ID = re.compile(r"[0-9A-Za-z:_|-]{1,128}", re.ASCII)
# A token that brings its own key, or tells where to fetch one, is somebody's attempt (S6).
_KEY_BEARING_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c"})
# "+", "/" and "=" are not of the alphabet of tokens: they become what plain base64 refuses.
_PLAIN_BASE64 = str.maketrans("-_+/=", "+/   ")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The request line a token must belong to: raw path and raw query (without "?") as sent (S11)."""

    method: str
    raw_path: str
    raw_query: str


@dataclass(frozen=True, slots=True)
class LifecycleProof:
    """A proven `installed` or `uninstalled`. `token_hash` (hex SHA-256) lets a token be accepted once (S57).

    `kid` names the install key that opened it.
    """

    client_key: str
    kid: str
    token_hash: str
    issued_at: datetime
    expires_at: datetime


SecretOf = Callable[[str], str | None]
"""client key -> the tenant's current shared secret, None when unknown or uninstalled."""


def verify_lifecycle(
    token: str, request: SignedRequest, *, base_url: str, key_of: Callable[[str], str], now: datetime
) -> LifecycleProof:
    """`installed` and `uninstalled`: RS256 by Atlassian's install key, for our address, for this very request.

    `key_of(kid)` gives the public key (PEM); it may raise NotAuthenticated or Unavailable.
    """
    header, unproven = _read_unproven(token)
    if header.get("alg") != "RS256":
        raise NotAuthenticated(reason="algorithm")
    # The claims are looked at before the key is fetched, so that a token which is no good calls nobody.
    _check_lifecycle_claims(unproven, request, base_url=base_url, now=now)
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise NotAuthenticated(reason="kid")
    public_key = key_of(kid)
    try:
        claims = jwt.decode(
            token,
            public_key,
            algorithms=["RS256"],
            options={
                "verify_signature": True,
                "enforce_minimum_key_length": True,
                "require": REQUIRED_LIFECYCLE_CLAIMS,
                # The library reads its own clock and accepts any one audience of several: both are checked below.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.PyJWTError as error:
        raise NotAuthenticated(reason=_reason(error)) from error
    _check_lifecycle_claims(claims, request, base_url=base_url, now=now)
    return LifecycleProof(
        client_key=_issuer(claims),
        kid=kid,
        token_hash=sha256(token.encode()).hexdigest(),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def verify_iframe(
    token: str, request: SignedRequest, *, base_url: str, secret_of: SecretOf, now: datetime
) -> Caller:
    """A page that the product opens: HS256 by the tenant's secret, for this very request."""
    claims = _proven_by_tenant(token, secret_of)
    _check_life(claims, now)
    _check_optional_audience(claims, base_url)
    _check_request(claims, request, base_url)
    return Caller(tenant=_issuer(claims), account_id=_account_id(claims), via=Via.IFRAME)


def verify_webhook(
    token: str, request: SignedRequest, *, base_url: str, secret_of: SecretOf, now: datetime
) -> Caller:
    """An event that the product sends: HS256 by the tenant's secret, for this very request."""
    claims = _proven_by_tenant(token, secret_of)
    _check_life(claims, now)
    _check_optional_audience(claims, base_url)
    _check_request(claims, request, base_url)
    return Caller(tenant=_issuer(claims), account_id=_account_id(claims), via=Via.WEBHOOK)


def verify_context(token: str, *, secret_of: SecretOf, now: datetime) -> Caller:
    """A request of our own page (`AP.context.getToken`): HS256 by the tenant's secret, qsh literally "context-qsh".

    Atlassian's context tokens name no audience; one that does is a session token of some other maker.
    """
    claims = _proven_by_tenant(token, secret_of)
    _check_life(claims, now)
    if "aud" in claims:
        raise NotAuthenticated(reason="audience")
    if claims["qsh"] != CONTEXT_QSH:
        raise NotAuthenticated(reason="qsh")
    return Caller(tenant=_issuer(claims), account_id=_account_id(claims), via=Via.CONTEXT)


def sign_request(
    *, method: str, path: str, query: str, app_key: str, client_key: str, secret: str, now: datetime
) -> str:
    """A token for one call of the app to a product. `path` is relative to the tenant's base URL, both are raw."""
    claims = {
        "iss": app_key,
        "aud": [client_key],
        "iat": int(now.timestamp()),
        "exp": int((now + SIGNED_REQUEST_LIFE).timestamp()),
        "qsh": query_string_hash(method, path, query),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def _proven_by_tenant(token: str, secret_of: SecretOf) -> dict[str, Any]:
    header, unproven = _read_unproven(token)
    if header.get("alg") != "HS256":
        raise NotAuthenticated(reason="algorithm")
    issuer = _issuer(unproven)
    secret = secret_of(issuer)
    if not secret:
        raise NotAuthenticated(reason="unknown_tenant")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={
                "verify_signature": True,
                "enforce_minimum_key_length": True,
                "require": REQUIRED_CLAIMS,
                # The library reads its own clock; the callers check the life, the audience and the request.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.PyJWTError as error:
        raise NotAuthenticated(reason=_reason(error)) from error
    # The key that fitted must be the key of the tenant that is believed from here on.
    if claims.get("iss") != issuer:
        raise NotAuthenticated(reason="issuer")
    return claims


def _read_unproven(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims that nobody has vouched for yet."""
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise NotAuthenticated(reason="size")
    # Only to find the key: the library reads the token anew, and more strictly, when it proves it.
    try:
        raw_header, raw_claims, _signature = token.split(".")
        header, claims = _read_part(raw_header), _read_part(raw_claims)
    except (ValueError, RecursionError) as error:
        raise NotAuthenticated(reason="malformed") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotAuthenticated(reason="malformed")
    if _KEY_BEARING_HEADERS & header.keys():
        raise NotAuthenticated(reason="key_in_header")
    return header, claims


def _read_part(part: str) -> object:
    padded = part.translate(_PLAIN_BASE64) + "=" * (-len(part) % 4)
    return json.loads(a2b_base64(padded, strict_mode=True))


def _check_lifecycle_claims(
    claims: Mapping[str, Any], request: SignedRequest, *, base_url: str, now: datetime
) -> None:
    _issuer(claims)
    _check_life(claims, now)
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    # Every entry must be us: a token that is also for somebody else could be sent on by them (S9).
    if not isinstance(named, list) or not named or not all(_same_address(one, base_url) for one in named):
        raise NotAuthenticated(reason="audience")
    _check_request(claims, request, base_url)


def _check_optional_audience(claims: Mapping[str, Any], base_url: str) -> None:
    """Products sign without an audience; when there is one, it must be us and nobody else."""
    if "aud" not in claims:
        return
    audience = claims["aud"]
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not named or not all(_same_address(one, base_url) for one in named):
        raise NotAuthenticated(reason="audience")


def _check_life(claims: Mapping[str, Any], now: datetime) -> None:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    moment, leeway = now.timestamp(), LEEWAY.total_seconds()
    if issued > moment + leeway:
        raise NotAuthenticated(reason="issued_in_the_future")
    if "nbf" in claims and _seconds(claims, "nbf") > moment + leeway:
        raise NotAuthenticated(reason="not_yet_valid")
    if expires <= moment - leeway:
        raise NotAuthenticated(reason="expired")
    if not 0 < expires - issued <= MAX_LIFE.total_seconds():
        raise NotAuthenticated(reason="life_span")


def _check_request(claims: Mapping[str, Any], request: SignedRequest, base_url: str) -> None:
    expected = query_string_hash(request.method, request.raw_path, request.raw_query, urlsplit(base_url).path)
    found = claims.get("qsh")
    # A text of JSON may hold half a character, of which no bytes can be made (S14).
    if not isinstance(found, str) or not hmac.compare_digest(
        found.encode(errors="replace"), expected.encode()
    ):
        raise NotAuthenticated(reason="qsh")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    # The bounds refuse NaN, infinity and numbers that no clock can show, before anything is computed with them.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        raise NotAuthenticated(reason=f"odd_{name}")
    return float(value)


def _issuer(claims: Mapping[str, Any]) -> str:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not 0 < len(issuer) <= 255:
        raise NotAuthenticated(reason="issuer")
    # The database is asked for it before anything is proven, and takes no NUL and no half of a character (S14).
    if not issuer.isascii() or not issuer.isprintable():
        raise NotAuthenticated(reason="issuer")
    return issuer


def _account_id(claims: Mapping[str, Any]) -> str | None:
    subject = claims.get("sub")
    if subject is None or subject == "":
        return None
    if not isinstance(subject, str) or not _ACCOUNT_ID.fullmatch(subject):
        raise NotAuthenticated(reason="subject")
    return subject


def _same_address(found: object, base_url: str) -> bool:
    return isinstance(found, str) and found.removesuffix("/") == base_url.removesuffix("/")


def _reason(error: jwt.PyJWTError) -> str:
    return f"token_{type(error).__name__.removesuffix('Error').lower()}"
