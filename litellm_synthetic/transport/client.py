"""How bytes travel: attempts, time limits, open bodies. Nothing here knows what a completion is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from litellm_synthetic.transport.pool import Verify, async_client, sync_client
from litellm_synthetic.transport.retries import RetryPolicy, is_retryable, parse_retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

CONNECT_TIMEOUT_SECONDS: Final = 15.0
DRAIN_SECONDS: Final = 1.0
_SUCCESS: Final = 200
_STALLS: Final = (httpx.ReadTimeout, httpx.WriteTimeout)
# The caller's own limit, or a request that will be refused again.
_FINAL_FAILURES: Final = (*_STALLS, httpx.LocalProtocolError, httpx.UnsupportedProtocol)


class StallError(Exception):
    """Say that a time limit passed, and what was being waited for."""


class ConnectionBrokenError(Exception):
    """Say that a connection could not be made, or broke."""


class UnsendableError(Exception):
    """Say that the request cannot be put into HTTP; the message shows no header value."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Bound one call, in seconds; None is no limit.

    `total_seconds` spans a whole plain call with its retries. `silence_seconds` bounds each wait
    for the next bytes, and on a stream the wait between two events.
    """

    connect_seconds: float | None = CONNECT_TIMEOUT_SECONDS
    silence_seconds: float | None = None
    write_seconds: float | None = None
    total_seconds: float | None = None

    def httpx_timeout(self, deadline: float | None) -> dict[str, float | None]:
        """Return httpx's form of these limits, cut to what is left until a deadline."""
        left = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        return {
            "connect": least(self.connect_seconds, left),
            "read": least(self.silence_seconds, left),
            "write": least(self.write_seconds, left),
            "pool": least(self.connect_seconds, left),
        }


def least(*limits: float | None) -> float | None:
    """Return the shortest of some limits; None is no limit."""
    return min((limit for limit in limits if limit is not None), default=None)


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """Hold one request, ready to send. Its repr shows no header, because one is the key."""

    url: str
    headers: Mapping[str, str]
    content: bytes
    limits: TimeLimits
    retries: RetryPolicy
    verify: Verify = True
    client: httpx.Client | httpx.AsyncClient | None = None
    method: str = "POST"

    def __repr__(self) -> str:
        return f"Outgoing(url={self.url!r}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold a whole reply."""

    status: int
    headers: httpx.Headers
    body: bytes


def _request(
    client: httpx.Client | httpx.AsyncClient, out: Outgoing, deadline: float | None
) -> Any:
    try:
        return client.build_request(
            out.method,
            out.url,
            headers=dict(out.headers),
            content=out.content,
            extensions={"timeout": out.limits.httpx_timeout(deadline)},
        )
    except (UnicodeError, ValueError, TypeError, httpx.InvalidURL) as error:
        raise UnsendableError(f"{type(error).__name__} in a header or the URL") from None


class _Attempts:
    """Count the attempts of one call and say whether, and when, there is another."""

    def __init__(self, out: Outgoing) -> None:
        self._out = out
        self.made = 0
        total = out.limits.total_seconds
        self.deadline = None if total is None else time.monotonic() + total

    def pause_after_reply(self, reply: Reply | ByteStream | AsyncByteStream) -> float | None:
        if not isinstance(reply, Reply) or reply.status == _SUCCESS:
            return None
        after = parse_retry_after(reply.headers)
        text = reply.body[:4096].decode("utf-8", "replace")
        return self._pause(after) if is_retryable(reply.status, text, after) else None

    def pause_after_failure(self, error: Exception) -> float | None:
        return None if isinstance(error, _FINAL_FAILURES) else self._pause(None)

    def _pause(self, retry_after_seconds: float | None) -> float | None:
        if self.made >= self._out.retries.max_retries:
            return None
        pause = self._out.retries.delay_seconds(self.made, retry_after_seconds)
        if self.deadline is not None and time.monotonic() + pause >= self.deadline:
            return None
        self.made += 1
        return pause

    def check(self) -> None:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise StallError(f"no whole reply within {self._out.limits.total_seconds:g} s")

    def translate(self, error: Exception) -> Exception:
        """Return what a failure means to the caller once there is no further attempt."""
        limits = self._out.limits
        if self.deadline is not None and time.monotonic() >= self.deadline - 0.002:
            return StallError(f"no whole reply within {limits.total_seconds:g} s")
        if isinstance(error, _STALLS):
            return StallError(f"silence for {limits.silence_seconds or 0:g} s")
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            waited = limits.connect_seconds or 0
            return StallError(f"no connection within {waited:g} s")
        return _translated(error)


def _translated(error: Exception) -> Exception:
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        # httpx puts the header's value into this message.
        return UnsendableError("a header or the URL cannot be put into HTTP")
    return ConnectionBrokenError(str(error) or type(error).__name__)


class ByteStream:
    """Hold the open body of a streamed reply: iterate over its bytes once, then close it."""

    def __init__(self, response: httpx.Response, limits: TimeLimits) -> None:
        self.headers = response.headers
        self._response = response
        self._limits = limits
        self._chunks = response.iter_bytes()

    def __iter__(self) -> Iterator[bytes]:
        with _stream_failures(self._limits):
            yield from self._chunks

    def drain(self) -> None:
        """Read on to the end of the body, so that the connection can be used again.

        A server that keeps the body open after its last event gets `DRAIN_SECONDS`.
        """
        network = self._response.extensions.get("network_stream")
        socket = None if network is None else network.get_extra_info("socket")
        # httpx fixes the read timeout when the body is opened, so the wait is ended from outside.
        timer = threading.Timer(DRAIN_SECONDS, _shut_down, (socket,))
        timer.daemon = True
        timer.start()
        try:
            for _ in self._chunks:
                pass
        except httpx.HTTPError:
            return  # whatever breaks here breaks after the reply
        finally:
            timer.cancel()

    def close(self) -> None:
        """Close the connection, unless the body was read to its end and it can be used again."""
        self._response.close()


class AsyncByteStream:
    """Do what `ByteStream` does, on an event loop."""

    def __init__(self, response: httpx.Response, limits: TimeLimits) -> None:
        self.headers = response.headers
        self._response = response
        self._limits = limits
        self._chunks = response.aiter_bytes()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _stream_failures(self._limits):
            async for chunk in self._chunks:
                yield chunk

    async def drain(self) -> None:
        """Do what `ByteStream.drain` does."""
        with contextlib.suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self._chunks:
                    pass

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end and it can be used again."""
        await self._response.aclose()


def _shut_down(socket: Any) -> None:
    with contextlib.suppress(OSError, AttributeError):
        socket.shutdown(2)


@contextlib.contextmanager
def _stream_failures(limits: TimeLimits) -> Iterator[None]:
    try:
        yield
    except _STALLS as error:
        raise StallError(f"silence for {limits.silence_seconds or 0:g} s in the stream") from error
    except httpx.HTTPError as error:
        raise _translated(error) from error


def send(out: Outgoing, *, stream: bool = False) -> ByteStream | Reply:
    """Send a request, again where that may help, and return what the last attempt got.

    Returns:
        The unread body of a 200 if `stream`, else the whole reply, whatever its status. Once a body
        has been handed out nothing is sent again.

    Raises:
        StallError: a time limit passed.
        ConnectionBrokenError: no attempt got a whole reply.
        UnsendableError: the request cannot be put into HTTP.
    """
    attempts = _Attempts(out)
    client = out.client if isinstance(out.client, httpx.Client) else sync_client(out.verify)
    while True:
        try:
            got = _attempt(client, out, attempts, stream=stream)
        except httpx.RequestError as error:
            pause = attempts.pause_after_failure(error)
            if pause is None:
                raise attempts.translate(error) from error
        else:
            pause = attempts.pause_after_reply(got)
            if pause is None:
                return got
        time.sleep(pause)


def _attempt(
    client: httpx.Client, out: Outgoing, attempts: _Attempts, *, stream: bool
) -> ByteStream | Reply:
    request = _request(client, out, attempts.deadline)
    response = client.send(request, stream=True, follow_redirects=False)
    if stream and response.status_code == _SUCCESS:
        return ByteStream(response, out.limits)
    # Chunk by chunk, because a server that drips bytes never trips a read timeout.
    chunks = []
    try:
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            attempts.check()
    finally:
        response.close()
    return Reply(response.status_code, response.headers, b"".join(chunks))


async def asend(out: Outgoing, *, stream: bool = False) -> AsyncByteStream | Reply:
    """Do what `send` does, on the running event loop."""
    attempts = _Attempts(out)
    given = out.client if isinstance(out.client, httpx.AsyncClient) else None
    client = given or await async_client(out.verify)
    while True:
        try:
            got = await _aattempt(client, out, attempts, stream=stream)
        except httpx.RequestError as error:
            pause = attempts.pause_after_failure(error)
            if pause is None:
                raise attempts.translate(error) from error
        else:
            pause = attempts.pause_after_reply(got)
            if pause is None:
                return got
        await asyncio.sleep(pause)


async def _aattempt(
    client: httpx.AsyncClient, out: Outgoing, attempts: _Attempts, *, stream: bool
) -> AsyncByteStream | Reply:
    request = _request(client, out, attempts.deadline)
    response = await client.send(request, stream=True, follow_redirects=False)
    if stream and response.status_code == _SUCCESS:
        return AsyncByteStream(response, out.limits)
    chunks = []
    try:
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            attempts.check()
    finally:
        await response.aclose()
    return Reply(response.status_code, response.headers, b"".join(chunks))
