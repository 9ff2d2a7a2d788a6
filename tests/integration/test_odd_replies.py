"""Replies that are odd and paid for: whatever can be kept of them reaches the caller."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.testing import RawBytes, RawJSON
from tests.caller import calls_of

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Recorder

MODEL = "synthetic/syn:large:text"
MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]


def message(text: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "hf:a/b",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **fields,
    }


def sent(document: Any, **headers: str) -> RawBytes:
    body = json.dumps(document).encode()
    return RawBytes(200, body, "application/json", headers)


ODD_MESSAGES = {
    "a lone surrogate": sent(message("odd \ud800 text")),
    "NaN": sent(message("fine", score=math.nan)),
    "a header beyond ASCII": sent(message("fine"), **{"x-region": "Zürich"}),
    "an error that is null": sent(message("fine", error=None)),
    "another charset": RawBytes(
        200, json.dumps(message("fine")).encode(), "application/json; charset=utf-16"
    ),
}


@pytest.mark.parametrize("odd", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
async def test_an_odd_native_message_is_not_lost(
    odd: RawBytes, upstream: SyntheticServer, recorder: Recorder
) -> None:
    upstream.respond_with(odd)
    reply: Any = await litellm.anthropic_messages(model=MODEL, messages=MESSAGES, max_tokens=9)
    assert reply["content"] == json.loads(odd.body)["content"]
    assert len(upstream.requests) == 1
    assert len(await recorder.settled_costs()) == 1


@pytest.mark.parametrize("odd", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
async def test_an_odd_completion_over_messages_is_not_lost(
    odd: RawBytes,
    upstream: SyntheticServer,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    upstream.respond_with(odd)
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content == json.loads(odd.body)["content"][0]["text"]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "delta",
    [
        {"type": "text_delta", "text": [None]},
        {"type": "text_delta", "text": 7},
        {"type": "thinking_delta", "thinking": ["a"]},
        {"type": "input_json_delta", "partial_json": [1]},
    ],
    ids=str,
)
async def test_a_delta_over_messages_that_is_not_text_is_an_error(
    delta: dict[str, Any],
    upstream: SyntheticServer,
    caller: Caller,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    events = [
        {"type": "message_start", "message": message("") | {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": _block(delta)},
        {"type": "content_block_delta", "index": 0, "delta": delta},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    upstream.respond_with(RawBytes(200, body, "text/event-stream"))
    # LiteLLM wraps what breaks an async stream under way, for its Router.
    kinds = (litellm.APIConnectionError, litellm.exceptions.MidStreamFallbackError)
    with pytest.raises(kinds, match=r"not text|not of a message"):
        await caller.stream(model=MODEL, messages=MESSAGES)
    assert len(await recorder.settled_failures()) == 1


def _block(delta: dict[str, Any]) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "text_delta": {"type": "text", "text": ""},
        "thinking_delta": {"type": "thinking", "thinking": ""},
        "input_json_delta": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    }
    return kinds[delta["type"]]


@pytest.mark.parametrize(
    "odd",
    [
        {name: value for name, value in message("fine").items() if name != "stop_reason"},
        message("fine", stop_reason=7),
        message("fine", content=[{"type": "text"}, {"type": "text", "text": "fine"}]),
        message("fine", content=[{"type": "text", "text": None}]),
        message("fine", content=[{"type": "tool_use"}]),
    ],
    ids=["no stop_reason", "a number for one", "no text", "null for it", "no tool"],
)
async def test_an_odd_native_message_is_billed_once(
    odd: dict[str, Any], upstream: SyntheticServer, recorder: Recorder
) -> None:
    upstream.respond_with(sent(odd))
    reply: Any = await litellm.anthropic_messages(model=MODEL, messages=MESSAGES, max_tokens=9)
    assert reply["content"] == odd["content"]
    assert len(await recorder.settled_costs()) == 1
    assert await recorder.settled_failures() == []


@pytest.mark.parametrize("content", [[7], ["text"], [None], []])
async def test_a_native_message_without_blocks_is_an_error(
    content: list[Any], upstream: SyntheticServer
) -> None:
    upstream.respond_with(sent({"content": content}))
    with pytest.raises(litellm.APIError) as excinfo:
        await litellm.anthropic_messages(model=MODEL, messages=MESSAGES, max_tokens=9)
    assert excinfo.value.status_code == 502


async def test_embeddings_for_fewer_inputs_are_an_error(
    upstream: SyntheticServer, caller: Caller
) -> None:
    rows = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    upstream.respond_with(RawJSON(200, {"object": "list", "data": rows}))
    with pytest.raises(litellm.APIError, match="1 embeddings for 2 inputs") as excinfo:
        await caller.embedding(
            model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["one", "two"]
        )
    assert excinfo.value.status_code == 502


SPLIT_PAIR = ['{"say": "\ud83d', '\ude00"}']


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_tool_call_with_lone_surrogates_is_whole_and_billed(
    upstream: SyntheticServer, caller: Caller, recorder: Recorder, *, stream: bool
) -> None:
    pieces = [
        {"index": 0, "id": "call_\ud800", "function": {"name": "f\udfff", "arguments": ""}},
        *({"index": 0, "function": {"arguments": piece}} for piece in SPLIT_PAIR),
    ]
    chunks: list[dict[str, Any]] = [{"delta": {"tool_calls": [piece]}} for piece in pieces]
    chunks.append({"delta": {}, "finish_reason": "tool_calls"})
    function = {"name": "f\udfff", "arguments": "".join(SPLIT_PAIR)}
    call = {"id": "call_\ud800", "type": "function", "function": function}
    if stream:
        events = [f"data: {json.dumps({'choices': [one]})}\n\n" for one in chunks]
        body = "".join([*events, "data: [DONE]\n\n"]).encode()
        upstream.respond_with(RawBytes(200, body, "text/event-stream"))
        calls = calls_of(await caller.stream(model=MODEL, messages=MESSAGES))
    else:
        choice = {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        upstream.respond_with(sent({"choices": [choice], "usage": usage}))
        answer = await caller.completion(model=MODEL, messages=MESSAGES)
        calls = [
            (one.function.name, one.function.arguments)
            for one in answer.choices[0].message.tool_calls
        ]
    [(name, arguments)] = calls
    assert name == "f\\udfff"
    assert json.loads(arguments) == {"say": "😀"}
    assert len(await recorder.settled_costs()) == 1
    assert await recorder.settled_failures() == []


async def test_a_response_whose_id_is_a_lone_surrogate_is_not_lost(
    upstream: SyntheticServer, caller: Caller
) -> None:
    choice = {"message": {"content": "fine"}, "finish_reason": "stop"}
    upstream.respond_with(sent({"id": "odd \ud800", "choices": [choice]}))
    answer = await caller.responses(model=MODEL, input="hi")
    assert answer.output_text == "fine"


@pytest.mark.parametrize("arguments", ["text", "[]", "7", "null"])
async def test_a_tool_call_that_no_message_can_carry_is_an_error_of_litellms(
    arguments: str, upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    choice = {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    upstream.respond_with(sent({"id": "x", "choices": [choice]}))
    with pytest.raises(litellm.APIError, match="not a JSON object") as excinfo:
        await litellm.anthropic_messages(model=MODEL, messages=MESSAGES, max_tokens=9)
    assert excinfo.value.status_code == 502
    assert excinfo.value.llm_provider == "synthetic"
