"""A native Messages stream: the upstream's bytes as they come, watched for errors and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litellm_synthetic.client.stream_reader import STREAM_ERRORS, Prefix, translated_error
from litellm_synthetic.errors.faults import BrokenStreamError
from litellm_synthetic.errors.local import shown_cause
from litellm_synthetic.messages.assembly import MessageAssembly, event_document, plain_document
from litellm_synthetic.transport.sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

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
            block, self._held = b"".join(self._held), []
            return block
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
            raise translated from shown_cause(error, self._origin)
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end(None)
        finally:
            await self._body.aclose()

    async def _read(self) -> AsyncGenerator[bytes]:
        reader = _Reader(self.assembly, self._body)
        async for data in self._body:
            piece, error = reader.take(data)
            if piece:
                self._body.handed_out()
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
        events = self._events.whole_events(data)
        if not events:
            return False
        documents = [plain_document(event) for event in events]
        if None in documents:
            return False
        for document in documents:
            self._assembly.take(document)  # type: ignore[arg-type]  # as was just looked
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
