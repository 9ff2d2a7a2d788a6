"""Limits, prices and listings of the model table, on a real proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway.running import Proxy

LONG = [{"role": "user", "content": "word " * 210_000}]
SHORT = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_prompt_over_an_aliass_window_is_refused_before_it_is_sent(
    proxy: Proxy, *, stream: bool
) -> None:
    with proxy.client() as client:
        body = {"model": "alone", "messages": LONG, "stream": stream}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert "ContextWindowExceeded" in reply.text
    assert not proxy.upstream.requests


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_context_window_fallbacks_go_to_the_larger_model(proxy: Proxy, *, stream: bool) -> None:
    with proxy.client() as client:
        body = {"model": "small", "messages": LONG, "stream": stream}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200
    assert [one.json["model"] for one in proxy.upstream.requests] == ["syn:large:text"]


def test_model_info_tells_limits_and_prices(proxy: Proxy) -> None:
    with proxy.client() as client:
        entries = client.get("/model/info").json()["data"]
    info = next(one["model_info"] for one in entries if one["model_name"] == "large")
    assert info["max_input_tokens"] == 524288
    assert info["input_cost_per_token"] == 6e-07
    assert info["cache_read_input_token_cost"] == 3e-08
    assert info["supports_function_calling"] is True


def test_what_the_operator_sets_in_model_info_wins(proxy: Proxy) -> None:
    with proxy.client() as client:
        entries = client.get("/model/info").json()["data"]
        body = {"model": "own", "messages": [{"role": "user", "content": "word " * 3000}]}
        refusal = client.post("/v1/chat/completions", json=body)
    info = next(one["model_info"] for one in entries if one["model_name"] == "own")
    assert (info["max_input_tokens"], info["input_cost_per_token"]) == (1000, 9e-06)
    assert info["max_output_tokens"] == 65536
    assert refusal.status_code == 400
    assert not proxy.upstream.requests


def test_the_wildcard_routes_and_lists_the_models(proxy: Proxy) -> None:
    with proxy.client() as client:
        ids = {one["id"] for one in client.get("/v1/models").json()["data"]}
        body = {"model": "synthetic/hf:moonshotai/Kimi-K3", "messages": SHORT}
        reply = client.post("/v1/chat/completions", json=body)
    assert {"synthetic/hf:moonshotai/Kimi-K3", "synthetic/syn:large:text"} <= ids
    assert reply.status_code == 200
    assert proxy.upstream.last_request.json["model"] == "hf:moonshotai/Kimi-K3"
    assert float(reply.headers["x-litellm-response-cost"]) > 0
