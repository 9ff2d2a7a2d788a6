"""`/v1/messages` over either of Synthetic's APIs, and the fields that pass untouched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from litellm_synthetic.testing import Event, RawJSON, Stream, Text, Usage
from tests.gateway.running import MASTER_KEY

if TYPE_CHECKING:
    from tests.gateway.running import Proxy

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
MESSAGES_ROUTE = "/anthropic/v1/messages"
COUNT_ROUTE = "/anthropic/v1/messages/count_tokens"
CHAT_ROUTE = "/openai/v1/chat/completions"


def _client(proxy: Proxy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=proxy.url, api_key=MASTER_KEY, max_retries=0)


def _ask(proxy: Proxy, *, stream: bool, **fields: Any) -> Any:
    body: dict[str, Any] = {"model": "large", "max_tokens": 500, "messages": HELLO, **fields}
    with _client(proxy) as client:
        if not stream:
            return client.messages.create(**body)
        with client.messages.stream(**body) as events:
            return events.get_final_message()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_messages_go_to_synthetics_own_endpoint_by_default(proxy: Proxy, *, stream: bool) -> None:
    _ask(proxy, stream=stream)
    assert [one.route for one in proxy.upstream.requests] == [MESSAGES_ROUTE]
    request = proxy.upstream.last_request
    assert request.bearer == proxy.upstream.api_key
    assert request.json["model"] == "syn:large:text"
    assert MASTER_KEY not in repr(dict(request.headers))
    assert "anthropic-beta" not in request.headers


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_setting_chooses_the_api(messages_proxy: Proxy, *, stream: bool) -> None:
    _ask(messages_proxy, stream=stream)
    requests = messages_proxy.upstream.requests
    assert [one.route for one in requests] in ([MESSAGES_ROUTE], [CHAT_ROUTE])
    native = _is_native(messages_proxy)
    assert requests[0].route == (MESSAGES_ROUTE if native else CHAT_ROUTE)


def _is_native(proxy: Proxy) -> bool:
    # The folder's name is the only trace of the fixture's parameter.
    return "proxy-native" in str(proxy.log)


def test_the_request_goes_out_untouched(proxy: Proxy) -> None:
    body: dict[str, Any] = {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "hello"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "A greeting.", "signature": "kept"},
                    {"type": "text", "text": "Hi."},
                ],
            },
            {"role": "user", "content": [{"type": "text", "text": "and now?"}]},
        ],
    }
    beside = {"top_k": 40, "a_field_of_tomorrow": {"x": 1}}
    _ask(proxy, stream=False, extra_body=beside, **body)
    request = proxy.upstream.last_request.json
    assert {name: request[name] for name in body} == body
    assert {name: request[name] for name in beside} == beside
    # Nothing of the proxy's own goes along.
    assert request.keys() == body.keys() | beside.keys() | {"model", "max_tokens"}


def test_the_reply_comes_back_untouched(proxy: Proxy) -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "hf:deepseek-ai/DeepSeek-V4.1-Flash",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "abc"},
            {"type": "text", "text": "Hi.", "citations": None},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 2, "a_count_of_tomorrow": 1},
        "a_field_of_tomorrow": [1, 2],
    }
    proxy.upstream.enqueue(RawJSON(200, body))
    with proxy.client() as client:
        payload = {"model": "large", "max_tokens": 500, "messages": HELLO}
        reply = client.post("/v1/messages", json=payload).json()
    # The model's name is LiteLLM's to choose: it shows the group that was asked for.
    assert {name: reply[name] for name in body if name != "model"} == {
        name: value for name, value in body.items() if name != "model"
    }


def test_stream_events_come_back_untouched(proxy: Proxy) -> None:
    usage = {"input_tokens": 5, "output_tokens": 0}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": usage}
    events = [
        Event("message_start", {"type": "message_start", "message": {**start, "model": "m"}}),
        Event("ping", {"type": "ping"}),
        Event(
            "content_block_start",
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tomorrows"}},
        ),
        Event("content_block_stop", {"type": "content_block_stop", "index": 0}),
        Event(
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 2},
            },
        ),
        Event("message_stop", {"type": "message_stop"}),
    ]
    proxy.upstream.enqueue(Stream(events=events, done=False))
    with proxy.client() as client:
        body = {"model": "large", "max_tokens": 500, "messages": HELLO, "stream": True}
        reply = client.post("/v1/messages", json=body)
    result = [
        json.loads(line.removeprefix("data: "))
        for line in reply.text.splitlines()
        if line.startswith("data: ")
    ]
    assert [one["type"] for one in result] == [event.name for event in events]
    assert result[2] == events[2].data
    assert result[4] == events[4].data


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_native_message_has_its_list_price(proxy: Proxy, *, stream: bool) -> None:
    proxy.upstream.enqueue(Text("Hi.", usage=Usage(1000, 100, cached_tokens=400)))
    with proxy.client() as client:
        body = {"model": "large", "max_tokens": 500, "messages": HELLO, "stream": stream}
        reply = client.post("/v1/messages", json=body)
    assert reply.is_success
    if not stream:
        cost = float(reply.headers["x-litellm-response-cost"])
        assert cost == pytest.approx(600 * 6e-07 + 400 * 3e-08 + 100 * 1.2e-06, rel=1e-9)


def test_count_tokens_is_synthetics_own_count(proxy: Proxy) -> None:
    with _client(proxy) as client:
        count = client.messages.count_tokens(
            model="small", messages=[{"role": "user", "content": "x" * 400}]
        )
    assert [one.route for one in proxy.upstream.requests] == [COUNT_ROUTE]
    assert count.input_tokens == 102  # of `user: ` and the text, at four characters each
    assert proxy.upstream.last_request.bearer == proxy.upstream.api_key


def test_a_prompt_of_claude_code_is_counted_in_documented_fields(proxy: Proxy) -> None:
    asked = {
        "model": "small",
        "messages": [*HELLO, {"role": "system", "content": "Mind the time."}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "defer_loading": True}],
    }
    with proxy.client() as client:
        reply = client.post("/v1/messages/count_tokens", json=asked)
    assert reply.json()["input_tokens"] > 0
    [sent] = [one.json for one in proxy.upstream.requests if one.route == COUNT_ROUTE]
    assert [turn["role"] for turn in sent["messages"]] == ["user"]
    assert "Mind the time." in json.dumps(sent["messages"])
    assert sent["tools"] == [{"name": "look", "input_schema": {"type": "object"}}]


@pytest.mark.parametrize(
    "model", ["synthetic/hf:moonshotai/Kimi-K3", "synthetic/hf:zai-org/GLM-5.3-Flash"]
)
def test_where_synthetic_cannot_count_litellm_does(proxy: Proxy, model: str) -> None:
    with _client(proxy) as client:
        count = client.messages.count_tokens(
            model=model, messages=[{"role": "user", "content": "hello " * 100}]
        )
    assert [one.route for one in proxy.upstream.requests] == [COUNT_ROUTE]
    assert 80 < count.input_tokens < 200
