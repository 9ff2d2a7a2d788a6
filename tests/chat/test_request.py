import json
from typing import Any

import httpx
import litellm
import pytest
from litellm import exceptions
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler

from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.chat.request import prepare_chat, prepare_embedding, prepare_text
from litellm_synthetic.client.body import MAX_BODY_BYTES
from litellm_synthetic.client.call import Call, resolve
from litellm_synthetic.client.limits import time_limits
from litellm_synthetic.client.request import Prepared
from litellm_synthetic.transport.limits import TimeLimits

KEY = "syn_0123456789abcdef"
MESSAGES = [{"role": "user", "content": "hi"}]


def prepared(messages: Any = MESSAGES, *, model: str = "hf:a/b", **call: Any) -> Prepared:
    call = {"fields": {}, "headers": None, "key": KEY, "base_url": None, **call}
    return prepare_chat(resolve(Call(model=model, **call), load_bundled()), messages)


def body(messages: Any = MESSAGES, **call: Any) -> Any:
    return json.loads(prepared(messages, **call).outgoing.content)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"temperature": 0.5, "top_k": 4}, {"temperature": 0.5, "top_k": 4}),
        ({"temperature": None, "user": None}, {}),
        ({"chat_template_kwargs": {"a": None}}, {"chat_template_kwargs": {"a": None}}),
        ({"model": "hf:other/model"}, {}),
        ({"extra_headers": {"x": "y"}, "max_retries": 5, "extra_body": {"a": 1}}, {}),
        ({"stream": False, "stream_options": {"include_usage": True}}, {}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        (
            {"stream": True, "stream_options": {"include_usage": False, "x": 1}},
            {"stream": True, "stream_options": {"include_usage": True, "x": 1}},
        ),
        ({"messages": [{"role": "user", "content": "bye"}]},) * 2,
    ],
)
def test_the_body_holds_what_was_said_and_nothing_else(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert body(fields=fields) == {"model": "hf:a/b", "messages": MESSAGES, **expected}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [("a/b", "hf:a/b"), ("hf:a/b", "hf:a/b"), ("syn:large:text", "syn:large:text"), ("odd", "odd")],
)
def test_the_model_is_spelt_as_synthetic_spells_it(payload: str, expected: str) -> None:
    assert body(model=payload)["model"] == expected


def test_text_is_written_as_it_is() -> None:
    content = prepared([{"role": "user", "content": "Zoë 🐟"}]).outgoing.content
    assert "Zoë 🐟".encode() in content


def test_legacy_completions_and_embeddings_have_their_own_fields_and_addresses() -> None:
    call = Call(model="a/b", fields={"dimensions": 256}, headers=None, key=KEY, base_url=None)
    text = prepare_text(resolve(call, load_bundled()), "once").outgoing
    assert text.url == "https://api.synthetic.new/openai/v1/completions"
    assert json.loads(text.content) == {"model": "hf:a/b", "prompt": "once", "dimensions": 256}
    vectors = prepare_embedding(resolve(call, load_bundled()), ["a", "b"]).outgoing
    assert vectors.url == "https://api.synthetic.new/openai/v1/embeddings"
    assert json.loads(vectors.content) == {
        "model": "hf:a/b", "input": ["a", "b"], "dimensions": 256,
    }  # fmt: skip  # one body, read as one


def test_what_a_model_needs_is_sent_only_when_thinking_is_replayed() -> None:
    needy = next(model.id for model in load_bundled().models if model.replay is not None)
    messages = [*MESSAGES, {"role": "assistant", "content": "a", "reasoning": "b"}]
    kwargs = {"clear_thinking": True}
    assert "chat_template_kwargs" not in body(model=needy)
    assert body(messages, model=needy)["chat_template_kwargs"] == {"clear_thinking": False}
    fields = {"chat_template_kwargs": kwargs}
    assert body(messages, model=needy, fields=fields)["chat_template_kwargs"] == kwargs
    assert "chat_template_kwargs" not in body(messages)


# ---- refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"fields": {"temperature": 3}}, "temperature=3 is out of range"),
        ({"fields": {"min_p": 2}}, "min_p=2 is out of range"),
        ({"fields": {"top_a": float("nan")}}, "cannot be written as JSON"),
        ({"fields": {"top_a": [float("inf")]}}, "cannot be written as JSON"),
        ({"fields": {"top_a": object()}}, "object has no JSON form"),
        ({"fields": {"top_a": {(1, 2): 3}}}, "cannot be written as JSON"),
        ({"fields": {"top_a": "\ud800"}}, "cannot be written as JSON"),
        ({"fields": {"max_tokens": 10**5000}}, "cannot be written as JSON"),
        ({"fields": {"stop": list("abcd")}, "requested_stop": list("abcde")}, "5 given"),
        ({"base_url": "http://api.synthetic.new/v1"}, "unencrypted"),
        ({"client": object()}, "client=object cannot be used"),
    ],
)
def test_what_cannot_be_right_is_not_sent(call: dict[str, Any], message: str) -> None:
    with pytest.raises(exceptions.BadRequestError, match=message) as excinfo:
        prepared(**call)
    assert excinfo.value.llm_provider == "synthetic"
    assert excinfo.value.model == "hf:a/b"


def test_the_limit_on_stop_sequences_can_be_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "disable_stop_sequence_limit", True)
    assert body(fields={"stop": list("abcde")}, requested_stop=list("abcde"))["stop"] == list(
        "abcde"
    )


def test_a_body_of_exactly_ten_mebibytes_goes_and_one_more_byte_does_not() -> None:
    empty = len(prepared([{"role": "user", "content": ""}]).outgoing.content)
    fits = [{"role": "user", "content": "x" * (MAX_BODY_BYTES - empty)}]
    assert len(prepared(fits).outgoing.content) == MAX_BODY_BYTES
    fits[0]["content"] += "x"
    with pytest.raises(exceptions.BadRequestError, match="10,485,761 bytes"):
        prepared(fits)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_call_without_a_key_names_the_variable(key: str | None) -> None:
    with pytest.raises(exceptions.AuthenticationError, match="SYNTHETIC_API_KEY"):
        prepared(key=key)


@pytest.mark.parametrize("key", ["syn_s3cr3t\nX: y", "syn_s3cr3t é", "syn_ s3cr3t"])
def test_a_key_that_no_header_carries_is_refused_unseen(key: str) -> None:
    with pytest.raises(exceptions.AuthenticationError, match="SYNTHETIC_API_KEY") as excinfo:
        prepared(key=key)
    assert "s3cr3t" not in str(excinfo.value) + repr(excinfo.value.__cause__)


# ---- where to, and what is said about oneself


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (None, "https://api.synthetic.new/openai/v1/chat/completions"),
        ("https://api.synthetic.new", "https://api.synthetic.new/openai/v1/chat/completions"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/chat/completions"),
    ],
)
def test_the_address_follows_from_the_base_url(base_url: str | None, url: str) -> None:
    assert prepared(base_url=base_url).outgoing.url == url


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_plain_http_can_be_allowed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SYNTHETIC_ALLOW_HTTP", value)
    assert prepared(base_url="http://gateway.internal/v1").outgoing.url.startswith("http://gateway")


@pytest.mark.parametrize("value", ["", "0", "false", "no"])
def test_plain_http_stays_refused_unless_allowed(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_ALLOW_HTTP", value)
    with pytest.raises(exceptions.BadRequestError):
        prepared(base_url="http://gateway.internal/v1")


def test_the_key_goes_as_bearer_and_no_vendor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org-other")
    headers = prepared().outgoing.headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert set(headers) == {"authorization", "content-type", "accept", "user-agent"}
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("litellm-synthetic/")


def test_a_stream_asks_for_events() -> None:
    assert prepared(fields={"stream": True}).outgoing.headers["accept"] == "text/event-stream"


def test_shared_headers_come_along_without_their_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = {
        "Authorization": "Bearer sk-other",
        "OpenAI-Organization": "org-other",
        "openai-project": "other",
        "X-Api-Key": "sk-other",
        "Cookie": "session=other",
        "Host": "other.example",
        "Content-Length": "5",
        "X-Team": "blue",
        "X-None": None,
    }
    monkeypatch.setattr(litellm, "headers", shared)
    headers = prepared().outgoing.headers
    assert headers["x-team"] == "blue"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert not [value for value in headers.values() if "other" in value or value == "None"]
    assert "host" not in headers
    assert "content-length" not in headers


def test_the_callers_own_headers_are_kept() -> None:
    own = {"X-Team": "blue", "X-Number": 5, "X-None": None, "Host": "other.example"}
    headers = prepared(headers=own).outgoing.headers
    assert (headers["x-team"], headers["x-number"]) == ("blue", "5")
    assert "x-none" not in headers
    assert "host" not in headers


def test_what_callbacks_see_does_not_hold_the_key() -> None:
    request = prepared(headers={"X-Api-Key": "sk-other", "X-Team": "blue"})
    assert KEY not in str(request.loggable)
    assert "sk-other" not in str(request.loggable)
    assert request.loggable["headers"]["x-team"] == "blue"
    assert KEY not in repr(request)


def test_a_call_in_a_traceback_does_not_show_the_key() -> None:
    own = {"Authorization": "Bearer sk-other"}
    call = Call(model="a/b", fields={}, headers=own, key=KEY, base_url=None)
    assert KEY not in repr(call)
    assert "sk-other" not in repr(call)


# ---- time, attempts, clients


@pytest.mark.parametrize(
    ("timeout", "stream_timeout", "stream", "limits"),
    [
        (None, None, False, TimeLimits(15.0, None, None, None)),
        (30, None, False, TimeLimits(15.0, 30.0, 30.0, 30.0)),
        (3.5, None, False, TimeLimits(3.5, 3.5, 3.5, 3.5)),
        (30, 7.0, False, TimeLimits(15.0, 30.0, 30.0, 30.0)),
        (None, None, True, TimeLimits(15.0, 300.0, 300.0, None)),
        (30, None, True, TimeLimits(15.0, 30.0, 30.0, None)),
        (6000, None, True, TimeLimits(15.0, 300.0, 300.0, None)),
        (6000, 600.0, True, TimeLimits(15.0, 600.0, 600.0, None)),
        (30, 7.0, True, TimeLimits(7.0, 7.0, 7.0, None)),
        (None, 7.0, True, TimeLimits(7.0, 7.0, 7.0, None)),
        (httpx.Timeout(9.0, connect=2.0), None, False, TimeLimits(2.0, 9.0, 9.0, 600.0)),
        (httpx.Timeout(900.0, connect=2.0), None, False, TimeLimits(2.0, 900.0, 900.0, 1802.0)),
        (httpx.Timeout(9.0, connect=2.0), None, True, TimeLimits(2.0, 9.0, 9.0, None)),
        (httpx.Timeout(9.0, connect=2.0), 4.0, True, TimeLimits(2.0, 4.0, 9.0, None)),
        (httpx.Timeout(None), None, False, TimeLimits(None, None, None, None)),
        (httpx.Timeout(None), None, True, TimeLimits(None, 300.0, None, None)),
    ],
)
def test_time_limits_are_what_the_caller_said(
    timeout: float | httpx.Timeout | None,
    stream_timeout: float | None,
    limits: TimeLimits,
    *,
    stream: bool,
) -> None:
    assert time_limits(timeout, stream_timeout, stream=stream) == limits


@pytest.mark.parametrize(("message", "result"), [(None, 2), (0, 0), (5, 5), (-1, 0)])
def test_two_retries_unless_said(message: int | None, result: int) -> None:
    assert prepared(max_retries=message).outgoing.retries.max_retries == result


def test_the_callers_client_is_used_bare_or_in_litellms_handler() -> None:
    with httpx.Client() as client:
        assert prepared(client=client).outgoing.client is client
        assert prepared(client=HTTPHandler(client=client)).outgoing.client is client
        with pytest.raises(exceptions.BadRequestError, match=r"pass an httpx\.AsyncClient"):
            prepared(client=client, is_async=True)


async def test_the_callers_async_client_is_used_bare_or_in_litellms_handler() -> None:
    handler: Any = AsyncHTTPHandler()
    assert prepared(client=handler, is_async=True).outgoing.client is handler.client
    async with httpx.AsyncClient() as client:
        assert prepared(client=client, is_async=True).outgoing.client is client
        with pytest.raises(exceptions.BadRequestError, match=r"pass an httpx\.Client"):
            prepared(client=client)
    await handler.close()


def test_litellms_shared_session_is_used_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with httpx.Client() as client:
        monkeypatch.setattr(litellm, "client_session", client)
        assert prepared().outgoing.client is client
        assert prepared(is_async=True).outgoing.client is None


@pytest.mark.parametrize(
    ("message", "variable", "setting", "verify"),
    [
        (None, None, True, True),
        (None, None, False, False),
        (None, None, "/etc/ca.pem", "/etc/ca.pem"),
        (None, "False", True, False),
        (None, "/etc/ca.pem", True, "/etc/ca.pem"),
        (False, "True", True, False),
    ],
)
def test_certificates_are_checked_as_litellm_would(
    monkeypatch: pytest.MonkeyPatch, message: Any, variable: str | None, setting: Any, verify: Any
) -> None:
    monkeypatch.setattr(litellm, "ssl_verify", setting)
    if variable is not None:
        monkeypatch.setenv("SSL_VERIFY", variable)
    assert prepared(verify=message).outgoing.verify == verify


def test_the_prompt_of_a_failed_call_can_be_counted_without_fetching_its_images() -> None:
    image = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}}
    count = prepared([{"role": "user", "content": [image]}]).origin.count_prompt_tokens
    assert count is not None
    assert (count() or 0) > 0


def test_a_prompt_that_cannot_be_counted_is_of_unknown_length() -> None:
    odd = [{"role": "user", "content": [{"type": "odd"}]}]
    count = prepared(odd).origin.count_prompt_tokens
    assert count is not None
    assert count() is None
