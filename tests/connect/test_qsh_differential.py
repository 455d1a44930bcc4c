"""connect/qsh.py beside npm `atlassian-jwt` 2.0.3, on the same random, nasty requests (S11).

Two differences are known and wanted, and each has a test of its own here:
- the order of keys: npm sorts them decoded, the Java signer (Jira, Confluence) percent-encoded, as we do;
- npm drops a parameter that is called `__proto__`, because of JavaScript.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from connect.qsh import canonical_request

TOP = Path(__file__).resolve().parents[2]
SEED = 20261122
REQUESTS = 4000

Request = tuple[str, str, str, str]

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (TOP / "node_modules" / "atlassian-jwt").is_dir(),
    reason="node, or npm's atlassian-jwt, is not here",
)

PIECES = [
    *"abzABZ019-._~!*'();:@$,/?[]{}|\\^`\"<>",
    *("+", "%20", "%2B", "%2b", "%2F", "%2f", "%2A", "%7E", "%26", "%3D", "%25", "%00", "%0A"),
    *("%C3%A9", "%F0%9F%98%80", "%EF%BF%BD", "jwt", "jw%74"),
]
# Never both in one request: node spoils a raw letter that stands beside a malformed escape (it keeps the low byte
# of its code). No request line carries raw letters anyway.
RAW_LETTERS = ["é", "😀", "\ufffd", "ß"]
MALFORMED = ["%", "%%", "%z", "%zz", "%4", "%e9", "%ed%a0%80", "%f0%9f", "%C3%28"]
PATH_PIECES = [piece for piece in PIECES if piece != "?"] + ["/", "//", "&", "%2F", ";x=1", "base"]


def _word(chance: random.Random, pieces: list[str], most: int) -> str:
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(most + 1)))


def _request(chance: random.Random) -> Request:
    pieces = PIECES + chance.choice([RAW_LETTERS, MALFORMED])
    keys = [_word(chance, pieces, 3) for _ in range(chance.randrange(1, 4))]
    pairs = []
    for _ in range(chance.randrange(7)):
        value = _word(chance, pieces, 4)
        pairs.append(chance.choice(keys) + chance.choice([f"={value}", f"={value}", "=", ""]))
    base = chance.choice(["", "", "/base", "/base/deep"])
    path = chance.choice(["", base]) + chance.choice(["", "/"]) + _word(chance, PATH_PIECES, 6)
    return chance.choice(["GET", "post", "Delete"]), path, "&".join(pairs), base


def _npm(requests: list[Request]) -> list[str]:
    lines = "\n".join(
        json.dumps({"method": method, "path": path, "query": query, "base": f"https://app.example.com{base}"})
        for method, path, query, base in requests
    )
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("npm_canonical.cjs"))],
        input=lines + "\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=TOP,
        timeout=60,
        encoding="utf-8",
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _keys_sorted_alike(query: str) -> bool:
    """Whether decoded and encoded order of the keys agree, so that the first known difference cannot show."""
    ours = canonical_request("GET", "/", query).removeprefix("GET&/&")
    keys = [unquote_plus(pair.partition("=")[0]) for pair in ours.split("&")]
    return keys == sorted(keys, key=lambda key: key.encode("utf-16-be"))


def _base_ends_within_a_segment(path: str, base: str) -> bool:
    """npm cuts `/base` off `/basement` too; no address of ours looks like that, and we only cut whole segments."""
    return bool(base) and path.startswith(base) and path[len(base) :][:1] not in ("", "/")


def test_s11_the_same_as_npm_atlassian_jwt_on_random_requests() -> None:
    chance = random.Random(SEED)
    requests = [_request(chance) for _ in range(REQUESTS)]
    compared = [
        request
        for request in requests
        if _keys_sorted_alike(request[2]) and not _base_ends_within_a_segment(request[1], request[3])
    ]
    assert len(compared) > REQUESTS // 2
    for request, theirs in zip(compared, _npm(compared), strict=True):
        assert canonical_request(*request) == theirs, request


def test_s11_with_keys_in_another_order_the_same_parameters_come_out() -> None:
    chance = random.Random(SEED + 1)
    requests = [
        request
        for request in (_request(chance) for _ in range(REQUESTS))
        if not _keys_sorted_alike(request[2])
    ]
    assert len(requests) > 50
    for (_, _, query, _), theirs in zip(
        requests, _npm([("GET", "/", r[2], "") for r in requests]), strict=True
    ):
        ours = canonical_request("GET", "/", query)
        assert sorted(ours.removeprefix("GET&/&").split("&")) == sorted(
            theirs.removeprefix("GET&/&").split("&")
        )
        assert ours != theirs


def test_s11_npm_drops_the_key_proto_and_we_do_not() -> None:
    assert _npm([("GET", "/", "a=1&__proto__=2", "")]) == ["GET&/&a=1"]
    assert canonical_request("GET", "/", "a=1&__proto__=2") == "GET&/&__proto__=2&a=1"
