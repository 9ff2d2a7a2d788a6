"""Errors of `/v1/messages`: the bodies, types and words of Anthropic's own API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from litellm_synthetic.testing import RawJSON, fault
from tests.gateway.running import MASTER_KEY

if TYPE_CHECKING:
    import httpx

    from tests.gateway.running import Proxy

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
# Anthropic's API reference, "Errors": status and type. Other refusals are invalid requests.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
}


def post(proxy: Proxy, path: str = "/v1/messages", **fields: Any) -> httpx.Response:
    body = {"model": "large", "max_tokens": 50, "messages": HELLO, **fields}
    with proxy.client() as client:
        return client.post(path, json=body)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", TYPES)
def test_every_status_has_anthropics_body_and_type(
    messages_proxy: Proxy, status: int, *, stream: bool
) -> None:
    messages_proxy.upstream.respond_with(RawJSON(status, {"error": "Something happened"}))
    reply = post(messages_proxy, stream=stream)
    body = reply.json()
    assert reply.status_code == status
    assert body["type"] == "error"
    assert body["error"]["type"] == TYPES[status]
    assert "Something happened" in body["error"]["message"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_overflow_reads_as_anthropics(messages_proxy: Proxy, *, stream: bool) -> None:
    messages_proxy.upstream.respond_with(fault("context_overflow"))
    reply = post(messages_proxy, stream=stream)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"]) == (400, "invalid_request_error")
    assert re.search(r"prompt is too long: 600000 tokens > 524288 maximum\. ", error["message"])
    assert "context window" in error["message"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", ["subscription_cap", "payment_required", "parallel_requests"])
def test_a_client_is_told_when_to_come_back_as_a_chat_is(
    messages_proxy: Proxy, name: Any, *, stream: bool
) -> None:
    # Too late for a second to pass between the two calls.
    options: Any = {"resets_in_seconds": 1e6} if name == "subscription_cap" else {}
    messages_proxy.upstream.respond_with(fault(name, **options))
    replies = [
        post(messages_proxy, path, stream=stream)
        for path in ("/v1/messages", "/v1/chat/completions")
    ]
    told = [(one.headers["x-should-retry"], int(one.headers["retry-after"])) for one in replies]
    assert told[0][0] == told[1][0]
    assert abs(told[0][1] - told[1][1]) < 600


def test_anthropics_own_client_raises_its_own_class(proxy: Proxy) -> None:
    proxy.upstream.respond_with(fault("context_overflow"))
    with (
        anthropic.Anthropic(base_url=proxy.url, api_key=MASTER_KEY, max_retries=0) as client,
        pytest.raises(anthropic.BadRequestError, match="prompt is too long: 600000 tokens"),
    ):
        client.messages.create(model="large", max_tokens=50, messages=HELLO)


@pytest.mark.parametrize("name", ["unknown_route", "method_not_allowed", "html_200", "redirect"])
def test_internal_hosts_are_shown_as_a_chat_shows_them(messages_proxy: Proxy, name: Any) -> None:
    messages_proxy.upstream.respond_with(fault(name))
    hosts = [
        re.findall(r"https?://([^:/ ]+)", post(messages_proxy, path).json()["error"]["message"])
        for path in ("/v1/messages", "/v1/chat/completions")
    ]
    assert hosts[0] == hosts[1] != []
    assert "127.0.0.1" not in hosts[0]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_native_message_carries_the_providers_headers(proxy: Proxy, *, stream: bool) -> None:
    replies = [
        post(proxy, path, stream=stream) for path in ("/v1/messages", "/v1/chat/completions")
    ]
    message, chat = (
        {name for name in reply.headers if name.startswith("llm_provider-")} for reply in replies
    )
    assert message == chat
    assert "llm_provider-date" in message
    assert "_hidden_params" not in replies[0].text
