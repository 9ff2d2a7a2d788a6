"""Limits on replies: an upstream that goes beyond one ends in a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.testing import RawBytes, RawJSON, Stream, Text, fault
from litellm_synthetic.transport import client, sse
from tests.caller import Caller, text_of

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


async def test_a_reply_over_the_limit_names_the_limit(
    either_api: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_REPLY_BYTES", 1000)
    either_api.respond_with(RawBytes(200, b" " * 2000, "application/json"))
    with pytest.raises(litellm.APIError, match=r"the reply exceeds the limit of 1000 b") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert excinfo.value.status_code == 502
    assert len(either_api.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_over_the_limit_names_the_limit(
    either_api: SyntheticServer,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stream: bool,
) -> None:
    monkeypatch.setattr(client, "MAX_ERROR_BODY_BYTES", 1000)
    either_api.respond_with(RawBytes(500, b" " * 2000, "text/plain"))
    with pytest.raises(litellm.APIError, match="the body of the error exceeds") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, stream=stream)
    assert excinfo.value.status_code == 502
    assert len(either_api.requests) == 1


async def test_an_event_over_the_limit_names_the_limit(
    either_api: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 2000)
    either_api.respond_with(Stream([b"data: " + b"x" * 5000], done=False))
    with pytest.raises(litellm.APIError, match="one event of the stream exceeds") as excinfo:
        await caller.stream(model=MODEL, messages=MESSAGES)
    assert excinfo.value.status_code == 502
    assert len(either_api.requests) == 1


async def test_a_native_event_over_the_limit_names_the_limit(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 2000)
    upstream.respond_with(Stream([b"data: " + b"x" * 5000], done=False))
    with pytest.raises(litellm.APIError, match="one event of the stream exceeds"):
        await litellm.anthropic_messages(
            model=MODEL, messages=MESSAGES, max_tokens=100, stream=True
        )


@pytest.mark.parametrize("status", [201, 202])
async def test_any_success_with_a_good_body_is_an_answer(
    upstream: SyntheticServer, caller: Caller, status: int
) -> None:
    choice = {"index": 0, "message": {"content": "Hi."}, "finish_reason": "stop"}
    upstream.respond_with(RawJSON(status, {"choices": [choice], "model": "x"}))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content == "Hi."


async def test_a_304_names_no_other_address(either_api: SyntheticServer, caller: Caller) -> None:
    either_api.respond_with(RawBytes(304, b"", "text/plain"))
    with pytest.raises(litellm.APIError, match="answered 304") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert "nowhere" not in str(excinfo.value)
    assert excinfo.value.status_code == 502


EMPTY = {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": None}]}


@pytest.mark.parametrize(
    "filler", [b": ping\n\n", EMPTY, {"choices": []}, b"event: ping\ndata: {}\n\n"], ids=str
)
async def test_a_stream_that_is_only_kept_busy_ends(
    upstream: SyntheticServer, caller: Caller, filler: Any
) -> None:
    first = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}
    upstream.respond_with(Stream([first, *[filler] * 200], delay_seconds=0.02, ending="stall"))
    stream = await caller.completion(
        model=MODEL, messages=MESSAGES, stream=True, stream_timeout=0.4
    )
    pieces: list[Any] = []
    with pytest.raises((litellm.Timeout, litellm.exceptions.MidStreamFallbackError)) as excinfo:
        await caller.collect(stream, pieces)
    assert "no progress for 0.4 s" in str(excinfo.value)
    assert text_of(pieces) == "a"
    assert upstream.wait_until_idle()


async def test_a_native_stream_that_only_pings_ends(upstream: SyntheticServer) -> None:
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    upstream.respond_with(Stream([ping] * 200, delay_seconds=0.02, ending="stall"))
    with pytest.raises(litellm.Timeout, match=r"no progress for 0\.4 s"):
        await litellm.anthropic_messages(
            model=MODEL,
            messages=MESSAGES,
            max_tokens=100,
            stream=True,
            stream_timeout=0.4,
        )


async def test_unregistering_lets_a_running_stream_finish(
    upstream: SyntheticServer, caller: Caller
) -> None:
    import litellm_synthetic  # noqa: PLC0415  # only here

    upstream.respond_with(Text("a b c d", delay_seconds=0.02))
    stream = await caller.completion(model=MODEL, messages=MESSAGES, stream=True)
    litellm_synthetic.unregister()
    assert text_of(await caller.collect(stream)) == "a b c d"


async def test_a_header_over_the_limit_is_not_asked_for_again(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("quota_huge"))
    with pytest.raises(litellm.APIError, match="header block") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert excinfo.value.status_code == 502
    assert len(either_api.requests) == 1
