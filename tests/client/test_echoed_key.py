"""Wherever an upstream echoes the key, nobody is shown it."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import litellm
import pytest

import litellm_synthetic
from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.errors.failure import Origin
from litellm_synthetic.errors.local import shown_cause
from litellm_synthetic.testing import RawBytes, RawJSON, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from litellm_synthetic.testing import SyntheticServer
    from litellm_synthetic.testing.replies import Reply
    from tests.caller import Caller
    from tests.conftest import Recorder

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
KEY = "syn_0123456789abcdef0123456789abcdef"


def _event(document: object) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()


def _stream(*events: bytes) -> RawBytes:
    return RawBytes(200, b"".join(events), content_type="text/event-stream")


ECHOES: dict[str, Callable[[str], Reply]] = {
    "content type": lambda key: RawBytes(200, b"<p>", content_type=f"text/{key}"),
    "content type of an empty reply": lambda key: RawBytes(200, b"", content_type=f"a/{key}"),
    "header of an error": lambda key: RawBytes(400, b"{}", headers={"x-echo": f"Bearer {key}"}),
    "name of a header": lambda key: RawBytes(400, b"{}", headers={key: "x"}),
    "text of an error": lambda key: RawJSON(400, {"error": f"bad {key}"}),
    "object of an error": lambda key: RawJSON(422, {"error": {"message": key, "type": key}}),
    "key of an object": lambda key: RawJSON(500, {"detail": [{key: key}]}),
    "page": lambda key: RawBytes(503, f"<html><title>{key}</title>".encode(), "text/html"),
    "location": lambda key: RawBytes(
        307, b"", headers={"location": f"https://elsewhere.example/{'x' * 590}/{key}?k={key}"}
    ),
    "retry-after": lambda key: RawBytes(429, b"{}", headers={"retry-after": key}),
    "quotas": lambda key: RawBytes(429, b"{}", headers={"x-synthetic-quotas": key}),
    "error in a 200": lambda key: RawJSON(200, {"error": f"bad {key}"}),
    "field of the wrong type": lambda key: RawJSON(200, {"choices": [{"message": key}]}),
    "choices that are not a list": lambda key: RawJSON(200, {"choices": key}),
    "finish reason": lambda key: RawJSON(
        200, {"choices": [{"message": {"content": "x"}, "finish_reason": key}]}
    ),
    "broken JSON in a 200": lambda key: RawBytes(200, f'{{"choices": "{key}'.encode()),
    "event of an error": lambda key: _stream(_event({"error": {"message": key, "code": key}})),
    "broken event": lambda key: _stream(f"data: {{{key}\n\n".encode()),
    "event of the wrong type": lambda key: _stream(_event({"choices": [{"delta": key}]})),
}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _shown(error: BaseException, recorder: Recorder, caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that anybody may see of a failed call."""
    response = getattr(error, "response", None)
    texts = [
        str(error),
        repr(error),
        *(str(vars(one)) for one in _chain(error)),
        "".join(traceback.format_exception(error)),
        "" if response is None else f"{response.text} {dict(response.headers)}",
        *recorder.failures,
        *(record.getMessage() for record in caplog.records if "synthetic" in record.name),
    ]
    return "\n".join(texts).lower()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("key", [KEY, "Sk-unusual-KEY-0123456789"], ids=["usual", "unusual"])
@pytest.mark.parametrize("echo", ECHOES)
async def test_an_echoed_key_is_not_shown(
    upstream: SyntheticServer,
    caller: Caller,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
    echo: str,
    key: str,
    *,
    stream: bool,
) -> None:
    upstream.respond_with(ECHOES[echo](key))
    arguments = {"model": MODEL, "messages": MESSAGES, "api_key": key, "max_retries": 0}
    with caplog.at_level(logging.DEBUG):
        error = await _failure(caller, **arguments, stream=stream)
    # An odd finish reason alone is not an error.
    assert error is not None or echo == "finish reason"
    if error is not None:
        assert key.lower() not in _shown(error, recorder, caplog)


async def _failure(caller: Caller, *, stream: bool, **arguments: Any) -> Exception | None:
    try:
        answer = await caller.completion(**arguments, stream=stream)
        if stream:
            await caller.collect(answer)
    except Exception as error:  # noqa: BLE001  # looked at by the caller
        return error
    return None


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_the_headers_of_an_answer_hide_an_echoed_key(
    upstream: SyntheticServer, caller: Caller, *, stream: bool
) -> None:
    headers = {"x-echo": f"Bearer {upstream.api_key}", upstream.api_key: "x", "x-kept": "yes"}
    upstream.respond_with(Text("Hi.", headers=headers))
    answer = await caller.completion(model=MODEL, messages=MESSAGES, stream=stream)
    if stream:
        await caller.collect(answer)
    shown = f"{answer._hidden_params} {getattr(answer, '_response_headers', None)}"  # noqa: SLF001  # LiteLLM's place for headers
    assert upstream.api_key.lower() not in shown.lower()
    assert "'llm_provider-x-kept': 'yes'" in shown
    assert "'llm_provider-x-echo': 'Bearer [redacted]'" in shown


async def test_the_headers_of_a_streamed_message_hide_an_echoed_key(
    upstream: SyntheticServer,
) -> None:
    upstream.respond_with(Text("Hi.", headers={"x-echo": upstream.api_key, "x-kept": "yes"}))
    stream: Any = await litellm.anthropic_messages(
        model=MODEL, max_tokens=9, messages=MESSAGES, stream=True
    )
    async for _ in stream:
        pass
    shown = str(stream._hidden_params)  # noqa: SLF001  # LiteLLM's place for headers
    assert upstream.api_key not in shown
    assert "'llm_provider-x-kept': 'yes'" in shown


def test_a_cause_that_shows_the_key_is_left_out() -> None:
    origin = Origin("m", "https://a.example", Secret(KEY))
    clean, shown = ValueError("broken"), ValueError(f"illegal header line: {KEY}")
    assert shown_cause(clean, origin) is clean
    assert shown_cause(shown, origin) is None
    outer = ValueError("broken")
    outer.__cause__ = shown
    assert shown_cause(outer, origin) is None


def test_a_chain_that_leads_back_to_itself_ends() -> None:
    origin = Origin("m", "https://a.example", Secret(KEY))
    first, second = ValueError("broken"), ValueError("stalled")
    first.__context__, second.__context__ = second, first
    assert shown_cause(first, origin) is first
    second.args = (KEY,)
    assert shown_cause(first, origin) is None


def test_the_log_of_httpx_shows_no_key(registered: None, caplog: pytest.LogCaptureFixture) -> None:
    del registered
    # What httpx logs of a reply whose reason phrase is the upstream's own.
    with caplog.at_level(logging.INFO, "httpx"):
        logging.getLogger("httpx").info('HTTP Request: %s "%d %s"', "POST", 401, f"Bad {KEY}")
    assert KEY not in caplog.text
    assert 'HTTP Request: POST "401 Bad ' in caplog.text


def test_after_unregister_httpx_logs_as_before() -> None:
    before = list(logging.getLogger("httpx").filters)
    litellm_synthetic.register()
    litellm_synthetic.register()
    assert len(logging.getLogger("httpx").filters) == len(before) + 1
    litellm_synthetic.unregister()
    assert logging.getLogger("httpx").filters == before
