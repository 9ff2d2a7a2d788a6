"""LiteLLM's public calls, sync and async behind one face, so that a promise is made for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import litellm

import litellm_synthetic

if TYPE_CHECKING:
    from litellm_synthetic.client.search_results import SearchResults


@dataclass(frozen=True)
class Caller:
    """Make LiteLLM's public calls in one of the two ways."""

    is_async: bool

    async def completion(self, **arguments: Any) -> Any:
        if self.is_async:
            return await litellm.acompletion(**arguments)
        return litellm.completion(**arguments)

    async def text_completion(self, **arguments: Any) -> Any:
        if self.is_async:
            return await litellm.atext_completion(**arguments)
        return litellm.text_completion(**arguments)

    async def embedding(self, **arguments: Any) -> Any:
        if self.is_async:
            return await litellm.aembedding(**arguments)
        return litellm.embedding(**arguments)

    async def responses(self, **arguments: Any) -> Any:
        if self.is_async:
            return await litellm.aresponses(**arguments)
        return litellm.responses(**arguments)

    async def search(self, query: str, **arguments: Any) -> SearchResults:
        """Call the package's own search."""
        if self.is_async:
            return await litellm_synthetic.asearch(query, **arguments)
        return litellm_synthetic.search(query, **arguments)

    async def litellm_search(self, **arguments: Any) -> Any:
        if self.is_async:
            return await litellm.asearch(**arguments)
        return litellm.search(**arguments)

    async def router_completion(self, router: litellm.Router, **arguments: Any) -> Any:
        if self.is_async:
            return await router.acompletion(**arguments)
        return router.completion(**arguments)

    async def collect(self, stream: Any, pieces: list[Any] | None = None) -> list[Any]:
        """Return everything that a stream yields; `received` holds it even if it raises."""
        pieces = [] if pieces is None else pieces
        if self.is_async:
            async for item in stream:
                pieces.append(item)  # kept when the loop raises
        else:
            for item in stream:
                pieces.append(item)  # the same
        return pieces

    async def next_of(self, stream: Any) -> Any:
        """Return what a stream yields next, or None at its end."""
        return await anext(stream, None) if self.is_async else next(stream, None)

    async def stream(self, **arguments: Any) -> list[Any]:
        """Return the chunks of a streamed completion."""
        return await self.collect(await self.completion(stream=True, **arguments))


def text_of(chunks: list[Any]) -> str:
    """Return the answer that chunks add up to."""
    return "".join(
        choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.delta
    )


def reasoning_of(chunks: list[Any]) -> str:
    """Return the reasoning that chunks add up to."""
    return "".join(
        getattr(choice.delta, "reasoning_content", None) or ""
        for chunk in chunks
        for choice in chunk.choices
    )


def finishes_of(chunks: list[Any]) -> list[str]:
    """Return the finish reasons in the order in which they came."""
    return [
        choice.finish_reason
        for chunk in chunks
        for choice in chunk.choices
        if choice.finish_reason is not None
    ]


def calls_of(chunks: list[Any]) -> list[tuple[str, str]]:
    """Return name and arguments of each tool call that chunks add up to."""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for chunk in chunks:
        for piece in chunk.choices[0].delta.tool_calls or ():
            names[piece.index] = names.get(piece.index, "") + (piece.function.name or "")
            arguments[piece.index] = arguments.get(piece.index, "") + piece.function.arguments
    return [(names[index], arguments[index]) for index in sorted(names)]
