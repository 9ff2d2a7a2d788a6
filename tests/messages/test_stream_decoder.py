"""Streamed messages: what waits is merged, and nothing that does not belong together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_synthetic.chat.backlog import MAX_MERGED_CHARACTERS
from litellm_synthetic.integration.compat import anthropic_chunk_parser
from litellm_synthetic.messages.stream_decoder import MessageChunkDecoder
from litellm_synthetic.transport.sse import Event

MODEL = "synthetic/hf:zai-org/GLM-5.3"


def event(kind: str, **fields: Any) -> Event:
    return Event(kind, json.dumps({"type": kind, **fields}))


def start(index: int, kind: str, **fields: Any) -> Event:
    return event("content_block_start", index=index, content_block={"type": kind, **fields})


def delta(index: int, kind: str, field: str, text: str) -> Event:
    return event("content_block_delta", index=index, delta={"type": kind, field: text})


BEGIN = event("message_start", message={"id": "m", "role": "assistant", "content": []})
END = (
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1}),
    event("message_stop"),
)


def decode(*events: Event, merges: bool = True) -> list[Any]:
    """Return the deltas of events which come in one read."""
    parse = anthropic_chunk_parser(json_mode=False, tool_names={})
    decoder = MessageChunkDecoder(MODEL, parse, merges=merges)
    decoder.take((BEGIN, *events, *END))
    chunks = [*decoder.ready, *decoder.finish()]
    return [chunk.choices[0].delta for chunk in chunks]


@pytest.mark.parametrize(
    ("kind", "field", "name"),
    [("text_delta", "text", "content"), ("thinking_delta", "thinking", "reasoning_content")],
)
def test_what_waits_becomes_few_chunks_of_bounded_length(kind: str, field: str, name: str) -> None:
    pieces = [f"{number:099} " for number in range(100)]
    events = [start(0, kind.removesuffix("_delta"), **{field: ""})]
    events += [delta(0, kind, field, piece) for piece in pieces]
    texts = [getattr(each, name, None) or "" for each in decode(*events)]
    assert "".join(texts) == "".join(pieces)
    assert all(len(text) <= MAX_MERGED_CHARACTERS for text in texts)
    assert len([text for text in texts if text]) < 5
    alone = [getattr(each, name, None) for each in decode(*events, merges=False)]
    assert [text for text in alone if text] == pieces


def test_calls_that_wait_together_keep_their_arguments() -> None:
    events = []
    for index, texts in enumerate((('{"a"', ":1}"), ('{"b"', ":2}"))):
        events.append(start(index, "tool_use", id=f"t{index}", name="look", input={}))
        events += [delta(index, "input_json_delta", "partial_json", text) for text in texts]
        events.append(event("content_block_stop", index=index))
    arguments: dict[int, str] = {}
    for one in decode(*events):
        for call in one.tool_calls or ():
            arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert [*arguments.values()] == ['{"a":1}', '{"b":2}']
