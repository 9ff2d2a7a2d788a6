"""The `anthropic` SDK against a proxy, over both ways to serve `/v1/messages`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from litellm_synthetic.testing import Text, ToolCall, ToolCalls, Usage, fault, named_fault
from tests.gateway.running import MASTER_KEY
from tests.gateway.test_openai_client import PIXEL
from tests.weather import CITY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from anthropic.types import MessageParam, ToolParam

    from tests.gateway.running import Proxy

HELLO: list[MessageParam] = [{"role": "user", "content": "hello"}]
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Tell the weather.",
    "input_schema": CITY,
}
CALL = ToolCall("get_weather", {"city": "Bern"}, id="toolu_1")


@pytest.fixture
def client(messages_proxy: Proxy) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=messages_proxy.url, api_key=MASTER_KEY, max_retries=0
    ) as result:
        yield result


@pytest.fixture
async def async_client(messages_proxy: Proxy) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=messages_proxy.url, api_key=MASTER_KEY, max_retries=0
    ) as result:
        yield result


# ---- messages


def test_a_message_brings_thinking_then_text(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    messages_proxy.upstream.enqueue(Text("Hi.", reasoning="Say hi.", usage=Usage(11, 7)))
    answer = client.messages.create(model="large", max_tokens=500, messages=HELLO)
    thinking, text = answer.content
    assert (thinking.type, text.type) == ("thinking", "text")
    assert thinking.type == "thinking"
    assert thinking.thinking == "Say hi."
    assert text.type == "text"
    assert text.text == "Hi."
    assert (answer.role, answer.stop_reason) == ("assistant", "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)


def test_cached_tokens_are_not_counted_as_input(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    messages_proxy.upstream.enqueue(Text("Hi.", usage=Usage(1000, 7, cached_tokens=400)))
    usage = client.messages.create(model="large", max_tokens=500, messages=HELLO).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (600, 400)
    assert usage.output_tokens == 7


async def test_messages_work_with_the_async_client(
    async_client: anthropic.AsyncAnthropic,
) -> None:
    answer = await async_client.messages.create(model="large", max_tokens=500, messages=HELLO)
    text = answer.content[-1]
    assert text.type == "text"
    assert text.text == ' You said: "hello"'


def test_system_stop_sequences_and_sampling_arrive_upstream(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    client.messages.create(
        model="large",
        max_tokens=500,
        system="Be brief.",
        messages=HELLO,
        stop_sequences=["END"],
        # Newer versions of the SDK know no sampling parameters any more.
        extra_body={"temperature": 0.5, "top_p": 0.9},
    )
    request = messages_proxy.upstream.last_request.json
    assert (request["model"], request["max_tokens"]) == ("syn:large:text", 500)
    assert (request["temperature"], request["top_p"]) == (0.5, 0.9)
    assert (request.get("stop_sequences") or request.get("stop")) == ["END"]
    assert "Be brief." in str(request.get("system") or request["messages"][0])


def test_a_small_max_tokens_stops_with_max_tokens(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    messages_proxy.upstream.enqueue(Text("The begin", finish_reason="length"))
    answer = client.messages.create(model="large", max_tokens=3, messages=HELLO)
    assert answer.stop_reason == "max_tokens"


def test_an_image_arrives_upstream(client: anthropic.Anthropic, messages_proxy: Proxy) -> None:
    data = base64.b64encode(PIXEL).decode()
    client.messages.create(
        model="vision",
        max_tokens=500,
        messages=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": data},
                    },
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    )
    assert data in messages_proxy.upstream.last_request.body.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("synthetic/hf:zai-org/GLM-5.3", "hf:zai-org/GLM-5.3"),
        ("synthetic/syn:small:vision", "syn:small:vision"),
    ],
)
def test_the_wildcard_serves_messages_too(
    client: anthropic.Anthropic, messages_proxy: Proxy, body: str, expected: str
) -> None:
    client.messages.create(model=body, max_tokens=500, messages=HELLO)
    assert messages_proxy.upstream.last_request.json["model"] == expected


# ---- streams


def test_a_stream_brings_thinking_and_text_block_by_block(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="large", max_tokens=500, messages=HELLO) as stream:
        events = list(stream)
        answer = stream.get_final_message()
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2
    assert [block.type for block in answer.content] == ["thinking", "text"]
    text = answer.content[-1]
    assert text.type == "text"
    assert text.text == ' You said: "hello"'
    assert "text" in kinds  # once or more often: what arrives together is merged
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


def test_a_stream_brings_thinking_text_and_a_tool_call(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    messages_proxy.upstream.enqueue(
        ToolCalls([CALL], content="I look it up.", reasoning="A tool helps.", usage=Usage(20, 9))
    )
    with client.messages.stream(
        model="large",
        max_tokens=2000,
        messages=HELLO,
        tools=[WEATHER],
        thinking={"type": "enabled", "budget_tokens": 1024},
    ) as stream:
        answer = stream.get_final_message()
    thinking, text, call = answer.content
    assert thinking.type == "thinking"
    assert thinking.thinking == "A tool helps."
    assert text.type == "text"
    assert text.text == "I look it up."
    assert call.type == "tool_use"
    assert (call.name, call.input) == ("get_weather", {"city": "Bern"})
    assert answer.stop_reason == "tool_use"
    assert answer.usage.output_tokens == 9


async def test_streams_work_with_the_async_client(
    async_client: anthropic.AsyncAnthropic,
) -> None:
    async with async_client.messages.stream(
        model="large", max_tokens=500, messages=HELLO
    ) as stream:
        text = "".join([piece async for piece in stream.text_stream])
    assert text == ' You said: "hello"'


# ---- tools


def test_a_tool_is_called_and_its_result_is_used(
    client: anthropic.Anthropic, messages_proxy: Proxy
) -> None:
    first = client.messages.create(model="large", max_tokens=500, messages=HELLO, tools=[WEATHER])
    assert first.stop_reason == "tool_use"
    call = first.content[-1]
    assert call.type == "tool_use"
    assert call.name == "get_weather"
    messages: list[Any] = [
        *HELLO,
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "17 degrees"}],
        },
    ]
    second = client.messages.create(
        model="large", max_tokens=500, messages=messages, tools=[WEATHER]
    )
    text = second.content[-1]
    assert text.type == "text"
    assert text.text == " The tool answered: 17 degrees"
    assert call.id in messages_proxy.upstream.last_request.body.decode()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_parallel_tool_calls_come_apart(
    client: anthropic.Anthropic, messages_proxy: Proxy, *, stream: bool
) -> None:
    other = ToolCall("get_weather", {"city": "Basel"}, id="toolu_2")
    messages_proxy.upstream.enqueue(ToolCalls([CALL, other]))
    body: dict[str, Any] = {
        "model": "large",
        "max_tokens": 500,
        "messages": HELLO,
        "tools": [WEATHER],
    }
    if stream:
        with client.messages.stream(**body) as events:
            answer = events.get_final_message()
    else:
        answer = client.messages.create(**body)
    calls = [block for block in answer.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": "Bern"}, {"city": "Basel"}]
    assert len({call.id for call in calls}) == 2


# ---- counting


@pytest.mark.parametrize("model", ["small", "synthetic/hf:moonshotai/Kimi-K3"])
def test_count_tokens_grows_with_the_prompt(client: anthropic.Anthropic, model: str) -> None:
    short = client.messages.count_tokens(model=model, messages=HELLO).input_tokens
    long: list[MessageParam] = [{"role": "user", "content": "hello " * 100}]
    more = client.messages.count_tokens(model=model, messages=long).input_tokens
    assert 0 < short < 30
    assert 80 < more < 300


def test_count_tokens_counts_system_and_tools(client: anthropic.Anthropic) -> None:
    bare = client.messages.count_tokens(model="small", messages=HELLO).input_tokens
    with_system = client.messages.count_tokens(
        model="small", messages=HELLO, system="Be brief. " * 20
    ).input_tokens
    with_tools = client.messages.count_tokens(
        model="small", messages=HELLO, tools=[WEATHER]
    ).input_tokens
    assert with_system > bare + 20
    assert with_tools > bare


# ---- errors


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("fault_name", "status", "kind", "text"),
    [
        ("invalid_key_echoed", 401, "authentication_error", "Check SYNTHETIC_API_KEY"),
        ("payment_required", 402, None, "https://synthetic.new/billing"),
        ("subscription_cap", 429, "rate_limit_error", "use another key, or upgrade"),
        ("parallel_requests", 429, "rate_limit_error", "Try again in 1 s"),
        ("model_retired", 404, "not_found_error", "no longer supported"),
        ("context_overflow", 400, "invalid_request_error", "Shorten the conversation"),
        ("bad_gateway", 502, "api_error", "Synthetic answered 502"),
    ],
)
def test_errors_have_their_status_type_and_remedy(
    client: anthropic.Anthropic,
    messages_proxy: Proxy,
    fault_name: str,
    status: int,
    kind: str | None,
    text: str,
    *,
    stream: bool,
) -> None:
    messages_proxy.upstream.respond_with(named_fault(fault_name))
    with pytest.raises(anthropic.APIStatusError) as excinfo:
        client.messages.create(model="large", max_tokens=500, messages=HELLO, stream=stream)
    assert excinfo.value.status_code == status
    body = excinfo.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert text in body["error"]["message"]
    # Anthropic's own word for 402 is billing_error; LiteLLM says api_error.
    assert kind is None or body["error"]["type"] == kind
    assert messages_proxy.upstream.api_key not in str(excinfo.value)
    assert len(messages_proxy.upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_context_window_fallbacks_serve_messages_too(
    messages_proxy: Proxy, *, stream: bool
) -> None:
    messages_proxy.upstream.enqueue(fault("context_overflow"), Text("From the larger one."))
    with messages_proxy.client() as raw:
        body = {"model": "small", "max_tokens": 500, "messages": HELLO, "stream": stream}
        reply = raw.post("/v1/messages", json=body)
    assert reply.is_success
    assert "larger" in reply.text
    asked_models = [one.json["model"] for one in messages_proxy.upstream.requests]
    assert asked_models == ["syn:small:text", "syn:large:text"]


@pytest.mark.parametrize("fault_name", ["stream_cut", "reset_mid_body", "error_event_named"])
def test_a_stream_that_fails_midway_raises_after_what_was_received(
    client: anthropic.Anthropic, messages_proxy: Proxy, fault_name: str
) -> None:
    messages_proxy.upstream.enqueue(named_fault(fault_name, after_events=4))
    pieces = ""
    with (  # noqa: PT012  # what came before the error is the point
        pytest.raises(anthropic.APIError),
        client.messages.stream(model="large", max_tokens=500, messages=HELLO) as stream,
    ):
        for piece in stream.text_stream:
            pieces += piece
        stream.get_final_message()
    assert pieces.startswith(" The")


@pytest.mark.parametrize("ending", ["drip", "stall"])
def test_a_client_that_leaves_closes_the_upstream_connection(
    client: anthropic.Anthropic, messages_proxy: Proxy, ending: str
) -> None:
    words = "word " * 400
    messages_proxy.upstream.enqueue(
        Text(words, delay_seconds=0.05)
        if ending == "drip"
        else Text(words, cut_after=8, ending="stall")
    )
    with client.messages.stream(model="large", max_tokens=500, messages=HELLO) as stream:
        assert "word" in next(iter(stream.text_stream))
        assert messages_proxy.upstream.active_requests == 1
    assert messages_proxy.upstream.wait_until_idle()
