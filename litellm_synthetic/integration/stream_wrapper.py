"""LiteLLM's stream wrapper, fed with chunks that are LiteLLM's own already."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.client.stream import AsyncChunkStream
from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration.call_log import hears_chunks, log_left_stream
from litellm_synthetic.integration.compat import CustomStreamWrapper, executor
from litellm_synthetic.integration.ending_stream import stream_at_end
from litellm_synthetic.integration.recorded_chunks import RecordedChunks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litellm_synthetic.integration.cost_rows import Row


# As many as take LiteLLM a millisecond or two to put together.
_MAX_QUICK_CHUNKS: Final = 256


class PassThroughStream(CustomStreamWrapper):
    """Hand out chunks that are LiteLLM's own already, instead of building each one again.

    What the reply says goes straight out. What closes or breaks it goes LiteLLM's way, which makes
    and throws away a response object and two reprs per chunk (streaming_handler.py:741, :1802):
    callbacks, caching, the assembled response, its cost and the Router's fallbacks stay its work.
    """

    completion_stream: Any
    metadata_at_end: Callable[[Any], Row] | None = None
    """Tells what `_hidden_params` shall hold once the usage is known."""
    _goes_straight = False
    _is_async = False
    _is_closed = False
    _is_logged = False
    _is_in_base = False
    _text = ""
    _whole: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_async = isinstance(self.completion_stream, AsyncChunkStream)
        self._recorded = RecordedChunks(self.chunks)
        self._chunk_params = {"custom_llm_provider": PROVIDER, **self._base_hidden_params}
        # Settings of LiteLLM that act on every chunk. The repetition guard counts deltas.
        self._goes_straight = not (
            self.merge_reasoning_content_in_choices
            or litellm.post_call_rules
            or litellm.set_verbose
        )
        # LiteLLM tells nobody of an async stream's chunks.
        self._tells_of_chunks = (
            not self._is_async
            and not litellm.disable_streaming_logging
            and hears_chunks(self.logging_obj)
        )
        seconds = getattr(litellm.constants, "LITELLM_MAX_STREAMING_DURATION_SECONDS", None)
        self._ends_at = None if seconds is None else self._stream_created_time + seconds

    @property
    def response_uptil_now(self) -> str:
        """Return the answer so far; read only where a stream breaks."""
        if not self._goes_straight:
            return self._text
        deltas = [chunk.choices[0].delta for chunk in self.chunks if chunk.choices]
        return "".join(getattr(delta, "content", None) or "" for delta in deltas)

    @response_uptil_now.setter
    def response_uptil_now(self, text: str) -> None:
        self._text = text

    def __next__(self) -> litellm.ModelResponseStream:
        # The base class would invent a "stop" for what is missing.
        if self._is_closed:
            raise StopIteration
        try:
            if self._may_go_straight() and not self._is_async:
                chunk = self.completion_stream.next_delta()
                if chunk is not None:
                    return self._let_through(chunk)
                self._recorded.compact()
            self._is_in_base = True
            try:
                chunk = super().__next__()
            finally:
                self._is_in_base = False
        except Exception:
            self._is_closed = self._is_logged = True
            raise
        except BaseException:
            self.close()
            raise
        if self.sent_stream_usage:
            # Logged already; the base class would assemble and log it once more.
            self._is_closed = self._is_logged = True
        return chunk

    async def __anext__(self) -> litellm.ModelResponseStream:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            if self._may_go_straight() and self._is_async:
                chunk = await self.completion_stream.next_delta()
                if chunk is not None:
                    return self._let_through(chunk)
                self._recorded.compact()
            stream_at_end.set(self)
            self._is_in_base = True
            try:
                return await super().__anext__()
            finally:
                self._is_in_base = False
                stream_at_end.set(None)
        except Exception:
            self._is_closed = self._is_logged = True
            raise
        except BaseException:  # a cancelled read has closed the connection
            self._leave()
            raise

    def _may_go_straight(self) -> bool:
        # Past the end LiteLLM's own check raises.
        return self._goes_straight and (self._ends_at is None or time.time() <= self._ends_at)

    def _let_through(self, chunk: litellm.ModelResponseStream) -> litellm.ModelResponseStream:
        """Do what LiteLLM does with a chunk of text, and nothing else."""
        chunk._hidden_params = self._chunk_params.copy()  # noqa: SLF001  # where LiteLLM keeps a chunk's metadata
        self._recorded.add(chunk)
        if not self.sent_first_chunk:
            self.sent_first_chunk = True
            _note_first_chunk(self.logging_obj)
            chunk = self._add_mcp_list_tools_to_first_chunk(chunk)
        if self._tells_of_chunks:
            executor.submit(self.run_success_logging_and_cache_storage, chunk, False)  # noqa: FBT003  # no cache hit
        return chunk

    def chunk_creator(self, chunk: Any) -> Any:
        """Take over one chunk of ours; note the finish, which the base class acts on."""
        chunk._hidden_params = self._chunk_params.copy()  # noqa: SLF001  # as above
        choice = chunk.choices[0]
        if choice.finish_reason is not None:
            self.received_finish_reason = choice.finish_reason
            if chunk is self.completion_stream.decoder.last_chunk:
                self.sent_last_chunk = True
                if self.metadata_at_end is not None:
                    usage = self.metadata_at_end(self.completion_stream.decoder.usage)
                    self._hidden_params.update(usage)
                    chunk._hidden_params.update(usage)  # noqa: SLF001
        if self.merge_reasoning_content_in_choices:
            self._optional_combine_thinking_block_in_choices(model_response=chunk)
        return chunk

    def run_success_logging_and_cache_storage(self, processed_chunk: Any, cache_hit: bool) -> None:  # noqa: FBT001  # LiteLLM's signature
        """Tell callbacks of one chunk of a sync stream, if there are any that hear of chunks.

        It starts an event loop per chunk for this (streaming_handler.py:1683). What follows the
        last chunk, the assembled response and its cost, does not come this way.
        """
        if self._tells_of_chunks:
            super().run_success_logging_and_cache_storage(processed_chunk, cache_hit)

    def close(self) -> None:
        """Close the connection of a sync stream; LiteLLM's wrapper has only `aclose`."""
        self._leave()
        if hasattr(self.completion_stream, "close"):
            self.completion_stream.close()

    async def aclose(self) -> None:
        """Close the connection."""
        self._leave()
        await super().aclose()  # type: ignore[no-untyped-call]  # LiteLLM's

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's exit, or half made
            self._leave()
        super().__del__()

    def _leave(self) -> None:
        """Log what came of a stream that its reader leaves, as LiteLLM's proxy does for its own.

        The base class logs a stream that is read to its end, or breaks.
        """
        self._is_closed = True
        # LiteLLM closes a stream that has ended or broken before it logs it (1.108,
        # streaming_handler.py:2186), and what ends or breaks has not been left.
        if self._is_logged or self._is_in_base:
            return
        self._is_logged = True
        if self.completion_stream is not None:
            self.chunks.extend(self.completion_stream.unread())
        if self.chunks and not litellm.disable_streaming_logging:
            log_left_stream(self.logging_obj, self._assembling(), is_async=self._is_async)

    def assembling(
        self, assemble: Callable[..., Any], in_thread: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        """Return what LiteLLM is to await in place of a thread that puts the reply together.

        Without a usage it counts tokens, which may take long; a thread does that.
        """

        async def assembled(**arguments: Any) -> Any:
            if self._whole is not None:
                # The one before belongs to the chunk of usage that LiteLLM has added.
                return self._whole.model_copy(deep=True)
            whole = assemble(**arguments)
            if self.send_stream_usage and not self.sent_stream_usage:
                self._whole = whole
            return whole

        is_quick = self.completion_stream is not None and len(self.chunks) <= _MAX_QUICK_CHUNKS
        return assembled if is_quick and self.completion_stream.decoder.usage else in_thread

    def _assembling(self) -> Callable[[], Any]:
        """Return what puts the reply together, without a reference to the stream."""
        return partial(
            litellm.stream_chunk_builder,
            chunks=self.chunks,
            messages=self.messages,
            logging_obj=self.logging_obj,
            count_prompt_tokens=self.count_prompt_tokens,
        )


def _note_first_chunk(logging_obj: Any) -> None:
    if logging_obj.completion_start_time is None:
        now = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
        # 1.102.4 has it under a private name.
        update = getattr(logging_obj, "update_completion_start_time", None)
        (update or logging_obj._update_completion_start_time)(completion_start_time=now)  # noqa: SLF001
