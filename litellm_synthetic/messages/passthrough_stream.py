"""A native Messages stream: the upstream's bytes as they come, watched for errors and the end."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from litellm_synthetic.client.stream_reader import STREAM_ERRORS, Prefix, translated_error
from litellm_synthetic.errors.faults import BrokenStreamError
from litellm_synthetic.errors.local import shown_cause
from litellm_synthetic.messages.assembly import MessageAssembly, event_document, plain_documents
from litellm_synthetic.transport.sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.transport.byte_stream import AsyncByteStream
    from litellm_synthetic.transport.sse import Event


class MessageStream:
    """Iterate over the bytes of a streamed message; closing it closes the connection.

    Each item is one or more whole events, unchanged. Raises, while iterating, LiteLLM's exceptions
    as `errors` makes them, also where the message never says that it is over.

    Args:
        body: the open reply.
        origin: the call, for its errors.
        on_end: told once how it ended: with None, with the error that was raised, or with
            GeneratorExit where the caller left.
        hidden_params: where LiteLLM looks for headers and such.
    """

    def __init__(
        self,
        body: AsyncByteStream,
        origin: Origin,
        on_end: Callable[[MessageAssembly, BaseException | None], None],
        hidden_params: dict[str, Any],
    ) -> None:
        self._hidden_params = hidden_params
        self.assembly = MessageAssembly()
        self._body = body
        self._origin = origin
        self._on_end = on_end
        self._reader = _Reader(self.assembly, body)
        self._pending: Exception | None = None
        self._held: list[bytes] = []
        self._has_ended = False
        self._loop = asyncio.get_running_loop()

    async def wait_for_first(self) -> None:
        """Wait until the answer has begun, so that an error until then is the call's own error."""
        while not self.assembly.begun and (piece := await self._next_piece()) is not None:
            self._held.append(piece)

    def __aiter__(self) -> MessageStream:
        return self

    async def __anext__(self) -> bytes:
        if self._held:
            block, self._held = b"".join(self._held), []
            return block
        piece = await self._next_piece()
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        try:
            await self._body.aclose()
        finally:
            self._end(GeneratorExit())

    def __del__(self) -> None:
        # An async generator would be finished by its event loop, which may be closed before it
        # comes to that. The collector may run in any thread, or at the interpreter's exit.
        with contextlib.suppress(Exception):
            if not self._has_ended:
                self._has_ended = True
                self._end_dropped()
        with contextlib.suppress(Exception):
            self._loop.call_soon_threadsafe(self._body.close)

    def _end_dropped(self) -> None:
        end = partial(self._on_end, self.assembly, GeneratorExit())
        # LiteLLM's log stays on the stream's own event loop where that goes on elsewhere.
        if self._loop.is_running() and asyncio._get_running_loop() is not self._loop:  # noqa: SLF001  # does not raise
            self._loop.call_soon_threadsafe(end)
        else:
            end()

    async def _next_piece(self) -> bytes | None:
        """Return the next whole events; None once the message is over."""
        if self._has_ended:
            return None
        try:
            piece = await self._read()
        except STREAM_ERRORS as error:
            translated = translated_error(error, self._origin, self._body.headers)
            self._end(translated)
            await self._body.aclose()
            raise translated from shown_cause(error, self._origin)
        except BaseException as error:
            self._end(error)
            await self._body.aclose()
            raise
        if piece is None:
            self._end(None)
            await self._body.aclose()
        return piece

    async def _read(self) -> bytes | None:
        while True:
            error, self._pending = self._pending, None
            if error is not None:
                raise error
            if self.assembly.done:
                await self._body.drain()
                return None
            data = await self._body.read()
            if not data:
                return self._read_end()
            piece, self._pending = self._reader.take(data)
            if piece:
                self._body.handed_out()
                return piece  # what was received stays received

    def _read_end(self) -> bytes | None:
        tail = self._reader.end()
        if not self.assembly.done:
            error = BrokenStreamError("ended early, without message_stop")
            if not tail:
                raise error
            self._pending = error
        return tail or None

    def _end(self, error: BaseException | None) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._on_end(self.assembly, error)


class _Reader:
    """Do all of a stream's work that does not wait for the network."""

    def __init__(self, assembly: MessageAssembly, body: AsyncByteStream) -> None:
        self._assembly = assembly
        self._body = body
        self._events = EventDecoder()
        self._prefix = Prefix()
        self._progress = 0

    def take(self, data: bytes) -> tuple[bytes, Exception | None]:
        """Return the events that the next bytes complete, and the error that follows them."""
        if self._took_plain(data):
            return data, None
        whole: list[bytes] = []
        has_event = False
        try:
            for raw, event in self._events.feed_blocks(data):
                if event is not None:
                    has_event = True
                    self._read(event)
                whole.append(raw)
            self._prefix.note(data, has_event=has_event)
        except STREAM_ERRORS as error:
            return b"".join(whole), error
        return b"".join(whole), None

    def _took_plain(self, data: bytes) -> bool:
        """Take bytes that are whole events, none of which reports or is an error; else nothing."""
        events = self._events.named_events(data)
        documents = plain_documents(events) if events else None
        if documents is None:
            return False
        for document in documents:
            self._assembly.take(document)
        self._prefix.note(data, has_event=True)
        self._note_progress()
        return True

    def end(self) -> bytes:
        """Return the event that the end of the body left without its blank line."""
        raw, event = self._events.close_block()
        if event is not None:
            self._read(event)
        self._prefix.note(b"", has_event=event is not None)
        self._prefix.end()
        return raw

    def _read(self, event: Event) -> None:
        self._assembly.take(event_document(event))
        self._note_progress()

    def _note_progress(self) -> None:
        if self._assembly.progress != self._progress:
            self._progress = self._assembly.progress
            self._body.progressed()
