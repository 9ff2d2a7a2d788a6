"""Reach each worker of a proxy, one after the other.

Left to themselves the kernel and the event loops may give all connections to one of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.gateway.running import Proxy

# A connection that goes to a worker that is held still waits for so long. A busy machine may need
# longer for any answer, and then more attempts.
_ATTEMPTS = 200
_ATTEMPT_SECONDS = 5


@contextlib.contextmanager
def _let_go_at_the_end() -> Iterator[list[int]]:
    """Let the processes in the list go on when the block ends."""
    pids: list[int] = []
    try:
        yield pids
    finally:
        for process in pids:
            os.kill(process, signal.SIGCONT)


def ask_every_worker(proxy: Proxy, ask: Callable[[httpx.Client], int], workers: int) -> set[int]:
    """Ask one worker after the other, each held still once it has answered.

    Args:
        proxy: the proxy.
        ask: asks over one connection, which is one worker's, and returns the worker's process.
        workers: how many there are.
    """
    with _let_go_at_the_end() as answered:
        for _ in range(_ATTEMPTS):
            # A connection that waits for a worker that is held still is given up.
            with contextlib.suppress(httpx.TimeoutException):
                with proxy.client() as client:
                    client.timeout = httpx.Timeout(_ATTEMPT_SECONDS)
                    worker = ask(client)
                os.kill(worker, signal.SIGSTOP)
                answered.append(worker)
            if len(answered) == workers:
                break
        return set(answered)
