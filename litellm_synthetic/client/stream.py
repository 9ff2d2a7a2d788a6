"""A streamed reply from its open body to the caller, and the connection's end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from litellm_synthetic.client.stream_reader import BATCH_EVENTS, STREAM_ERRORS, StreamReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from litellm import ModelResponseStream

    from litellm_synthetic.client.stream_reader import Decoder
    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream


class ChunkStream:
    """Iterate over the chunks of a streamed reply; closing it closes the connection.

    Raises, while iterating, LiteLLM's exceptions as `errors` makes them.

    Attributes:
        decoder: reads the reply.
        ready: chunks of the reply that have not been handed out; whoever takes one takes the first.
    """

    def __init__(self, body: ByteStream, decoder: Decoder, origin: Origin) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self._body = body
        self._reader = StreamReader(decoder, origin, body)
        self._is_closed = False

    def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        self._read_on()
        self._reader.check_begun()

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
                if reader.waiting:
                    reader.take_batch()
                else:
                    reader.take(self._body.read())
            self._body.handed_out()
        except STREAM_ERRORS as error:
            reader.failed(error)
            self._body.close()
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
        self._body.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's exit, or half made
            self._body.close()


class AsyncChunkStream:
    """Do what `ChunkStream` does, on an event loop, which others get a turn on."""

    def __init__(self, body: AsyncByteStream, decoder: Decoder, origin: Origin) -> None:
        self.decoder = decoder
        self.ready = decoder.ready
        self._body = body
        self._reader = StreamReader(decoder, origin, body)
        self._is_closed = False
        self._next_turn_at = BATCH_EVENTS
        self._loop = asyncio.get_running_loop()

    async def wait_for_first(self) -> None:
        """Wait until the reply has begun, so that an error until then is the call's own error."""
        await self._read_on()
        self._reader.check_begun()

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
                if reader.waiting:
                    reader.take_batch()
                else:
                    reader.take(await self._body.read())
            self._body.handed_out()
        except STREAM_ERRORS as error:
            reader.failed(error)
            await self._body.aclose()
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
        await self._body.aclose()

    def __del__(self) -> None:
        # The collector may run in any thread, after the loop, or at the interpreter's exit.
        with contextlib.suppress(Exception):
            if not self._is_closed:
                self._loop.call_soon_threadsafe(self._body.close)
