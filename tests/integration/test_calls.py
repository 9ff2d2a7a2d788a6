"""Plain calls through LiteLLM's public functions: what goes out, and what comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from pydantic import BaseModel

from litellm_synthetic.chat import reasoning
from litellm_synthetic.testing import RawJSON, Text, ToolCall, ToolCalls, Usage
from tests.weather import WEATHER

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
EMBEDDER = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("synthetic/hf:zai-org/GLM-5.3-Flash", "hf:zai-org/GLM-5.3-Flash"),
        ("synthetic/syn:large:text", "syn:large:text"),
        ("synthetic/zai-org/GLM-5.3-Flash", "hf:zai-org/GLM-5.3-Flash"),
    ],
)
async def test_the_reply_names_the_model_that_was_asked_for(
    upstream: SyntheticServer, caller: Caller, body: str, expected: str
) -> None:
    answer = await caller.completion(model=body, messages=MESSAGES)
    assert upstream.last_request.json["model"] == expected
    assert answer.model == body
    assert answer._hidden_params["upstream_model"] not in (body, expected)  # noqa: SLF001
    chunks = await caller.stream(model=body, messages=MESSAGES)
    assert {chunk.model for chunk in chunks} == {body}


async def test_a_plain_answer_arrives_whole(upstream: SyntheticServer, caller: Caller) -> None:
    upstream.enqueue(Text(" Paris.", reasoning="France. ", usage=Usage(12, 7, 5, 4)))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    choice = answer.choices[0]
    assert choice.message.content == " Paris."
    assert choice.message.reasoning_content == "France. "
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 7)
    assert answer.usage.prompt_tokens_details.cached_tokens == 5
    assert answer.usage.completion_tokens_details.reasoning_tokens == 4


async def test_response_headers_are_where_litellm_users_look(
    either_api: SyntheticServer, caller: Caller
) -> None:
    quotas = {"subscription": {"limit": 135, "requests": 3, "renewsAt": "2026-11-21T10:00:00Z"}}
    either_api.set_quotas(quotas)
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    stream = await caller.completion(model=MODEL, messages=MESSAGES, stream=True)
    await caller.collect(stream)
    vectors = await caller.embedding(model=EMBEDDER, input=["a"])
    for response in (answer, stream, vectors):
        headers = response._hidden_params["additional_headers"]  # noqa: SLF001
        assert json.loads(headers["llm_provider-x-synthetic-quotas"]) == quotas
        assert not any("set-cookie" in name.lower() for name in headers)


async def test_the_body_holds_what_the_caller_said(
    upstream: SyntheticServer, caller: Caller
) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "I should look.",
            "tool_calls": [
                {
                    "id": "functions.read:0",
                    "type": "function",
                    "function": {"name": "read", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "functions.read:0", "content": "a cat"},
        {"role": "user", "content": "And now?"},
    ]
    await caller.completion(
        model=MODEL,
        messages=messages,
        temperature=0.0,
        top_p=0.9,
        frequency_penalty=-0.5,
        presence_penalty=0.5,
        max_completion_tokens=77,
        n=1,
        stop=["END"],
        seed=7,
        logprobs=True,
        top_logprobs=3,
        logit_bias={"50256": -100},
        user="user-1",
        tools=[WEATHER],
        tool_choice="auto",
        parallel_tool_calls=False,
        top_k=40,
        min_p=0.05,
        repetition_penalty=1.1,
        chat_template_kwargs={"clear_thinking": True},
        extra_body={"routing": {"region": "eu"}},
        extra_headers={"X-Trace": "abc"},
    )
    request = upstream.last_request
    assert request.headers["x-trace"] == "abc"
    assert request.json == {
        "model": "hf:zai-org/GLM-5.3-Flash",
        "messages": [
            {"role": "system", "content": "Be brief."},
            messages[1],
            {name: value for name, value in messages[2].items() if value is not None},
            messages[3],
            messages[4],
        ],
        "temperature": 0.0,
        "top_p": 0.9,
        "frequency_penalty": -0.5,
        "presence_penalty": 0.5,
        "max_tokens": 77,
        "n": 1,
        "stop": ["END"],
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 3,
        "logit_bias": {"50256": -100},
        "user": "user-1",
        "tools": [WEATHER],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "top_k": 40,
        "min_p": 0.05,
        "repetition_penalty": 1.1,
        "chat_template_kwargs": {"clear_thinking": True},
        "routing": {"region": "eu"},
    }
    assert messages[0]["role"] == "developer"


async def test_nothing_is_invented_in_a_bare_request(
    upstream: SyntheticServer, caller: Caller
) -> None:
    await caller.completion(model=MODEL, messages=MESSAGES)
    assert upstream.last_request.json == {
        "model": "hf:zai-org/GLM-5.3-Flash",
        "messages": MESSAGES,
    }
    await caller.stream(model=MODEL, messages=MESSAGES)
    assert upstream.last_request.json == {
        "model": "hf:zai-org/GLM-5.3-Flash",
        "messages": MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_a_tool_call_and_its_result_make_a_round(
    upstream: SyntheticServer, caller: Caller
) -> None:
    upstream.enqueue(
        ToolCalls([ToolCall("get_weather", {"city": "Oslo"}, id="call_1")], reasoning="Look."),
        Text("It rains."),
    )
    first = await caller.completion(model=MODEL, messages=MESSAGES, tools=[WEATHER])
    call = first.choices[0].message.tool_calls[0]
    assert first.choices[0].finish_reason == "tool_calls"
    assert (call.id, call.function.name) == ("call_1", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    history = [
        *MESSAGES,
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    second = await caller.completion(model=MODEL, messages=history, tools=[WEATHER])
    assert second.choices[0].message.content == "It rains."
    request = upstream.last_request.json
    assert request["messages"][1]["reasoning_content"] == "Look."
    assert request["messages"][1]["tool_calls"][0]["function"]["name"] == "get_weather"
    # This model drops replayed thinking unless it is told not to.
    assert request["chat_template_kwargs"] == {"clear_thinking": False}


async def test_what_a_model_needs_for_replay_gives_way_to_the_caller(
    either_api: SyntheticServer, caller: Caller
) -> None:
    history = [*MESSAGES, {"role": "assistant", "content": "hi", "reasoning_content": "hm"}]
    history.append({"role": "user", "content": "more"})
    template_options = {"clear_thinking": True, "other": 1}
    await caller.completion(model=MODEL, messages=history, chat_template_kwargs=template_options)
    assert either_api.last_request.json["chat_template_kwargs"] == template_options
    await caller.completion(model="synthetic/hf:zai-org/GLM-5.3", messages=history)
    assert "chat_template_kwargs" not in either_api.last_request.json


@pytest.mark.parametrize(
    "model", [MODEL, "synthetic/hf:someone/Unknown-1", "synthetic/syn:new:alias"]
)
async def test_tools_are_accepted_for_known_and_unknown_models(
    upstream: SyntheticServer, caller: Caller, model: str
) -> None:
    upstream.respond_with(Text("ok"))
    await caller.completion(
        model=model,
        messages=MESSAGES,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=True,
    )
    assert upstream.last_request.json["tools"] == [WEATHER]


async def test_tools_for_a_model_known_to_lack_them_are_refused(
    either_api: SyntheticServer, caller: Caller
) -> None:
    lacking = "synthetic/hf:Qwen/Qwen2.5-Coder-32B-Instruct"
    with pytest.raises(litellm.UnsupportedParamsError, match="tools"):
        await caller.completion(model=lacking, messages=MESSAGES, tools=[WEATHER])
    assert not either_api.requests


async def test_deprecated_functions_are_accepted(upstream: SyntheticServer, caller: Caller) -> None:
    upstream.respond_with(Text("ok"))
    await caller.completion(
        model=MODEL,
        messages=MESSAGES,
        functions=[WEATHER["function"]],
        function_call={"name": "get_weather"},
    )
    assert upstream.last_request.json["functions"] == [WEATHER["function"]]
    assert upstream.last_request.json["function_call"] == {"name": "get_weather"}


class City(BaseModel):
    """Describe what the model is to answer."""

    name: str
    country: str


async def test_response_format_takes_a_dict_or_a_pydantic_class(
    upstream: SyntheticServer, caller: Caller
) -> None:
    await caller.completion(model=MODEL, messages=MESSAGES, response_format={"type": "json_object"})
    assert upstream.last_request.json["response_format"] == {"type": "json_object"}
    answer = await caller.completion(model=MODEL, messages=MESSAGES, response_format=City)
    request = upstream.last_request.json["response_format"]
    assert request["type"] == "json_schema"
    assert set(request["json_schema"]["schema"]["properties"]) == {"name", "country"}
    City.model_validate_json(answer.choices[0].message.content)


@pytest.mark.parametrize(
    ("model", "arguments", "expected"),
    [
        ("hf:zai-org/GLM-5.3-Flash", {"reasoning_effort": "high"}, "high"),
        ("hf:zai-org/GLM-5.3-Flash", {"reasoning_effort": "medium"}, "high"),
        ("hf:zai-org/GLM-5.3-Flash", {"reasoning_effort": "low"}, "low"),
        (
            "hf:zai-org/GLM-5.3-Flash",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            "high",
        ),
        ("hf:zai-org/GLM-5.3", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "medium"),
        ("hf:zai-org/GLM-5.3", {"reasoning_effort": "minimal"}, "medium"),
        ("hf:moonshotai/Kimi-K3", {"reasoning_effort": "medium"}, "low"),
        ("hf:zai-org/GLM-5.3-Flash", {"reasoning_effort": "xhigh"}, "high"),
        ("syn:small:text", {"reasoning_effort": "max"}, "high"),
        ("syn:small:text", {"reasoning_effort": "none"}, "none"),
        ("syn:large:text", {"thinking": {"type": "disabled"}}, "none"),
        ("syn:small:text", {"thinking": {"type": "enabled", "budget_tokens": 12000}}, "high"),
        ("syn:small:text", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, "medium"),
        ("hf:someone/Unknown-1", {"reasoning_effort": "minimal"}, "minimal"),
    ],
)
async def test_reasoning_is_mapped_onto_accepted_levels(
    upstream: SyntheticServer, caller: Caller, model: str, arguments: dict[str, Any], expected: str
) -> None:
    upstream.respond_with(Text("ok"))
    await caller.completion(model=f"synthetic/{model}", messages=MESSAGES, **arguments)
    body = upstream.last_request.json
    assert body["reasoning_effort"] == expected
    assert "thinking" not in body


async def test_a_level_that_is_known_to_fail_is_warned_about_once(
    upstream: SyntheticServer,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reasoning, "_warned", {})
    flash, glm = "synthetic/hf:zai-org/GLM-5.3-Flash", "synthetic/hf:zai-org/GLM-5.3"
    for model, arguments in (
        (flash, {"reasoning_effort": "low"}),
        (flash, {"reasoning_effort": "low"}),
        ("synthetic/zai-org/GLM-5.3-Flash", {"extra_body": {"reasoning_effort": "low"}}),
        (flash, {"reasoning_effort": "medium"}),
        (flash, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (flash, {"reasoning_effort": "high"}),
        (glm, {"reasoning_effort": "low"}),
    ):
        await caller.completion(model=model, messages=MESSAGES, **arguments)
    request = [each.json["reasoning_effort"] for each in upstream.requests]
    assert request == ["low", "low", "low", "high", "high", "high", "low"]
    warnings = [one for one in caplog.messages if "reasoning_effort" in one]
    assert [one.partition(",")[0] for one in warnings] == [
        "reasoning_effort=low is accepted by hf:zai-org/GLM-5.3-Flash",
        "reasoning_effort=low is accepted by hf:zai-org/GLM-5.3",
    ]
    assert warnings[0].endswith("Use one of high, max.")
    assert warnings[1].endswith("Use one of medium, high, xhigh, max.")


@pytest.mark.parametrize(
    ("budget_tokens", "expected"), [(1024, "high"), (2048, "high"), (4096, "high")]
)
async def test_a_budget_of_a_translated_message_comes_to_a_reliable_level(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch, budget_tokens: int, expected: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
    await litellm.anthropic_messages(
        model="synthetic/hf:zai-org/GLM-5.3-Flash",
        messages=MESSAGES,
        max_tokens=8000,
        thinking={"type": "enabled", "budget_tokens": budget_tokens},
    )
    assert upstream.last_request.json["reasoning_effort"] == expected


@pytest.mark.parametrize(
    "arguments", [{"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}]
)
async def test_a_model_that_cannot_stop_reasoning_says_so(
    upstream: SyntheticServer, caller: Caller, arguments: dict[str, Any]
) -> None:
    with pytest.raises(litellm.BadRequestError, match="cannot stop reasoning") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, **arguments)
    assert next(iter(arguments)) in str(excinfo.value)
    assert not upstream.requests
    await caller.completion(model=MODEL, messages=MESSAGES, drop_params=True, **arguments)
    assert "reasoning_effort" not in upstream.last_request.json


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"temperature": 2.1}, "temperature=2.1"),
        ({"top_p": -0.1}, "top_p=-0.1"),
        ({"frequency_penalty": 3}, "frequency_penalty=3"),
        ({"presence_penalty": -2.5}, "presence_penalty=-2.5"),
        ({"n": 0}, "n=0"),
        ({"max_tokens": 0}, "max_tokens=0"),
        ({"max_completion_tokens": -1}, "max_tokens=-1"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs=21"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop="),
        ({"logit_bias": {"1": 101}}, "logit_bias"),
        ({"extra_body": {"temperature": 9}}, "temperature=9"),
    ],
)
async def test_values_out_of_range_are_refused_before_anything_is_sent(
    either_api: SyntheticServer, caller: Caller, arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(litellm.BadRequestError) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, **arguments)
    assert text in str(excinfo.value)
    assert excinfo.value.llm_provider == "synthetic"
    assert not either_api.requests


async def test_a_body_over_ten_mebibytes_is_refused_before_it_is_sent(
    either_api: SyntheticServer, caller: Caller
) -> None:
    huge = [{"role": "user", "content": "x" * (10 * 1024 * 1024)}]
    with pytest.raises(litellm.BadRequestError, match="10 MiB"):
        await caller.completion(model=MODEL, messages=huge)
    assert not either_api.requests


UNSUPPORTED: list[dict[str, Any]] = [
    {"modalities": ["text", "audio"]},
    {"audio": {"voice": "alloy", "format": "wav"}},
    {"web_search_options": {"search_context_size": "low"}},
]


@pytest.mark.parametrize("arguments", UNSUPPORTED, ids=lambda one: next(iter(one)))
async def test_what_synthetic_does_not_take_is_refused_dropped_or_let_through(
    either_api: SyntheticServer, caller: Caller, arguments: dict[str, Any]
) -> None:
    name = next(iter(arguments))
    with pytest.raises(litellm.UnsupportedParamsError, match=name):
        await caller.completion(model=MODEL, messages=MESSAGES, **arguments)
    assert not either_api.requests
    for way in ({"drop_params": True}, {"additional_drop_params": [name]}):
        await caller.completion(model=MODEL, messages=MESSAGES, **arguments, **way)
        assert name not in either_api.last_request.json
    await caller.completion(
        model=MODEL, messages=MESSAGES, **arguments, allowed_openai_params=[name]
    )
    assert either_api.last_request.json[name] == arguments[name]


async def test_drop_params_drops_only_what_is_unsupported(
    upstream: SyntheticServer, caller: Caller
) -> None:
    upstream.respond_with(Text("ok"))
    await caller.completion(
        model=MODEL,
        messages=MESSAGES,
        tools=[WEATHER],
        reasoning_effort="high",
        audio={"voice": "alloy", "format": "wav"},
        drop_params=True,
    )
    body = upstream.last_request.json
    assert "audio" not in body
    assert body["tools"] == [WEATHER]
    assert body["reasoning_effort"] == "high"


async def test_several_choices_come_back_in_order(
    upstream: SyntheticServer, caller: Caller
) -> None:
    answer = await caller.completion(model=MODEL, messages=MESSAGES, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert upstream.last_request.json["n"] == 2


async def test_a_reply_without_usage_is_counted_locally(
    upstream: SyntheticServer, caller: Caller
) -> None:
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "zai-org/GLM-5.3-Flash",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello there"}}],
    }
    upstream.enqueue(RawJSON(200, body))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


async def test_counting_locally_fetches_no_image(upstream: SyntheticServer, caller: Caller) -> None:
    image = {"type": "image_url", "image_url": {"url": f"{upstream.url}/cat.png"}}
    body = {
        "choices": [{"index": 0, "message": {"content": "a cat"}, "finish_reason": "stop"}],
        "model": "x",
    }
    upstream.enqueue(RawJSON(200, body))
    answer = await caller.completion(model=MODEL, messages=[{"role": "user", "content": [image]}])
    assert answer.usage.prompt_tokens > 0
    assert [request.method for request in upstream.requests] == ["POST"]


async def test_embeddings_keep_dimensions_and_order(
    either_api: SyntheticServer, caller: Caller
) -> None:
    answer = await caller.embedding(
        model=EMBEDDER, input=["a", "b"], dimensions=256, user="u", extra_headers={"X-Trace": "1"}
    )
    request = either_api.last_request
    assert request.json == {
        "model": "hf:nomic-ai/nomic-embed-text-v1.5",
        "input": ["a", "b"],
        "dimensions": 256,
        "user": "u",
    }
    assert request.headers["x-trace"] == "1"
    assert [row["index"] for row in answer.data] == [0, 1]
    assert {len(row["embedding"]) for row in answer.data} == {256}
    assert answer.model == EMBEDDER
    assert answer.usage.prompt_tokens > 0


async def test_text_completion_uses_the_legacy_endpoint(
    either_api: SyntheticServer, caller: Caller
) -> None:
    answer = await caller.text_completion(
        model=MODEL, prompt="once upon", max_tokens=50, temperature=0.5, stop=["\n"]
    )
    request = either_api.last_request
    assert request.path.endswith("/completions")
    assert "chat" not in request.path
    assert request.json == {
        "model": "hf:zai-org/GLM-5.3-Flash",
        "prompt": "once upon",
        "max_tokens": 50,
        "temperature": 0.5,
        "stop": ["\n"],
    }
    assert answer.choices[0].text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0
    several = await caller.text_completion(model=MODEL, prompt=["one", "two"])
    assert either_api.last_request.json["prompt"] == ["one", "two"]
    assert several.choices


async def test_text_completion_streams(either_api: SyntheticServer, caller: Caller) -> None:
    either_api.enqueue(Text("a b c"))
    stream = await caller.text_completion(model=MODEL, prompt="once", stream=True)
    chunks = await caller.collect(stream)
    assert "".join(chunk.choices[0].text or "" for chunk in chunks) == "a b c"
    finishes = [chunk.choices[0].finish_reason for chunk in chunks]
    assert [one for one in finishes if one] == ["stop"]


async def test_responses_and_messages_go_through_the_route(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(Text("Hi.", reasoning="Hm."))
    answer = await caller.responses(model=MODEL, input="hello", max_output_tokens=100)
    texts = [part.text for item in answer.output if item.type == "message" for part in item.content]
    assert texts == ["Hi."]
    assert either_api.last_request.json["max_tokens"] == 100
    stream = await caller.responses(model=MODEL, input="hello", stream=True)
    kinds = [event.type for event in await caller.collect(stream)]
    assert kinds[-1] == "response.completed"


async def test_anthropic_messages_can_be_translated_instead(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
    upstream.respond_with(Text("Hi.", reasoning="Hm."))
    answer: Any = await litellm.anthropic_messages(
        model=MODEL,
        max_tokens=100,
        messages=[{"role": "user", "content": "hello"}],
        system="Be brief.",
        tools=[{"name": "t", "input_schema": {"type": "object", "properties": {}}}],
    )
    assert [block["type"] for block in answer["content"]] == ["thinking", "text"]
    body = upstream.last_request.json
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["tools"][0]["function"]["name"] == "t"
    stream: Any = await litellm.anthropic_messages(
        model=MODEL, max_tokens=100, messages=MESSAGES, stream=True
    )
    text = b"".join([event async for event in stream]).decode()
    assert "message_stop" in text
    assert "Hi." in text
