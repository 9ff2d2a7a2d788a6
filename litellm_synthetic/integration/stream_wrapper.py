"""LiteLLM's stream wrapper, fed with chunks that are LiteLLM's own already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration.compat import CustomStreamWrapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.integration.cost_rows import Row


class PassThroughStream(CustomStreamWrapper):
    """Let chunks through that are LiteLLM's own already, instead of building each one anew.

    LiteLLM's wrapper makes and throws away a response object per chunk (streaming_handler.py:741,
    :1417). What it does around that, callbacks, caching, the assembled response and its cost, stays
    its own work.
    """

    completion_stream: Any
    metadata_at_end: Callable[[Any], Row] | None = None
    """Tells what `_hidden_params` shall hold once the usage is known."""
    _is_closed = False

    def __next__(self) -> litellm.ModelResponseStream:
        if self._is_closed:  # the base class would invent a "stop" for what is missing
            raise StopIteration
        return super().__next__()

    async def __anext__(self) -> litellm.ModelResponseStream:
        if self._is_closed:
            raise StopAsyncIteration
        return await super().__anext__()

    def chunk_creator(self, chunk: Any) -> Any:
        """Take over one chunk of ours; note the finish, which the base class acts on."""
        self.raise_on_model_repetition()
        chunk._hidden_params = {  # noqa: SLF001  # where LiteLLM keeps a chunk's metadata
            "custom_llm_provider": PROVIDER,
            **self._base_hidden_params,
        }
        choice = chunk.choices[0]
        if choice.finish_reason is not None:
            self.received_finish_reason = choice.finish_reason
            if chunk is self.completion_stream.decoder.last_chunk:
                self.sent_last_chunk = True
                if self.metadata_at_end is not None:
                    known = self.metadata_at_end(self.completion_stream.decoder.usage)
                    self._hidden_params.update(known)
                    chunk._hidden_params.update(known)  # noqa: SLF001
        if self.merge_reasoning_content_in_choices:
            self._optional_combine_thinking_block_in_choices(model_response=chunk)
        return chunk

    def run_success_logging_and_cache_storage(self, processed_chunk: Any, cache_hit: bool) -> None:  # noqa: FBT001  # LiteLLM's signature
        """Tell callbacks and cache of one chunk, if there are any.

        The sync stream starts a thread's job and an event loop per chunk for this
        (streaming_handler.py:1813), which costs more than everything else that it does. What
        follows the last chunk, the assembled response and its cost, does not come this way.
        """
        if _somebody_listens(self.logging_obj):
            super().run_success_logging_and_cache_storage(processed_chunk, cache_hit)

    def close(self) -> None:
        """Close the connection of a sync stream; LiteLLM's wrapper has only `aclose`."""
        self._is_closed = True
        if hasattr(self.completion_stream, "close"):
            self.completion_stream.close()

    async def aclose(self) -> None:
        """Close the connection of an async stream."""
        self._is_closed = True
        await super().aclose()  # type: ignore[no-untyped-call]  # LiteLLM's


def _somebody_listens(logging_obj: Any) -> bool:
    return bool(
        litellm.success_callback
        or litellm._async_success_callback  # noqa: SLF001  # no public name
        or litellm.callbacks
        or litellm.cache is not None
        or litellm.max_budget
        or getattr(logging_obj, "dynamic_success_callbacks", None)
        or getattr(logging_obj, "dynamic_async_success_callbacks", None)
    )
