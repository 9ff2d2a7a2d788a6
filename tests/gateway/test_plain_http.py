"""A plain HTTP client: the proxy's own routes, raw events and raw error bodies."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import Text, Usage, fault

if TYPE_CHECKING:
    import httpx

    from tests.gateway.running import Proxy

HELLO = [{"role": "user", "content": "hello"}]


def _events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


def test_a_stream_is_events_of_json_and_ends_with_done(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO, "stream": True}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    *chunks, last = _events(reply.text)
    assert last == "[DONE]"
    documents = [json.loads(chunk) for chunk in chunks]
    assert {one["object"] for one in documents} == {"chat.completion.chunk"}
    assert len({one["id"] for one in documents}) == 1


def test_a_failed_stream_ends_with_an_error_and_without_done(proxy: Proxy) -> None:
    proxy.upstream.enqueue(fault("stream_cut"))
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO, "stream": True}
        events = _events(client.post("/v1/chat/completions", json=body).text)
    assert "ended early" in json.loads(events[-1])["error"]["message"]
    assert "[DONE]" not in events


def test_chunks_are_passed_on_as_they_come(proxy: Proxy) -> None:
    proxy.upstream.enqueue(Text("word " * 20, cut_after=8, ending="stall"))
    body = {"model": "large", "messages": HELLO, "stream": True}
    with (
        proxy.client() as client,
        client.stream("POST", "/v1/chat/completions", json=body) as reply,
    ):
        lines = reply.iter_lines()
        first = next(line for line in lines if '"content":"' in line)
        assert "word" in first
        assert proxy.upstream.active_requests == 1
    assert proxy.upstream.wait_until_idle()


def test_the_cost_reaches_the_client_and_the_operators_plan_does_not(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO}
        reply = client.post("/v1/chat/completions", json=body)
    assert not [name for name in reply.headers if "synthetic-quotas" in name]
    assert float(reply.headers["x-litellm-response-cost"]) > 0


def test_the_name_in_a_reply_is_the_one_asked_for(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO}
        reply = client.post("/v1/chat/completions", json=body).json()
    assert reply["model"] == "large"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_a_key_that_the_proxy_does_not_know_is_refused(proxy: Proxy, path: str) -> None:
    with proxy.client("sk-somebody-elses") as client:
        reply = client.post(path, json={"model": "large", "messages": HELLO})
    assert reply.status_code in {400, 401}
    assert "sk-somebody-elses" not in reply.text
    assert not proxy.upstream.requests


def test_an_unsupported_parameter_is_named(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO, "web_search_options": {}}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert "web_search_options" in reply.json()["error"]["message"]
    assert not proxy.upstream.requests


def test_a_value_out_of_range_is_refused_with_its_range(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO, "temperature": 3}
        reply = client.post("/v1/chat/completions", json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (400, "400")
    assert "temperature" in error["message"]
    assert "0 to 2" in error["message"]
    assert not proxy.upstream.requests


def test_an_unknown_model_names_its_likely_meaning(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": "synthetic/hf:zai-org/GLM-9", "messages": HELLO}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 404
    assert "hf:zai-org/GLM-5.3" in reply.json()["error"]["message"]


def test_a_redirect_is_not_followed_and_not_passed_on(proxy: Proxy) -> None:
    proxy.upstream.enqueue(fault("redirect"))
    with proxy.client() as client:
        body = {"model": "large", "messages": HELLO}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 502
    assert "location" not in reply.headers
    assert len(proxy.upstream.requests) == 1


def test_the_callers_own_headers_and_keys_stay_here(proxy: Proxy) -> None:
    with proxy.client() as client:
        headers = {"x-somebody": "private", "cookie": "session=private"}
        body = {"model": "large", "messages": HELLO}
        assert client.post("/v1/chat/completions", json=body, headers=headers).is_success
    request = proxy.upstream.last_request
    assert request.bearer == proxy.upstream.api_key
    assert "private" not in repr(dict(request.headers))


@pytest.mark.parametrize("path", ["/v1/models", "/models"])
def test_models_are_listed_in_openais_form(proxy: Proxy, path: str) -> None:
    with proxy.client() as client:
        ids = client.get(path).json()
    assert ids["object"] == "list"
    assert {"id", "object", "created", "owned_by"} <= set(ids["data"][0])
    names = [one["id"] for one in ids["data"]]
    assert "large" in names
    assert len(names) == len(set(names))


def test_model_info_knows_the_wildcards_models(proxy: Proxy) -> None:
    with proxy.client() as client:
        entries: list[dict[str, Any]] = client.get("/model_group/info").json()["data"]
    by_name = {one["model_group"]: one for one in entries}
    qwen = by_name["synthetic/hf:Qwen/Qwen3.8-27B"]
    assert (qwen["max_input_tokens"], qwen["max_output_tokens"]) == (262144, 65536)
    assert (qwen["input_cost_per_token"], qwen["output_cost_per_token"]) == (4.5e-07, 2.2e-06)
    assert qwen["supports_vision"] is True


def test_a_health_check_asks_the_models_and_finds_them_well(proxy: Proxy) -> None:
    with proxy.client() as client:
        report = client.get("/health", params={"model": "large"}).json()
    assert (report["healthy_count"], report["unhealthy_count"]) == (1, 0), report
    assert proxy.upstream.last_request.json["model"] == "syn:large:text"
    assert proxy.upstream.api_key not in json.dumps(report)


def test_eight_clients_at_once_are_all_served(proxy: Proxy) -> None:
    proxy.upstream.respond_with(Text("Hi.", usage=Usage(3, 1), delay_seconds=0.2))

    def ask(number: int) -> httpx.Response:
        with proxy.client() as client:
            messages = [{"role": "user", "content": f"number {number}"}]
            prompts = {"model": "large", "messages": messages}
            return client.post("/v1/chat/completions", json=prompts)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(ask, range(8)))
    assert [reply.status_code for reply in replies] == [200] * 8
    prompts = {one.json["messages"][0]["content"] for one in proxy.upstream.requests}
    assert prompts == {f"number {number}" for number in range(8)}
