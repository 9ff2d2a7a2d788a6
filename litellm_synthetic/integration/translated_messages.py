"""The headers of messages that LiteLLM translates to a completion and back.

LiteLLM drops the completion's headers as it translates: a message is a bare dict, a stream of
messages a generator. A Router and a proxy look for them in `_hidden_params`, as on other replies.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from litellm_synthetic.integration import compat
from litellm_synthetic.integration.call_log import router_group_size

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from litellm_synthetic.integration.seams import Seams

# From the translation to the call that has asked for it; both run in one task.
_completions_headers: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "completions_headers", default=None
)


def note_headers(seams: Seams) -> None:
    """Note the headers of a completion as it is translated, for `with_headers`."""
    adapter = compat.messages_adapter()
    if adapter is None:
        return

    def wrap_translation(translate: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(translate)
        def translated(adapter: Any, completion: Any, *args: Any, **kwargs: Any) -> Any:
            if seams.active:
                hidden_params = getattr(completion, "_hidden_params", None) or {}
                _completions_headers.set(hidden_params.get("additional_headers"))
            return translate(adapter, completion, *args, **kwargs)

        return translated

    for name in compat.TRANSLATIONS:
        seams.wrap((adapter,), name, wrap_translation)


async def with_headers(decision: Awaitable[Any], arguments: Mapping[str, Any]) -> Any:
    """Return the answer of a call, with its headers if it was translated for a Router.

    Args:
        decision: the call.
        arguments: its keywords. A call outside of a Router gets the message and nothing else.
    """
    token = _completions_headers.set(None)
    try:
        answer = await decision
        headers = _completions_headers.get()
    finally:
        _completions_headers.reset(token)
    if headers is None or router_group_size(arguments) is None:
        return answer
    hidden_params = {"additional_headers": dict(headers)}
    if isinstance(answer, dict):
        # A proxy takes it out again (common_request_processing.py:3252).
        answer.setdefault("_hidden_params", hidden_params)
        return answer
    return TranslatedStream(answer, hidden_params) if hasattr(answer, "__anext__") else answer


class TranslatedStream:
    """Hand on a translated stream of messages, and hold its headers.

    Args:
        events: LiteLLM's generator, which has no place for them.
        hidden_params: where LiteLLM looks for headers and such.
    """

    def __init__(self, events: AsyncGenerator[Any], hidden_params: dict[str, Any]) -> None:
        self._events = events
        self._hidden_params = hidden_params

    def __aiter__(self) -> Self:
        """Return the stream itself."""
        return self

    async def __anext__(self) -> Any:
        """Return the next event."""
        return await anext(self._events)

    async def aclose(self) -> None:
        """Close the stream, as the generator's own does."""
        await self._events.aclose()
