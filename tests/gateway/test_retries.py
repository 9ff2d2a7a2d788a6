"""Retries and fallbacks of a proxy: how often, after how long, and to which model."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import RawJSON, Text, fault, named_fault
from tests.gateway.conftest import UNSTEERED
from tests.gateway.running import LOADING, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from litellm_synthetic.testing import RecordedRequest, Reply

HELLO = [{"role": "user", "content": "hello"}]
DEPLOYMENTS = {
    "alone": "syn:small:text",
    "with-fallback": "syn:large:text",
    "spare": "hf:zai-org/GLM-5.3",
}
SIBLINGS = ("syn:small:text", "hf:Qwen/Qwen3.8-27B")
CONFIG: dict[str, Any] = {
    **LOADING,
    "model_list": [
        {"model_name": name, "litellm_params": {"model": f"synthetic/{model}"}}
        for name, model in (*DEPLOYMENTS.items(), *(("siblings", one) for one in SIBLINGS))
    ]
    + [{"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}}],
    "router_settings": {
        "num_retries": 2,
        "fallbacks": [{"with-fallback": ["spare"]}],
        "disable_cooldowns": True,
    },
}


@pytest.fixture(scope="module")
def running_retrying_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy whose router asks up to three times."""
    folder = tmp_path_factory.mktemp("retries")
    with run_proxy(folder, CONFIG, environment=UNSTEERED) as proxy:
        yield proxy


@pytest.fixture
def retrying(running_retrying_proxy: Proxy) -> Proxy:
    """Give a test that proxy, with an upstream that has heard nothing yet."""
    running_retrying_proxy.upstream.reset()
    return running_retrying_proxy


def _chat(proxy: Proxy, model: str, *, stream: bool = False, **fields: Any) -> httpx.Response:
    with proxy.client() as client:
        body = {"model": model, "messages": HELLO, "stream": stream, **fields}
        return client.post("/v1/chat/completions", json=body)


def _waits_seconds(proxy: Proxy) -> list[float]:
    moments = [one.arrived_at for one in proxy.upstream.requests]
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def _models(proxy: Proxy) -> list[str]:
    return [one.json["model"] for one in proxy.upstream.requests]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_429_is_retried_after_the_told_time(retrying: Proxy, *, stream: bool) -> None:
    retrying.upstream.enqueue(fault("parallel_requests", retry_after=1), Text("At last."))
    reply = _chat(retrying, "alone", stream=stream)
    assert reply.status_code == 200
    assert "last" in reply.text
    (delay,) = _waits_seconds(retrying)
    assert delay >= 1  # LiteLLM's own back-off is set to a hundredth of it


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_messages_and_responses_wait_as_told_too(retrying: Proxy, path: str) -> None:
    retrying.upstream.enqueue(fault("parallel_requests", retry_after=1), Text("At last."))
    body: dict[str, Any] = {"model": "alone", "max_tokens": 500, "messages": HELLO}
    if "responses" in path:
        body = {"model": "alone", "input": "hello"}
    with retrying.client() as client:
        reply = client.post(path, json=body)
    assert "At last." in reply.text
    (delay,) = _waits_seconds(retrying)
    assert delay >= 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_429_that_does_not_give_way_reaches_the_client(retrying: Proxy, *, stream: bool) -> None:
    retrying.upstream.respond_with(fault("parallel_requests", retry_after=0))
    reply = _chat(retrying, "alone", stream=stream)
    assert reply.status_code == 429
    assert "max 4 parallel requests per model" in reply.json()["error"]["message"]
    assert len(retrying.upstream.requests) == 3


@pytest.mark.parametrize("model", ["alone", "synthetic/hf:openai/gpt-oss-120b"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_the_subscription_cap_is_not_retried(
    retrying: Proxy, path: str, model: str, *, stream: bool
) -> None:
    retrying.upstream.respond_with(fault("subscription_cap"))
    body: dict[str, Any] = {"model": model, "stream": stream}
    body |= {"input": "hello"} if "responses" in path else {"messages": HELLO, "max_tokens": 99}
    with retrying.client() as client:
        reply = client.post(path, json=body)
    assert reply.status_code == 429
    message = reply.json()["error"]["message"]
    assert "The 5-hour requests are used up" in message
    assert "https://synthetic.new/billing" in message
    assert len(retrying.upstream.requests) == 1


def test_a_capped_model_gives_way_to_its_siblings(retrying: Proxy) -> None:
    def cap_one(request: RecordedRequest) -> Reply | None:
        return fault("subscription_cap") if request.json["model"] == SIBLINGS[0] else None

    # The router picks at random, so it is asked until it has picked the capped one first.
    for _ in range(40):
        retrying.upstream.reset()
        retrying.upstream.respond_with(cap_one)
        reply = _chat(retrying, "siblings")
        if _models(retrying)[0] == SIBLINGS[0] and reply.status_code == 200:
            assert _models(retrying)[-1] == SIBLINGS[1]
            return
    pytest.fail("no call that met the capped deployment was served by the other one")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", ["subscription_cap", "payment_required", "model_retired"])
def test_what_does_not_pass_by_itself_goes_to_the_fallback(
    retrying: Proxy, name: str, *, stream: bool
) -> None:
    retrying.upstream.enqueue(named_fault(name), Text("From the spare."))
    reply = _chat(retrying, "with-fallback", stream=stream)
    assert reply.status_code == 200
    assert "spare" in reply.text
    assert _models(retrying) == ["syn:large:text", "hf:zai-org/GLM-5.3"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_passing_failure_is_retried(retrying: Proxy, *, stream: bool) -> None:
    retrying.upstream.enqueue(fault("bad_gateway"), fault("reset_before_headers"), Text("Hi."))
    reply = _chat(retrying, "alone", stream=stream)
    assert reply.status_code == 200
    assert len(retrying.upstream.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_not_retried(retrying: Proxy, status: int) -> None:
    retrying.upstream.respond_with(RawJSON(status, {"error": "No."}))
    assert _chat(retrying, "alone").status_code == status
    assert len(retrying.upstream.requests) == 1


def test_a_stream_that_has_begun_is_not_asked_for_again(retrying: Proxy) -> None:
    retrying.upstream.enqueue(fault("reset_mid_body"), Text("Another answer."))
    reply = _chat(retrying, "with-fallback", stream=True)
    assert "broke off" in reply.text
    assert "Another" not in reply.text
    assert len(retrying.upstream.requests) == 1
