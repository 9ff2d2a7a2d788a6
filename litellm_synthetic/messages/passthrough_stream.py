"""A native Messages stream: the upstream's bytes as they come, watched for errors and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.client.stream import STREAM_ERRORS, EventWatch, translated_error
from litellm_synthetic.errors.faults import BrokenStreamError
from litellm_synthetic.messages.assembly import MessageAssembly, event_document
from litellm_synthetic.transport.sse import MAX_LINE_BYTES, EventDecoder, OversizedEventError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from litellm_synthetic.errors.rules import Origin
    from litellm_synthetic.transport.client import AsyncByteStream
    from litellm_synthetic.transport.sse import Event

_BOUNDARIES: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")


class EventSplitter:
    """Cut a stream's bytes after each event, and leave them as they are."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the events that the next bytes complete.

        Raises:
            OversizedEventError: an event never ends.
        """
        buffer = self._tail + data
        start = 0
        while (end := _end_of_event(buffer, start)) is not None:
            yield buffer[start:end]
            start = end
        self._tail = buffer[start:]
        if len(self._tail) > MAX_LINE_BYTES:
            raise OversizedEventError(f"one event of the stream exceeds {MAX_LINE_BYTES} bytes")

    def close(self) -> bytes:
        """Return what the end of the stream left."""
        tail, self._tail = self._tail, b""
        return tail


def _end_of_event(buffer: bytes, start: int) -> int | None:
    found = [
        at + len(boundary) for boundary in _BOUNDARIES if (at := buffer.find(boundary, start)) >= 0
    ]
    return min(found, default=None)


class MessageStream:
    """Iterate over the bytes of a streamed message; closing it closes the connection.

    Each item is one or more whole events, unchanged. Raises, while iterating, LiteLLM's exceptions
    as `errors` makes them, also where the message never says that it is over.

    Args:
        body: the open reply.
        origin: the call, for its errors.
        silence_seconds: the longest wait between two events.
        on_end: told once how it ended: with None, with the error that was raised, or with
            GeneratorExit where the caller left.
        hidden_params: where LiteLLM looks for headers and such.
    """

    def __init__(
        self,
        body: AsyncByteStream,
        origin: Origin,
        silence_seconds: float | None,
        on_end: Callable[[MessageAssembly, BaseException | None], None],
        hidden_params: dict[str, Any],
    ) -> None:
        self._hidden_params = hidden_params
        self.assembly = MessageAssembly()
        self._body = body
        self._origin = origin
        self._silence_seconds = silence_seconds
        self._on_end = on_end
        self._pieces = self._run()
        self._held: list[bytes] = []
        self._has_ended = False

    async def wait_for_first(self) -> None:
        """Wait until the answer has begun, so that an error until then is the call's own error."""
        async for piece in self._pieces:
            self._held.append(piece)
            if self.assembly.begun:
                return

    def __aiter__(self) -> MessageStream:
        return self

    async def __anext__(self) -> bytes:
        if self._held:
            held, self._held = b"".join(self._held), []
            return held
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        try:
            await self._pieces.aclose()
        finally:
            await self._body.aclose()
            self._end(GeneratorExit())

    async def _run(self) -> AsyncGenerator[bytes]:
        try:
            async for piece in self._read():
                yield piece
        except STREAM_ERRORS as error:
            translated = translated_error(error, self._origin, self._body.headers)
            self._end(translated)
            raise translated from error
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end(None)
        finally:
            await self._body.aclose()

    async def _read(self) -> AsyncGenerator[bytes]:
        reader = _Reader(self.assembly, self._silence_seconds)
        async for data in self._body:
            piece, error = reader.take(data)
            if piece:
                yield piece  # what was received stays received
            if error is not None:
                raise error
            if self.assembly.done:
                await self._body.drain()
                return
        if tail := reader.end():
            yield tail
        if not self.assembly.done:
            raise BrokenStreamError("ended early, without message_stop")

    def _end(self, error: BaseException | None) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._on_end(self.assembly, error)


class _Reader:
    """Do all of a stream's work that does not wait for the network."""

    def __init__(self, assembly: MessageAssembly, silence_seconds: float | None) -> None:
        self._assembly = assembly
        self._splitter = EventSplitter()
        self._decoder = EventDecoder()
        self._watch = EventWatch(silence_seconds)

    def take(self, data: bytes) -> tuple[bytes, Exception | None]:
        """Return the events that the next bytes complete, and the error that follows them."""
        whole, heard = b"", False
        try:
            for raw in self._splitter.feed(data):
                heard = self._read(self._decoder.feed(raw)) or heard
                whole += raw
            self._watch.note(data, heard=heard)
        except STREAM_ERRORS as error:
            return whole, error
        return whole, None

    def end(self) -> bytes:
        """Return the event that the end of the body left without its blank line."""
        tail = self._splitter.close()
        heard = self._read([*self._decoder.feed(tail), *self._decoder.close()])
        self._watch.note(b"", heard=heard)
        self._watch.end()
        return tail

    def _read(self, events: list[Event]) -> bool:
        for event in events:
            self._assembly.take(event_document(event))
        return bool(events)
