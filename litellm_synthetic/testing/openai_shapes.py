"""The OpenAI API's replies, in exactly the keys that were recorded in February 2026.

The recordings hold plain chat bodies and embeddings only. Streams follow the documented sample:
usage on the finish chunk, then `[DONE]`. Legacy completions follow the same server's habits.
"""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing.exchange import Exchange, arguments_text, cut_text
from litellm_synthetic.testing.logprobs import chat_logprobs, completion_logprobs
from litellm_synthetic.testing.replies import Text, ToolCalls, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.testing.replies import ToolCall

TextOrCalls = Text | ToolCalls


def usage_json(usage: Usage | Mapping[str, Any]) -> dict[str, Any]:
    """Return usage with its recorded keys; a mapping is returned as it is."""
    if not isinstance(usage, Usage):
        return dict(usage)
    cached = usage.cached_tokens
    body: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens_details": None if cached is None else {"cached_tokens": cached},
    }
    if usage.reasoning_tokens is not None:
        body["reasoning_tokens"] = usage.reasoning_tokens
    return body


def chat_body(answer: TextOrCalls, exchange: Exchange) -> dict[str, Any]:
    """Return a plain chat completion."""
    return {
        "id": f"chatcmpl-{exchange.reply_id}",
        "object": "chat.completion",
        "created": exchange.created,
        "model": answer.model or exchange.model,
        "choices": [_choice(index, answer, exchange) for index in range(exchange.call.n)],
        "service_tier": None,
        "system_fingerprint": None,
        "usage": usage_json(exchange.usage(answer)),
        "prompt_logprobs": None,
        "prompt_token_ids": None,
        "kv_transfer_params": None,
    }


def chat_events(answer: TextOrCalls, exchange: Exchange) -> Iterator[str]:
    """Yield the data of each chat chunk: reasoning first, then text, then tool calls."""
    head = _chunk_head("chatcmpl", "chat.completion.chunk", answer, exchange)
    lines = [
        (delta, _written_logprobs(piece, exchange)) for delta, piece in _deltas(answer, exchange)
    ]
    for index in range(exchange.call.n):
        before = f'{head}[{{"index":{index},"delta":'
        for delta, logprobs in lines:
            yield f'{before}{delta},"logprobs":{logprobs},"finish_reason":null}}]}}'
    yield from _finish("delta", answer, exchange, head)


def completion_body(answer: TextOrCalls, exchange: Exchange) -> dict[str, Any]:
    """Return a plain legacy completion; reasoning and tool calls have no place in it."""
    text = answer.content or ""
    pieces = cut_text(text, None)
    logprobs = completion_logprobs(pieces) if exchange.call.logprobs else None
    return {
        "id": f"cmpl-{exchange.reply_id}",
        "object": "text_completion",
        "created": exchange.created,
        "model": answer.model or exchange.model,
        "choices": [
            {
                "index": index,
                "text": text,
                "logprobs": logprobs,
                "finish_reason": answer.finish_reason,
                "stop_reason": None,
            }
            for index in range(exchange.call.n)
        ],
        "usage": usage_json(exchange.usage(answer)),
    }


def completion_events(answer: TextOrCalls, exchange: Exchange) -> Iterator[str]:
    """Yield the data of each legacy completion chunk."""
    head = _chunk_head("cmpl", "text_completion", answer, exchange)
    for index in range(exchange.call.n):
        for piece in cut_text(answer.content or "", answer.chunks):
            text = json.dumps(piece, ensure_ascii=False)
            yield (
                f'{head}[{{"index":{index},"text":{text},"logprobs":null,"finish_reason":null}}]}}'
            )
    yield from _finish("text", answer, exchange, head)


def _choice(index: int, answer: TextOrCalls, exchange: Exchange) -> dict[str, Any]:
    in_reasoning, in_content = exchange.reasoning_fields(answer)
    logprobs = None
    if exchange.call.logprobs and answer.content:
        logprobs = chat_logprobs(cut_text(answer.content, None), exchange.call.top_logprobs)
    return {
        "index": index,
        "message": {
            "role": "assistant",
            "content": answer.content,
            "refusal": None,
            "annotations": None,
            "audio": None,
            "function_call": None,
            "tool_calls": [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments_text(call)},
                }
                for call_id, call in exchange.calls(answer)
            ],
            "reasoning": answer.reasoning if in_reasoning else None,
            "reasoning_content": answer.reasoning if in_content else None,
        },
        "logprobs": logprobs,
        "finish_reason": answer.finish_reason,
        "stop_reason": None,
        "token_ids": None,
    }


def _written_logprobs(piece: str, exchange: Exchange) -> str:
    if not piece or not exchange.call.logprobs:
        return "null"
    return json.dumps(chat_logprobs([piece], exchange.call.top_logprobs))


def _deltas(answer: TextOrCalls, exchange: Exchange) -> Iterator[tuple[str, str]]:
    yield '{"role": "assistant", "content": ""}', ""
    in_reasoning, in_content = exchange.reasoning_fields(answer)
    names = ("reasoning",) * in_reasoning + ("reasoning_content",) * in_content
    for piece in cut_text(answer.reasoning or "", None):
        yield _written_delta(names, piece), ""
    for piece in cut_text(answer.content or "", answer.chunks):
        yield _written_delta(("content",), piece), piece
    if isinstance(answer, ToolCalls):
        per_call = [
            [*_call_deltas(index, call_id, call, answer)]
            for index, (call_id, call) in enumerate(exchange.calls(answer))
        ]
        in_order = zip_longest(*per_call) if answer.interleaved else per_call
        for delta in chain.from_iterable(in_order):
            if delta is not None:
                yield json.dumps({"tool_calls": [delta]}, ensure_ascii=False), ""


# A benchmark streams the same text again and again.
@lru_cache(maxsize=4096)
def _written_delta(names: tuple[str, ...], piece: str) -> str:
    return json.dumps(dict.fromkeys(names, piece), ensure_ascii=False)


def _call_deltas(
    index: int, call_id: str, call: ToolCall, answer: ToolCalls
) -> Iterator[dict[str, Any]]:
    place: dict[str, Any] = {"index": index} if answer.with_index else {}
    identity = {"id": call_id, "type": "function"}
    yield place | identity | {"function": {"name": call.name, "arguments": ""}}
    arguments = arguments_text(call)
    if not arguments:
        return
    for piece in cut_text(arguments, min(answer.argument_pieces, len(arguments))):
        if answer.repeat_id:
            yield place | identity | {"function": {"name": call.name, "arguments": piece}}
        else:
            yield place | {"function": {"arguments": piece}}


def _chunk_head(prefix: str, kind: str, answer: TextOrCalls, exchange: Exchange) -> str:
    model = json.dumps(answer.model or exchange.model)
    return (
        f'{{"id":"{prefix}-{exchange.reply_id}","object":"{kind}",'
        f'"created":{exchange.created},"model":{model},"choices":'
    )


def _finish(kind: str, answer: TextOrCalls, exchange: Exchange, head: str) -> Iterator[str]:
    placement = exchange.usage_placement(answer)
    usage = f',"usage":{json.dumps(usage_json(exchange.usage(answer)))}'
    reason = json.dumps(answer.finish_reason)
    nothing = {"delta": "{}", "text": '""'}[kind]
    last = exchange.call.n - 1
    for index in range(exchange.call.n):
        usage_field = usage if placement in {"finish", "both"} and index == last else ""
        yield (
            f'{head}[{{"index":{index},"{kind}":{nothing},"logprobs":null,'
            f'"finish_reason":{reason},"stop_reason":null}}]{usage_field}}}'
        )
    if placement in {"final", "both"}:
        yield f"{head}[]{usage}}}"
