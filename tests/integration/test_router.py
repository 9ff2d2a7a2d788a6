"""The same route under `litellm.Router`: fallbacks, retries and limits stay LiteLLM's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.testing import Text, fault, named_fault
from tests.caller import text_of

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


def _router(**settings: Any) -> litellm.Router:
    models = {
        "flash": "synthetic/hf:zai-org/GLM-5.3-Flash",
        "large": "synthetic/syn:large:text",
        "small": "synthetic/hf:openai/gpt-oss-120b",
        "vectors": "synthetic/hf:nomic-ai/nomic-embed-text-v1.5",
    }
    deployments: list[Any] = [
        {"model_name": name, "litellm_params": {"model": model}} for name, model in models.items()
    ]
    return litellm.Router(model_list=deployments, **{"num_retries": 0, **settings})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("name", "fallbacks"),
    [
        ("context_overflow", {"context_window_fallbacks": [{"flash": ["large"]}]}),
        ("context_overflow_in_stream", {"context_window_fallbacks": [{"flash": ["large"]}]}),
        ("subscription_cap", {"fallbacks": [{"flash": ["large"]}]}),
        ("backend_error", {"fallbacks": [{"flash": ["large"]}]}),
        ("model_retired", {"fallbacks": [{"flash": ["large"]}]}),
    ],
)
async def test_fallbacks_fire_on_plain_calls_and_on_streams(
    either_api: SyntheticServer, caller: Caller, name: str, fallbacks: Any, *, stream: bool
) -> None:
    if name.endswith("in_stream") and not stream:
        name = "context_overflow_short"
    either_api.enqueue(named_fault(name), Text("from the fallback"))
    answer = await caller.router_completion(
        _router(**fallbacks), model="flash", messages=MESSAGES, stream=stream
    )
    text = text_of(await caller.collect(answer)) if stream else answer.choices[0].message.content
    assert text == "from the fallback"
    assert [one.json["model"] for one in either_api.requests] == [
        "hf:zai-org/GLM-5.3-Flash",
        "syn:large:text",
    ]


async def test_the_routers_retries_are_not_multiplied_by_ours(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("backend_error"))
    with pytest.raises(litellm.InternalServerError):
        await caller.router_completion(
            _router(num_retries=1, retry_after=0), model="flash", messages=MESSAGES
        )
    assert len(either_api.requests) == 2


async def test_the_router_waits_as_retry_after_says(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("parallel_requests", retry_after="1"), Text("later"))
    router = _router(num_retries=1, disable_cooldowns=True)
    answer = await caller.router_completion(router, model="flash", messages=MESSAGES)
    assert answer.choices[0].message.content == "later"
    first, second = either_api.requests
    assert second.arrived_at - first.arrived_at >= 1  # its own back-off is set to far less


async def test_streams_tools_and_headers_work_through_the_router(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(Text("a b c", reasoning="hm"))
    stream = await caller.router_completion(
        _router(), model="large", messages=MESSAGES, stream=True
    )
    assert text_of(await caller.collect(stream)) == "a b c"
    headers = stream._hidden_params["additional_headers"]  # noqa: SLF001
    assert "llm_provider-x-synthetic-quotas" in headers
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    answer = await caller.router_completion(
        _router(), model="large", messages=MESSAGES, tools=[tool], max_tokens=2000
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "f"


async def test_every_kind_of_call_works_through_the_router(either_api: SyntheticServer) -> None:
    either_api.respond_with(Text("Hi."))
    router = _router()
    text: Any = await router.atext_completion(model="flash", prompt="once")
    assert text.choices[0].text == "Hi."
    answer: Any = await router.aresponses(model="flash", input="hello")
    assert "Hi." in str(answer.output)
    message: Any = await router.aanthropic_messages(
        model="flash", max_tokens=50, messages=[{"role": "user", "content": "hello"}]
    )
    assert message["content"][-1]["text"] == "Hi."


async def test_embeddings_work_through_the_router(either_api: SyntheticServer) -> None:
    answer = await _router().aembedding(model="vectors", input=["a", "b"], dimensions=64)
    assert len(answer.data) == 2
    assert either_api.last_request.json["dimensions"] == 64
    assert len(_router().embedding(model="vectors", input=["a"]).data) == 1


async def test_a_prompt_over_the_window_is_refused_before_it_is_sent(
    either_api: SyntheticServer, caller: Caller
) -> None:
    long = [{"role": "user", "content": "word " * 140_000}]
    with pytest.raises(litellm.ContextWindowExceededError):
        await caller.router_completion(
            _router(enable_pre_call_checks=True), model="small", messages=long
        )
    assert not either_api.requests
    router = _router(enable_pre_call_checks=True, context_window_fallbacks=[{"small": ["large"]}])
    await caller.router_completion(router, model="small", messages=long)
    assert [one.json["model"] for one in either_api.requests] == ["syn:large:text"]


async def test_other_deployments_of_a_group_are_untouched_by_registration(
    either_api: SyntheticServer, caller: Caller
) -> None:
    router = litellm.Router(
        model_list=[
            {
                "model_name": "m",
                "litellm_params": {
                    "model": "openai/anything",
                    "api_base": either_api.openai_base,
                    "api_key": "x",
                    "mock_response": "mocked",
                },
            }
        ]
    )
    answer = await caller.router_completion(router, model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == "mocked"
    assert not either_api.requests


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_the_subscription_cap_of_an_only_deployment_is_not_retried(
    either_api: SyntheticServer, caller: Caller, *, stream: bool
) -> None:
    either_api.respond_with(fault("subscription_cap"))
    with pytest.raises(litellm.RateLimitError, match="are used up"):
        await caller.router_completion(
            _router(num_retries=2), model="large", messages=MESSAGES, stream=stream
        )
    assert len(either_api.requests) == 1
