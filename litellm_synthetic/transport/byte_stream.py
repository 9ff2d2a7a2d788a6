"""The open body of a streamed reply: reads that end with silence, drains, and closes."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

from litellm_synthetic.transport.failures import StallError, TransportError
from litellm_synthetic.transport.inflate import inflater_for
from litellm_synthetic.transport.limits import DRAIN_SECONDS, MAX_DRAIN_BYTES, Clock, IdleTimer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from litellm_synthetic.transport.wire import AsyncIncoming, Incoming


class ByteStream:
    """The open body of a streamed reply: read it, report progress, then close it."""

    on_close: Callable[[], None] | None = None
    """Is told when the body is closed."""

    def __init__(self, incoming: Incoming, clock: Clock) -> None:
        self.status = incoming.status
        self.headers = incoming.headers
        self._incoming = incoming
        self._clock = clock
        self._idle = IdleTimer(clock.limits.silence_seconds)
        self._inflater = inflater_for(self.headers.get("content-encoding"))
        self._inflated: Iterator[bytes] = iter(())

    def read(self) -> bytes:
        """Return all that has arrived, after waiting for some; b"" at the end of the body.

        Raises:
            StallError: nothing came within the limit of silence.
            TransportError: the body broke off, or cannot be read.
        """
        while not (piece := next(self._inflated, b"")):
            data = self._receive()
            if self._inflater is None:
                return data
            if not data:
                self._inflater.close()
                return b""
            self._inflated = self._inflater.feed(data)
        if self._inflater is not None:
            self._idle.check()  # a few bytes may hold hours of comments
        return piece

    def _receive(self) -> bytes:
        remaining = self._idle.begin()
        if remaining is not None and remaining <= 0:
            raise self._idle.expired()
        self._clock.wait_at_most(remaining)
        try:
            return self._incoming.read()
        except StallError:
            raise self._idle.expired() from None
        finally:
            self._idle.end()

    def progressed(self) -> None:
        """Start the wait again: what was read brought the reply forward."""
        self._idle.progressed()

    def handed_out(self) -> None:
        """Stop counting silence until the next read: the caller has what was read."""
        self._idle.handed_out()

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read():
            yield data

    def drain(self) -> None:
        """Read on to the end of the body, so that the connection can be used again.

        A server that keeps the body open after its last event gets `DRAIN_SECONDS`.
        """
        self._clock.wait_at_most(DRAIN_SECONDS)
        size = 0
        try:
            while size < MAX_DRAIN_BYTES and not self._incoming.at_end:
                data = self._incoming.read()
                if not data:
                    return
                size += len(data)
        except TransportError:
            return  # whatever breaks here breaks after the reply

    def close(self) -> None:
        """Close the connection, unless the body was read to its end and it can be used again."""
        self._incoming.close()
        if self.on_close is not None:
            self.on_close()


class AsyncByteStream:
    """Do what `ByteStream` does, on an event loop."""

    on_close: Callable[[], None] | None = None
    """Is told when the body is closed."""

    def __init__(self, incoming: AsyncIncoming, clock: Clock) -> None:
        self.status = incoming.status
        self.headers = incoming.headers
        self._incoming = incoming
        self._idle = IdleTimer(clock.limits.silence_seconds)
        self._inflater = inflater_for(self.headers.get("content-encoding"))
        self._inflated: Iterator[bytes] = iter(())
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = False
        self._has_stalled = False

    async def read(self) -> bytes:
        """Do what `ByteStream.read` does."""
        while not (piece := next(self._inflated, b"")):
            data = await self._receive()
            if self._inflater is None:
                return data
            if not data:
                self._inflater.close()
                return b""
            self._inflated = self._inflater.feed(data)
        if self._inflater is not None:
            self._idle.check()
        return piece

    async def _receive(self) -> bytes:
        # One timer for many reads: setting one for each costs more than the read.
        remaining = self._idle.begin()
        if remaining is not None:
            if remaining <= 0:
                raise self._idle.expired()
            self._is_waiting = True
            if self._timer is None:
                self._set_timer(remaining)
        try:
            return await self._incoming.read()
        except TransportError:
            if self._has_stalled:
                raise self._idle.expired() from None
            raise
        finally:
            self._is_waiting = False
            self._idle.end()

    def _set_timer(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, _look_at, weakref.ref(self))

    def look_at_timer(self) -> None:
        """End a read that has waited for too long."""
        self._timer = None
        remaining = self._idle.left()
        if not self._is_waiting or remaining is None:
            return
        if remaining > 0:
            self._set_timer(remaining)
        else:
            self._has_stalled = True
            self._incoming.abort()

    def progressed(self) -> None:
        """Do what `ByteStream.progressed` does."""
        self._idle.progressed()

    def handed_out(self) -> None:
        """Do what `ByteStream.handed_out` does."""
        self._idle.handed_out()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def drain(self) -> None:
        """Do what `ByteStream.drain` does."""
        size = 0
        if self._incoming.at_end:
            return
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while size < MAX_DRAIN_BYTES and not self._incoming.at_end:
                    data = await self._incoming.read()
                    if not data:
                        return
                    size += len(data)
        except (TimeoutError, TransportError):
            return

    def close(self) -> None:
        """Do what `ByteStream.close` does, without a wait that could be cancelled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._incoming.close()
        if self.on_close is not None:
            self.on_close()

    async def aclose(self) -> None:
        """Do what `close` does, and let the event loop close the socket."""
        is_left = not self._incoming.at_end
        self.close()
        if is_left:
            await asyncio.sleep(0)


def _look_at(reference: weakref.ref[AsyncByteStream]) -> None:
    stream = reference()
    if stream is not None:
        stream.look_at_timer()
