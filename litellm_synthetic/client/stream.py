"""A streamed reply from its open body to the caller: bytes, events, chunks, and how it may end."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final, Protocol

from litellm_synthetic.errors import rules
from litellm_synthetic.errors.bodies import read_document, reports_error
from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError, NoEventsError
from litellm_synthetic.errors.rules import Origin, reported
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    OversizedReplyError,
    StallError,
)
from litellm_synthetic.transport.sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from litellm import ModelResponseStream, Usage

    from litellm_synthetic.transport.client import AsyncByteStream, ByteStream
    from litellm_synthetic.transport.headers import Headers
    from litellm_synthetic.transport.sse import Event

# An error is shorter; of a page its beginning tells enough.
_MAX_PREFIX_BYTES: Final = 64 * 1024


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
    def usage(self) -> Usage | None:
        """Return the usage that the upstream reported so far."""

    @property
    def complete(self) -> bool:
        """Tell whether the reply has said why it ended."""

    def decode(self, event: Event) -> list[ModelResponseStream]:
        """Return the chunks that an event brings."""

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply."""


class Prefix:
    """Tell whether there are events at all, and keep how a body without any begins."""

    def __init__(self) -> None:
        self._bytes: bytes | None = b""

    def note(self, data: bytes, *, has_event: bool) -> None:
        """Note whether the last bytes held an event."""
        if has_event:
            self._bytes = None
        elif self._bytes is not None and len(self._bytes) < _MAX_PREFIX_BYTES:
            self._bytes = (self._bytes + data)[:_MAX_PREFIX_BYTES]

    def end(self) -> None:
        """Note the end of the body.

        Raises:
            NoEventsError: there was no event in it.
        """
        if self._bytes is not None:
            raise NoEventsError(self._bytes)


STREAM_ERRORS: Final = (
    StallError, ConnectionBrokenError, ErrorEventError, NoEventsError, BrokenStreamError,
    MalformedReplyError,
)  # fmt: skip  # one list, read as one


class _Reader:
    """Do all of a stream's work that does not wait for the network."""

    def __init__(
        self, decoder: Decoder, origin: Origin, body: ByteStream | AsyncByteStream
    ) -> None:
        self.decoder = decoder
        self._origin = origin
        self._body = body
        self._events = EventDecoder()
        self._prefix = Prefix()
        self._progress = 0
        self._closed = False

    def take(self, data: bytes) -> Iterator[ModelResponseStream]:
        """Yield the chunks in the next bytes; after the last event, what closes the reply."""
        events = self._events.feed(data)
        self._prefix.note(data, has_event=bool(events))
        for event in events:
            chunks = self.decoder.decode(event)
            if self.decoder.progress != self._progress:
                self._progress = self.decoder.progress
                self._body.progressed()
            yield from chunks
            if self.decoder.done:
                yield from self._close()
                return

    def end(self) -> Iterator[ModelResponseStream]:
        """Yield what the end of the body leaves, and what closes the reply."""
        # Half an event is how a cut stream ends; that it ended early says more.
        left = self._events.close()
        self._prefix.note(b"", has_event=bool(left))
        self._prefix.end()
        with contextlib.suppress(BrokenStreamError):
            for event in left:
                yield from self.decoder.decode(event)
        yield from self._close()

    def failed(self, error: Exception) -> list[ModelResponseStream]:
        """Return what closes a reply that is complete all the same, or raise LiteLLM's error.

        A connection that breaks after the last finish_reason has lost nothing but, perhaps, the
        usage. An error event is an error whenever it comes.
        """
        if self.decoder.complete and isinstance(error, StallError | ConnectionBrokenError):
            return self._close()
        translated = translated_error(error, self._origin, self._body.headers)
        raise translated from rules.shown_cause(error, self._origin)

    def _close(self) -> list[ModelResponseStream]:
        if self._closed:
            return []
        chunks = self.decoder.finish()
        self._closed = True
        return chunks


def translated_error(error: Exception, origin: Origin, headers: Headers) -> Exception:
    """Return LiteLLM's error for a stream that ended badly."""
    if isinstance(error, NoEventsError):
        return _no_stream(error, origin, headers)
    if isinstance(error, ErrorEventError):
        return rules.to_exception(reported(error.report, headers, in_stream=True), origin)
    if isinstance(error, StallError):
        return rules.timed_out(origin, str(error))
    if isinstance(error, ConnectionBrokenError):
        return rules.stream_broken(origin, f"broke off ({error})")
    if isinstance(error, MalformedReplyError):
        is_too_large = isinstance(error, OversizedReplyError)
        return rules.unusable_reply(origin, str(error), is_too_large=is_too_large)
    return rules.stream_broken(origin, str(error))


def _no_stream(error: NoEventsError, origin: Origin, headers: Headers) -> Exception:
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
    """

    def __init__(
        self,
        body: ByteStream,
        decoder: Decoder,
        origin: Origin,
    ) -> None:
        self.decoder = decoder
        self._body = body
        self._chunks = _iterate(body, _Reader(decoder, origin, body))
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
    ) -> None:
        self.decoder = decoder
        self._body = body
        self._chunks = _aiterate(body, _Reader(decoder, origin, body))
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
        except STREAM_ERRORS as error:
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
        except STREAM_ERRORS as error:
            for chunk in reader.failed(error):
                yield chunk
    finally:
        await body.aclose()
