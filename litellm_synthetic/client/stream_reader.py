"""A streamed reply without the network: bytes to events to chunks, and how it may end."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from litellm_synthetic.errors import local, rules
from litellm_synthetic.errors.bodies import read_document, reports_error
from litellm_synthetic.errors.failure import Origin, reported
from litellm_synthetic.errors.faults import (
    BrokenStreamError,
    ErrorEventError,
    NoEventsError,
    RepeatedTextError,
)
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    OversizedReplyError,
    StallError,
)
from litellm_synthetic.transport.sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litellm import ModelResponseStream, Usage

    from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
    from litellm_synthetic.transport.headers import Headers
    from litellm_synthetic.transport.sse import Event

# An error is shorter; of a page its beginning tells enough.
_MAX_PREFIX_BYTES: Final = 64 * 1024
# How many events are decoded in one go: a long backlog holds up nobody else on the event loop.
BATCH_EVENTS: Final = 128


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
            NoEventsError: it held no event.
        """
        if self._bytes is not None:
            raise NoEventsError(self._bytes)


STREAM_ERRORS: Final = (
    StallError, ConnectionBrokenError, ErrorEventError, NoEventsError, BrokenStreamError,
    MalformedReplyError, RepeatedTextError,
)  # fmt: skip  # one list, read as one


class StreamReader:
    """Do all of a stream's work that does not wait for the network.

    Attributes:
        ready: chunks of the reply that have not been handed out.
        closing: what follows them and closes the reply, not handed out either.
        error: what is raised after them.
        is_over: nothing more will come.
        waiting: events that have not been decoded.
        events_taken: how many have been.
    """

    def __init__(
        self, decoder: Decoder, origin: Origin, body: ByteStream | AsyncByteStream
    ) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self.closing: deque[ModelResponseStream] = deque()
        self.error: Exception | None = None
        self.is_over = False
        self._origin = origin
        self._body = body
        self._events = EventDecoder()
        self.waiting: deque[Event] = deque()
        self.events_taken = 0
        self._prefix = Prefix()
        self._progress = 0

    def take(self, data: bytes) -> None:
        """Take the bytes of one read, b"" for the end of the body, and a batch of their events."""
        if not data:
            self._end()
            return
        events = self._events.feed(data)
        if not self.events_taken:
            self._prefix.note(data, has_event=bool(events))
        if len(events) <= BATCH_EVENTS:
            self._decode(events)
        else:
            self.waiting.extend(events)
            self.take_batch()

    def take_batch(self) -> None:
        """Turn the next of the events that wait into chunks."""
        waiting = self.waiting
        self._decode([waiting.popleft() for _ in range(min(len(waiting), BATCH_EVENTS))])

    def _decode(self, events: list[Event]) -> None:
        """Turn events into chunks; after the last one, close the reply."""
        decoder = self.decoder
        self.events_taken += len(events)
        decoder.take(events)
        if decoder.progress != self._progress:
            self._progress = decoder.progress
            self._body.progressed()
        if decoder.done:
            self._close()

    def _end(self) -> None:
        # Half an event is how a cut stream ends; that it ended early says more.
        last_event = self._events.close()
        self._prefix.note(b"", has_event=bool(last_event))
        self._prefix.end()
        with contextlib.suppress(BrokenStreamError):
            self.decoder.take(last_event)
        self._close()

    def failed(self, error: Exception) -> None:
        """Note what closes a reply that is complete all the same, or LiteLLM's error.

        A connection that breaks after the last finish_reason has lost nothing but, perhaps, the
        usage. An error event is an error whenever it comes.
        """
        self.waiting.clear()
        if self.decoder.complete and isinstance(error, StallError | ConnectionBrokenError):
            try:
                self._close()
            except STREAM_ERRORS as another:
                error = another
            else:
                return
        self.is_over = True
        self.error = translated_error(error, self._origin, self._body.headers)
        self.error.__cause__ = local.shown_cause(error, self._origin)

    def _close(self) -> None:
        self.is_over = True
        self.waiting.clear()
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

    def check_begun(self) -> None:
        """Raise the error of a reply that has failed before it brought anything."""
        if not self.ready and not self.closing:
            self.next()

    def stop(self) -> None:
        """Hand out nothing more."""
        self.ready.clear()
        self.closing.clear()
        self.waiting.clear()
        self.error, self.is_over = None, True


def translated_error(  # noqa: PLR0911  # one for each way to end
    error: Exception, origin: Origin, headers: Headers
) -> Exception:
    """Return LiteLLM's error for a stream that ended badly."""
    if isinstance(error, NoEventsError):
        return _no_stream(error, origin, headers)
    if isinstance(error, ErrorEventError):
        return rules.to_exception(reported(error.report, headers, in_stream=True), origin)
    if isinstance(error, StallError):
        return local.timed_out(origin, str(error))
    if isinstance(error, ConnectionBrokenError):
        return local.stream_broken(origin, f"broke off ({error})")
    if isinstance(error, RepeatedTextError):
        return local.text_repeated(origin, error.text)
    if isinstance(error, MalformedReplyError):
        is_too_large = isinstance(error, OversizedReplyError)
        return local.unusable_reply(origin, str(error), is_too_large=is_too_large)
    return local.stream_broken(origin, str(error))


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
        return local.stream_broken(origin, "ended early, without an event")
    return local.unreadable_reply(origin, str(error), content_type, headers)
