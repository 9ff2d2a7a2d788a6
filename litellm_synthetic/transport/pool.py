"""The connections that calls share: for sync calls per process, for async ones per event loop.

So connections are used again, and never cross a loop or a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.transport.destination import origin_of, proxy_for
from litellm_synthetic.transport.tls import forget_contexts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from litellm_synthetic.transport.tls import Verify
    from litellm_synthetic.transport.wire import AsyncWay, BlockingWay

# Every origin has connections of its own; a gateway whose clients name theirs has an end here.
MAX_ORIGINS: Final = 64

Key = tuple[str, "Verify"]


class _OfLoop:
    """The connections of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.ways: dict[Key, AsyncWay] = {}
        self.retired: set[AsyncWay] = set()
        self.keeper = self._close_with_loop()

    async def _close_with_loop(self) -> AsyncGenerator[None]:
        # asyncio.run() closes the async generators that were started on its loop; nothing else
        # tells a library that the loop is about to end while its connections can still be closed.
        try:
            yield
        finally:
            _loops.pop(self.loop, None)
            for way in [*self.ways.values(), *self.retired]:
                await way.aclose()
            self.ways.clear()
            self.retired.clear()

    def retire(self) -> None:
        """Close what is idle, and the rest as soon as it is."""
        ways = list(self.ways.values())
        self.ways.clear()
        self.retired = {way for way in self.retired if not way.is_closed}
        for way in ways:
            self.retired.add(way)
            way.retire()

    def abandon(self) -> None:
        """Close everything of a loop that was closed without a word."""
        for way in [*self.ways.values(), *self.retired]:
            way.abandon()


_lock = threading.Lock()
_blocking: dict[Key, BlockingWay] = {}
_loops: dict[asyncio.AbstractEventLoop, _OfLoop] = {}
# What a forked child has of its parent: closing it there would close it here, or disturb it.
_of_parent: Final[list[object]] = []


def blocking_way(url: str, verify: Verify) -> BlockingWay:
    """Return this process's way to an address for sync calls.

    Raises:
        UnsendableError: the address, the proxy or the setting for TLS cannot be used.
    """
    key = (origin_of(url), verify)
    way = _blocking.get(key)
    if way is None:
        new = _new_blocking(*key)
        with _lock:
            way = _blocking.setdefault(key, new)
            while len(_blocking) > MAX_ORIGINS:
                _blocking.pop(next(iter(_blocking))).close()
    return way


async def async_way(url: str, verify: Verify) -> AsyncWay:
    """Return the running event loop's way to an address; raises as `blocking_way` does."""
    loop = asyncio.get_running_loop()
    of_loop = _loops.get(loop)
    if of_loop is None:
        _sweep()
        of_loop = _loops[loop] = _OfLoop(loop)
        await anext(of_loop.keeper)
    key = (origin_of(url), verify)
    way = of_loop.ways.get(key)
    if way is None:
        way = of_loop.ways[key] = _new_async(*key)
        while len(of_loop.ways) > MAX_ORIGINS:
            oldest = of_loop.ways.pop(next(iter(of_loop.ways)))
            of_loop.retired.add(oldest)
            oldest.retire()
    return way


def _new_blocking(origin: str, verify: Verify) -> BlockingWay:
    proxy = proxy_for(origin)
    if proxy is not None and proxy.is_socks:
        from litellm_synthetic.transport.over_httpx import blocking_through  # noqa: PLC0415

        return blocking_through(proxy, verify)
    from litellm_synthetic.transport.blocking import Blocking  # noqa: PLC0415

    return Blocking(origin, verify, proxy)


def _new_async(origin: str, verify: Verify) -> AsyncWay:
    proxy = proxy_for(origin)
    if proxy is not None and proxy.is_socks:
        from litellm_synthetic.transport.over_httpx import async_through  # noqa: PLC0415

        return async_through(proxy, verify)
    from litellm_synthetic.transport.on_loop import OnLoop  # noqa: PLC0415

    return OnLoop(origin, verify, proxy)


def _sweep() -> None:
    """Close the connections of loops that were closed without closing their generators."""
    for loop in [loop for loop in list(_loops) if loop.is_closed()]:
        of_loop = _loops.pop(loop, None)
        if of_loop is not None:
            of_loop.abandon()


def retire_connections() -> None:
    """Close the connections that no call is using, and the others as soon as their call ends.

    Later calls open new ones, and read proxies and CA certificates again.
    """
    forget_contexts()
    with _lock:
        ways = list(_blocking.values())
        _blocking.clear()
    for way in ways:
        way.close()
    _sweep()
    for of_loop in list(_loops.values()):
        _on_loop(of_loop.loop, of_loop.retire)


def _on_loop(loop: asyncio.AbstractEventLoop, callback: Callable[[], Any]) -> None:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        callback()
    else:
        with contextlib.suppress(RuntimeError):  # it was closed just now
            loop.call_soon_threadsafe(callback)


def _forget_in_child() -> None:
    global _lock, _blocking, _loops  # a lock may be held by a thread that is gone
    _of_parent.extend((_blocking, _loops))
    _lock, _blocking, _loops = threading.Lock(), {}, {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
atexit.register(retire_connections)
