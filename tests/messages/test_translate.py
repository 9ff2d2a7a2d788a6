"""Completions translated to the Messages API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.testing import RawJSON, Text

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/syn:large:text"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def messages_api(upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> SyntheticServer:
    """Have the base URL name the Messages API."""
    monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    return upstream


@pytest.mark.parametrize("suffix", ["/anthropic", "/anthropic/", "/anthropic/v1", "/anthropic/v1/"])
async def test_v1_is_added_exactly_once(
    upstream: SyntheticServer, caller: Caller, suffix: str
) -> None:
    base = upstream.url + suffix
    await caller.completion(model=MODEL, messages=MESSAGES, api_base=base)
    assert upstream.last_request.path == "/anthropic/v1/messages"


async def test_a_request_holds_what_the_messages_api_documents(
    messages_api: SyntheticServer, caller: Caller
) -> None:
    await caller.completion(
        model=MODEL,
        messages=[{"role": "system", "content": "Be brief."}, *MESSAGES],
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        stop=["a", "b"],
        max_completion_tokens=99,
        user="u-1",
        seed=None,
        n=1,
    )
    assert messages_api.last_request.json == {
        "model": "syn:large:text",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "system": [{"type": "text", "text": "Be brief."}],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 7,
        "stop_sequences": ["a", "b"],
        "max_tokens": 99,
        "metadata": {"user_id": "u-1"},
    }
    headers = messages_api.last_request.headers
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("synthetic/hf:zai-org/GLM-5.3", 65536),
        ("synthetic/hf:someone/Unknown-1", 65536),
    ],
)
async def test_the_output_limit_defaults_to_the_models(
    messages_api: SyntheticServer, caller: Caller, model: str, expected: int
) -> None:
    messages_api.respond_with(Text("ok"))
    await caller.completion(model=model, messages=MESSAGES)
    assert messages_api.last_request.json["max_tokens"] == expected
    stock = litellm.model_cost.get(model, {}).get("max_output_tokens")
    assert stock in (expected, None)


async def test_a_long_prompt_leaves_the_default_limit_what_fits(
    messages_api: SyntheticServer, caller: Caller
) -> None:
    messages_api.respond_with(Text("ok"))
    long = [{"role": "user", "content": "word " * 90_000}]
    await caller.completion(model="synthetic/hf:openai/gpt-oss-120b", messages=long)
    window, prompt = 131_072, 90_000
    request = messages_api.last_request.json["max_tokens"]
    assert 1024 <= request <= window - prompt
    # What a caller says is sent as it was said.
    await caller.completion(
        model="synthetic/hf:openai/gpt-oss-120b", messages=long, max_tokens=65_536
    )
    assert messages_api.last_request.json["max_tokens"] == 65_536


async def test_a_prompt_that_seems_to_fill_the_window_leaves_a_limit_that_can_be_sent(
    messages_api: SyntheticServer, caller: Caller
) -> None:
    messages_api.respond_with(Text("ok"))
    full = [{"role": "user", "content": "word " * 131_000}]
    await caller.completion(model="synthetic/hf:openai/gpt-oss-120b", messages=full)
    assert messages_api.last_request.json["max_tokens"] == 1024


@pytest.mark.parametrize(
    "body",
    [
        {"seed": 1},
        {"presence_penalty": 1.0},
        {"frequency_penalty": 1.0},
        {"logprobs": True},
        {"n": 2},
        {"logit_bias": {"1": 1}},
        {"functions": [{"name": "f", "parameters": {}}]},
    ],
    ids=str,
)
async def test_what_this_api_lacks_is_refused_or_dropped(
    messages_api: SyntheticServer, caller: Caller, body: dict[str, Any]
) -> None:
    [name] = body
    with pytest.raises(litellm.UnsupportedParamsError, match=f"has no {name}") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, **body)
    assert "openai/v1" in str(excinfo.value)
    assert excinfo.value.llm_provider == "synthetic"
    assert not messages_api.requests
    await caller.completion(model=MODEL, messages=MESSAGES, drop_params=True, **body)
    assert name not in messages_api.last_request.json


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, None),
        ({"reasoning_effort": "low"}, {"type": "enabled", "budget_tokens": 1024}),
        ({"reasoning_effort": "high"}, {"type": "enabled", "budget_tokens": 4096}),
        ({"reasoning_effort": "default"}, None),
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 3000}},
            {"type": "enabled", "budget_tokens": 3000},
        ),
        # The answer has to fit as well.
        (
            {"thinking": {"type": "enabled", "budget_tokens": 3000}, "max_tokens": 2000},
            {"type": "enabled", "budget_tokens": 1999},
        ),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "enabled"}}, None),
        ({"thinking": {"type": "disabled"}}, {"type": "disabled"}),
        (
            {"reasoning_effort": "low", "thinking": {"type": "disabled"}},
            {"type": "enabled", "budget_tokens": 1024},
        ),
    ],
    ids=str,
)
async def test_reasoning_becomes_thinking(
    messages_api: SyntheticServer, caller: Caller, payload: dict[str, Any], expected: Any
) -> None:
    await caller.completion(model=MODEL, messages=MESSAGES, **payload)
    body = messages_api.last_request.json
    assert body.get("thinking") == expected
    assert "reasoning_effort" not in body
    assert "output_config" not in body


@pytest.mark.parametrize(
    ("model", "effort", "budget_tokens"),
    [
        ("hf:zai-org/GLM-5.3-Flash", "medium", 4096),
        ("hf:zai-org/GLM-5.3-Flash", "minimal", 4096),
        ("hf:zai-org/GLM-5.3-Flash", "low", 1024),
        ("hf:zai-org/GLM-5.3", "minimal", 2048),
        ("hf:someone/Unknown-1", "medium", 2048),
    ],
)
async def test_an_effort_is_the_one_that_the_openai_api_would_get(
    messages_api: SyntheticServer, caller: Caller, model: str, effort: str, budget_tokens: int
) -> None:
    messages_api.respond_with(Text("ok"))
    await caller.completion(
        model=f"synthetic/{model}", messages=MESSAGES, max_tokens=8000, reasoning_effort=effort
    )
    request = messages_api.last_request.json["thinking"]
    assert request == {"type": "enabled", "budget_tokens": budget_tokens}


@pytest.mark.parametrize(
    "body", [{"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}], ids=str
)
async def test_thinking_that_no_api_can_stop_is_said_so(
    messages_api: SyntheticServer, caller: Caller, body: dict[str, Any]
) -> None:
    flash = "synthetic/hf:zai-org/GLM-5.3-Flash"
    with pytest.raises(litellm.BadRequestError, match="cannot stop thinking"):
        await caller.completion(model=flash, messages=MESSAGES, **body)
    await caller.completion(model=flash, messages=MESSAGES, drop_params=True, **body)
    assert "thinking" not in messages_api.last_request.json
    # The OpenAI API cannot stop this one; here it was seen to stop.
    await caller.completion(model="synthetic/hf:openai/gpt-oss-120b", messages=MESSAGES, **body)
    assert messages_api.last_request.json["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"reasoning_effort": "enormous"}, "enormous"),
        ({"thinking": {"type": "sometimes"}}, "needs a type"),
        ({"temperature": 3}, "temperature=3"),
        ({"stop": list("abcde")}, "5 given"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "cannot be written"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "cannot be written"),
    ],
    ids=str,
)
async def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    messages_api: SyntheticServer, caller: Caller, body: dict[str, Any], message: str
) -> None:
    with pytest.raises(litellm.BadRequestError) as excinfo:
        await caller.completion(**{"model": MODEL, "messages": MESSAGES, **body})
    assert message in str(excinfo.value)
    assert excinfo.value.llm_provider == "synthetic"
    assert not messages_api.requests


@pytest.mark.parametrize(
    "earlier",
    [
        {"reasoning_content": "I thought."},
        {"reasoning": "I thought."},
        {"thinking_blocks": [{"type": "thinking", "thinking": "I thought.", "signature": ""}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "I thought."}]},
        {"thinking_blocks": [], "reasoning_content": "I thought."},
    ],
    ids=str,
)
async def test_earlier_thinking_is_replayed_signed_or_not(
    messages_api: SyntheticServer, caller: Caller, earlier: dict[str, Any]
) -> None:
    messages = [*MESSAGES, {"role": "assistant", "content": "Hi.", **earlier}, *MESSAGES]
    before = json.dumps(messages)
    await caller.completion(model=MODEL, messages=messages)
    assistant = messages_api.last_request.json["messages"][1]
    assert assistant["content"] == [
        {"type": "thinking", "thinking": "I thought.", "signature": ""},
        {"type": "text", "text": "Hi."},
    ]
    assert json.dumps(messages) == before


async def test_a_signature_is_kept(messages_api: SyntheticServer, caller: Caller) -> None:
    block = {"type": "thinking", "thinking": "I thought.", "signature": "s1gned"}
    earlier = {"role": "assistant", "content": "Hi.", "thinking_blocks": [block]}
    await caller.completion(model=MODEL, messages=[*MESSAGES, earlier, *MESSAGES])
    assert messages_api.last_request.json["messages"][1]["content"][0] == block


async def test_a_tool_name_that_the_protocol_forbids_comes_back_as_it_was(
    messages_api: SyntheticServer, caller: Caller
) -> None:
    tool = {"type": "function", "function": {"name": "files/read", "parameters": {}}}
    answer = await caller.completion(model=MODEL, messages=MESSAGES, tools=[tool])
    assert messages_api.last_request.json["tools"][0]["name"] != "files/read"
    assert answer.choices[0].message.tool_calls[0].function.name == "files/read"


@pytest.mark.parametrize("call", ["text_completion", "embedding"])
async def test_what_only_the_other_api_has_goes_there(
    messages_api: SyntheticServer, caller: Caller, call: str
) -> None:
    if call == "embedding":
        model = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
        await caller.embedding(model=model, input=["a"])
        assert messages_api.last_request.path == "/openai/v1/embeddings"
    else:
        await caller.text_completion(model=MODEL, prompt="once")
        assert messages_api.last_request.path == "/openai/v1/completions"


@pytest.mark.parametrize(
    "body",
    [
        {"type": "message"},
        {"type": "message", "content": "text"},
        {"type": "message", "content": [{"text": "no type"}], "stop_reason": "end_turn"},
        {"type": "message", "content": [], "model": "m"},
        {"choices": []},
        [],
    ],
    ids=str,
)
async def test_a_200_that_is_no_message_is_an_error(
    messages_api: SyntheticServer, caller: Caller, body: Any
) -> None:
    messages_api.enqueue(RawJSON(200, body))
    with pytest.raises(litellm.APIError) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert excinfo.value.status_code == 502


async def test_a_message_without_usage_is_counted_locally(
    messages_api: SyntheticServer, caller: Caller
) -> None:
    body = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hello there"}],
        "stop_reason": "end_turn",
    }
    messages_api.enqueue(RawJSON(200, body))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


@pytest.mark.parametrize(
    ("value", "adds_up"),
    [
        # As seen: the uncached part in both.
        (
            {"input_tokens": 70, "cache_creation_input_tokens": 70, "cache_read_input_tokens": 30},
            {"input_tokens": 70, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30},
        ),
        ({"input_tokens": 5, "output_tokens": 2}, {"input_tokens": 5, "output_tokens": 2}),
        # As Anthropic itself would state it.
        (
            {"input_tokens": 3, "cache_creation_input_tokens": 900},
            {"input_tokens": 900, "cache_creation_input_tokens": 0},
        ),
        ({"input_tokens": -1, "output_tokens": True, "cache_read_input_tokens": "9"}, {}),
        (None, {}),
        ("many", {}),
    ],
)
def test_uncached_input_counts_once(value: object, adds_up: dict[str, int]) -> None:
    assert uncached_once(value) == adds_up


@given(
    st.dictionaries(
        st.sampled_from(
            (
                "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
                "output_tokens", "service_tier",
            )
        ),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    )
)  # fmt: skip  # one list, read as one
def test_any_usage_becomes_counts_or_nothing(value: dict[str, Any]) -> None:
    usage_count = uncached_once(value)
    assert all(type(count) is int and count >= 0 for count in usage_count.values())
    assert usage_count.get("cache_creation_input_tokens", 0) == 0
    assert uncached_once(usage_count) == usage_count
