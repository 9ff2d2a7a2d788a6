"""Async calls over aiohttp, whose connections belong to one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import weakref
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    PoolClosedError,
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.headers import Headers, incoming_headers
from litellm_synthetic.transport.limits import MAX_HEADER_BYTES
from litellm_synthetic.transport.resolver import aresolve
from litellm_synthetic.transport.tls import Verify, tls_context
from litellm_synthetic.transport.translation import (
    Table,
    itself,
    oversized_headers,
    translated,
    untrusted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litellm_synthetic.transport.deadline import Deadline
    from litellm_synthetic.transport.destination import Proxy

# A gateway has hundreds of calls under way; beyond this many they wait for a connection.
MAX_CONNECTIONS: Final = 1000
_KEEP_SECONDS: Final = 30.0
_READ_BYTES: Final = 256 * 1024
# What a socket takes at once; a longer body is written in pieces, each within the limit.
_WHOLE_BODY_BYTES: Final = 64 * 1024
_BODY_PIECE_BYTES: Final = 128 * 1024
_NO_TIMEOUT: Final = aiohttp.ClientTimeout()


_deadline: Final[ContextVar[Deadline | None]] = ContextVar("_deadline", default=None)


class _Connector(aiohttp.TCPConnector):
    """Tell the deadline of a call when it has its connection."""

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        connection = await super().connect(*args, **kwargs)
        deadline = _deadline.get()
        if deadline is not None:
            deadline.enter("headers")
        return connection


class _Resolver(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=address_family, proto=0, flags=0
            )
            for address_family, address in await aresolve(host)
            if family in (socket.AF_UNSPEC, address_family)
        ]

    async def close(self) -> None:
        return None


class OnLoop:
    """Send requests to one origin over aiohttp, on the running event loop.

    Args:
        verify: whom to trust.
        proxy: an HTTP proxy, where one is named for this origin.

    Raises:
        UnsendableError: the setting for TLS is wrong.
    """

    def __init__(self, origin: str, verify: Verify, proxy: Proxy | None) -> None:
        needs_tls = origin.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        self._proxy = None if proxy is None else _url(proxy.url_with_credentials)
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._in_use = 0
        self._is_retired = False
        self._closing: asyncio.Task[None] | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        connector = _Connector(
            limit=0,
            keepalive_timeout=_KEEP_SECONDS,
            ssl=tls_context(verify) if needs_tls else True,
            resolver=_Resolver(),
            socket_factory=self._new_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # Replies set `S=…; Domain=synthetic.new`: kept, it would tie one key's calls to
            # another's.
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_TIMEOUT,
            auto_decompress=False,
            read_bufsize=_READ_BYTES,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        # aiohttp sends a GET again by itself where a kept connection turns out to be closed.
        self._session._retry_connection = False  # noqa: SLF001  # it has no public switch

    async def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, deadline: Deadline
    ) -> LoopReply:
        """Send a request and return its reply once the headers have come.

        Raises:
            TransportError: no reply came.
        """
        deadline.enter("connect")
        await self._slots.acquire()
        if self._is_retired:
            self._slots.release()
            raise PoolClosedError("they were closed just now")
        self._in_use += 1
        token = _deadline.set(deadline)
        try:
            response = await self._session.request(
                method,
                _url(url),
                headers=headers,
                data=_body(content, headers, deadline),
                allow_redirects=False,
                proxy=self._proxy,
            )
        except BaseException as error:
            self._give_back()
            if isinstance(error, Exception):
                raise translated(error, _TABLE) from error
            raise
        finally:
            _deadline.reset(token)
        return LoopReply(response, self)

    def retire(self) -> None:
        """Close what is idle, and what is in use once its reply has been read."""
        self._is_retired = True
        if not self._in_use:
            self._close()

    @property
    def is_closed(self) -> bool:
        """Tell whether every connection is closed."""
        return self._session.closed

    async def aclose(self) -> None:
        """Close everything."""
        self._close()
        if self._closing is not None:
            await self._closing

    def abandon(self) -> None:
        """Close everything without the event loop, which is closed."""
        self._is_retired = True
        for one in list(self._sockets):
            one.close()
        # On a closed loop nothing is awaited in there.
        with contextlib.suppress(StopIteration):
            self._session.close().send(None)

    def finish(self, response: aiohttp.ClientResponse) -> None:
        """Close a reply, and take back its place."""
        connection = response.connection
        if connection is not None and connection.transport is not None:
            # An orderly end of TLS would wait for the other side.
            connection.transport.abort()
        response.close()
        self._give_back()

    def finish_soon(self, response: aiohttp.ClientResponse) -> None:
        """Do what `finish` does, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.finish, response)

    def _give_back(self) -> None:
        self._in_use -= 1
        self._slots.release()
        if self._is_retired and not self._in_use:
            self._close()

    def _new_socket(self, address: Any) -> socket.socket:
        family, kind, protocol, *_ = address
        new = socket.socket(family, kind, protocol)
        self._sockets.add(new)
        return new

    def _close(self) -> None:
        if self._closing is None:
            self._closing = self._loop.create_task(self._session.close())


class LoopReply:
    """A reply from aiohttp whose body is still open."""

    def __init__(self, response: aiohttp.ClientResponse, way: OnLoop) -> None:
        self._response = response
        self._way: OnLoop | None = way
        self.status = response.status
        try:
            self.headers: Headers = incoming_headers(response.headers.items(), "utf-8")
        except TransportError:
            self.close()
            raise

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""
        return self._response.content.at_eof()

    async def read(self) -> bytes:
        """Return all that has arrived, after waiting for some; b"" at the end of the body."""
        try:
            return await self._response.content.readany()
        except Exception as error:
            raise translated(error, _TABLE) from error

    def abort(self) -> None:
        """End a `read` that is under way with an exception."""
        self._response.close()

    def close(self) -> None:
        """Let go of the connection, without waiting for anything: a close is never cancelled."""
        way, self._way = self._way, None
        if way is not None:
            way.finish(self._response)

    def __del__(self) -> None:
        # Forgotten by everybody, in whatever thread the collector runs.
        way, self._way = self._way, None
        if way is not None:
            way.finish_soon(self._response)


async def _pieces(content: bytes, deadline: Deadline) -> AsyncIterator[memoryview]:
    view = memoryview(content)
    while view:
        deadline.enter("send")
        yield view[:_BODY_PIECE_BYTES]
        view = view[_BODY_PIECE_BYTES:]
    deadline.enter("headers")


def _body(content: bytes, headers: dict[str, str], deadline: Deadline) -> Any:
    if len(content) <= _WHOLE_BODY_BYTES:
        return content or None
    headers["content-length"] = str(len(content))
    return _pieces(content, deadline)


@lru_cache(maxsize=64)
def _url(text: str) -> URL:
    try:
        return URL(text)
    except ValueError:
        raise UnsendableError("the address is not a URL that can be called") from None


def _framing(error: BaseException) -> TransportError | None:
    # aiohttp has one class for a body that is cut and for one that is wrong, and tells by text.
    if "Not enough data" in str(error):
        return ConnectionBrokenError("the connection was closed before the end of the reply")
    return oversized_headers() if "Too many headers" in str(error) else None


def _malformed(_: BaseException) -> TransportError:
    return MalformedReplyError("what came is not valid HTTP")


# aiohttp's own texts quote what came over the wire, so most are not shown.
_TABLE: Final[Table] = (
    (TransportError, itself),
    (ssl.SSLCertVerificationError, untrusted),
    (http_exceptions.LineTooLong, lambda _: oversized_headers()),
    (http_exceptions.HttpProcessingError, _framing),
    (aiohttp.ClientPayloadError, _framing),
    (
        aiohttp.ClientHttpProxyError,
        lambda one: ConnectionBrokenError(f"the proxy answered {one.status}"),
    ),
    ((aiohttp.ClientResponseError, http_exceptions.HttpProcessingError), _malformed),
    (
        aiohttp.ClientConnectorError,
        lambda one: ConnectionBrokenError(str(one.os_error) or "it was refused"),
    ),
    (
        aiohttp.ServerDisconnectedError,
        lambda _: ConnectionBrokenError("the server closed it without a whole reply"),
    ),
    (
        (aiohttp.InvalidURL, ValueError),
        lambda one: UnsendableError(f"{type(one).__name__} in a header or the URL"),
    ),
    ((OSError, aiohttp.ClientError), lambda one: ConnectionBrokenError(str(one) or "it broke")),
)
