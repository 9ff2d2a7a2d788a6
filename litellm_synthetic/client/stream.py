"""A streamed reply from its open body to the caller: bytes, events, chunks, and how it may end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.errors import rules
from litellm_synthetic.errors.bodies import read_document, reports_error
from litellm_synthetic.errors.faults import (
    BrokenStreamError,
    ErrorEventError,
    NoEventsError,
    RepeatedTextError,
)
from litellm_synthetic.errors.rules import Origin, reported
from litellm_synthetic.transport.client import (
    AsyncByteStream,
    ByteStream,
    ConnectionBrokenError,
    StallError,
)
from litellm_synthetic.transport.sse import EventDecoder, OversizedEventError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator

    import httpx
    from litellm.types.utils import ModelResponseStream, Usage

    from litellm_synthetic.transport.sse import Event

# An error is shorter; of a page its beginning tells enough.
_MAX_PREFIX_BYTES: Final = 64 * 1024
# How many events are decoded in one go: a long backlog holds up nobody else on the event loop.
BATCH_EVENTS: Final = 128
_UNREADABLE: Final = (BrokenStreamError, OversizedEventError, RepeatedTextError)


class Decoder(Protocol):
    """Turn the events of one streamed reply into LiteLLM's chunks, whatever protocol they are in.

    Attributes:
        done: the reply has said that it is over.
        progress: how often an event brought the reply forward: by text, reasoning, a piece of a
            tool call, a finish reason or usage. A ping, a comment or an empty delta does not.
        upstream_model: the name that the upstream answered with.
        last_chunk: the chunk that closed the reply, once there is one.
    """

    done: bool
    progress: int
    upstream_model: str | None
    last_chunk: ModelResponseStream | None

    @property
    def ready(self) -> deque[ModelResponseStream]:
        """Return the chunks that the events so far have brought, without those handed out."""

    @property
    def usage(self) -> Usage | None:
        """Return the usage that the upstream reported so far."""

    @property
    def complete(self) -> bool:
        """Tell whether the reply has said why it ended."""

    def take(self, events: Iterable[Event]) -> None:
        """Add what events bring to `ready`, up to the one that ends the stream."""

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply."""


class EventWatch:
    """Tell whether events come at all, and bound the wait between two.

    Comments keep a connection busy, but are no answer.
    """

    def __init__(self, limit_seconds: float | None) -> None:
        self._limit_seconds = limit_seconds
        self._last_event_at = time.monotonic()
        self._opening: bytes | None = b""

    def note(self, data: bytes, *, heard: bool) -> None:
        """Note whether the last bytes held an event.

        Raises:
            StallError: none came for too long.
        """
        now = time.monotonic()
        if heard:
            self._opening = None
        elif self._opening is not None:
            self._opening = (self._opening + data)[:_MAX_PREFIX_BYTES]
        if heard or self._limit_seconds is None:
            self._last_event_at = now
        elif (waited := now - self._last_event_at) > self._limit_seconds:
            raise StallError(f"no event for {waited:.1f} s in the stream")

    def end(self) -> None:
        """Note the end of the body.

        Raises:
            NoEventsError: there was no event in it.
        """
        if self._opening is not None:
            raise NoEventsError(self._opening)


STREAM_ERRORS: Final = (
    StallError, ConnectionBrokenError, ErrorEventError, NoEventsError, *_UNREADABLE
)  # fmt: skip  # one list, read as one


class _Reader:
    """Do all of a stream's work that does not wait for the network.

    Attributes:
        ready: chunks of the reply that have not been handed out.
        closing: what follows them and closes the reply, not handed out either.
        error: what is raised after them.
        is_over: nothing more will come.
        events_taken: how many events have been decoded.
    """

    def __init__(
        self,
        decoder: Decoder,
        origin: Origin,
        silence_seconds: float | None,
        headers: httpx.Headers,
    ) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self.closing: deque[ModelResponseStream] = deque()
        self.error: Exception | None = None
        self.is_over = False
        self._origin = origin
        self._headers = headers
        self._events = EventDecoder()
        self._waiting: deque[Event] = deque()
        self.events_taken = 0
        self._watch = EventWatch(silence_seconds)

    @property
    def has_events(self) -> bool:
        """Tell whether there are events that have not been looked at."""
        return bool(self._waiting)

    def take(self, data: bytes | None) -> None:
        """Take the bytes of one read, None for the end of the body, and a batch of their events."""
        if data is None:
            self._end()
            return
        events = self._events.feed(data)
        self._watch.note(data, heard=bool(events))
        self._waiting.extend(events)
        self.take_batch()

    def take_batch(self) -> None:
        """Turn the next events in hand into chunks; after the last one, close the reply."""
        waiting = self._waiting
        if len(waiting) <= BATCH_EVENTS:
            batch, self._waiting = waiting, deque()
        else:
            batch = deque(waiting.popleft() for _ in range(BATCH_EVENTS))
        self.events_taken += len(batch)
        self.decoder.take(batch)
        if self.decoder.done:
            self._close()

    def _end(self) -> None:
        # Half an event is how a cut stream ends; that it ended early says more.
        left = self._events.close()
        self._watch.note(b"", heard=bool(left))
        self._watch.end()
        with contextlib.suppress(BrokenStreamError):
            self.decoder.take(left)
        self._close()

    def failed(self, error: Exception) -> None:
        """Note what closes a reply that is complete all the same, or LiteLLM's error.

        A connection that breaks after the last finish_reason has lost nothing but, perhaps, the
        usage. An error event is an error whenever it comes.
        """
        self._waiting.clear()
        if self.decoder.complete and isinstance(error, StallError | ConnectionBrokenError):
            try:
                self._close()
            except STREAM_ERRORS as another:
                error = another
            else:
                return
        self.is_over = True
        self.error = translated_error(error, self._origin, self._headers)
        self.error.__cause__ = error

    def _close(self) -> None:
        self.is_over = True
        self._waiting.clear()
        self.closing.extend(self.decoder.finish())

    def next(self) -> ModelResponseStream | None:
        """Return the next chunk in hand, None at the end of the reply; raises its error."""
        if self.ready:
            return self.ready.popleft()
        if self.closing:
            return self.closing.popleft()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return None

    def stop(self) -> None:
        """Hand out nothing more."""
        self.ready.clear()
        self.closing.clear()
        self._waiting.clear()
        self.error, self.is_over = None, True


def translated_error(error: Exception, origin: Origin, headers: httpx.Headers) -> Exception:
    """Return LiteLLM's error for a stream that ended badly."""
    if isinstance(error, NoEventsError):
        return _no_stream(error, origin, headers)
    if isinstance(error, ErrorEventError):
        return rules.to_exception(reported(error.report, headers, in_stream=True), origin)
    if isinstance(error, StallError):
        return rules.timed_out(origin, str(error))
    if isinstance(error, ConnectionBrokenError):
        return rules.stream_broken(origin, f"broke off ({error})")
    if isinstance(error, RepeatedTextError):
        return litellm.InternalServerError(  # as LiteLLM's own guard words it
            message=f"The model is repeating the same chunk = {error.text}.",
            model=origin.model,
            llm_provider=PROVIDER,
        )
    return rules.stream_broken(origin, str(error))


def _no_stream(error: NoEventsError, origin: Origin, headers: httpx.Headers) -> Exception:
    """Return the error for a 200 that came as a whole instead of a stream: a page, or an error."""
    try:
        document = json.loads(error.prefix)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and reports_error(document):
        return rules.to_exception(reported(read_document(document), headers), origin)
    content_type = headers.get("content-type", "")
    if content_type.startswith("text/event-stream"):
        return rules.stream_broken(origin, "ended early, without an event")
    return rules.unreadable_reply(origin, str(error), content_type, headers)


class ChunkStream:
    """Iterate over the chunks of a streamed reply; closing it closes the connection.

    Raises, while iterating, LiteLLM's exceptions as `errors` makes them.

    Attributes:
        decoder: reads the reply.
        ready: chunks of the reply that have not been handed out; whoever takes one takes the first.
    """

    def __init__(
        self,
        body: ByteStream,
        decoder: Decoder,
        origin: Origin,
        silence_seconds: float | None,
    ) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self._body = body
        self._is_closed = False
        self._pieces = _pieces(body)
        self._reader = _Reader(decoder, origin, silence_seconds, body.headers)

    def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        self._read_on()
        if not self.ready and not self._reader.closing:
            self._reader.next()

    def next_delta(self) -> ModelResponseStream | None:
        """Return the next chunk of the reply; None where only what closes or breaks it is left."""
        if not self.ready:
            self._read_on()
        return self.ready.popleft() if self.ready else None

    def _read_on(self) -> None:
        """Read until there is something to hand out, or nothing will come."""
        reader = self._reader
        try:
            while not self.ready and not reader.is_over:
                if reader.has_events:
                    reader.take_batch()
                else:
                    reader.take(next(self._pieces, None))
        except STREAM_ERRORS as error:
            reader.failed(error)
            self._pieces.close()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[ModelResponseStream]:
        return self

    def __next__(self) -> ModelResponseStream:
        self._read_on()
        chunk = self._reader.next()
        if chunk is None:
            if self.decoder.done and not self._is_closed:
                self._body.drain()
            self.close()
            raise StopIteration
        return chunk

    def unread(self) -> list[ModelResponseStream]:
        """Return the chunks that have come and were not handed out."""
        return [*self.ready, *self._reader.closing]

    def close(self) -> None:
        """Stop reading and close the connection."""
        self._is_closed = True
        self._reader.stop()
        self._pieces.close()
        self._body.close()


class AsyncChunkStream:
    """Do what `ChunkStream` does, on an event loop, which others get a turn on."""

    def __init__(
        self,
        body: AsyncByteStream,
        decoder: Decoder,
        origin: Origin,
        silence_seconds: float | None,
    ) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self._body = body
        self._is_closed = False
        self._next_turn_at = BATCH_EVENTS
        self._pieces = _apieces(body)
        self._reader = _Reader(decoder, origin, silence_seconds, body.headers)

    async def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        await self._read_on()
        if not self.ready and not self._reader.closing:
            self._reader.next()

    async def next_delta(self) -> ModelResponseStream | None:
        """Return the next chunk of the reply; None where only what closes or breaks it is left."""
        if not self.ready:
            await self._read_on()
        return self.ready.popleft() if self.ready else None

    async def _read_on(self) -> None:
        reader = self._reader
        try:
            while not self.ready and not reader.is_over:
                # A read that finds bytes does not wait, and neither does a backlog.
                if reader.events_taken >= self._next_turn_at:
                    self._next_turn_at = reader.events_taken + BATCH_EVENTS
                    await asyncio.sleep(0)
                if reader.has_events:
                    reader.take_batch()
                else:
                    reader.take(await anext(self._pieces, None))
        except STREAM_ERRORS as error:
            reader.failed(error)
            await self._pieces.aclose()
        except BaseException:
            await self.aclose()
            raise

    def __aiter__(self) -> AsyncIterator[ModelResponseStream]:
        return self

    async def __anext__(self) -> ModelResponseStream:
        await self._read_on()
        chunk = self._reader.next()
        if chunk is None:
            if self.decoder.done and not self._is_closed:
                await self._body.drain()
            await self.aclose()
            raise StopAsyncIteration
        return chunk

    def unread(self) -> list[ModelResponseStream]:
        """Return the chunks that have come and were not handed out."""
        return [*self.ready, *self._reader.closing]

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        self._is_closed = True
        self._reader.stop()
        try:
            await self._pieces.aclose()
        finally:
            await self._body.aclose()


def _pieces(body: ByteStream) -> Generator[bytes]:
    # A generator that nobody refers to any more closes the body.
    try:
        yield from body
    finally:
        body.close()


async def _apieces(body: AsyncByteStream) -> AsyncGenerator[bytes]:
    # The same; the event loop closes a generator that nobody refers to.
    try:
        async for piece in body:
            yield piece
    finally:
        await body.aclose()
