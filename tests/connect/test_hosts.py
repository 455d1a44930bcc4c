"""connect/hosts.py: the table of addresses that are sites, and of those that look like one (S29)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from connect.errors import Invalid
from connect.hosts import Site, SiteOrigins

COMMERCIAL = SiteOrigins(("https://*.atlassian.net", "https://*.jira.com", "http://127.0.0.1:8401"))


@pytest.mark.parametrize(
    ("url", "base_url", "origin"),
    [
        ("https://acme.atlassian.net", "https://acme.atlassian.net", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/", "https://acme.atlassian.net", "https://acme.atlassian.net"),
        ("https://Acme.Atlassian.NET/wiki/", "https://acme.atlassian.net/wiki", "https://acme.atlassian.net"),
        ("https://a.b.jira.com", "https://a.b.jira.com", "https://a.b.jira.com"),
        ("http://127.0.0.1:8401/wiki", "http://127.0.0.1:8401/wiki", "http://127.0.0.1:8401"),
    ],
)
def test_s29_a_site(url: str, base_url: str, origin: str) -> None:
    assert COMMERCIAL.check(url) == Site(base_url, origin, urlsplit(origin).hostname or "")


BAD = [
    "",
    "acme.atlassian.net",
    "//acme.atlassian.net",
    "http://acme.atlassian.net",
    "ftp://acme.atlassian.net",
    "javascript:alert(1)",
    "https://atlassian.net",
    "https://.atlassian.net",
    "https://evilatlassian.net",
    "https://acme.atlassian.net.evil.com",
    "https://acme.atlassian.net@evil.com",
    "https://evil.com@acme.atlassian.net",
    "https://user:pass@acme.atlassian.net",
    "https://evil.com/acme.atlassian.net",
    "https://evil.com#.atlassian.net",
    "https://evil.com?.atlassian.net",
    "https://evil.com\\.atlassian.net",
    "https://evil.com%2f.atlassian.net",
    "https://acme.atlassian.net:8443",
    "https://acme.atlassian.net:443",
    "https://acme.atlassian.net:",
    "https://acme.atlassian.net/other",
    "https://acme.atlassian.net/wiki/rest",
    "https://acme.atlassian.net/../wiki",
    "https://acme.atlassian.net//",
    "https://acme.atlassian.net?x=1",
    "https://acme.atlassian.net#x",
    "https://acme.atlassian.net.",
    "https://acme..atlassian.net",
    "https://-acme.atlassian.net",
    "https://acme-.atlassian.net",
    "https://acme_x.atlassian.net",
    "https://*.atlassian.net",
    "https://ácme.atlassian.net",
    "https://xn--cme-6na.atlassian.net",
    "https://acme.atlassian。net",
    "https://acme.atlassian.net\n",
    " https://acme.atlassian.net",
    "https://acme.atlassian.net\t",
    "https://acme.atlassian.net\x00",
    "https://127.0.0.1",
    "https://127.0.0.1:8401",
    "https://2130706433",
    "https://[::1]",
    "https://[::1].atlassian.net",
    "https://localhost",
    "https://169.254.169.254",
    "http://127.0.0.1",
    "http://127.0.0.1:8402",
    "http://localhost:8401",
    "https://" + "a" * 300 + ".atlassian.net",
]


@pytest.mark.parametrize("url", BAD)
def test_s29_not_a_site(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        COMMERCIAL.check(url)
    assert refusal.value.field == "baseUrl"


@pytest.mark.parametrize(
    "patterns",
    [
        (),
        ("",),
        ("*",),
        ("https://*",),
        ("https://*.net:8443",),
        ("https://*.com",),
        ("https://*.*.net",),
        ("https://acme.*.net",),
        ("http://*.atlassian.net",),
        ("http://acme.atlassian.net",),
        ("https://acme.atlassian.net/wiki",),
        ("https://*.127.0.0.1",),
        ("https://user@acme.atlassian.net",),
    ],
)
def test_s29_a_careless_list_stops_the_start(patterns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"site origin|this machine"):
        SiteOrigins(patterns)
