"""connect/tokens.py: each verifier takes its own kind of token and refuses everything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connect.caller import Caller, Via
from connect.errors import NotAuthenticated
from connect.qsh import query_string_hash
from connect.tokens import (
    LEEWAY,
    SignedRequest,
    sign_request,
    verify_context,
    verify_iframe,
    verify_lifecycle,
    verify_webhook,
)
from tests import tokens

BASE_URL = "https://app.example.com"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRETS = {"acme": "a" * 20 + "-acme-shared-secret", "globex": "g" * 20 + "-globex-shared-secret"}
KID = "0b1c3f44-6d0e-4c55-9d6a-5f1f0c7d9e11"
PAGE = SignedRequest("GET", "/pages/app", "lic=none&tz=Europe%2FBerlin")
HOOK = SignedRequest("POST", "/connect/webhooks/page_created", "")
INSTALLED = SignedRequest("POST", "/connect/installed", "")
SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"


def iframe(token: str, request: SignedRequest = PAGE) -> Caller:
    return verify_iframe(token, request, base_url=BASE_URL, secret_of=SECRETS.get, now=NOW)


def webhook(token: str, request: SignedRequest = HOOK) -> Caller:
    return verify_webhook(token, request, base_url=BASE_URL, secret_of=SECRETS.get, now=NOW)


def context(token: str) -> Caller:
    return verify_context(token, secret_of=SECRETS.get, now=NOW)


def lifecycle(token: str, key_of: Callable[[str], str] = lambda kid: tokens.public_pem()) -> str:
    proof = verify_lifecycle(token, INSTALLED, base_url=BASE_URL, key_of=key_of, now=NOW)
    return proof.client_key


def iframe_token(tenant: str = "acme", secret: str = "", **changed: Any) -> str:
    address = f"{PAGE.raw_path}?{PAGE.raw_query}"
    return tokens.iframe_token(secret or SECRETS[tenant], tenant, "GET", address, **{"now": NOW, **changed})


def webhook_token(tenant: str = "acme", **changed: Any) -> str:
    return tokens.iframe_token(SECRETS[tenant], tenant, "POST", HOOK.raw_path, **{"now": NOW, **changed})


def context_token(tenant: str = "acme", **changed: Any) -> str:
    return tokens.context_token(SECRETS[tenant], tenant, **{"now": NOW, **changed})


def lifecycle_token(tenant: str = "acme", **changed: Any) -> str:
    return tokens.lifecycle_token(
        tenant, INSTALLED.raw_path, **{"base_url": BASE_URL, "kid": KID, "now": NOW, **changed}
    )


def refused(verify: Callable[[str], object], token: str) -> str:
    with pytest.raises(NotAuthenticated) as refusal:
        verify(token)
    return refusal.value.reason


VERIFIERS: dict[str, Callable[[str], object]] = {
    "iframe": iframe,
    "webhook": webhook,
    "context": context,
    "lifecycle": lifecycle,
}
MAKERS: dict[str, Callable[..., str]] = {
    "iframe": iframe_token,
    "webhook": webhook_token,
    "context": context_token,
    "lifecycle": lifecycle_token,
}
BY_SECRET = ["iframe", "webhook", "context"]


def test_each_kind_is_accepted_by_its_verifier() -> None:
    assert iframe(iframe_token(sub="ana")) == Caller("acme", "ana", Via.IFRAME)
    assert webhook(webhook_token()) == Caller("acme", None, Via.WEBHOOK)
    assert context(context_token("globex", sub="5b10:ab-c_d")) == Caller("globex", "5b10:ab-c_d", Via.CONTEXT)
    assert lifecycle(lifecycle_token()) == "acme"


def test_lifecycle_proof_says_what_s57_needs() -> None:
    token = lifecycle_token()
    proof = verify_lifecycle(
        token, INSTALLED, base_url=BASE_URL, key_of=lambda kid: tokens.public_pem(), now=NOW
    )
    assert proof.issued_at == NOW
    assert proof.expires_at == NOW + tokens.LIFE
    assert len(proof.token_hash) == 64


@pytest.mark.parametrize("made", list(MAKERS))
@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_s01_s02_only_the_declared_kind_passes(verifier: str, made: str) -> None:
    token = MAKERS[made]()
    if verifier == made:
        VERIFIERS[verifier](token)
    else:
        refused(VERIFIERS[verifier], token)


@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_s02_a_token_without_qsh_is_refused(verifier: str) -> None:
    refused(VERIFIERS[verifier], MAKERS[verifier](qsh=None))


@pytest.mark.parametrize("qsh", ["context-qsh", "", "0" * 64, 7, ["context-qsh"], None, "\ud800"])
def test_s02_pages_need_the_computed_hash(qsh: object) -> None:
    refused(iframe, iframe_token(qsh=qsh))
    refused(webhook, webhook_token(qsh=qsh))
    refused(lifecycle, lifecycle_token(qsh=qsh))


@pytest.mark.parametrize(
    "request_",
    [
        SignedRequest("POST", PAGE.raw_path, PAGE.raw_query),
        SignedRequest("GET", "/pages/configure", PAGE.raw_query),
        SignedRequest("GET", PAGE.raw_path, "lic=active&tz=Europe%2FBerlin"),
        SignedRequest("GET", PAGE.raw_path, PAGE.raw_query + "&x=1"),
        SignedRequest("GET", "/pages%2Fapp", PAGE.raw_query),
    ],
)
def test_s11_a_token_belongs_to_one_request(request_: SignedRequest) -> None:
    token = iframe_token()
    assert refused(lambda text: iframe(text, request_), token) == "qsh"


def test_s11_the_base_path_is_cut_off() -> None:
    token = tokens.iframe_token(SECRETS["acme"], "acme", "GET", "/pages/app", now=NOW)
    request = SignedRequest("GET", "/base/pages/app", "")
    caller = verify_iframe(token, request, base_url=BASE_URL + "/base", secret_of=SECRETS.get, now=NOW)
    assert caller.tenant == "acme"


@pytest.mark.parametrize("verifier", BY_SECRET)
def test_s05_another_tenants_secret_proves_nothing(verifier: str) -> None:
    forged = jwt.encode(
        jwt.decode(MAKERS[verifier](), options={"verify_signature": False}),
        SECRETS["globex"],
        algorithm="HS256",
    )
    assert refused(VERIFIERS[verifier], forged) == "token_invalidsignature"


@pytest.mark.parametrize("verifier", BY_SECRET)
@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "",
        "stranger",
        "io.rollcall.app",
        7,
        ["acme"],
        {"acme": 1},
        "a" * 300,
        "acme\0",
        "\ud800",
        "\udc00a",
    ],
)
def test_s18_the_issuer_must_be_a_known_tenant(verifier: str, issuer: object) -> None:
    assert refused(VERIFIERS[verifier], _forged(verifier, iss=issuer)) in {"issuer", "unknown_tenant"}


def _forged(verifier: str, **changed: Any) -> str:
    claims = jwt.decode(MAKERS[verifier](), options={"verify_signature": False}) | changed
    return tokens.hand_made_token({"alg": "HS256"}, claims, SECRETS["acme"].encode())


@pytest.mark.parametrize("verifier", BY_SECRET)
@pytest.mark.parametrize(
    "algorithm", ["none", "None", "hs256", "HS384", "RS256", "ES256", "", None, ["HS256"]]
)
def test_s06_the_algorithm_is_ours_to_choose(verifier: str, algorithm: object) -> None:
    claims = jwt.decode(MAKERS[verifier](), options={"verify_signature": False})
    for secret in (b"", SECRETS["acme"].encode()):
        token = tokens.hand_made_token({"alg": algorithm, "typ": "JWT"}, claims, secret)
        assert refused(VERIFIERS[verifier], token) in {"algorithm", "malformed"}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "rs256", "RS512", "PS256", "", None])
def test_s06_lifecycle_is_rs256_even_with_the_public_key_as_secret(algorithm: object) -> None:
    claims = jwt.decode(lifecycle_token(), options={"verify_signature": False})
    for secret in (b"", tokens.public_pem().encode(), tokens.public_pem().strip().encode()):
        token = tokens.hand_made_token({"alg": algorithm, "kid": KID}, claims, secret)
        assert refused(lifecycle, token) in {"algorithm", "malformed"}


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_s06_a_token_that_brings_its_key_is_refused(name: str) -> None:
    header = {"kid": KID, name: "https://evil.example/key"}
    assert refused(lifecycle, lifecycle_token(header=header)) == "key_in_header"
    token = jwt.encode(
        tokens.claims_for("acme", "GET", "/pages/app", now=NOW, qsh="context-qsh"),
        SECRETS["acme"],
        algorithm="HS256",
        headers={name: "x"},
    )
    assert refused(context, token) == "key_in_header"


@pytest.mark.parametrize("verifier", list(VERIFIERS))
@pytest.mark.parametrize("part", ["", "e30=", "e30", "W10", "+w==", "/w", "e 30", "W1tb" * 2000])
def test_s06_a_part_that_is_no_object_in_the_tokens_alphabet_is_refused(verifier: str, part: str) -> None:
    asked: list[str] = []
    header, claims, signature = MAKERS[verifier]().split(".")
    for token in (f"{part}.{claims}.{signature}", f"{header}.{part}.{signature}", f"{header}.{claims}"):
        refused(VERIFIERS[verifier], token)
        refused(
            lambda text: verify_context(text, secret_of=asked.append, now=NOW), f"{part}.{part}.{signature}"
        )
    assert asked == []


@pytest.mark.skipif(not SPECS.is_dir(), reason="the folder of specifications is not here")
@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_s06_the_foreign_algorithms_of_npm_atlassian_jwt(verifier: str) -> None:
    for token in json.loads((SPECS / "jwt-bad-alg-tokens.json").read_text())["tokens"].values():
        refused(VERIFIERS[verifier], token)


def test_s04_s06_a_lifecycle_token_of_another_key_is_refused() -> None:
    assert refused(lifecycle, lifecycle_token(key_name="somebody else")) == "token_invalidsignature"


def test_s07_a_lifecycle_token_that_is_no_good_asks_for_no_key() -> None:
    asked: list[str] = []

    def key_of(kid: str) -> str:
        asked.append(kid)
        return tokens.public_pem()

    for token in (
        context_token(),
        lifecycle_token(aud=["https://other.example.com"]),
        lifecycle_token(exp=1),
        lifecycle_token(qsh="context-qsh"),
        lifecycle_token(header={}),
        lifecycle_token(header={"jku": "x", "kid": KID}),
    ):
        refused(lambda text: lifecycle(text, key_of), token)
    assert asked == []
    lifecycle(lifecycle_token(), key_of)
    assert asked == [KID]


@pytest.mark.parametrize(
    "audience",
    [
        None,
        [],
        "",
        "https://app.example.com.evil.com",
        "https://app.example.co",
        "http://app.example.com",
        ["https://stranger.example.com"],
        [BASE_URL, "https://stranger.example.com"],
        [[BASE_URL]],
        {BASE_URL: 1},
        7,
        BASE_URL + "//",
    ],
)
def test_s09_lifecycle_must_be_for_us_alone(audience: object) -> None:
    claims = jwt.decode(lifecycle_token(), options={"verify_signature": False})
    claims.pop("aud") if audience is None else claims.update(aud=audience)
    token = jwt.encode(claims, tokens.install_key(), algorithm="RS256", headers={"kid": KID})
    assert refused(lifecycle, token) == "audience"


@pytest.mark.parametrize("audience", [BASE_URL, BASE_URL + "/", [BASE_URL], [BASE_URL + "/"]])
def test_s09_one_trailing_slash_is_forgiven(audience: object) -> None:
    assert lifecycle(lifecycle_token(aud=audience)) == "acme"


@pytest.mark.parametrize("audience", [["acme"], "https://stranger.example.com", [], ["io.rollcall.app"]])
def test_s09_self_issued_session_tokens_are_refused(audience: object) -> None:
    assert refused(iframe, iframe_token(aud=audience)) == "audience"
    assert refused(webhook, webhook_token(aud=audience)) == "audience"
    assert refused(context, context_token(aud=audience)) == "audience"


def test_our_own_outgoing_token_does_not_come_back_in() -> None:
    """The app signs its calls with the same secret: reflected, they must open nothing."""
    ours = sign_request(
        method="GET",
        path=PAGE.raw_path,
        query=PAGE.raw_query,
        app_key="io.rollcall.app",
        client_key="acme",
        secret=SECRETS["acme"],
        now=NOW,
    )
    for verify in VERIFIERS.values():
        refused(verify, ours)


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("verifier", list(VERIFIERS))
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": None}, "odd_exp"),
        ({"iat": None}, "odd_iat"),
        ({"exp": NOW + timedelta(days=3650)}, "life_span"),
        ({"exp": NOW + timedelta(hours=1) + SECOND}, "life_span"),
        ({"iat": NOW + LEEWAY + SECOND, "exp": NOW + timedelta(minutes=5)}, "issued_in_the_future"),
        ({"iat": NOW - timedelta(minutes=3), "exp": NOW - LEEWAY}, "expired"),
        ({"iat": NOW, "exp": NOW}, "life_span"),
        ({"iat": NOW, "exp": NOW - SECOND}, "life_span"),
        ({"nbf": NOW + LEEWAY + SECOND}, "not_yet_valid"),
        ({"exp": "tomorrow"}, "odd_exp"),
        ({"exp": True}, "odd_exp"),
        ({"exp": -1}, "odd_exp"),
        ({"exp": float("nan")}, "odd_exp"),
        ({"exp": float("inf")}, "odd_exp"),
        ({"exp": 10**400}, "odd_exp"),
        ({"iat": float("-inf")}, "odd_iat"),
        ({"iat": [1]}, "odd_iat"),
    ],
)
def test_s10_life_is_limited(verifier: str, changed: dict[str, Any], reason: str) -> None:
    missing = {"token_missingrequiredclaim" for value in changed.values() if value is None}
    assert refused(VERIFIERS[verifier], MAKERS[verifier](**changed)) in {reason, *missing}


@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_s10_the_leeway_is_granted_to_the_second(verifier: str) -> None:
    VERIFIERS[verifier](MAKERS[verifier](iat=NOW - timedelta(minutes=1), exp=NOW - LEEWAY + SECOND))
    VERIFIERS[verifier](MAKERS[verifier](iat=NOW + LEEWAY, exp=NOW + timedelta(minutes=5)))
    VERIFIERS[verifier](MAKERS[verifier](exp=NOW + timedelta(hours=1)))


@pytest.mark.parametrize("verifier", list(VERIFIERS))
@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "ä.ö.ü",
        "\udcff.x.y",
        "\x00",
        "a" * 1_000_000,
        "eyJhbGciOiJIUzI1NiJ9.e30.",
        tokens.hand_made_token({"alg": "HS256"}, ["a", "list"]),
        tokens.hand_made_token({"alg": "HS256"}, "text"),
        tokens.hand_made_token({"alg": "HS256", "crit": ["b64"], "b64": False}, {}),
        "eyJhbGciOiJIUzI1NiJ9." + "W1tb" * 1_900 + ".eA",  # base64 of "[[[…", deeper than any parser goes
        "W1tb" * 1_900 + ".e30.eA",
    ],
)
def test_s14_garbage_is_refused_quietly(verifier: str, token: str) -> None:
    assert refused(VERIFIERS[verifier], token) in {"size", "malformed", "algorithm", "issuer"}


@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_s14_even_a_proven_token_is_limited_in_size(verifier: str) -> None:
    VERIFIERS[verifier](MAKERS[verifier](context="x" * 5_000))
    assert refused(VERIFIERS[verifier], MAKERS[verifier](context="x" * 9_000)) == "size"


@pytest.mark.parametrize("subject", [7, ["ana"], "../../orgs/x", "a b", "a" * 129, {"id": "ana"}, "ana\n"])
@pytest.mark.parametrize("verifier", BY_SECRET)
def test_s32_an_odd_subject_is_refused(verifier: str, subject: object) -> None:
    claims = jwt.decode(MAKERS[verifier](), options={"verify_signature": False}) | {"sub": subject}
    token = tokens.hand_made_token({"alg": "HS256"}, claims, SECRETS["acme"].encode())
    assert refused(VERIFIERS[verifier], token) == "subject"


@pytest.mark.parametrize("subject", [None, ""])
@pytest.mark.parametrize("verifier", BY_SECRET)
def test_s25_an_anonymous_visitor_has_no_account(verifier: str, subject: str | None) -> None:
    caller = VERIFIERS[verifier](MAKERS[verifier](sub=subject))
    assert isinstance(caller, Caller)
    assert caller.account_id is None


def test_sign_request_is_what_products_expect() -> None:
    token = sign_request(
        method="POST",
        path="/rest/api/3/permissions/check",
        query="",
        app_key="io.rollcall.app",
        client_key="acme",
        secret=SECRETS["acme"],
        now=NOW,
    )
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert claims == {
        "iss": "io.rollcall.app",
        "aud": ["acme"],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 180,
        "qsh": query_string_hash("POST", "/rest/api/3/permissions/check", ""),
    }


def test_s06_a_secret_too_short_to_be_one_opens_nothing() -> None:
    token = tokens.hand_made_token(
        {"alg": "HS256"}, tokens.claims_for("acme", "GET", "/", now=NOW, qsh="context-qsh"), b"short"
    )
    with pytest.raises(NotAuthenticated):
        verify_context(token, secret_of=lambda client_key: "short", now=NOW)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_s06_an_install_key_too_short_to_be_one_opens_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    claims = tokens.claims_for("acme", "POST", INSTALLED.raw_path, now=NOW, aud=[BASE_URL])
    token = jwt.encode(claims, short, algorithm="RS256", headers={"kid": KID})
    pem = short.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert refused(lambda text: lifecycle(text, lambda kid: pem), token) == "token_invalidkey"
