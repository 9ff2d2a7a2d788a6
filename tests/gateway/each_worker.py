"""Reach each worker of a proxy, one after the other.

Left to themselves the kernel and the event loops may give all connections to one of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.gateway.running import Proxy

# A connection that goes to a worker that is held still waits for so long. A busy machine may need
# longer for any answer, and then more attempts.
_ATTEMPTS = 100
_ATTEMPT_SECONDS = 5


@contextlib.contextmanager
def _held_still(workers: set[int]) -> Iterator[None]:
    """Hold processes still until the block ends; one that its server has replaced is left out."""
    try:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
        yield
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)


def ask_every_worker(proxy: Proxy, ask: Callable[[httpx.Client], int], workers: int) -> None:
    """Ask until each worker has answered, or fail with the proxy's log.

    Those that have answered are held still, in every other attempt: a server ends a worker that
    stands still for long.

    Args:
        proxy: the proxy.
        ask: asks over one connection, which is one worker's, and returns the worker's process.
        workers: how many there are.
    """
    answered: set[int] = set()
    for attempt in range(_ATTEMPTS):
        held = set(answered) if attempt % 2 else set()
        # A connection that waits for a worker that is held still is given up.
        with (
            contextlib.suppress(httpx.TimeoutException),
            _held_still(held),
            proxy.client() as client,
        ):
            client.timeout = httpx.Timeout(_ATTEMPT_SECONDS)
            answered.add(ask(client))
        if len(answered) == workers:
            return
    pytest.fail(f"{len(answered)} of {workers} workers answer:\n{proxy.log.read_text()[-3000:]}")
