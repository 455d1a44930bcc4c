"""The test run's own fence and databases work."""

from __future__ import annotations

import socket

import pytest

from tests.loopback import LeftTheMachine, is_local


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("rollcall.invalid", 443)])
def test_other_hosts_are_out_of_reach(address: tuple[str, int]) -> None:
    with pytest.raises(LeftTheMachine):
        socket.create_connection(address, timeout=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"127.0.0.1", ""])
def test_this_machine_is_within_reach(host: str | bytes) -> None:
    assert is_local(host)
