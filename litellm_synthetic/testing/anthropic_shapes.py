"""The Messages API's replies.

`input_tokens` counts the uncached part, which is stated a second time as
`cache_creation_input_tokens` (reported live 2026-09-14); cached tokens stand apart. The reply
keeps the `hf:` of the model id (documented sample).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing.exchange import Exchange, arguments_text, cut_text
from litellm_synthetic.testing.replies import Usage
from litellm_synthetic.testing.streams import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.testing.replies import Text, ToolCalls

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_ARGUMENT_PIECES = 3


def message_body(answer: Text | ToolCalls, exchange: Exchange) -> dict[str, Any]:
    """Return a plain message."""
    return _message(answer, exchange) | {
        "content": [*_blocks(answer, exchange)],
        "stop_reason": _stop_reason(answer),
        "usage": messages_usage(exchange.usage(answer)),
    }


def message_events(answer: Text | ToolCalls, exchange: Exchange) -> Iterator[Event]:
    """Yield a streamed message: each block between its start and stop, then the totals."""
    usage = messages_usage(exchange.usage(answer))
    start = _message(answer, exchange) | {"usage": usage | {"output_tokens": 0}}
    yield _event("message_start", message=start)
    for index, block in enumerate(_blocks(answer, exchange)):
        yield _event("content_block_start", index=index, content_block=_emptied(block))
        for delta in _block_deltas(block, answer.chunks):
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    final = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    yield _event("message_delta", delta=final, usage=usage)
    yield _event("message_stop")


def messages_usage(usage: Usage | Mapping[str, Any]) -> dict[str, Any]:
    """Return usage as the Messages API states it; a mapping is returned as it is."""
    if not isinstance(usage, Usage):
        return dict(usage)
    cached = usage.cached_tokens or 0
    uncached = usage.prompt_tokens - cached
    return {
        "input_tokens": uncached,
        "cache_creation_input_tokens": uncached,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.completion_tokens,
    }


def _message(answer: Text | ToolCalls, exchange: Exchange) -> dict[str, Any]:
    return {
        "id": f"msg_{exchange.reply_id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or exchange.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop_reason(answer: Text | ToolCalls) -> str | None:
    return _STOP_REASONS.get(answer.finish_reason or "", answer.finish_reason)


def _blocks(answer: Text | ToolCalls, exchange: Exchange) -> Iterator[dict[str, Any]]:
    if answer.reasoning:
        yield {"type": "thinking", "thinking": answer.reasoning, "signature": ""}
    if answer.content:
        yield {"type": "text", "text": answer.content}
    for call_id, call in exchange.calls(answer):
        try:
            arguments = json.loads(arguments_text(call) or "{}")
        except ValueError:
            arguments = arguments_text(call)
        yield {"type": "tool_use", "id": call_id, "name": call.name, "input": arguments}


def _emptied(block: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, Any] = {"thinking": "", "text": "", "input": {}}
    return {key: blank.get(key, value) for key, value in block.items()}


def _block_deltas(block: dict[str, Any], chunks: int | None) -> Iterator[dict[str, Any]]:
    if block["type"] == "thinking":
        for piece in cut_text(block["thinking"], None):
            yield {"type": "thinking_delta", "thinking": piece}
    elif block["type"] == "text":
        for piece in cut_text(block["text"], chunks):
            yield {"type": "text_delta", "text": piece}
    else:
        tool_input = block["input"]
        arguments = tool_input if isinstance(tool_input, str) else json.dumps(tool_input)
        for piece in cut_text(arguments, min(_ARGUMENT_PIECES, max(len(arguments), 1))):
            yield {"type": "input_json_delta", "partial_json": piece}


def _event(kind: str, **fields: object) -> Event:
    return Event(kind, {"type": kind, **fields})
