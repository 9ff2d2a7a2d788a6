"""The calls that people make most, on cassettes.

Nobody here can record the live service, so the cassettes are recorded from the stand-in server and
say so in a header of each reply. `pytest tests/test_cassettes.py --record-mode=rewrite` records
them again: from Synthetic where SYNTHETIC_API_KEY is set, else from the stand-in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import litellm
import pytest

import litellm_synthetic
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL
from litellm_synthetic.testing import SyntheticServer
from tests.caller import Caller, calls_of, finishes_of, text_of
from tests.weather import WEATHER

if TYPE_CHECKING:
    from collections.abc import Iterator

CASSETTES = Path(__file__).parent.parent / "cassettes"
PROVENANCE = "x-recorded-from"
STAND_IN = "the stand-in server of litellm-synthetic; shapes as documented and recorded, not live"
LIVE = "api.synthetic.new"
KEPT_REQUEST_HEADERS = ("content-type", "accept")
KEPT_REPLY_HEADERS = ("content-type", "date", "retry-after", "x-synthetic-quotas", PROVENANCE)
CHAT = "synthetic/syn:small:text"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "What is the capital of France?"}]
# The live key of whoever records; the fixture below takes it away from everybody else.
_OWN_KEY = os.environ.get("SYNTHETIC_API_KEY", "")


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    def keep_request(request: Any) -> Any:
        # Replayed and recorded under one address, wherever the recording was made.
        base = next(one for one in ("/openai/v1", "/anthropic/v1", "/v2") if one in request.uri)
        path = base + request.uri.partition(base)[2]
        request.uri = DEFAULT_BASE_URL.removesuffix("/openai/v1") + path
        for name in list(request.headers):
            if name.lower() not in KEPT_REQUEST_HEADERS:
                del request.headers[name]
        return request

    def keep_reply(reply: Any) -> Any:
        source = LIVE if _OWN_KEY else STAND_IN
        headers = {
            name.lower(): value
            for name, value in reply["headers"].items()
            if name.lower() in KEPT_REPLY_HEADERS
        }
        reply["headers"] = {**headers, PROVENANCE: [source]}
        return reply

    return {
        "before_record_request": keep_request,
        "before_record_response": keep_reply,
        "decode_compressed_response": True,
        "match_on": ["method", "uri", "body"],
    }


@pytest.fixture
def synthetic(record_mode: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Call Synthetic as a user does; record from the stand-in unless there is a key."""
    litellm_synthetic.register()
    if record_mode == "none" or _OWN_KEY:
        monkeypatch.setenv("SYNTHETIC_API_KEY", _OWN_KEY or "replayed")
        yield
        return
    with SyntheticServer(clock=lambda: 1795219200.0) as server:
        monkeypatch.setenv("SYNTHETIC_API_KEY", server.api_key)
        monkeypatch.setenv("SYNTHETIC_API_BASE", server.openai_base)
        yield


@pytest.fixture
def messages_api(synthetic: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the base URL name the Messages API."""
    del synthetic
    base = os.environ.get("SYNTHETIC_API_BASE") or DEFAULT_BASE_URL
    monkeypatch.setenv("SYNTHETIC_API_BASE", base.replace("/openai/v1", "/anthropic"))


@pytest.fixture(scope="module")
def record_mode(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--record-mode") or "none")


pytestmark = [pytest.mark.vcr, pytest.mark.usefixtures("synthetic")]


async def test_a_completion(caller: Caller) -> None:
    answer = await caller.completion(model=CHAT, messages=MESSAGES, max_tokens=2000)
    assert answer.choices[0].message.content.strip()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == CHAT
    assert litellm.completion_cost(answer) > 0
    headers = answer._hidden_params["additional_headers"]  # noqa: SLF001
    assert json.loads(headers["llm_provider-x-synthetic-quotas"])


async def test_a_stream(caller: Caller) -> None:
    chunks = await caller.stream(
        model=CHAT,
        messages=MESSAGES,
        max_tokens=2000,
        stream_options={"include_usage": True},
    )
    assert text_of(chunks).strip()
    assert finishes_of(chunks) == ["stop"]
    assert chunks[-1].usage.completion_tokens > 0


async def test_a_tool_call_and_its_result(caller: Caller) -> None:
    history: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = await caller.completion(model=CHAT, messages=history, tools=[WEATHER], max_tokens=2000)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    history += [message, {"role": "tool", "tool_call_id": call.id, "content": "4 °C, rain"}]
    second = await caller.completion(model=CHAT, messages=history, tools=[WEATHER], max_tokens=2000)
    assert second.choices[0].message.content


async def test_a_streamed_tool_call(caller: Caller) -> None:
    chunks = await caller.stream(
        model=CHAT,
        messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
        tools=[WEATHER],
        max_tokens=2000,
    )
    (name, arguments), *_ = calls_of(chunks)
    assert name == "get_weather"
    assert json.loads(arguments)
    assert finishes_of(chunks) == ["tool_calls"]


async def test_a_json_schema(caller: Caller) -> None:
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string"}},
        "required": ["capital"],
        "additionalProperties": False,
    }
    answer = await caller.completion(
        model=CHAT,
        messages=MESSAGES,
        max_tokens=2000,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, "strict": True},
        },
    )
    assert isinstance(json.loads(answer.choices[0].message.content)["capital"], str)


async def test_reasoning_switched_off(caller: Caller) -> None:
    answer = await caller.completion(
        model=CHAT, messages=MESSAGES, max_tokens=2000, reasoning_effort="none"
    )
    assert answer.choices[0].message.content


async def test_embeddings(caller: Caller) -> None:
    answer = await caller.embedding(
        model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["one", "two"], dimensions=64
    )
    assert [len(row["embedding"]) for row in answer.data] == [64, 64]


async def test_a_text_completion(caller: Caller) -> None:
    answer = await caller.text_completion(model=CHAT, prompt="Once upon a", max_tokens=50)
    assert answer.choices[0].text


async def test_a_wrong_key(caller: Caller) -> None:
    with pytest.raises(litellm.AuthenticationError, match="SYNTHETIC_API_KEY"):
        await caller.completion(model=CHAT, messages=MESSAGES, api_key="wrong-on-purpose")


async def test_a_model_that_is_gone(caller: Caller) -> None:
    with pytest.raises(litellm.NotFoundError, match="retired"):
        await caller.completion(model="synthetic/hf:zai-org/GLM-4.6", messages=MESSAGES)


async def test_a_search(caller: Caller) -> None:
    results = await caller.search("What is the capital of France?")
    assert not results.skipped
    assert all(result.url.startswith("https://") for result in results)
    assert any(result.text or result.highlights for result in results)
    assert any(result.published for result in results)


@pytest.mark.usefixtures("messages_api")
async def test_a_completion_over_messages(caller: Caller) -> None:
    answer = await caller.completion(model=CHAT, messages=MESSAGES, max_tokens=2000)
    assert answer.choices[0].message.content.strip()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0
    assert litellm.completion_cost(answer) > 0


@pytest.mark.usefixtures("messages_api")
async def test_a_streamed_tool_call_over_messages(caller: Caller) -> None:
    chunks = await caller.stream(
        model=CHAT,
        messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
        tools=[WEATHER],
        max_tokens=2000,
    )
    (name, arguments), *_ = calls_of(chunks)
    assert name == "get_weather"
    assert "city" in json.loads(arguments)
    assert finishes_of(chunks) == ["tool_calls"]


async def test_a_native_message() -> None:
    reply: Any = await litellm.anthropic_messages(model=CHAT, messages=MESSAGES, max_tokens=2000)
    assert reply["type"] == "message"
    assert reply["stop_reason"] == "end_turn"
    assert any(block["type"] == "text" for block in reply["content"])


async def test_a_native_stream() -> None:
    stream: Any = await litellm.anthropic_messages(
        model=CHAT, messages=MESSAGES, max_tokens=2000, stream=True
    )
    raw = b"".join([piece async for piece in stream])
    assert raw.count(b"event: message_start") == 1
    assert raw.count(b"event: message_stop") == 1


async def test_a_token_count() -> None:
    count = await litellm.acount_tokens(model=CHAT, messages=MESSAGES)
    assert count.tokenizer_type == "synthetic_api"
    assert count.total_tokens > 0
