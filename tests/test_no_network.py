"""No test can reach the network: the guard is on, and it works."""

from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("203.0.113.9", 80)])
def test_a_socket_to_anywhere_but_this_machine_is_refused(address: tuple[str, int]) -> None:
    with socket.socket() as plain, pytest.raises(RuntimeError, match=r"[Nn]etwork"):
        plain.connect(address)


def test_the_guard_holds_for_every_test(request: pytest.FixtureRequest) -> None:
    assert request.config.getoption("--block-network")
    assert request.config.getoption("--allowed-hosts") == "127.0.0.1,localhost,::1"
