"""Parameters on which no answer depends reach nobody and stop nobody, on all four APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

import litellm
import openai
import pytest
from litellm.constants import DEFAULT_CHAT_COMPLETION_PARAM_VALUES, OPENAI_CHAT_COMPLETION_PARAMS
from litellm.types.llms.openai import ResponsesAPIOptionalRequestParams
from litellm.types.utils import all_litellm_params

from litellm_synthetic.chat.hints import HINTS
from litellm_synthetic.chat.params import BY_NAME
from litellm_synthetic.testing import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import NewRouter

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES = [{"role": "user", "content": "hello"}]
# As clients send them.
VALUES: dict[str, Any] = {
    "store": False,
    "service_tier": "auto",
    "speed": "fast",
    "prompt_cache_key": "session-1",
    "prompt_cache_retention": "24h",
    "prompt_cache_options": {"mode": "auto"},
    "safety_identifier": "somebody",
    "modalities": ["text"],
    "verbosity": "low",
    "prediction": {"type": "content", "content": "x"},
    "context_management": [{"type": "compaction", "compact_threshold": 200_000}],
    "include_server_side_tool_invocations": True,
    "max_tool_calls": 5,
    "partial_images": 1,
}
NAMES = [hint.name for hint in HINTS]
# An answer depends on them.
REFUSED: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "wav"},
    "modalities": ["text", "audio"],
    "web_search_options": {"search_context_size": "low"},
}
# Where a call goes and how LiteLLM makes it.
LITELLMS_OWN = {
    "additional_drop_params", "allowed_openai_params", "api_base", "api_key", "api_version",
    "base_url", "custom_llm_provider", "default_headers", "deployment_id", "drop_params",
    "extra_headers", "max_retries", "messages", "metadata", "model", "organization",
    "request_timeout", "timeout",
}  # fmt: skip  # one set, read as one
# LiteLLM's bridge from the Responses API turns each into something of a chat completion, or into
# nothing: what to include, where to cut, and how to fetch the answer are its own to serve.
BRIDGED = {
    "background", "include", "instructions", "max_output_tokens", "previous_response_id", "prompt",
    "reasoning", "store", "text", "truncation",
}  # fmt: skip  # as above


async def _chat(caller: Caller, **arguments: Any) -> Any:
    return await caller.completion(model=MODEL, messages=MESSAGES, **arguments)


async def _text(caller: Caller, **arguments: Any) -> Any:
    return await caller.text_completion(model=MODEL, prompt="hello", **arguments)


async def _responses(caller: Caller, **arguments: Any) -> Any:
    return await caller.responses(model=MODEL, input="hello", **arguments)


async def _messages(caller: Caller, **arguments: Any) -> Any:
    del caller
    return await litellm.anthropic_messages(
        model=MODEL, messages=MESSAGES, max_tokens=50, **arguments
    )


APIS = [_chat, _text, _responses, _messages]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("api", APIS)
async def test_a_hint_is_dropped_on_every_api(
    upstream: SyntheticServer, caller: Caller, api: Callable[..., Any], name: str
) -> None:
    upstream.respond_with(Text("ok"))
    await api(caller)
    without = upstream.last_request.json
    await api(caller, **{name: VALUES[name]})
    assert upstream.last_request.json == without
    assert len(upstream.requests) == 2


async def test_all_hints_at_once_are_dropped_in_a_stream_by_a_router(
    upstream: SyntheticServer, caller: Caller, new_router: NewRouter
) -> None:
    router = new_router([{"model_name": "group", "litellm_params": {"model": MODEL}}])
    stream = await caller.router_completion(
        router, model="group", messages=MESSAGES, stream=True, **VALUES
    )
    assert await caller.collect(stream)
    assert not VALUES.keys() & upstream.last_request.json.keys()


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("api", [_chat, _text, _responses])
async def test_what_changes_the_answer_is_refused(
    upstream: SyntheticServer, caller: Caller, api: Callable[..., Any], name: str
) -> None:
    with pytest.raises(litellm.UnsupportedParamsError, match=name):
        await api(caller, **{name: REFUSED[name]})
    assert not upstream.requests


async def test_a_hint_that_is_allowed_by_name_is_sent(
    upstream: SyntheticServer, caller: Caller
) -> None:
    await _chat(caller, store=True, verbosity="low", allowed_openai_params=["store"])
    assert upstream.last_request.json["store"] is True
    assert "verbosity" not in upstream.last_request.json


async def test_a_hint_in_extra_body_is_sent_as_it_is(
    upstream: SyntheticServer, caller: Caller
) -> None:
    await _chat(caller, extra_body={"store": True})
    assert upstream.last_request.json["store"] is True


async def test_another_providers_hints_are_not_touched(upstream: SyntheticServer) -> None:
    theirs = MODEL.replace("synthetic/", "openai/")
    with openai.OpenAI(base_url=upstream.openai_base, api_key=upstream.api_key) as client:
        litellm.completion(model=theirs, messages=MESSAGES, client=client, store=True)
    assert upstream.last_request.json["store"] is True


def test_every_parameter_that_litellm_knows_is_sent_dropped_refused_or_its_own() -> None:
    chat = {*DEFAULT_CHAT_COMPLETION_PARAM_VALUES, *OPENAI_CHAT_COMPLETION_PARAMS}
    classified = {*BY_NAME, *NAMES, *REFUSED, *LITELLMS_OWN}
    assert chat <= classified
    responses = set(get_type_hints(ResponsesAPIOptionalRequestParams))
    assert responses <= classified | BRIDGED | {"moderation"}
    # Nothing of a call's own is taken for a hint.
    assert not {*all_litellm_params, *LITELLMS_OWN} & set(NAMES)


async def test_a_request_to_moderate_is_refused(caller: Caller, upstream: SyntheticServer) -> None:
    with pytest.raises(litellm.UnsupportedParamsError, match="does not moderate"):
        await _responses(caller, moderation={"model": "omni-moderation-latest"})
    assert upstream.requests == []


def test_every_hint_is_tried_with_a_value() -> None:
    assert [*VALUES] == NAMES
