"""Streams through LiteLLM's public functions: what arrives, how they end, and that they end."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest

from litellm_synthetic.testing import Stream, Text, ToolCall, ToolCalls, Usage, fault, named_fault
from tests.caller import Caller, calls_of, finishes_of, reasoning_of, text_of

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def _event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "zai-org/GLM-5.3-Flash",
        "choices": [choice],
    }


async def test_reasoning_comes_first_and_the_finish_once(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(Text("It is Paris.", reasoning="France has Paris."))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert reasoning_of(chunks) == "France has Paris."
    assert text_of(chunks) == "It is Paris."
    assert finishes_of(chunks) == ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(getattr(one.choices[0].delta, "role", None) is None for one in chunks[1:])
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "both"])
async def test_reasoning_is_shown_once_whichever_field_carries_it(
    either_api: SyntheticServer, caller: Caller, field: Any
) -> None:
    either_api.enqueue(Text("Yes.", reasoning="Let me see.", reasoning_field=field))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert reasoning_of(chunks) == "Let me see."
    assert text_of(chunks) == "Yes."


async def test_think_tags_split_over_chunks_are_reasoning(
    upstream: SyntheticServer, caller: Caller
) -> None:
    pieces = ["<th", "ink>Let", " me see.</", "think>\n\nYes", ", <think> is a tag."]
    events = [_event({"content": piece}) for piece in pieces]
    upstream.enqueue(Stream([*events, _event({}, "stop")]))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert reasoning_of(chunks) == "Let me see."
    assert text_of(chunks) == "Yes, <think> is a tag."


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"with_index": False},
        {"interleaved": True},
        {"repeat_id": True},
        {"repeat_id": True, "with_index": False, "interleaved": True},
    ],
    ids=str,
)
async def test_parallel_tool_calls_are_put_together(
    upstream: SyntheticServer, caller: Caller, shape: dict[str, Any]
) -> None:
    target = [ToolCall("f", '{"a": 1, "b": [2, 3]}', id="c:0"), ToolCall("g", "", id="c:1")]
    upstream.enqueue(ToolCalls(target, content="I look.", **shape))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, tools=TOOLS)
    assert calls_of(chunks) == [("f", '{"a": 1, "b": [2, 3]}'), ("g", "")]
    assert finishes_of(chunks) == ["tool_calls"]
    built: Any = litellm.stream_chunk_builder(chunks)
    assert [call.id for call in built.choices[0].message.tool_calls] == ["c:0", "c:1"]


async def test_refusal_and_logprobs_are_kept(upstream: SyntheticServer, caller: Caller) -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    upstream.enqueue(
        Stream(
            [
                _event({"content": "a"}, logprobs=logprobs),
                _event({"refusal": "I won't."}),
                _event({}, "content_filter"),
            ]
        )
    )
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert chunks[0].choices[0].logprobs.content[0].token == "a"
    assert chunks[1].choices[0].delta.refusal == "I won't."
    assert finishes_of(chunks) == ["content_filter"]


@pytest.mark.parametrize("placement", ["finish", "final", "both"])
@pytest.mark.parametrize("body", [False, True])
async def test_usage_is_shown_once_and_only_if_asked_for(
    upstream: SyntheticServer, caller: Caller, placement: Any, *, body: bool
) -> None:
    usage = Usage(100, 20, cached_tokens=64)
    upstream.enqueue(Text("a b c", usage=usage, usage_placement=placement))
    options = {"stream_options": {"include_usage": True}} if body else {}
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, **options)
    arrivals: list[Any] = []
    arrivals += [chunk.usage for chunk in chunks if getattr(chunk, "usage", None) is not None]
    assert upstream.last_request.json["stream_options"] == {"include_usage": True}
    if not body:
        assert arrivals == []
        return
    (only,) = arrivals
    assert (only.prompt_tokens, only.completion_tokens) == (100, 20)
    assert only.prompt_tokens_details.cached_tokens == 64
    assert chunks[-1].usage is only


async def test_several_choices_stream_side_by_side(
    upstream: SyntheticServer, caller: Caller
) -> None:
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, n=2)
    assert upstream.last_request.json["n"] == 2
    assert finishes_of(chunks) == ["stop", "stop"]
    assert {choice.index for chunk in chunks for choice in chunk.choices} == {0, 1}


@pytest.mark.parametrize(
    "name", ["noisy_framing", "one_byte_writes", "calls_without_index", "calls_interleaved"]
)
async def test_odd_but_whole_streams_are_read(
    either_api: SyntheticServer, caller: Caller, name: str
) -> None:
    either_api.enqueue(named_fault(name))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, tools=TOOLS)
    assert len(finishes_of(chunks)) == 1
    assert text_of(chunks) or calls_of(chunks)


async def test_an_error_before_the_first_content_is_the_calls_own_error(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("context_overflow_in_stream"))
    with pytest.raises(litellm.ContextWindowExceededError) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, stream=True)
    assert excinfo.value.llm_provider == "synthetic"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("error_after_text", "Error from inference backend"),
        ("error_event_named", ""),
        ("stream_cut", "ended early"),
        ("broken_json_line", ""),
        ("reset_mid_body", "broke off"),
        ("close_mid_body", "broke off"),
    ],
)
async def test_a_stream_that_breaks_raises_and_what_came_stays(
    either_api: SyntheticServer, caller: Caller, recorder: Any, name: str, message: str
) -> None:
    either_api.enqueue(named_fault(name))
    stream = await caller.completion(model=MODEL, messages=MESSAGES, stream=True)
    pieces: list[Any] = []
    with pytest.raises(openai.APIError) as excinfo:
        await caller.collect(stream, pieces)
    assert text_of(pieces)
    assert finishes_of(pieces) == []
    assert message in str(excinfo.value)
    assert "OpenAIException" not in str(excinfo.value)
    assert excinfo.value.llm_provider == "synthetic"  # type: ignore[attr-defined]
    assert either_api.wait_until_idle()
    assert len(either_api.requests) == 1
    assert await recorder.settled_costs() == []


async def test_done_without_a_finish_reason_is_no_success(
    upstream: SyntheticServer, caller: Caller
) -> None:
    upstream.enqueue(Stream([_event({"content": "half an"})]))
    with pytest.raises(litellm.exceptions.MidStreamFallbackError, match="finish_reason"):
        await caller.stream(model=MODEL, messages=MESSAGES)


@pytest.mark.parametrize("reason", ["abort", "error"])
async def test_a_generation_that_the_backend_dropped_is_no_success(
    upstream: SyntheticServer, caller: Caller, reason: str
) -> None:
    upstream.respond_with(Text("half an", finish_reason=reason))
    with pytest.raises(openai.APIError, match=reason):
        await caller.completion(model=MODEL, messages=MESSAGES)
    with pytest.raises(openai.APIError, match=reason):
        await caller.stream(model=MODEL, messages=MESSAGES)


async def test_empty_events_keep_the_line_busy_and_nothing_else(
    upstream: SyntheticServer, caller: Caller
) -> None:
    first, last = _event({"content": "a"}), _event({}, "stop")
    upstream.enqueue(Stream(["", first, "", last, ""]))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert text_of(chunks) == "a"


async def test_a_connection_lost_after_the_finish_loses_nothing(
    upstream: SyntheticServer, caller: Caller
) -> None:
    events = [_event({"content": "all"}), _event({}, "stop")]
    upstream.enqueue(Stream(events, done=False, ending="reset"))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert text_of(chunks) == "all"
    assert finishes_of(chunks) == ["stop"]


@pytest.mark.parametrize("name", ["stall_mid_stream", "stall_before_headers"])
async def test_silence_ends_in_a_timeout(
    either_api: SyntheticServer, caller: Caller, name: str
) -> None:
    either_api.respond_with(named_fault(name))
    with pytest.raises(litellm.Timeout) as excinfo:
        await caller.stream(model=MODEL, messages=MESSAGES, stream_timeout=0.2)
    assert excinfo.value.llm_provider == "synthetic"
    assert either_api.wait_until_idle()
    # A busy machine may take longer over the sending alone; it is not sent again in any case.
    assert len(either_api.requests) <= 1


async def test_comments_do_not_count_as_an_answer(
    either_api: SyntheticServer, caller: Caller
) -> None:
    busy = b": still queued\n\n" * 40
    either_api.enqueue(Stream([busy], chunk_size=16, delay_seconds=0.05, ending="stall"))
    with pytest.raises(litellm.Timeout):
        await caller.stream(model=MODEL, messages=MESSAGES, stream_timeout=0.2)


async def test_a_slow_stream_that_keeps_talking_is_not_cut(
    either_api: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine events come together, and the clock below goes on with each chunk.
    monkeypatch.setenv("SYNTHETIC_STREAM_MERGE", "0")
    either_api.enqueue(Text("a b c d e f", delay_seconds=0.02))
    stream = await caller.completion(
        model=MODEL, messages=MESSAGES, stream=True, stream_timeout=60, timeout=60
    )
    # Ten seconds pass with each chunk, by the clock that the limits are measured with.
    skipped = itertools.count(10, 10)
    chunks: list[Any] = []
    clock = time.monotonic
    while (chunk := await caller.next_of(stream)) is not None:
        chunks.append(chunk)
        seconds = next(skipped)
        monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: clock() + seconds)
    assert text_of(chunks) == "a b c d e f"
    assert seconds > 60


async def test_a_server_that_stays_open_after_done_does_not_hold_the_caller(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(Text("all", ending="stall"))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert text_of(chunks) == "all"
    assert either_api.wait_until_idle()  # nobody waits for the rest, which never comes


async def test_closing_a_stream_closes_the_connection(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("stall_mid_stream"))
    stream = await caller.completion(model=MODEL, messages=MESSAGES, stream=True)
    if caller.is_async:
        await anext(stream)
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    else:
        next(stream)
        stream.close()
        with pytest.raises(StopIteration):
            next(stream)
    assert either_api.wait_until_idle()


def test_dropping_a_sync_stream_closes_the_connection(either_api: SyntheticServer) -> None:
    either_api.enqueue(fault("stall_mid_stream"))
    stream = litellm.completion(model=MODEL, messages=MESSAGES, stream=True)
    next(stream)
    del stream
    gc.collect()
    assert either_api.wait_until_idle()


@pytest.mark.parametrize("name", ["stall_mid_stream", "stall_before_headers"])
async def test_cancelling_closes_the_connection(either_api: SyntheticServer, name: str) -> None:
    either_api.enqueue(named_fault(name))
    caller = Caller(is_async=True)
    task = asyncio.create_task(caller.stream(model=MODEL, messages=MESSAGES))
    assert await asyncio.to_thread(either_api.wait_for_requests, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(either_api.wait_until_idle)


async def test_connections_are_used_again_after_a_stream(
    either_api: SyntheticServer, caller: Caller
) -> None:
    await caller.stream(model=MODEL, messages=MESSAGES)
    before = either_api.open_connections
    for _ in range(4):
        await caller.stream(model=MODEL, messages=MESSAGES)
    assert either_api.open_connections <= before


async def test_merged_reasoning_is_still_litellms_option(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(Text("Yes.", reasoning="Hm."))
    chunks = await caller.stream(
        model=MODEL, messages=MESSAGES, merge_reasoning_content_in_choices=True
    )
    assert text_of(chunks) == "<think>Hm.</think>Yes."
