"""Every fault of a call, and the error that its caller gets."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import openai
import pytest

from litellm_synthetic.testing import RawJSON, Stream, Text, fault, named_fault

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Way

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
PAYMENT = getattr(litellm.exceptions, "PaymentRequiredError", litellm.APIError)

# name, class, status, a piece of the message, requests sent in one call
FAULTS: list[tuple[str, type[Exception], int, str, int]] = [
    ("context_overflow", litellm.ContextWindowExceededError, 400, "tokens", 1),
    ("context_overflow_short", litellm.ContextWindowExceededError, 400, "524288", 1),
    ("context_overflow_requested", litellm.ContextWindowExceededError, 400, "tokens", 1),
    ("context_overflow_no_body", litellm.BadRequestError, 400, "gave no reason", 1),
    ("content_policy", litellm.ContentPolicyViolationError, 400, "content_policy_fallbacks", 1),
    ("backend_busy", litellm.RateLimitError, 429, "not your plan used up", 3),
    ("subscription_cap", litellm.RateLimitError, 429, "are used up", 1),
    ("too_many_requests", litellm.RateLimitError, 429, "Try again later", 1),
    ("payment_required", PAYMENT, 402, "https://synthetic.new/billing", 1),
    ("invalid_key", litellm.AuthenticationError, 401, "SYNTHETIC_API_KEY", 1),
    ("model_retired", litellm.NotFoundError, 404, "no longer supported", 1),
    ("model_prefix_missing", litellm.BadRequestError, 400, "hf:", 1),
    ("unknown_route", litellm.NotFoundError, 404, "base URL", 1),
    ("tool_name_unresolvable", litellm.BadRequestError, 400, "tool name", 1),
    ("image_unsupported", litellm.BadRequestError, 400, "image input", 1),
    ("body_too_large", litellm.BadRequestError, 400, "10 MiB", 1),
    ("forbidden", litellm.PermissionDeniedError, 403, "plan", 1),
    ("method_not_allowed", litellm.BadRequestError, 405, "base URL", 1),
    ("payload_too_large", litellm.BadRequestError, 413, "HTML page", 1),
    ("request_timeout", litellm.Timeout, 408, "408", 3),
    ("backend_error", litellm.InternalServerError, 500, "inference backend", 3),
    ("bad_gateway", litellm.BadGatewayError, 502, "HTML page", 3),
    ("unavailable", litellm.ServiceUnavailableError, 503, "HTML page", 3),
    ("gateway_timeout", litellm.Timeout, 504, "stream", 3),
    ("edge_timeout", litellm.Timeout, 524, "stream", 3),
]


# Answered by what stands before the service, so without the headers that it sends itself.
BY_A_PROXY = {
    "method_not_allowed", "payload_too_large", "bad_gateway", "unavailable", "gateway_timeout",
    "edge_timeout",
}  # fmt: skip  # one set


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("name", "kind", "status", "message", "expected"), FAULTS)
async def test_each_fault_has_its_class_and_its_remedy(  # a table
    pairwise: Way, name: str, kind: type[Exception], status: int, message: str, expected: int
) -> None:
    pairwise.server.respond_with(named_fault(name))
    with pytest.raises(kind) as excinfo:
        await pairwise.caller.completion(model=MODEL, messages=MESSAGES, stream=pairwise.stream)
    assert type(excinfo.value) is kind
    error: Any = excinfo.value
    assert (error.llm_provider, error.status_code) == ("synthetic", status)
    assert message in str(error)
    assert error.model == "hf:zai-org/GLM-5.3-Flash"
    assert len(pairwise.server.requests) == expected
    assert isinstance(error.response, httpx.Response)
    assert ("x-middleware-rewrite" in error.response.headers) == (name not in BY_A_PROXY)


async def test_the_overflow_names_both_numbers(either_api: SyntheticServer, caller: Caller) -> None:
    either_api.respond_with(fault("context_overflow", input_tokens=600_000, context_tokens=524_288))
    with pytest.raises(litellm.ContextWindowExceededError, match=r"600000.*524288"):
        await caller.completion(model=MODEL, messages=MESSAGES)


async def test_a_silent_400_is_an_overflow_only_near_the_window(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("context_overflow_no_body"))
    long = [{"role": "user", "content": "word " * 131_000}]
    with pytest.raises(litellm.ContextWindowExceededError):
        await caller.completion(model="synthetic/hf:openai/gpt-oss-120b", messages=long)
    with pytest.raises(litellm.BadRequestError, match="well within the window") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert not isinstance(excinfo.value, litellm.ContextWindowExceededError)
    with pytest.raises(litellm.BadRequestError, match="unknown"):
        await caller.completion(model="synthetic/hf:a/Unknown", messages=MESSAGES)


async def test_a_subscription_cap_is_not_retried_and_tells_when_it_ends(
    either_api: SyntheticServer, caller: Caller
) -> None:
    quotas = {
        "rollingFiveHourLimit": {
            "nextTickAt": "2026-11-21T03:44:11.000Z",
            "remaining": 0,
            "max": 500,
            "limited": True,
        }
    }
    either_api.respond_with(
        RawJSON(
            429,
            {"error": "You've exceeded your subscription rate limits. Upgrade, or …"},
            {"x-synthetic-quotas": json.dumps(quotas), "date": "Sat, 21 Nov 2026 03:32:11 GMT"},
        )
    )
    with pytest.raises(litellm.RateLimitError, match=r"used up .* in 12 min \(03:44 UTC\)"):
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert len(either_api.requests) == 1


@pytest.mark.usefixtures("no_waiting")
async def test_a_short_retry_after_is_waited_for(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("parallel_requests", retry_after="0.2"), Text("now"))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content == "now"
    first, second = either_api.requests
    assert second.arrived_at - first.arrived_at >= 0.2


@pytest.mark.parametrize("value", ["soon", "-5", "1e99", "61", ""])
async def test_an_unusable_retry_after_is_not_waited_for(
    either_api: SyntheticServer, caller: Caller, value: str
) -> None:
    either_api.respond_with(fault("parallel_requests", retry_after=value))
    with pytest.raises(litellm.RateLimitError) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert len(either_api.requests) == 1
    assert excinfo.value.response.headers.get("retry-after") == ("61" if value == "61" else None)


async def test_retry_after_stays_on_the_exception(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("parallel_requests", retry_after="7"))
    with pytest.raises(litellm.RateLimitError) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, max_retries=0)
    assert excinfo.value.response.headers["retry-after"] == "7"
    assert len(either_api.requests) == 1


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reset_before_headers", litellm.APIConnectionError),
        ("close_before_headers", litellm.APIConnectionError),
        ("reset_mid_body", litellm.APIConnectionError),
        ("close_mid_body", litellm.APIConnectionError),
    ],
)
async def test_a_broken_connection_is_tried_three_times_and_named(
    either_api: SyntheticServer, caller: Caller, name: str, kind: type[Exception]
) -> None:
    either_api.respond_with(named_fault(name))
    with pytest.raises(kind) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert len(either_api.requests) == 3
    assert os.environ["SYNTHETIC_API_BASE"] in str(excinfo.value)
    assert either_api.wait_until_idle()


@pytest.mark.usefixtures("no_waiting")
async def test_a_passing_failure_is_healed_inside_the_call(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("backend_error"), fault("reset_before_headers"), Text("healed"))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content == "healed"
    either_api.enqueue(fault("unavailable"), Text("streamed"))
    chunks = await caller.stream(model=MODEL, messages=MESSAGES)
    assert chunks


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("max_retries", "expected"), [(0, 1), (1, 2), (4, 5)])
async def test_max_retries_is_kept_to(
    either_api: SyntheticServer, caller: Caller, max_retries: int, expected: int
) -> None:
    either_api.respond_with(fault("backend_error"))
    with pytest.raises(litellm.InternalServerError):
        await caller.completion(model=MODEL, messages=MESSAGES, max_retries=max_retries)
    assert len(either_api.requests) == expected


@pytest.mark.usefixtures("no_waiting")
async def test_num_retries_is_litellms_other_name_for_max_retries(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.enqueue(fault("backend_error"), fault("backend_error"), Text("healed"))
    answer = await caller.completion(model=MODEL, messages=MESSAGES, num_retries=2)
    assert answer.choices[0].message.content == "healed"
    assert len(either_api.requests) == 3


async def test_nothing_listening_is_a_connection_error(
    either_api: SyntheticServer, caller: Caller
) -> None:
    del either_api
    with pytest.raises(litellm.APIConnectionError, match=r"127\.0\.0\.1:9"):
        await caller.completion(
            model=MODEL, messages=MESSAGES, api_base="http://127.0.0.1:9/v1", max_retries=0
        )


@pytest.mark.parametrize(
    ("name", "timeout"),
    [
        ("stall_before_headers", 0.2),
        ("stall_before_headers", httpx.Timeout(30, read=0.2)),
        ("slow_drip", 0.2),  # a number bounds the whole call, an httpx.Timeout each read
    ],
    ids=str,
)
async def test_a_timeout_is_kept_to(
    either_api: SyntheticServer,
    caller: Caller,
    name: str,
    timeout: Any,  # noqa: ASYNC109  # a value under test
) -> None:
    either_api.respond_with(named_fault(name))
    with pytest.raises(litellm.Timeout) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, timeout=timeout)
    assert excinfo.value.llm_provider == "synthetic"
    assert either_api.wait_until_idle()
    # A busy machine may take longer over the sending alone; it is not sent again in any case.
    assert len(either_api.requests) <= 1


async def test_retries_do_not_outlast_the_timeout(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("parallel_requests", retry_after="50"))
    with pytest.raises(litellm.RateLimitError):
        await caller.completion(model=MODEL, messages=MESSAGES, timeout=40)
    assert len(either_api.requests) == 1


@pytest.mark.parametrize(
    ("name", "wording"),
    [("html_200", "text/html"), ("empty_200", "empty"), ("no_choices", "no choices|not a message")],
)
async def test_a_200_that_is_no_answer_is_an_error(
    either_api: SyntheticServer, caller: Caller, name: str, wording: str
) -> None:
    either_api.respond_with(named_fault(name))
    with pytest.raises(litellm.APIError, match=wording) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert os.environ["SYNTHETIC_API_BASE"] in str(excinfo.value)
    with pytest.raises(openai.APIError, match=r"stream|answer"):
        await caller.stream(model=MODEL, messages=MESSAGES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("html_200", r"is not an event stream \(content type: text/html"),
        ("empty_200", r"is empty \(content type: none\)"),
    ],
)
async def test_a_200_that_is_no_stream_names_its_content_type(
    either_api: SyntheticServer, caller: Caller, name: str, message: str
) -> None:
    either_api.respond_with(named_fault(name))
    with pytest.raises(litellm.APIError, match=message) as excinfo:
        await caller.stream(model=MODEL, messages=MESSAGES)
    assert excinfo.value.status_code == 502
    assert os.environ["SYNTHETIC_API_BASE"] in str(excinfo.value)


async def test_an_error_that_comes_whole_in_place_of_a_stream_is_that_error(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(RawJSON(200, {"error": "Context limit exceeded"}))
    with pytest.raises(litellm.ContextWindowExceededError):
        await caller.stream(model=MODEL, messages=MESSAGES)


async def test_a_stream_of_comments_only_ended_early(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(Stream([b": keep-alive\n\n"], done=False))
    with pytest.raises(litellm.APIConnectionError, match="ended early, without an event"):
        await caller.stream(model=MODEL, messages=MESSAGES)


async def test_a_reply_cut_by_a_small_max_tokens_is_passed_on(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("length_before_answer"))
    answer = await caller.completion(model=MODEL, messages=MESSAGES, max_tokens=5)
    choice = answer.choices[0]
    assert choice.message.content is None
    assert choice.message.reasoning_content
    assert choice.finish_reason == "length"
    assert answer.usage.completion_tokens > 0
    chunks = await caller.stream(model=MODEL, messages=MESSAGES, max_tokens=5)
    assert chunks[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    "name", ["quota_absent", "quota_empty", "quota_junk", "quota_2025", "quota_strings"]
)
async def test_a_strange_quota_header_harms_no_call(
    either_api: SyntheticServer, caller: Caller, name: str
) -> None:
    either_api.respond_with(named_fault(name))
    answer = await caller.completion(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("hf:zai-org/GLM-5.2", "retired, last seen on 2026-09-08.*syn:large:text now serves"),
        ("hf:zai-org/GLM-5.3-Flahs", "Did you mean hf:zai-org/GLM-5.3-Flash"),
        ("hf:moonshotai/kimi-k3", "Did you mean hf:moonshotai/Kimi-K3"),
        ("hf:someone/Nothing-Like-It", "syn:large:text"),
    ],
)
async def test_a_refused_id_gets_a_hint_and_is_never_replaced(
    either_api: SyntheticServer, caller: Caller, model: str, message: str
) -> None:
    with pytest.raises(litellm.NotFoundError, match=message):
        await caller.completion(model=f"synthetic/{model}", messages=MESSAGES)
    assert [request.json["model"] for request in either_api.requests] == [model]


async def test_cancelling_a_plain_call_closes_the_connection(
    either_api: SyntheticServer,
) -> None:
    either_api.respond_with(fault("stall_before_headers"))
    task = asyncio.create_task(litellm.acompletion(model=MODEL, messages=MESSAGES))
    assert await asyncio.to_thread(either_api.wait_for_requests, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(either_api.wait_until_idle)


async def test_faults_of_embeddings_and_text_go_through_the_same_table(
    either_api: SyntheticServer, caller: Caller
) -> None:
    either_api.respond_with(fault("payment_required"))
    for call in (
        caller.embedding(model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["a"]),
        caller.text_completion(model=MODEL, prompt="a"),
        caller.responses(model=MODEL, input="a"),
    ):
        with pytest.raises(PAYMENT, match="billing") as excinfo:
            await call
        assert excinfo.value.status_code == 402


async def test_the_error_table_survives_a_log_of_the_failure(
    either_api: SyntheticServer, recorder: Any
) -> None:
    either_api.respond_with(fault("invalid_key"))
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(model=MODEL, messages=MESSAGES)
    (failure,) = await recorder.settled_failures()
    assert "SYNTHETIC_API_KEY" in failure
