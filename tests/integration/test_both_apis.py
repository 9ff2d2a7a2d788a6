"""The same question on both APIs: the same answer, the same shape, the same price."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.testing import Text, ToolCall, ToolCalls, Usage
from tests.caller import Caller, calls_of, finishes_of, reasoning_of, text_of
from tests.weather import WEATHER

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.conftest import Recorder

pytestmark = pytest.mark.usefixtures("list_prices")
MODEL = "synthetic/syn:large:text"
SEES = "synthetic/hf:moonshotai/Kimi-K3"
BLIND = "synthetic/hf:openai/gpt-oss-120b"
MESSAGES: list[dict[str, Any]] = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]},
]
SCHEMA: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
PIXEL = base64.b64encode(b"not really a picture").decode()


async def test_a_plain_answer_is_the_same(either_api: SyntheticServer, caller: Caller) -> None:
    either_api.enqueue(Text(" Paris.", reasoning="France. ", usage=Usage(12, 7, 5)))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == (" Paris.", "stop")
    assert choice.message.reasoning_content == "France. "
    assert choice.message.role == "assistant"
    assert choice.message.tool_calls is None
    assert answer.model == MODEL
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 7, 19)
    assert usage.prompt_tokens_details.cached_tokens == 5
    # 7 new, 5 cached, 7 out at the list price of the alias's target.
    price = 7 * 0.6e-6 + 5 * 0.03e-6 + 7 * 1.2e-6
    assert answer._hidden_params["response_cost"] == pytest.approx(price)  # noqa: SLF001
    assert answer._hidden_params["list_price_usd"] == pytest.approx(price)  # noqa: SLF001
    assert "deepseek-ai/DeepSeek" in answer._hidden_params["upstream_model"]  # noqa: SLF001


async def test_a_streamed_answer_is_the_same(either_api: SyntheticServer, caller: Caller) -> None:
    either_api.enqueue(Text(" Paris.", reasoning="France. ", usage=Usage(12, 7, 5)))
    options = {"include_usage": True}
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, stream_options=options)
    assert text_of(chunks) == " Paris."
    assert reasoning_of(chunks) == "France. "
    assert finishes_of(chunks) == ["stop"]
    assert {chunk.model for chunk in chunks} == {MODEL}
    roles = [choice.delta.role for chunk in chunks for choice in chunk.choices]
    assert [role for role in roles if role] == ["assistant"]
    [usage] = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None) is not None]
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 7, 19)
    assert usage.prompt_tokens_details.cached_tokens == 5


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_callbacks_are_told_the_same_price(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder, *, stream: bool
) -> None:
    either_api.enqueue(Text(" Paris.", usage=Usage(1200, 70, 500)))
    if stream:
        await caller.stream(model=MODEL, messages=MESSAGES)
    else:
        await caller.completion(model=MODEL, messages=MESSAGES)
    price = 700 * 0.6e-6 + 500 * 0.03e-6 + 70 * 1.2e-6
    assert await recorder.settled_costs() == [pytest.approx(price)]


async def test_tool_calls_and_their_results_make_a_round(
    either_api: SyntheticServer, caller: Caller
) -> None:
    target = [
        # How Kimi's models number their calls; both APIs give the id back as it was.
        ToolCall("get_weather", {"city": "Oslo"}, id="functions.get_weather:0"),
        ToolCall("get_weather", {"city": "Rome"}, id="functions.get_weather:1"),
    ]
    either_api.enqueue(ToolCalls(target, reasoning="Two cities."), Text("Cold and warm."))
    messages: list[Any] = [{"role": "user", "content": "Oslo and Rome?"}]
    answer = await caller.completion(model=MODEL, messages=messages, tools=[WEATHER])
    [choice] = answer.choices
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [
        {"city": "Oslo"},
        {"city": "Rome"},
    ]
    assert {call.function.name for call in calls} == {"get_weather"}
    messages.append(choice.message)
    for call, message in zip(calls, ("2 degrees", "21 degrees"), strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": message})
    last = await caller.completion(model=MODEL, messages=messages, tools=[WEATHER])
    assert last.choices[0].message.content == "Cold and warm."
    request = either_api.last_request.body.decode()
    # The calls, their results and the thinking between them all reach the model.
    for piece in ("Oslo", "Rome", "2 degrees", "21 degrees", "Two cities."):
        assert piece in request
    for call in calls:
        assert request.count(call.id) == 2


async def test_streamed_tool_calls_are_put_together(
    either_api: SyntheticServer, caller: Caller
) -> None:
    target = [ToolCall("get_weather", '{"city": "Oslo"}'), ToolCall("get_time", '{"zone": 1}')]
    either_api.enqueue(ToolCalls(target, content="I look."))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, tools=[WEATHER])
    assert text_of(chunks) == "I look."
    assert calls_of(chunks) == [("get_weather", '{"city": "Oslo"}'), ("get_time", '{"zone": 1}')]
    assert finishes_of(chunks) == ["tool_calls"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.usefixtures("either_api")
async def test_json_comes_as_text(caller: Caller, *, stream: bool) -> None:
    body = {"model": MODEL, "messages": MESSAGES, "response_format": SCHEMA}
    if stream:
        chunks = await caller.stream(**body)
        text, finish = text_of(chunks), finishes_of(chunks)[0]
        calls = calls_of(chunks)
    else:
        [choice] = (await caller.completion(**body)).choices
        text, finish = choice.message.content, choice.finish_reason
        calls = choice.message.tool_calls or []
    assert json.loads(text) == {"city": "example"}
    assert finish == "stop"
    assert not calls


@pytest.mark.parametrize(
    ("choice", "calls"),
    [("auto", True), ("required", True), ("none", False)],
)
@pytest.mark.usefixtures("either_api")
async def test_tool_choice_means_the_same(caller: Caller, choice: str, *, calls: bool) -> None:
    answer = await caller.completion(
        model=MODEL, messages=MESSAGES, tools=[WEATHER], tool_choice=choice
    )
    assert bool(answer.choices[0].message.tool_calls) is calls


@pytest.mark.usefixtures("either_api")
async def test_a_named_tool_is_the_one_that_is_called(caller: Caller) -> None:
    other = {**WEATHER, "function": {**WEATHER["function"], "name": "get_time"}}
    by_name = {"type": "function", "function": {"name": "get_time"}}
    answer = await caller.completion(
        model=MODEL, messages=MESSAGES, tools=[WEATHER, other], tool_choice=by_name
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "get_time"


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{PIXEL}",
        "https://example.com/picture.png",
        # Fetched by nobody here: Synthetic takes URLs itself.
        "http://plain.example/picture.png?size=2",
    ],
    ids=["base64", "https", "http"],
)
async def test_images_reach_a_model_that_sees(
    either_api: SyntheticServer, caller: Caller, url: str
) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    messages = [{"role": "user", "content": content}]
    await caller.completion(model=SEES, messages=messages)
    request = either_api.last_request.body.decode()
    assert (PIXEL if url.startswith("data:") else url) in request
    assert "invalid" not in request
    with pytest.raises(litellm.BadRequestError, match="image input"):
        await caller.completion(model=BLIND, messages=messages)


@pytest.mark.usefixtures("either_api")
async def test_stop_sequences_end_the_answer(caller: Caller) -> None:
    messages = [{"role": "user", "content": "one two three"}]
    answer = await caller.completion(model=MODEL, messages=messages, stop=["two"])
    assert answer.choices[0].message.content == ' You said: "one '


async def test_a_small_limit_cuts_the_answer(either_api: SyntheticServer, caller: Caller) -> None:
    answer = await caller.completion(model=MODEL, messages=MESSAGES, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content is None
    assert either_api.last_request.json["max_tokens"] == 3


@pytest.mark.parametrize(
    "switch", [{"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}], ids=str
)
@pytest.mark.usefixtures("either_api")
async def test_reasoning_can_be_switched_off(caller: Caller, switch: dict[str, Any]) -> None:
    answer = await caller.completion(model=MODEL, messages=MESSAGES, **switch)
    assert not getattr(answer.choices[0].message, "reasoning_content", None)
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, **switch)
    assert reasoning_of(chunks) == ""


async def test_fields_of_the_callers_own_are_sent_as_they_are(
    either_api: SyntheticServer, caller: Caller
) -> None:
    extra = {"chat_template_kwargs": {"a": 1}, "top_k": 5}
    await caller.completion(model=MODEL, messages=MESSAGES, extra_body=extra)
    body = either_api.last_request.json
    assert (body["chat_template_kwargs"], body["top_k"]) == ({"a": 1}, 5)


async def test_the_key_travels_as_a_bearer_and_no_beta_with_it(
    either_api: SyntheticServer, caller: Caller
) -> None:
    headers = {"anthropic-beta": "some-beta-2026-01-01", "x-mine": "1"}
    await caller.completion(model=MODEL, messages=MESSAGES, extra_headers=headers)
    request = either_api.last_request.headers
    assert request["authorization"] == f"Bearer {either_api.api_key}"
    assert request["x-mine"] == "1"
    assert "x-api-key" not in request
    assert "anthropic-beta" not in request
