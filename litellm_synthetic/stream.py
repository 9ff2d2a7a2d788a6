"""A streamed reply from its open body to the caller: bytes, events, chunks, and how it may end."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final, Protocol

from litellm_synthetic import errors
from litellm_synthetic.chunks import BrokenStreamError, ErrorEventError
from litellm_synthetic.errors import Failure, Origin
from litellm_synthetic.sse import EventDecoder, OversizedEventError
from litellm_synthetic.transport import (
    AsyncByteStream,
    ByteStream,
    ConnectionBrokenError,
    StallError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from litellm.types.utils import ModelResponseStream, Usage

    from litellm_synthetic.sse import Event

_UNREADABLE: Final = (BrokenStreamError, OversizedEventError)
ENDINGS: Final = (StallError, ConnectionBrokenError, ErrorEventError, *_UNREADABLE)


class Decoder(Protocol):
    """Turn the events of one streamed reply into LiteLLM's chunks, whatever protocol they are in.

    Attributes:
        done: the reply has said that it is over.
        upstream_model: the name that the upstream answered with.
        last_chunk: the chunk that closed the reply, once there is one.
    """

    done: bool
    upstream_model: str | None
    last_chunk: ModelResponseStream | None

    @property
    def usage(self) -> Usage | None:
        """Return the usage that the upstream reported so far."""

    @property
    def complete(self) -> bool:
        """Tell whether the reply has said why it ended."""

    def decode(self, event: Event) -> list[ModelResponseStream]:
        """Return the chunks that an event brings."""

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply."""


class SilenceWatch:
    """Bound the wait between two events; comments keep a connection busy, but are no answer."""

    def __init__(self, limit_seconds: float | None) -> None:
        self._limit_seconds = limit_seconds
        self._last_event_at = time.monotonic()

    def check(self, *, heard: bool) -> None:
        """Note whether the last bytes held an event.

        Raises:
            StallError: none came for too long.
        """
        now = time.monotonic()
        if heard or self._limit_seconds is None:
            self._last_event_at = now
        elif (waited := now - self._last_event_at) > self._limit_seconds:
            raise StallError(f"no event for {waited:.1f} s in the stream")


class _Reader:
    """Do all of a stream's work that does not wait for the network."""

    def __init__(self, decoder: Decoder, origin: Origin, silence_seconds: float | None) -> None:
        self.decoder = decoder
        self._origin = origin
        self._events = EventDecoder()
        self._silence = SilenceWatch(silence_seconds)
        self._closed = False

    def take(self, data: bytes) -> Iterator[ModelResponseStream]:
        """Yield the chunks in the next bytes; after the last event, what closes the reply."""
        events = self._events.feed(data)
        self._silence.check(heard=bool(events))
        for event in events:
            yield from self.decoder.decode(event)
            if self.decoder.done:
                yield from self._close()
                return

    def end(self) -> Iterator[ModelResponseStream]:
        """Yield what the end of the body leaves, and what closes the reply."""
        # Half an event is how a cut stream ends; that it ended early says more.
        with contextlib.suppress(BrokenStreamError):
            for event in self._events.close():
                yield from self.decoder.decode(event)
        yield from self._close()

    def failed(self, error: Exception) -> list[ModelResponseStream]:
        """Return what closes a reply that is complete all the same, or raise LiteLLM's error.

        A connection that breaks after the last finish_reason has lost nothing but, perhaps, the
        usage. An error event is an error whenever it comes.
        """
        if self.decoder.complete and isinstance(error, StallError | ConnectionBrokenError):
            return self._close()
        raise translated_ending(error, self._origin) from error

    def _close(self) -> list[ModelResponseStream]:
        if self._closed:
            return []
        chunks = self.decoder.finish()
        self._closed = True
        return chunks


def translated_ending(error: Exception, origin: Origin) -> Exception:
    """Return LiteLLM's error for a stream that ended badly."""
    if isinstance(error, ErrorEventError):
        return errors.to_exception(Failure(error.status, error.text), origin)
    if isinstance(error, StallError):
        return errors.timed_out(origin, str(error))
    if isinstance(error, ConnectionBrokenError):
        return errors.stream_broken(origin, f"broke off ({error})")
    return errors.stream_broken(origin, str(error))


class ChunkStream:
    """Iterate over the chunks of a streamed reply; closing it closes the connection.

    Raises, while iterating, LiteLLM's exceptions as `errors` makes them.
    """

    def __init__(
        self,
        body: ByteStream,
        decoder: Decoder,
        origin: Origin,
        silence_seconds: float | None,
    ) -> None:
        self.decoder = decoder
        self._body = body
        self._chunks = _iterate(body, _Reader(decoder, origin, silence_seconds))
        self._first: ModelResponseStream | None = None

    def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        self._first = next(self._chunks, None)

    def __iter__(self) -> Iterator[ModelResponseStream]:
        return self

    def __next__(self) -> ModelResponseStream:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._chunks)

    def close(self) -> None:
        """Stop reading and close the connection."""
        self._chunks.close()
        self._body.close()


class AsyncChunkStream:
    """Do what `ChunkStream` does, on an event loop."""

    def __init__(
        self,
        body: AsyncByteStream,
        decoder: Decoder,
        origin: Origin,
        silence_seconds: float | None,
    ) -> None:
        self.decoder = decoder
        self._body = body
        self._chunks = _aiterate(body, _Reader(decoder, origin, silence_seconds))
        self._first: ModelResponseStream | None = None

    async def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        self._first = await anext(self._chunks, None)

    def __aiter__(self) -> AsyncIterator[ModelResponseStream]:
        return self

    async def __anext__(self) -> ModelResponseStream:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        try:
            await self._chunks.aclose()
        finally:
            await self._body.aclose()


def _iterate(body: ByteStream, reader: _Reader) -> Generator[ModelResponseStream]:
    try:
        try:
            for data in body:
                yield from reader.take(data)
                if reader.decoder.done:
                    body.drain()
                    return
            yield from reader.end()
        except ENDINGS as error:
            yield from reader.failed(error)
    finally:
        body.close()


async def _aiterate(body: AsyncByteStream, reader: _Reader) -> AsyncGenerator[ModelResponseStream]:
    try:
        try:
            async for data in body:
                for chunk in reader.take(data):
                    yield chunk
                if reader.decoder.done:
                    await body.drain()
                    return
            for chunk in reader.end():
                yield chunk
        except ENDINGS as error:
            for chunk in reader.failed(error):
                yield chunk
    finally:
        await body.aclose()
