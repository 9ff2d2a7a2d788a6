"""The connections that calls share: one client per process for sync calls, one per event loop else.

So connections are used again, and never cross a loop or a fork.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import threading
import weakref
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# A gateway has hundreds of calls under way; httpx's default of 100 would queue them silently.
_LIMITS: Final = httpx.Limits(
    max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0
)

Verify = bool | str | ssl.SSLContext
"""Whom to trust: True the usual CAs, False anybody, a CA file or folder, or a context."""

_sync_clients: dict[tuple[int, Verify], httpx.Client] = {}
_async_clients: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[Verify, tuple[httpx.AsyncClient, AsyncGenerator[None]]]
] = weakref.WeakKeyDictionary()
_lock: Final = threading.Lock()


def _settings(verify: Verify) -> dict[str, Any]:
    trusted: Verify = verify
    if isinstance(verify, str):
        as_directory = Path(verify).is_dir()
        trusted = ssl.create_default_context(
            cafile=None if as_directory else verify, capath=verify if as_directory else None
        )
    return {
        "verify": trusted,
        "limits": _LIMITS,
        # Replies set `S=…; Domain=synthetic.new`: kept, it would tie one key's calls to another's.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "follow_redirects": False,
    }


def sync_client(verify: Verify) -> httpx.Client:
    """Return this process's client for sync calls with a TLS setting."""
    key = (os.getpid(), verify)  # a forked child must not write into its parent's sockets
    client = _sync_clients.get(key)
    if client is None:
        with _lock:
            client = _sync_clients.get(key)
            if client is None:
                client = _sync_clients[key] = httpx.Client(**_settings(verify))
                atexit.register(client.close)
    return client


async def async_client(verify: Verify) -> httpx.AsyncClient:
    """Return the running event loop's client with a TLS setting."""
    clients = _async_clients.setdefault(asyncio.get_running_loop(), {})
    if (known := clients.get(verify)) is not None:
        return known[0]
    client = httpx.AsyncClient(**_settings(verify))
    keeper = _close_with_loop(client, clients, verify)
    clients[verify] = (client, keeper)
    await anext(keeper)
    return client


async def _close_with_loop(
    client: httpx.AsyncClient, clients: dict[Verify, Any], verify: Verify
) -> AsyncGenerator[None]:
    # asyncio.run() closes the async generators that were started on its loop; nothing else tells a
    # library that the loop is about to end while its connections can still be closed.
    try:
        yield
    finally:
        clients.pop(verify, None)
        await client.aclose()


def close_sync_clients() -> None:
    """Close the connections of sync calls; later calls open new ones."""
    with _lock:
        clients = list(_sync_clients.values())
        _sync_clients.clear()
    for client in clients:
        client.close()
        atexit.unregister(client.close)
