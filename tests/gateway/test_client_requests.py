"""The requests that real clients sent, replayed through a proxy: each is served, none is refused.

They are recorded by the suite of real clients (tests/clients/README.md), which needs downloads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.chat.hints import HINTS
from litellm_synthetic.chat.params import BY_NAME
from litellm_synthetic.messages.documented_fields import BETA_FIELDS, TOOL_FIELDS
from litellm_synthetic.testing import Text, ToolCall, ToolCalls, fault
from tests.clients import recorded
from tests.clients.recipes import RECIPES
from tests.gateway.running import MASTER_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from litellm_synthetic.testing import RecordedRequest
    from tests.gateway.running import Proxy

CLIENTS = [recipe.name for recipe in RECIPES if recipe.arguments]
# What Synthetic documents of a chat completion and of a message, and what is sent beside.
CHAT = {"model", "messages", *BY_NAME}
MESSAGE = {
    "model", "max_tokens", "messages", "stream", "system", "stop_sequences", "temperature",
    "tool_choice", "tools", "top_k", "top_p", "thinking", "metadata",
}  # fmt: skip  # one set, read as one
each_client = pytest.mark.parametrize("client", CLIENTS)


def _send(proxy: Proxy, request: dict[str, Any]) -> httpx.Response:
    with proxy.client() as client:
        headers = {**request["headers"], "x-goog-api-key": MASTER_KEY}
        return client.post(request["path"], headers=headers, json=request["body"])


def _tools(body: dict[str, Any]) -> list[str]:
    return [tool.get("name") or tool["function"]["name"] for tool in body.get("tools") or ()]


@each_client
def test_each_request_of_a_client_is_served(proxy: Proxy, client: str) -> None:
    for request in recorded.read(client):
        proxy.upstream.reset()
        proxy.upstream.respond_with(Text("finished"))
        reply = _send(proxy, request)
        assert reply.status_code == 200, reply.text
        assert "finished" in reply.text
        [sent] = _calls(proxy)
        _check_sent(sent)


def _calls(proxy: Proxy) -> list[RecordedRequest]:
    return [one for one in proxy.upstream.requests if one.method == "POST"]


def _check_sent(sent: RecordedRequest) -> None:
    body = sent.json
    is_message = sent.route.endswith("/messages")
    assert body.keys() <= (MESSAGE if is_message else CHAT)
    assert not body.keys() & {*BETA_FIELDS, *(hint.name for hint in HINTS)}
    roles = {message["role"] for message in body["messages"]}
    assert roles <= {"user", "assistant"} | (set() if is_message else {"system", "tool"})
    for tool in body.get("tools") or ():
        assert not tool.keys() & TOOL_FIELDS
    assert "anthropic-beta" not in sent.headers
    assert MASTER_KEY not in repr(dict(sent.headers))


@each_client
def test_a_client_gets_its_tool_called(proxy: Proxy, client: str) -> None:
    for request in recorded.read(client):
        proxy.upstream.reset()

        def reply(sent: RecordedRequest) -> Text | ToolCalls:
            names = _tools(sent.json)
            return ToolCalls([ToolCall(names[0], '{"x":1}')]) if names else Text("no tools")

        proxy.upstream.respond_with(reply)
        answer = _send(proxy, request)
        assert answer.status_code == 200, answer.text
        [sent] = _calls(proxy)
        for name in _tools(sent.json)[:1]:
            assert name in answer.text


@each_client
@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("context_overflow", 400, ("600000", "524288", "context window")),
        ("subscription_cap", 429, ("subscription rate limits",)),
        ("payment_required", 402, ("Insufficient quota",)),
        ("model_retired", 404, ("no longer supported",)),
    ],
)
def test_a_client_is_told_what_went_wrong(
    proxy: Proxy, client: str, name: Any, status: int, words: tuple[str, ...]
) -> None:
    proxy.upstream.respond_with(fault(name))
    reply = _send(proxy, recorded.read(client)[-1])
    assert reply.status_code == status
    assert len(_calls(proxy)) == 1
    for each in words:
        assert each in reply.text
    if status in {402, 429}:
        assert reply.headers["x-should-retry"] == "false"
        assert int(reply.headers["retry-after"]) > 0


@each_client
def test_a_recording_tells_of_nobody(client: str) -> None:
    for request in recorded.read(client):
        for text in _strings(request["body"]):
            assert len(text) < 100, text
            assert not re.search(r"/(?:home|root|tmp|Users)/|127\.0\.0\.1|localhost|sk-|syn_", text)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
