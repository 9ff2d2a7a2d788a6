"""No key gets into the proxy's own log or into what its clients see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import Answer, SyntheticServer, fault
from tests.gateway.running import LOADING, MASTER_KEY, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

HELLO = [{"role": "user", "content": "hello"}]
IN_CONFIG_KEY = "syn_in_the_config_0123456789abcdef0123456789"
PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions"]
CONFIG: dict[str, Any] = {
    **LOADING,
    "model_list": [
        {
            "model_name": "large",
            "litellm_params": {
                "model": "synthetic/syn:large:text",
                "api_key": "os.environ/SYNTHETIC_API_KEY",
            },
        },
        {
            "model_name": "written-out",
            "litellm_params": {"model": "synthetic/syn:large:text", "api_key": IN_CONFIG_KEY},
        },
        {
            "model_name": "vectors",
            "litellm_params": {"model": "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"},
        },
    ],
    "router_settings": {"num_retries": 0, "disable_cooldowns": True},
}
CHATTINESS = {"quiet": (), "detailed": ("--detailed_debug",)}


@pytest.fixture(scope="module", params=CHATTINESS)
def running_logging_proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Run a proxy at each level of its log."""
    folder = tmp_path_factory.mktemp(f"log-{request.param}")
    with run_proxy(folder, CONFIG, arguments=CHATTINESS[request.param]) as proxy:
        yield proxy


@pytest.fixture
def logging_proxy(running_logging_proxy: Proxy) -> Proxy:
    """Give a test that proxy, with an upstream that has heard nothing yet."""
    running_logging_proxy.upstream.reset()
    return running_logging_proxy


def _body(path: str, model: str, *, stream: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": HELLO}
    if path.endswith("responses"):
        body = {"input": "hello"}
    elif path == "/v1/completions":
        body = {"prompt": "hello"}
    elif path.endswith("embeddings"):
        return {"model": model, "input": "hello"}
    elif path.endswith("messages"):
        body |= {"max_tokens": 500}
    return {"model": model, "stream": stream, **body}


def _post(proxy: Proxy, path: str, model: str, *, stream: bool = False) -> httpx.Response:
    with proxy.client() as client:
        return client.post(path, json=_body(path, model, stream=stream))


def _seen_by_client(reply: httpx.Response) -> str:
    return f"{reply.text}\n{dict(reply.headers)}"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("model", ["large", "written-out"])
@pytest.mark.parametrize("path", PATHS)
def test_a_401_that_echoes_the_key_reaches_the_client_without_it(
    logging_proxy: Proxy, path: str, model: str, *, stream: bool
) -> None:
    logging_proxy.upstream.respond_with(fault("invalid_key_echoed"))
    reply = _post(logging_proxy, path, model, stream=stream)
    request = logging_proxy.upstream.last_request.bearer
    assert request == (IN_CONFIG_KEY if model == "written-out" else logging_proxy.upstream.api_key)
    assert reply.status_code == 401
    assert "[redacted]" in reply.text
    assert request not in _seen_by_client(reply)
    assert MASTER_KEY not in _seen_by_client(reply)


def test_embeddings_errors_hide_the_key_too(logging_proxy: Proxy) -> None:
    logging_proxy.upstream.respond_with(fault("invalid_key_echoed"))
    reply = _post(logging_proxy, "/v1/embeddings", "vectors")
    assert reply.status_code == 401
    assert logging_proxy.upstream.api_key not in _seen_by_client(reply)


def test_a_key_in_an_error_event_is_hidden(logging_proxy: Proxy) -> None:
    key = logging_proxy.upstream.api_key
    logging_proxy.upstream.respond_with(fault("error_after_text", text=f"bad key {key}, go away"))
    reply = _post(logging_proxy, "/v1/chat/completions", "large", stream=True)
    assert "[redacted]" in reply.text
    assert key not in _seen_by_client(reply)


def test_listings_and_health_show_no_key(logging_proxy: Proxy) -> None:
    with logging_proxy.client() as client:
        for path in ("/model/info", "/v1/models", "/model_group/info", "/health", "/config/yaml"):
            reply = client.get(path)
            for key in (logging_proxy.upstream.api_key, IN_CONFIG_KEY, MASTER_KEY):
                assert key not in _seen_by_client(reply), path


def test_the_log_holds_no_key(logging_proxy: Proxy) -> None:
    for path in (*PATHS, "/v1/embeddings"):
        for model in ("vectors",) if path.endswith("embeddings") else ("large", "written-out"):
            for stream in (False, True):
                logging_proxy.upstream.enqueue(Answer(), fault("invalid_key_echoed"))
                _post(logging_proxy, path, model, stream=stream)
                assert _post(logging_proxy, path, model, stream=stream).status_code == 401
                logging_proxy.upstream.reset()
    log = logging_proxy.log.read_text()
    # The refusals are in the log; the keys that they repeated are not.
    assert "Invalid API Key: [redacted]" in log
    for key in (logging_proxy.upstream.api_key, IN_CONFIG_KEY, MASTER_KEY):
        result = [line[:300] for line in log.splitlines() if key in line]
        assert not result, f"{len(result)} lines, such as {result[:3]}"
    # A part that is long enough to tell whose key it is has no business there either.
    for key in (logging_proxy.upstream.api_key, IN_CONFIG_KEY):
        assert not re.search(re.escape(key[:16]), log)


def test_not_even_an_unfiltered_log_holds_the_key(tmp_path: Path) -> None:
    # LiteLLM's own log filter would hide it if it were ours that wrote it. With a key in the
    # config LiteLLM's router dumps its deployments, key and all; with one in the environment it
    # has nothing to dump.
    wildcard = {"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}}
    config = {**CONFIG, "model_list": [CONFIG["model_list"][2], wildcard]}
    unfiltered = {"LITELLM_DISABLE_REDACT_SECRETS": "true"}
    with (
        SyntheticServer() as upstream,
        run_proxy(
            tmp_path,
            config,
            upstream,
            environment=unfiltered,
            arguments=["--detailed_debug"],
            from_scratch=True,
        ) as proxy,
    ):
        for path in PATHS:
            for stream in (False, True):
                upstream.enqueue(Answer(), fault("invalid_key_echoed"))
                assert _post(proxy, path, "synthetic/syn:large:text", stream=stream).is_success
                refusal = _post(proxy, path, "synthetic/syn:large:text", stream=stream)
                assert refusal.status_code == 401
        assert _post(proxy, "/v1/embeddings", "vectors").is_success
        assert {one.bearer for one in upstream.requests} == {upstream.api_key}
        log = proxy.log.read_text()
    assert "Invalid API Key: [redacted]" in log
    assert not [line[:300] for line in log.splitlines() if upstream.api_key in line]
