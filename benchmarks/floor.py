"""LiteLLM's floor: what a call costs when the provider behind it does nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import litellm
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import Choices, GenericStreamingChunk, Message, ModelResponse, Usage

from benchmarks.workload import CHUNKS, COMPLETION_TOKENS, PROMPT_TOKENS, TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_PROVIDER: Final = "floor"
MODEL: Final = f"{_PROVIDER}/fixed"
_TOTAL_TOKENS: Final = PROMPT_TOKENS + COMPLETION_TOKENS


def _chunk(text: str, *, is_last: bool = False) -> GenericStreamingChunk:
    return {
        "text": text,
        "tool_use": None,
        "is_finished": is_last,
        "finish_reason": "stop" if is_last else "",
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": _TOTAL_TOKENS,
        }
        if is_last
        else None,
        "index": 0,
    }


_SIZE: Final = len(TEXT) // CHUNKS
_STREAMED: Final = [
    *(_chunk(TEXT[start : start + _SIZE]) for start in range(0, len(TEXT), _SIZE)),
    _chunk("", is_last=True),
]


class _Floor(CustomLLM):
    """Answer from memory."""

    def completion(self, *_: Any, **arguments: Any) -> ModelResponse:
        response: ModelResponse = arguments["model_response"]
        message = Message(role="assistant", content=TEXT)
        response.choices = [Choices(index=0, finish_reason="stop", message=message)]
        response.usage = Usage(  # type: ignore[attr-defined]  # an extra that LiteLLM reads
            prompt_tokens=PROMPT_TOKENS,
            completion_tokens=COMPLETION_TOKENS,
            total_tokens=_TOTAL_TOKENS,
        )
        response.model = MODEL
        return response

    async def acompletion(self, *_: Any, **arguments: Any) -> ModelResponse:
        return self.completion(**arguments)

    def streaming(self, *_: Any, **__: Any) -> Iterator[GenericStreamingChunk]:
        return iter(_STREAMED)

    async def astreaming(  # type: ignore[override]  # LiteLLM's own stub forgets to yield
        self, *_: Any, **__: Any
    ) -> AsyncIterator[GenericStreamingChunk]:
        for chunk in _STREAMED:
            yield chunk


def install() -> None:
    """Register the provider, with a price, since looking for an unknown one costs LiteLLM more."""
    litellm.custom_provider_map = [{"provider": _PROVIDER, "custom_handler": _Floor()}]
    row = {
        "litellm_provider": _PROVIDER,
        "mode": "chat",
        "input_cost_per_token": 1e-6,
        "output_cost_per_token": 2e-6,
    }
    litellm.register_model({MODEL: row})
