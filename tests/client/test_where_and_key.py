"""The base URL and the key of a call: no foreign credential, no socket without a key."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import pytest
from litellm import google_genai, interactions

from litellm_synthetic.testing import Redirect, fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
EMBEDDER = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
FOREIGN_KEY = "sk-openai-do-not-send"


async def _messages(_: Caller, **arguments: Any) -> Any:
    return await litellm.anthropic_messages(
        model=MODEL, max_tokens=9, messages=MESSAGES, **arguments
    )


async def _router(caller: Caller, **arguments: Any) -> Any:
    deployment = {"model_name": "m", "litellm_params": {"model": MODEL, **arguments}}
    router = litellm.Router(model_list=[deployment], num_retries=0)
    return await caller.router_completion(router, model="m", messages=MESSAGES)


async def _generate_content(caller: Caller, **arguments: Any) -> Any:
    contents = [{"role": "user", "parts": [{"text": "hello"}]}]
    if caller.is_async:
        return await google_genai.agenerate_content(model=MODEL, contents=contents, **arguments)
    return google_genai.generate_content(model=MODEL, contents=contents, **arguments)


async def _interaction(caller: Caller, **arguments: Any) -> Any:
    if caller.is_async:
        return await interactions.acreate(model=MODEL, input="hello", **arguments)
    return interactions.create(model=MODEL, input="hello", **arguments)


CALLS: dict[str, Callable[..., Awaitable[Any]]] = {
    "completion": lambda c, **a: c.completion(model=MODEL, messages=MESSAGES, **a),
    "stream": lambda c, **a: c.stream(model=MODEL, messages=MESSAGES, **a),
    "text_completion": lambda c, **a: c.text_completion(model=MODEL, prompt="a", **a),
    "embedding": lambda c, **a: c.embedding(model=EMBEDDER, input=["a"], **a),
    "responses": lambda c, **a: c.responses(model=MODEL, input="a", **a),
    "anthropic_messages": _messages,
    "router": _router,
    "interaction": _interaction,  # LiteLLM translates it to a response
}


@pytest.fixture(params=CALLS)
def public_call(request: pytest.FixtureRequest) -> Callable[..., Awaitable[Any]]:
    return CALLS[request.param]


@pytest.fixture
def foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put other vendors' credentials wherever LiteLLM and the SDKs look for them."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LITELLM_API_KEY"):
        monkeypatch.setenv(name, FOREIGN_KEY)
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org-foreign")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-foreign")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-foreign")
    monkeypatch.setattr(litellm, "api_key", FOREIGN_KEY)
    monkeypatch.setattr(litellm, "openai_key", FOREIGN_KEY)
    monkeypatch.setattr(litellm, "organization", "org-foreign")
    monkeypatch.setattr(
        litellm, "headers", {"Authorization": f"Bearer {FOREIGN_KEY}", "X-Team": "blue"}
    )


@pytest.mark.usefixtures("foreign_settings")
async def test_no_foreign_credential_is_ever_sent(
    upstream: SyntheticServer, caller: Caller, public_call: Callable[..., Awaitable[Any]]
) -> None:
    await public_call(caller)
    headers = upstream.last_request.headers
    assert headers["authorization"] == f"Bearer {upstream.api_key}"
    everything = str(dict(headers)) + upstream.last_request.body.decode()
    assert FOREIGN_KEY not in everything
    assert "org-foreign" not in everything
    assert "proj-foreign" not in everything


@pytest.mark.usefixtures("foreign_settings", "registered")
async def test_without_a_synthetic_key_nothing_is_sent(
    synthetic_server: SyntheticServer,
    caller: Caller,
    public_call: Callable[..., Awaitable[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was opened"))
    with pytest.raises(litellm.AuthenticationError, match="SYNTHETIC_API_KEY") as caught:
        await public_call(caller)
    assert caught.value.llm_provider == "synthetic"
    assert not synthetic_server.requests


@pytest.mark.usefixtures("foreign_settings", "registered")
async def test_a_translated_call_sends_no_foreign_credential_either(
    synthetic_server: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _generate_content(caller)
    (sent,) = synthetic_server.requests
    assert sent.bearer == synthetic_server.api_key
    assert "foreign" not in str(dict(sent.headers))
    assert FOREIGN_KEY not in str(dict(sent.headers))
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    # Up to 1.106 LiteLLM's translation makes an error of its own class of every error.
    refusals = (litellm.AuthenticationError, litellm.APIConnectionError)
    with pytest.raises(refusals, match="SYNTHETIC_API_KEY"):
        await _generate_content(caller)
    assert len(synthetic_server.requests) == 1


async def test_a_key_given_to_the_call_wins(
    upstream: SyntheticServer,
    caller: Caller,
    public_call: Callable[..., Awaitable[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHETIC_API_KEY", "syn_from_the_environment")
    await public_call(caller, api_key=upstream.api_key)
    assert upstream.last_request.headers["authorization"] == f"Bearer {upstream.api_key}"


async def test_the_key_is_read_through_litellms_secret_manager(
    upstream: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", upstream.api_key)
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    router = litellm.Router(
        model_list=[
            {
                "model_name": "m",
                "litellm_params": {"model": MODEL, "api_key": "os.environ/TEAM_KEY"},
            }
        ]
    )
    await caller.router_completion(router, model="m", messages=MESSAGES)
    assert upstream.last_request.headers["authorization"] == f"Bearer {upstream.api_key}"


@pytest.mark.parametrize("key", ["syn_a\r\nX-Evil: 1", "syn_schlüssel", "two words"])
@pytest.mark.usefixtures("upstream")
async def test_a_key_that_no_header_can_carry_is_refused_unseen(caller: Caller, key: str) -> None:
    with pytest.raises(litellm.AuthenticationError) as caught:
        await caller.completion(model=MODEL, messages=MESSAGES, api_key=key)
    shown = "".join(traceback.format_exception(caught.value))
    assert key not in shown
    assert "SYNTHETIC_API_KEY" in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/openai/v1/chat/completions"),
        ("/", "/openai/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/openai/v1/", "/openai/v1/chat/completions"),
        ("/openai/v1/chat/completions", "/openai/v1/chat/completions"),
        ("/openai/v1/v1", "/openai/v1/chat/completions"),
    ],
)
@pytest.mark.parametrize("how", ["argument", "base_url", "environment"])
async def test_every_form_of_the_base_url_is_understood(
    upstream: SyntheticServer,
    caller: Caller,
    suffix: str,
    path: str,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = upstream.url + suffix
    monkeypatch.setenv(
        "SYNTHETIC_API_BASE", base if how == "environment" else "https://unused.example"
    )
    given = {"argument": {"api_base": base}, "base_url": {"base_url": base}, "environment": {}}[how]
    await caller.completion(model=MODEL, messages=MESSAGES, **given)
    assert upstream.last_request.path == path


async def test_the_environment_base_url_serves_every_call(
    upstream: SyntheticServer, caller: Caller, public_call: Callable[..., Awaitable[Any]]
) -> None:
    await public_call(caller)
    assert upstream.requests


@pytest.mark.usefixtures("registered")
async def test_the_default_is_synthetic_over_https(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_API_KEY", "syn_made_up")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401, json={"error": "Invalid API Key."})

    transport = httpx.MockTransport(answer)
    kind = httpx.AsyncClient if caller.is_async else httpx.Client
    with pytest.raises(litellm.AuthenticationError):
        await caller.completion(model=MODEL, messages=MESSAGES, client=kind(transport=transport))
    assert str(seen[0].url) == "https://api.synthetic.new/openai/v1/chat/completions"


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("http://api.synthetic.new/openai/v1", "https"),
        ("https://user:hunter2@api.synthetic.new", "user name or password"),
        ("file:///etc/passwd", "https"),
        ("https://api.synthetic.new/openai/v1?key=hunter2", "query"),
        ("api.synthetic.new", "absolute"),
    ],
)
@pytest.mark.usefixtures("upstream")
async def test_a_base_url_that_cannot_be_right_is_refused(
    caller: Caller, base: str, said: str
) -> None:
    for call in ("completion", "stream", "embedding"):
        with pytest.raises(litellm.BadRequestError, match=said) as caught:
            await CALLS[call](caller, api_base=base)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("upstream")
async def test_plain_http_needs_an_explicit_word(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_ALLOW_HTTP", "1")
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(401, json={"error": "Invalid API Key."})

    kind = httpx.AsyncClient if caller.is_async else httpx.Client
    client = kind(transport=httpx.MockTransport(answer))
    with pytest.raises(litellm.AuthenticationError):
        await caller.completion(
            model=MODEL, messages=MESSAGES, client=client, api_base="http://gateway.internal/v1"
        )
    assert seen == ["http://gateway.internal/v1/chat/completions"]


async def test_a_redirected_prompt_is_not_sent_on(
    upstream: SyntheticServer, caller: Caller
) -> None:
    upstream.respond_with(Redirect(f"{upstream.url}/elsewhere?token=hunter2"))
    for stream in (False, True):
        before = len(upstream.requests)
        with pytest.raises(litellm.APIError, match="/elsewhere") as caught:
            await caller.completion(model=MODEL, messages=MESSAGES, stream=stream)
        assert len(upstream.requests) == before + 1
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_key_echoed_by_the_server_is_redacted_everywhere(
    upstream: SyntheticServer,
    caller: Caller,
    recorder: Any,
    caplog: pytest.LogCaptureFixture,
    *,
    stream: bool,
) -> None:
    key = "not-the-right-key-0123456789"
    upstream.respond_with(fault("invalid_key_echoed"))
    with caplog.at_level(logging.DEBUG), pytest.raises(litellm.AuthenticationError) as caught:
        await caller.completion(model=MODEL, messages=MESSAGES, api_key=key, stream=stream)
    error = caught.value
    shown = [str(error), repr(error), str(error.args), str(vars(error))]
    shown += ["".join(traceback.format_exception(error)), error.response.text, *recorder.failures]
    assert not [text for text in shown if key in text]
    ours = [r.getMessage() for r in caplog.records if "synthetic" in r.name]
    assert not [text for text in ours if key in text]


async def test_cookies_of_one_call_do_not_reach_the_next(
    upstream: SyntheticServer, caller: Caller
) -> None:
    for _ in range(2):
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert "cookie" not in upstream.last_request.headers


async def test_every_call_travels_through_this_package(
    upstream: SyntheticServer, caller: Caller, public_call: Callable[..., Awaitable[Any]]
) -> None:
    # LiteLLM has a dispatch in Rust that is off today; switched on, it might bypass the handlers.
    await public_call(caller)
    assert upstream.requests
    for request in upstream.requests:
        assert request.headers["user-agent"].startswith("litellm-synthetic/")
