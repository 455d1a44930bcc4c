"""connect/qsh.py against typed cases, and against every vector of the specs when they are at hand (S11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.qsh import canonical_request, query_string_hash

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the folder of specifications is not here")

CASES = [
    ("get", "/", "", "", "GET&/&"),
    ("GET", "", "", "", "GET&/&"),
    ("GET", "/a/", "", "", "GET&/a&"),
    ("GET", "//a//b", "", "", "GET&//a//b&"),
    ("GET", "/a&b", "x=y", "", "GET&/a%26b&x=y"),
    ("GET", "/a%20b;p=1", "", "", "GET&/a%20b;p=1&"),
    ("GET", "/base", "", "/base", "GET&/&"),
    ("GET", "/base/a", "", "/base/", "GET&/a&"),
    ("GET", "/based/a", "", "/base", "GET&/based/a&"),
    ("GET", "/a", "x", "", "GET&/a&x="),
    ("GET", "/a", "x=", "", "GET&/a&x="),
    ("GET", "/a", "=x", "", "GET&/a&=x"),
    ("GET", "/a", "&&x=1&", "", "GET&/a&x=1"),
    ("GET", "/a", "x=1+2&y=%2B&z=%20", "", "GET&/a&x=1%202&y=%2B&z=%20"),
    ("GET", "/a", "x=*&y=~&z=!'()", "", "GET&/a&x=%2A&y=~&z=%21%27%28%29"),
    ("GET", "/a", "x=a,b&x=a", "", "GET&/a&x=a,a%2Cb"),
    ("GET", "/a", "b=1&a=1&b=0&jwt=abc&jwtx=1", "", "GET&/a&a=1&b=0,1&jwtx=1"),
    ("GET", "/a", "j%77t=hidden", "", "GET&/a&"),
    ("GET", "/a", "k=a=b", "", "GET&/a&k=a%3Db"),
    ("GET", "/a", "k=%C3%A9", "", "GET&/a&k=%C3%A9"),
    # Java orders the keys as encoded ("%2B" before "-"), npm as decoded ("+" before "-"; here the same) ...
    ("GET", "/a", "a%2F=1&a.=2", "", "GET&/a&a%2F=1&a.=2"),
    # ... and here they differ: decoded "~" follows "é"'s 0x7e < 0xe9, encoded "%C3%A9" comes before "~".
    ("GET", "/a", "~=1&%C3%A9=2", "", "GET&/a&%C3%A9=2&~=1"),
    # Values are ordered by UTF-16 code unit: an emoji (D83D…) before U+FFFD.
    ("GET", "/a", "x=%EF%BF%BD&x=%F0%9F%98%80", "", "GET&/a&x=%F0%9F%98%80,%EF%BF%BD"),
]


@pytest.mark.parametrize(("method", "path", "query", "base_path", "expected"), CASES)
def test_s11_canonical_request(method: str, path: str, query: str, base_path: str, expected: str) -> None:
    assert canonical_request(method, path, query, base_path) == expected


def test_s11_hash_of_the_empty_request() -> None:
    assert (
        query_string_hash("GET", "/", "")
        == "c88caad15a1c1a900b8ac08aa9686f4e8184539bea1deda36e2f649430df3239"
    )


def test_s11_an_encoded_slash_is_not_a_slash() -> None:
    assert query_string_hash("GET", "/a%2Fb", "") != query_string_hash("GET", "/a/b", "")


@pytest.mark.parametrize(
    "query", ["x=%", "x=%zz", "%=%", "x=%e9", "x=%ed%a0%80", "x=%f0%9f", "x=\udc80", "x=\x00"]
)
def test_s14_malformed_escapes_never_crash(query: str) -> None:
    assert canonical_request("GET", "/a", query).startswith("GET&/a&")


@given(*[st.text(st.characters(exclude_categories=()))] * 4)
def test_s14_nothing_crashes_it(method: str, path: str, query: str, base_path: str) -> None:
    query_string_hash(method, path, query, base_path)


@given(st.lists(st.tuples(st.sampled_from("ab%2B"), st.sampled_from("xyz")), unique=True, max_size=6).flatmap(
    lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))
))  # fmt: skip
def test_s11_the_order_of_parameters_does_not_matter(
    orders: tuple[list[tuple[str, str]], list[tuple[str, str]]],
) -> None:
    first, second = ("&".join(f"{key}={value}" for key, value in pairs) for pairs in orders)
    assert query_string_hash("GET", "/", first) == query_string_hash("GET", "/", second)


def _cases(name: str) -> list[Any]:
    file = SPECS / name
    if not file.is_file():
        return []
    content = json.loads(file.read_text())
    return list(content["cases"])


@needs_specs
def test_s11_all_typed_over_cases() -> None:
    for case in _cases("qsh-cases.json"):
        base_path = urlsplit(case.get("baseUrl") or "").path
        arguments = (case["method"], case["path"] or "", case["query"] or "", base_path)
        if "canonical" in case:
            assert canonical_request(*arguments) == case["canonical"], case["name"]
        # "checkBody" is the second try with the body's parameters, which S11 forbids: it must not match.
        assert (query_string_hash(*arguments) == case["qsh"]) is not case.get("checkBody", False), case[
            "name"
        ]


@needs_specs
def test_s11_all_vectors_of_npm_atlassian_jwt() -> None:
    for case in _cases("qsh-vectors-atlassian-jwt-2.0.3.json"):
        path, _, query = case["url"].partition("#")[0].partition("?")
        arguments = (case["method"], path, query, urlsplit(case["baseUrl"] or "").path)
        assert canonical_request(*arguments) == case["canonical"], case["url"]
        assert query_string_hash(*arguments) == case["qsh"], case["url"]


@needs_specs
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the secret of 2014 is short
@pytest.mark.parametrize("name", ["jwt-signed-urls.json", "jwt-signed-urls-ace-2014.json"])
def test_s11_all_addresses_signed_by_java(name: str) -> None:
    content = json.loads((SPECS / name).read_text())
    for case in content["tests"]:
        signed = urlsplit(case["signedUrl"])
        base_path = urlsplit(case.get("addonBaseUrl") or case.get("baseUrl") or "").path
        assert canonical_request("GET", signed.path, signed.query, base_path) == case["canonicalUrl"], case[
            "name"
        ]
        token = next(part.removeprefix("jwt=") for part in signed.query.split("&") if part.startswith("jwt="))
        claims = jwt.decode(
            token, content["secret"], algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
        )
        assert claims["qsh"] == query_string_hash("GET", signed.path, signed.query, base_path), case["name"]
