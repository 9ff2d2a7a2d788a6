"""Token counts: Synthetic's where it counts, LiteLLM's estimate where it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.testing import RawJSON, fault
from litellm_synthetic.testing.rendering import bare
from litellm_synthetic.testing.stand_in import StandIn

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

MODEL = "synthetic/hf:deepseek-ai/DeepSeek-V4.1-Flash"
ROUTE = "/anthropic/v1/messages/count_tokens"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello there, how are you?"}]


async def count(**more: Any) -> Any:
    return await litellm.acount_tokens(**{"model": MODEL, "messages": MESSAGES, **more})


async def test_synthetic_counts(upstream: SyntheticServer) -> None:
    usage_count = await count(system="Be brief.")
    request = upstream.last_request
    assert request.path == ROUTE
    assert request.json == {
        "model": "hf:deepseek-ai/DeepSeek-V4.1-Flash",
        "messages": MESSAGES,
        "system": "Be brief.",
    }
    assert request.headers["authorization"] == f"Bearer {upstream.api_key}"
    assert usage_count.tokenizer_type == "synthetic_api"
    assert usage_count.total_tokens == usage_count.original_response["input_tokens"] > 0


async def test_a_prompt_in_openais_form_is_translated_first(upstream: SyntheticServer) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        *MESSAGES,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    await count(messages=messages, tools=[tool])
    body = upstream.last_request.json
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["tools"][0]["name"] == "f"


@pytest.mark.parametrize(
    "model", ["synthetic/hf:moonshotai/Kimi-K3", "synthetic/hf:zai-org/GLM-5.3-Flash"]
)
async def test_a_model_that_the_counter_fails_on_is_estimated(
    upstream: SyntheticServer, model: str
) -> None:
    usage_count = await count(model=model)
    assert [request.path for request in upstream.requests] == [ROUTE]
    assert usage_count.tokenizer_type == "local_tokenizer"
    assert usage_count.total_tokens > 0


@pytest.mark.parametrize(
    "reply",
    [
        fault("invalid_key"),
        fault("html_200"),
        fault("reset_before_headers"),
        RawJSON(200, {"input_tokens": "9"}),
        RawJSON(200, {"input_tokens": True}),
        RawJSON(200, {"input_tokens": -1}),
        RawJSON(200, [9]),
    ],
    ids=str,
)
async def test_whatever_goes_wrong_there_the_estimate_stands_in(
    upstream: SyntheticServer, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide(self: StandIn, request: Any, number: int) -> Any:
        return bare(reply, self._envelope(request, number))  # no script for it

    monkeypatch.setattr(StandIn, "_decide", decide)
    usage_count = await count()
    assert usage_count.tokenizer_type == "local_tokenizer"
    assert len(upstream.requests) == 1


async def test_no_key_no_request(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    assert (await count()).tokenizer_type == "local_tokenizer"
    assert not upstream.requests


async def test_translated_messages_are_estimated(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
    assert (await count()).tokenizer_type == "local_tokenizer"
    assert not upstream.requests
