"""Calls over httpx: for clients that the caller brought along, and for SOCKS proxies."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

import httpx

from litellm_synthetic.transport.destination import Proxy, origin_of
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.headers import Headers, incoming_headers
from litellm_synthetic.transport.httpx_failures import failure_of
from litellm_synthetic.transport.limits import Clock, min_timeout
from litellm_synthetic.transport.tls import Verify, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from litellm_synthetic.transport.deadline import Deadline

_LIMITS: Final = httpx.Limits(
    max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0
)
_CONNECTED: Final = (
    ".connect_tcp.complete",
    ".connect_unix_socket.complete",
    ".start_tls.complete",
)
# What goes on closing by itself; the event loop holds tasks only weakly.
_closing: Final[set[asyncio.Task[Any]]] = set()


class _Current(threading.local):
    """The clock of the call that a thread is in: httpcore fixes a limit for a whole phase."""

    clock: Clock | None = None


_current: Final = _Current()


class BlockingHttpx:
    """Send requests over an httpx client, which stays its owner's."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, clock: Clock
    ) -> BlockingHttpxReply:
        """Send a request and return its reply once the headers have come.

        Raises:
            TransportError: no reply came.
        """
        _begin(clock)
        request = _request(self._client, method, url, headers, content, clock)
        request.extensions["trace"] = _follow(clock)
        _current.clock = clock
        try:
            response = self._client.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            raise failure_of(error, clock) from error
        finally:
            _current.clock = None
        return BlockingHttpxReply(response, clock)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class BlockingHttpxReply:
    """A reply from httpx whose body is still open."""

    def __init__(self, response: httpx.Response, clock: Clock) -> None:
        self._response = response
        self._clock = clock
        # What was made in the process, as mock transports do, has been read and decoded.
        is_read = response.is_stream_consumed
        self._chunks = response.iter_bytes() if is_read else response.iter_raw()
        self.status = response.status_code
        try:
            self.headers = _headers(response, is_read=is_read)
        except TransportError:
            response.close()
            raise

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""
        return self._response.is_closed

    def read(self) -> bytes:
        """Return the next piece that httpx makes of what arrives; b"" at the end of the body."""
        _current.clock = self._clock
        try:
            return next((chunk for chunk in self._chunks if chunk), b"")
        except Exception as error:
            raise failure_of(error, self._clock) from error
        finally:
            _current.clock = None

    def close(self) -> None:
        """Let go of the connection: it is used again if the body was read to its end."""
        self._response.close()


class AsyncHttpx:
    """Do what `BlockingHttpx` does, on an event loop."""

    is_closed = False

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, deadline: Deadline
    ) -> AsyncHttpxReply:
        """Do what `BlockingHttpx.open` does."""
        clock = deadline.clock
        _begin(clock)
        deadline.follow()
        request = _request(self._client, method, url, headers, content, clock)
        follow = _follow(clock)

        async def trace(name: str, info: dict[str, Any]) -> None:
            follow(name, info)
            deadline.follow()

        request.extensions["trace"] = trace
        sending = self._client.send(request, stream=True, follow_redirects=False)
        try:
            response: httpx.Response = await _undisturbed(sending, _close_response)
        except Exception as error:
            raise failure_of(error, clock) from error
        return AsyncHttpxReply(response, clock)

    def retire(self) -> None:
        """Close the connections."""
        self.is_closed = True
        _detach(self._client.aclose())

    async def aclose(self) -> None:
        """Close the connections, and wait until that is done."""
        self.is_closed = True
        await self._client.aclose()

    def abandon(self) -> None:
        """Leave the connections to the collector: their event loop is closed."""
        self.is_closed = True


class AsyncHttpxReply:
    """Do what `BlockingHttpxReply` does, on an event loop."""

    def __init__(self, response: httpx.Response, clock: Clock) -> None:
        self._response = response
        self._clock = clock
        is_read = response.is_stream_consumed
        self._chunks = response.aiter_bytes() if is_read else response.aiter_raw()
        self._scope: asyncio.Timeout | None = None
        self.status = response.status_code
        try:
            self.headers = _headers(response, is_read=is_read)
        except TransportError:
            self.close()
            raise

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""
        return self._response.is_closed

    async def read(self) -> bytes:
        """Return the next piece that httpx makes of what arrives; b"" at the end of the body."""
        try:
            async with asyncio.timeout(None) as self._scope:
                async for chunk in self._chunks:
                    if chunk:
                        return chunk
        except TimeoutError:
            raise ConnectionBrokenError("reading was given up") from None
        except Exception as error:
            raise failure_of(error, self._clock) from error
        finally:
            self._scope = None
        return b""

    def abort(self) -> None:
        """End a `read` that is under way with an exception."""
        if self._scope is not None:
            self._scope.reschedule(0.0)

    def close(self) -> None:
        """Let go of the connection, in a task of its own: a close is never cancelled."""
        if not self._response.is_closed:
            _close_response(self._response)


def blocking_through(proxy: Proxy, verify: Verify) -> BlockingHttpx:
    """Return a way through a SOCKS proxy; raises UnsendableError where that is not installed."""
    with _socks_support():
        return BlockingHttpx(httpx.Client(**_settings(proxy, verify)))


def async_through(proxy: Proxy, verify: Verify) -> AsyncHttpx:
    """Do what `blocking_through` does, for the running event loop."""
    with _socks_support():
        return AsyncHttpx(httpx.AsyncClient(**_settings(proxy, verify)))


def _settings(proxy: Proxy, verify: Verify) -> dict[str, Any]:
    return {
        "proxy": proxy.url_with_credentials,
        "verify": tls_context(verify),
        "limits": _LIMITS,
        "trust_env": False,
        "follow_redirects": False,
    }


@contextlib.contextmanager
def _socks_support() -> Any:
    try:
        yield
    except ImportError:
        raise UnsendableError(
            "the environment names a SOCKS proxy, which needs `pip install 'httpx[socks]'`"
        ) from None
    except ValueError:
        raise UnsendableError("the environment names a proxy of an unknown kind") from None


def _headers(response: httpx.Response, *, is_read: bool) -> Headers:
    # httpx guesses one charset for all of them.
    fields = (
        (name.decode("latin-1"), value.decode("utf-8", "surrogateescape"))
        for name, value in response.headers.raw
    )
    headers = incoming_headers(fields, "utf-8")
    if is_read:
        headers.pop("content-encoding", None)
    return headers


def _begin(clock: Clock) -> None:
    # Until httpcore tells of a phase, if this client has one underneath, all of them are one.
    limits = clock.limits
    parts = (limits.connect_seconds, limits.write_seconds, limits.silence_seconds)
    clock.enter("headers")
    clock.wait_at_most(None if None in parts else sum(part or 0 for part in parts))


def _request(  # noqa: PLR0913, PLR0917  # what a request is made of
    client: httpx.Client | httpx.AsyncClient,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes,
    clock: Clock,
) -> httpx.Request:
    origin_of(url)
    limits, remaining = clock.limits, clock.total_left()
    remaining = None if remaining is None else max(remaining, 0.001)
    timeout = {
        "connect": min_timeout(limits.connect_seconds, remaining),
        "read": min_timeout(limits.silence_seconds, remaining),
        "write": min_timeout(limits.write_seconds, remaining),
        "pool": min_timeout(limits.connect_seconds, remaining),
    }
    try:
        request = client.build_request(
            method, url, headers=headers, content=content, extensions={"timeout": timeout}
        )
    except (UnicodeError, ValueError, TypeError, httpx.InvalidURL) as error:
        raise UnsendableError(f"{type(error).__name__} in a header or the URL") from None
    return request


def _follow(clock: Clock) -> Callable[[str, dict[str, Any]], None]:
    """Return what httpcore tells of its phases, and of the connections that it makes."""

    def trace(name: str, info: dict[str, Any]) -> None:
        if name.endswith(".receive_response_headers.started"):
            clock.enter("headers")
        elif name.endswith(_CONNECTED):
            stream = info["return_value"]
            if not hasattr(stream, "aclose"):
                _bound_reads(stream)

    return trace


def _bound_reads(stream: Any) -> None:
    """Have a connection's reads end by the clock of the call that they are for."""
    original = stream.read

    def read(max_bytes: int, timeout: float | None = None) -> bytes:
        clock = _current.clock
        if clock is not None:
            timeout = min_timeout(timeout, clock.timeout())
        data: bytes = original(max_bytes, timeout)
        return data

    stream.read = read


async def _undisturbed(work: Coroutine[Any, Any, Any], undo: Callable[[Any], None]) -> Any:
    """Await something that must not be cancelled twice, nor lose what it returns.

    httpcore loses a place in its pool where a second cancellation meets its tidying up.
    """
    task = _detach(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: _undo(done, undo))
        task.cancel()
        raise


def _undo(task: asyncio.Task[Any], undo: Callable[[Any], None]) -> None:
    if not task.cancelled() and task.exception() is None:
        undo(task.result())


def _detach(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    task = asyncio.get_running_loop().create_task(work)
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    return task


def _close_response(response: httpx.Response) -> None:
    _detach(_closed(response))


async def _closed(response: httpx.Response) -> None:
    with contextlib.suppress(httpx.HTTPError, OSError, RuntimeError):
        await response.aclose()
