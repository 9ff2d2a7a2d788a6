"""Requests and replies as bytes: attempts, and bodies within their limits."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.transport import pool
from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
from litellm_synthetic.transport.deadline import Deadline
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    ConnectStallError,
    PoolClosedError,
    TransportError,
    UntrustedPeerError,
)
from litellm_synthetic.transport.headers import Headers, outgoing_headers
from litellm_synthetic.transport.inflate import inflater_for
from litellm_synthetic.transport.limits import (
    MAX_ERROR_BODY_BYTES,
    MAX_REPLY_BYTES,
    Clock,
    TimeLimits,
    check_size,
)
from litellm_synthetic.transport.retries import RetryPolicy, parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from litellm_synthetic.transport.tls import Verify
    from litellm_synthetic.transport.wire import AsyncIncoming, AsyncWay, BlockingWay, Incoming

_QUOTED_BYTES: Final = 4096


def is_answer(status: int) -> bool:
    """Tell whether a status promises what was asked for: 200, and what some gateways send as it."""
    return 200 <= status < 300  # noqa: PLR2004  # the 2xx of HTTP


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """One request, ready to send. Its repr shows no header, because one is the key."""

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
    """A whole reply; the names of its headers are in lower case."""

    status: int
    headers: Headers
    body: bytes


class _Attempts:
    """Count the attempts of one call and say whether, and when, there is another."""

    def __init__(self, out: Outgoing) -> None:
        self._out = out
        self._clock = Clock(out.limits)
        self._attempts_made = 0
        self._closed_pools = 0

    @property
    def clock(self) -> Clock:
        return self._clock

    def pause_after_reply(self, reply: Reply | ByteStream | AsyncByteStream) -> float | None:
        if not isinstance(reply, Reply) or is_answer(reply.status):
            return None
        after = parse_retry_after(reply.headers)
        text = reply.body[:_QUOTED_BYTES].decode("utf-8", "replace")
        is_retryable = self._out.retries.is_retryable(reply.status, text, after)
        return self._pause(after) if is_retryable else None

    def pause_after_failure(self, error: TransportError) -> float | None:
        if isinstance(error, PoolClosedError):
            # Nothing was sent. A process that closes them without end is not waited for.
            self._closed_pools += 1
            return 0.0 if self._closed_pools < 10 else None  # noqa: PLR2004  # as said
        passes = isinstance(error, ConnectionBrokenError | ConnectStallError)
        return self._pause(None) if passes and not isinstance(error, UntrustedPeerError) else None

    def _pause(self, retry_after_seconds: float | None) -> float | None:
        if self._attempts_made >= self._out.retries.max_retries:
            return None
        pause = self._out.retries.delay_seconds(self._attempts_made, retry_after_seconds)
        remaining = self._clock.total_left()
        if remaining is not None and pause >= remaining:
            return None
        self._attempts_made += 1
        return pause


class _Body:
    """Put a whole body together, within its limits."""

    def __init__(self, incoming: Incoming | AsyncIncoming) -> None:
        # The text of an error is short: it gets one limit of silence, however it comes.
        self.is_error = not is_answer(incoming.status)
        self._limit = MAX_ERROR_BODY_BYTES if self.is_error else MAX_REPLY_BYTES
        self._what = "the body of the error" if self.is_error else "the reply"
        self._pieces: list[bytes] = []
        self._size = 0
        length = incoming.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and len(length) < 20:  # noqa: PLR2004  # 64 bits
            check_size(int(length), self._limit, self._what)
        self._inflater = inflater_for(incoming.headers.get("content-encoding"))

    def take(self, data: bytes) -> None:
        for piece in (data,) if self._inflater is None else self._inflater.feed(data):
            self._size += len(piece)
            if self._size > self._limit:
                self._pieces.clear()
                check_size(self._size, self._limit, self._what)
            self._pieces.append(piece)

    def whole(self) -> bytes:
        if self._inflater is not None:
            self._inflater.close()
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


def send(
    out: Outgoing, *, stream: bool = False, hear: Callable[[Headers], None] | None = None
) -> ByteStream | Reply:
    """Send a request, again where that may help, and return what the last attempt got.

    Args:
        out: the request.
        stream: whether to hand out the body of an answer unread.
        hear: is given the headers of each attempt's reply, whatever becomes of its body.

    Returns:
        The unread body of an answer if `stream`, else the whole reply, whatever its status. Once a
        body has been handed out nothing is sent again.

    Raises:
        StallError: a time limit passed.
        ConnectionBrokenError: no attempt got a whole reply.
        UnsendableError: the request cannot be put into HTTP.
        MalformedReplyError: what came is not HTTP, or over one of the limits.
    """
    attempts = _Attempts(out)
    headers = outgoing_headers(out.headers, stream=stream)
    while True:
        try:
            reply = _attempt(out, headers, attempts.clock, hear, stream=stream)
            pause = attempts.pause_after_reply(reply)
            if pause is None:
                return reply
        except TransportError as error:
            pause = attempts.pause_after_failure(error)
            if pause is None:
                raise
        time.sleep(pause)


def _attempt(
    out: Outgoing,
    headers: dict[str, str],
    clock: Clock,
    hear: Callable[[Headers], None] | None,
    *,
    stream: bool,
) -> ByteStream | Reply:
    incoming = _blocking_way(out).open(out.method, out.url, headers, out.content, clock)
    try:
        if hear is not None:
            hear(incoming.headers)
        if stream and is_answer(incoming.status):
            return ByteStream(incoming, clock)
        body = _Body(incoming)
        clock.enter("body")
        while data := incoming.read():
            body.take(data)
            if not body.is_error:
                clock.enter("body")
        reply = Reply(incoming.status, incoming.headers, body.whole())
    except BaseException:
        incoming.close()
        raise
    incoming.close()
    return reply


async def asend(
    out: Outgoing, *, stream: bool = False, hear: Callable[[Headers], None] | None = None
) -> AsyncByteStream | Reply:
    """Do what `send` does, on the running event loop."""
    attempts = _Attempts(out)
    headers = outgoing_headers(out.headers, stream=stream)
    while True:
        try:
            reply = await _aattempt(out, headers, attempts.clock, hear, stream=stream)
            pause = attempts.pause_after_reply(reply)
            if pause is None:
                return reply
        except TransportError as error:
            pause = attempts.pause_after_failure(error)
            if pause is None:
                await asyncio.sleep(0)  # the event loop closes the socket
                raise
        await asyncio.sleep(pause)


async def _aattempt(
    out: Outgoing,
    headers: dict[str, str],
    clock: Clock,
    hear: Callable[[Headers], None] | None,
    *,
    stream: bool,
) -> AsyncByteStream | Reply:
    way = await _async_way(out)
    incoming: AsyncIncoming | None = None
    try:
        async with Deadline(clock) as deadline:
            incoming = await way.open(out.method, out.url, headers, out.content, deadline)
            if hear is not None:
                hear(incoming.headers)
            if stream and is_answer(incoming.status):
                return AsyncByteStream(incoming, clock)
            body = _Body(incoming)
            deadline.enter("body")
            while data := await incoming.read():
                body.take(data)
                if not (body.is_error or incoming.at_end):
                    deadline.enter("body")
            reply = Reply(incoming.status, incoming.headers, body.whole())
    except BaseException:
        if incoming is not None:
            incoming.close()
        raise
    incoming.close()
    return reply


def _blocking_way(out: Outgoing) -> BlockingWay:
    if out.client is None:
        return pool.blocking_way(out.url, out.verify)
    from litellm_synthetic.transport.over_httpx import BlockingHttpx  # noqa: PLC0415

    client: Any = out.client
    return BlockingHttpx(client)


async def _async_way(out: Outgoing) -> AsyncWay:
    if out.client is None:
        return await pool.async_way(out.url, out.verify)
    from litellm_synthetic.transport.over_httpx import AsyncHttpx  # noqa: PLC0415

    client: Any = out.client
    return AsyncHttpx(client)
