"""DNS look-ups with a timeout, which the system's own lacks.

Each runs in a thread of its own, so that a resolver that hangs holds up nothing but those who wait
for it, neither a pool of threads nor the end of an event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Addresses = list[tuple[int, str]]
"""Address families and addresses, in the order to try them."""

_lookups: Final[dict[str, _Lookup]] = {}
_lock: Final = threading.Lock()


class _Lookup:
    """One look-up, however many wait for it."""

    def __init__(self) -> None:
        self.found: Addresses | OSError | None = None
        self._waiting: list[Callable[[], None]] = []

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back at the end, from whatever thread; at once if that has come."""
        with _lock:
            if self.found is None:
                self._waiting.append(callback)
                return
        callback()

    def run(self, host: str) -> None:
        """Look the host up."""
        outcome: Addresses | OSError
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            outcome = list(dict.fromkeys((int(row[0]), str(row[4][0])) for row in rows))
        except OSError as error:
            outcome = error
        except UnicodeError:
            outcome = OSError("that is not a host name")
        with _lock:
            self.found = outcome
            _lookups.pop(host, None)
        for callback in self._waiting:
            callback()

    def result(self) -> Addresses:
        """Return what was found, or raise OSError."""
        if isinstance(self.found, list):
            return self.found
        raise self.found or OSError("the look-up has not ended")


def resolve(host: str, timeout_seconds: float | None) -> Addresses:
    """Return the addresses of a host.

    Raises:
        TimeoutError: the resolver did not answer in time.
        OSError: the host has no address.
    """
    if (literal := _literal(host)) is not None:
        return literal
    done = threading.Event()
    lookup = _begin(host)
    lookup.when_done(done.set)
    if not done.wait(timeout_seconds):
        raise TimeoutError
    return lookup.result()


async def aresolve(host: str) -> Addresses:
    """Do what `resolve` does, on the running event loop and until it is cancelled."""
    if (literal := _literal(host)) is not None:
        return literal
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(done.set)

    lookup = _begin(host)
    lookup.when_done(tell)
    await done.wait()
    return lookup.result()


def _literal(host: str) -> Addresses | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return [(int(socket.AF_INET6 if address.version == 6 else socket.AF_INET), host)]  # noqa: PLR2004  # IPv6


def _begin(host: str) -> _Lookup:
    with _lock:
        running = _lookups.get(host)
        if running is not None:
            return running
        lookup = _lookups[host] = _Lookup()
    name = "litellm-synthetic-resolver"
    threading.Thread(target=lookup.run, args=(host,), name=name, daemon=True).start()
    return lookup
