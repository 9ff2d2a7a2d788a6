"""The `openai` SDK against a proxy with Synthetic behind it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from litellm_synthetic.testing import Text, ToolCall, ToolCalls, Usage, named_fault
from tests.gateway.running import MASTER_KEY
from tests.weather import WEATHER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from tests.gateway.running import Proxy

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def client(proxy: Proxy) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=MASTER_KEY, max_retries=0) as result:
        yield result


@pytest.fixture
async def async_client(proxy: Proxy) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key=MASTER_KEY, max_retries=0
    ) as result:
        yield result


# ---- chat


@pytest.mark.parametrize(
    ("body", "outgoing"),
    [
        ("large", "syn:large:text"),
        ("own", "hf:moonshotai/Kimi-K3"),
        ("synthetic/hf:zai-org/GLM-5.3", "hf:zai-org/GLM-5.3"),
        ("synthetic/syn:small:vision", "syn:small:vision"),
    ],
)
def test_chat_reaches_the_model_behind_the_name(
    client: openai.OpenAI, proxy: Proxy, body: str, outgoing: str
) -> None:
    proxy.upstream.enqueue(
        Text("Hi.", reasoning="Say hi.", usage=Usage(11, 7, cached_tokens=4)),
    )
    answer = client.chat.completions.create(model=body, messages=HELLO)
    assert answer.choices[0].message.content == "Hi."
    assert answer.choices[0].message.model_extra is not None
    assert answer.choices[0].message.model_extra["reasoning_content"] == "Say hi."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    request = proxy.upstream.last_request
    assert request.json["model"] == outgoing
    assert request.json["messages"] == HELLO
    assert request.bearer == proxy.upstream.api_key


async def test_chat_works_with_the_async_client(async_client: openai.AsyncOpenAI) -> None:
    answer = await async_client.chat.completions.create(model="large", messages=HELLO)
    assert answer.choices[0].message.content == ' You said: "hello"'


def test_parameters_arrive_upstream(client: openai.OpenAI, proxy: Proxy) -> None:
    client.chat.completions.create(
        model="large",
        messages=HELLO,
        temperature=0.5,
        seed=7,
        stop=["END"],
        reasoning_effort="high",
        max_completion_tokens=300,
        user="somebody",
        extra_body={"top_k": 40},
    )
    request = proxy.upstream.last_request.json
    assert {name: request[name] for name in ("temperature", "seed", "stop", "top_k")} == {
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
        "top_k": 40,
    }
    assert (request["reasoning_effort"], request["max_tokens"], request["user"]) == (
        "high",
        300,
        "somebody",
    )


def test_a_stream_brings_reasoning_then_text_and_one_finish(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="large", messages=HELLO, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    reasoning = [(delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas]
    texts = [delta.content or "" for delta in deltas]
    assert "".join(texts) == ' You said: "hello"'
    assert "hello" in "".join(reasoning)
    finishes = [chunk.choices[0].finish_reason for chunk in chunks]
    assert [finish for finish in finishes if finish] == ["stop"]
    assert finishes[-1] == "stop"
    assert not any(chunk.usage for chunk in chunks)


def test_include_usage_brings_the_usage_last_and_once(client: openai.OpenAI, proxy: Proxy) -> None:
    proxy.upstream.enqueue(Text("Hi.", usage=Usage(1000, 7, cached_tokens=400)))
    chunks = list(
        client.chat.completions.create(
            model="large", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    message = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(message) == 1
    assert chunks[-1].usage == message[0]
    assert (message[0].prompt_tokens, message[0].completion_tokens) == (1000, 7)
    assert message[0].prompt_tokens_details is not None
    assert message[0].prompt_tokens_details.cached_tokens == 400


async def test_streams_work_with_the_async_client(async_client: openai.AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(model="large", messages=HELLO, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == ' You said: "hello"'


# ---- tools, JSON, images


def test_a_tool_is_called_and_its_result_is_used(client: openai.OpenAI, proxy: Proxy) -> None:
    messages = list(HELLO)
    first = client.chat.completions.create(model="large", messages=messages, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls
    assert calls is not None
    call = calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    messages += [
        {"role": "assistant", "tool_calls": [call.model_dump()]},  # type: ignore[list-item]  # what the SDK's users send back
        {"role": "tool", "tool_call_id": call.id, "content": "17 degrees"},
    ]
    second = client.chat.completions.create(model="large", messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content == " The tool answered: 17 degrees"
    assert proxy.upstream.last_request.json["messages"][-1]["tool_call_id"] == call.id


@pytest.mark.parametrize("fault_name", ["calls_without_index", "calls_interleaved"])
def test_parallel_tool_calls_come_apart_on_a_stream(
    client: openai.OpenAI, proxy: Proxy, fault_name: str
) -> None:
    proxy.upstream.enqueue(named_fault(fault_name))
    with client.chat.completions.stream(model="large", messages=HELLO, tools=[WEATHER]) as stream:
        stream.until_done()
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert len(calls) == 2
    assert len({call.id for call in calls}) == 2
    assert all(json.loads(call.function.arguments) for call in calls)
    assert answer.choices[0].finish_reason == "tool_calls"


def test_a_json_schema_is_sent_and_met(client: openai.OpenAI, proxy: Proxy) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
        "required": ["city", "degrees"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="large",
        messages=HELLO,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "weather", "strict": True, "schema": schema},
        },
    )
    assert proxy.upstream.last_request.json["response_format"]["json_schema"]["schema"] == schema
    assert set(json.loads(answer.choices[0].message.content or "")) == {"city", "degrees"}


def _with_image() -> list[ChatCompletionMessageParam]:
    url = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url}},
            ],
        }
    ]


def test_an_image_arrives_upstream_as_it_is(client: openai.OpenAI, proxy: Proxy) -> None:
    answer = client.chat.completions.create(model="vision", messages=_with_image())
    assert answer.choices[0].message.content == ' You said: "What is this?"'
    assert proxy.upstream.last_request.json["messages"] == _with_image()


def test_an_image_to_a_text_model_is_a_400_that_names_the_remedy(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="model with image input"):
        client.chat.completions.create(model="small", messages=_with_image())


# ---- other APIs


def test_responses_answer_with_reasoning_and_text(client: openai.OpenAI, proxy: Proxy) -> None:
    proxy.upstream.enqueue(Text("Hi.", reasoning="Say hi.", usage=Usage(11, 7)))
    answer = client.responses.create(model="large", input="hello", instructions="Be brief.")
    assert answer.output_text == "Hi."
    assert answer.status == "completed"
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert [one["role"] for one in proxy.upstream.last_request.json["messages"]] == [
        "system",
        "user",
    ]


def test_responses_stream_to_completion(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="large", input="hello", stream=True))
    kinds = [event.type for event in events]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == ' You said: "hello"'
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == text
    assert last.response.usage is not None
    assert last.response.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_responses_call_tools(client: openai.OpenAI, proxy: Proxy, *, stream: bool) -> None:
    proxy.upstream.enqueue(ToolCalls([ToolCall("get_weather", {"city": "Bern"}, id="call_1")]))
    tool: Any = {"type": "function", "strict": False, **_function(WEATHER)}
    body: dict[str, Any] = {"model": "large", "input": "hello", "tools": [tool]}
    if stream:
        events = list(client.responses.create(**body, stream=True))
        answer = events[-1].response
    else:
        answer = client.responses.create(**body)
    call = next(item for item in answer.output if item.type == "function_call")
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Bern"})
    proxy.upstream.enqueue(Text("It rains."))
    again = client.responses.create(
        model="large",
        tools=[tool],
        input=[
            {"role": "user", "content": "hello"},
            call.model_dump(include={"type", "call_id", "name", "arguments"}),
            {"type": "function_call_output", "call_id": call.call_id, "output": "rain"},
        ],
    )
    assert again.output_text == "It rains."
    request = proxy.upstream.last_request.json["messages"]
    assert request[-1] == {"role": "tool", "content": "rain", "tool_call_id": call.call_id}


def _function(tool: Any) -> dict[str, Any]:
    return dict(tool["function"])


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_legacy_completions_answer(client: openai.OpenAI, proxy: Proxy, *, stream: bool) -> None:
    proxy.upstream.enqueue(Text(" a time."))
    if stream:
        parts = client.completions.create(model="large", prompt="Once upon", stream=True)
        text = "".join(part.choices[0].text or "" for part in parts if part.choices)
    else:
        text = client.completions.create(model="large", prompt="Once upon").choices[0].text
    assert text == " a time."
    assert proxy.upstream.last_request.route == "/openai/v1/completions"
    assert proxy.upstream.last_request.json["prompt"] == "Once upon"


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_embeddings_have_the_dimensions_asked_for(
    client: openai.OpenAI, proxy: Proxy, encoding: Any
) -> None:
    # Without an encoding the SDK asks for base64 by itself, and unpacks it.
    extra: Any = {} if encoding is None else {"encoding_format": encoding}
    answer = client.embeddings.create(
        model="vectors", input=["one", "two"], dimensions=256, **extra
    )
    request = proxy.upstream.last_request.json
    assert (request["dimensions"], request["encoding_format"]) == (256, encoding or "base64")
    assert request["model"] == "hf:nomic-ai/nomic-embed-text-v1.5"
    vectors = [one.embedding for one in answer.data]
    if encoding == "base64":
        vectors = [_unpacked(vector) for vector in vectors]
    assert [len(vector) for vector in vectors] == [256, 256]
    assert sum(number * number for number in vectors[0]) == pytest.approx(1, abs=1e-4)
    assert answer.usage.prompt_tokens > 0


def _unpacked(text: Any) -> list[float]:
    assert isinstance(text, str)
    return list(memoryview(base64.b64decode(text)).cast("f"))


def test_models_list_names_and_the_wildcards_models(client: openai.OpenAI) -> None:
    ids = {model.id for model in client.models.list()}
    assert {"small", "large", "vision", "vectors"} <= ids
    assert {"synthetic/hf:zai-org/GLM-5.3", "synthetic/syn:large:vision"} <= ids
    assert not any("GLM-4.6" in name for name in ids)


# ---- errors


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("fault_name", "kind", "status", "text"),
    [
        ("invalid_key", openai.AuthenticationError, 401, "Check SYNTHETIC_API_KEY"),
        ("payment_required", openai.APIStatusError, 402, "https://synthetic.new/billing"),
        ("subscription_cap", openai.RateLimitError, 429, "use another key, or upgrade"),
        ("parallel_requests", openai.RateLimitError, 429, "Try again in 1 s"),
        ("model_retired", openai.NotFoundError, 404, "no longer supported"),
        ("context_overflow", openai.BadRequestError, 400, "Shorten the conversation"),
        ("bad_gateway", openai.InternalServerError, 502, "Synthetic answered 502"),
    ],
)
def test_errors_have_their_class_status_and_remedy(
    client: openai.OpenAI,
    proxy: Proxy,
    fault_name: str,
    kind: type[openai.APIStatusError],
    status: int,
    text: str,
    *,
    stream: bool,
) -> None:
    proxy.upstream.respond_with(named_fault(fault_name))
    with pytest.raises(kind) as excinfo:
        client.chat.completions.create(model="large", messages=HELLO, stream=stream)
    assert excinfo.value.status_code == status
    body = excinfo.value.body
    assert isinstance(body, dict)
    assert text in body["message"]
    assert isinstance(body["type"], str)
    assert len(proxy.upstream.requests) == 1


@pytest.mark.parametrize(
    ("fault_name", "message"),
    [
        ("stream_cut", "ended early"),
        ("reset_mid_body", "broke off"),
        ("broken_json_line", "not JSON"),
        ("error_after_text", "Error from inference backend: 500"),
    ],
)
def test_a_stream_that_fails_midway_raises_after_what_was_received(
    client: openai.OpenAI, proxy: Proxy, fault_name: str, message: str
) -> None:
    proxy.upstream.enqueue(named_fault(fault_name))
    pieces = []
    with pytest.raises(openai.APIError, match=message):  # noqa: PT012  # what came before it counts
        for chunk in client.chat.completions.create(model="large", messages=HELLO, stream=True):
            pieces.append(chunk)  # noqa: PERF402  # kept when the loop raises
    assert "".join(one.choices[0].delta.content or "" for one in pieces).startswith(" The")
    assert not any(one.choices[0].finish_reason for one in pieces)


# ---- leaving early


@pytest.mark.parametrize("ending", ["drip", "stall"])
def test_a_client_that_leaves_closes_the_upstream_connection(
    client: openai.OpenAI, proxy: Proxy, ending: str
) -> None:
    words = "word " * 400
    proxy.upstream.enqueue(
        Text(words, delay_seconds=0.05)
        if ending == "drip"
        else Text(words, cut_after=6, ending="stall")
    )
    stream = client.chat.completions.create(model="large", messages=HELLO, stream=True)
    # How many chunks the six events come in hangs on who is faster.
    assert next("word" in text for chunk in stream if (text := chunk.choices[0].delta.content))
    assert proxy.upstream.active_requests == 1
    stream.close()
    assert proxy.upstream.wait_until_idle()
