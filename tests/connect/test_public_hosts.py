"""connect/public_hosts.py: hosts that may be called for an organization, and those that lie inside (S29)."""

from __future__ import annotations

import pytest

from config import Settings
from connect.errors import Invalid
from connect.public_hosts import NOT_FOUND, check_target, is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_s29_a_public_address(address: str) -> None:
    assert is_public(address)
    assert check_target(address, 443, ()) == (address,)


PRIVATE = [
    "127.0.0.1",
    "127.255.0.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "[::ffff:7f00:1]",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "localhost",
    "LOCALHOST",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_s29_a_private_one(host: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_target(host, 443, {"elsewhere:443"})
    assert (refusal.value.field, refusal.value.reason) == ("address", "host_not_public")


NO_HOSTS = [
    "",
    ".",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "127.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "localhost.",
    "fe80::1%eth0",
    "user@example.com",
    "example.com:80",
    "example.com/",
    "exa mple.com",
    "example..com",
    "*.example.com",
    "exämple.com",
    "127。0。0。1",
    "example.com\n",
    "example.com\0",
    "[[::1]]",
    "a." * 127 + "com",
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_s29_what_is_no_host_is_not_even_looked_up(host: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_target(host, 443, {f"{host}:443"})
    assert (refusal.value.field, refusal.value.reason) == ("address", "invalid")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_s29_a_port_that_is_none(port: int) -> None:
    with pytest.raises(Invalid):
        check_target("8.8.8.8", port, ())


def test_s29_a_listed_target_is_exactly_this_host_and_port() -> None:
    assert check_target("127.0.0.1", 8400, {"127.0.0.1:8400"}) == ("127.0.0.1",)
    assert check_target("::1", 8400, {"[::1]:8400"}) == ("::1",)
    assert "127.0.0.1" in check_target("localhost", 8400, {"localhost:8400"})
    for host, port in [("127.0.0.1", 8401), ("localhost", 8400), ("127.0.0.2", 8400)]:
        with pytest.raises(Invalid):
            check_target(host, port, {"127.0.0.1:8400"})


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    with pytest.raises(Invalid) as refusal:
        check_target("hooks.example.com", 443, (), lambda _name, _port: ())
    assert refusal.value.reason == NOT_FOUND


@pytest.mark.parametrize(
    "known",
    [
        ("8.8.8.8", "127.0.0.1"),
        ("169.254.169.254",),
        ("2606:4700:4700::1111", "::ffff:10.0.0.1"),
        ("fe80::1%eth0",),
    ],
)
def test_s29_one_private_address_among_several_is_enough(known: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as refusal:
        check_target("rebound.example.com", 443, (), lambda _name, _port: known)
    assert refusal.value.reason == "host_not_public"


@pytest.mark.parametrize(
    "written", ["127.0.0.1", "http://127.0.0.1:8400", "*:25", ":25", "a@b:25", "a:99999"]
)
def test_s29_a_careless_list_of_private_targets_stops_the_start(written: str) -> None:
    with pytest.raises(Exception, match="PRIVATE_TARGETS"):
        Settings.from_environment({"PRIVATE_TARGETS": written})
