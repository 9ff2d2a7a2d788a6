"""A client of the proxy tries to have the operator's key sent elsewhere, or unprotected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from litellm_synthetic.testing import SyntheticServer, fault
from tests.gateway.running import LOADING, Proxy, put_beside_config, run_proxy
from tests.gateway.untrusted_server import UntrustedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from litellm_synthetic.testing import RecordedRequest

CLIENTS_KEY = "sk-key-without-a-budget"
OTHER_VENDORS_KEY = "sk-other-vendors-0123456789abcdef"
DEPLOYMENTS_KEY = "syn_of_the_deployment_0123456789abcdef"
HELLO = [{"role": "user", "content": "hello"}]
CHAT = "synthetic/syn:large:text"
VECTORS = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
PATHS = (
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
    "/v1/completions",
    "/v1/embeddings",
)
OPERATORS_OWN: dict[str, Any] = {
    "ssl_verify": False,
    "ssl_certificate": "/etc/hostname",
    "ssl_security_level": "DEFAULT@SECLEVEL=0",
    "ssl_ecdh_curve": "X25519",
    "client": "x",
    "shared_session": "x",
    "custom_llm_provider": "openai",
    "deployment_id": "gpt",
    "azure": True,
    "use_litellm_proxy": True,
    "litellm_credential_name": "other-vendor",
    "model_alias_map": {CHAT: "openai/gpt-4o"},
}


@dataclass(frozen=True)
class World:
    """Hold the proxy, and everybody who may receive a key."""

    proxy: Proxy
    untrusted: UntrustedServer
    other_vendor: SyntheticServer

    def post(self, path: str, model: str, **more: Any) -> httpx.Response:
        """Make a request as a client."""
        with self.proxy.client(CLIENTS_KEY) as client:
            return client.post(path, json={**_body(path, model), **more})

    @property
    def received(self) -> list[str]:
        """Return what anybody has received, but for what a proxy asks Synthetic by itself."""
        keys = {self.proxy.upstream.api_key, DEPLOYMENTS_KEY}
        return [
            *(f"untrusted: {each}" for each in self.untrusted.received),
            *(f"other vendor: {each}" for each in self.other_vendor.requests),
            *(
                f"Synthetic: {each}"
                for each in self.proxy.upstream.requests
                if not (_asks_for_plan_or_models(each) and each.bearer in keys)
            ),
        ]


def _asks_for_plan_or_models(request: RecordedRequest) -> bool:
    return request.method == "GET" and request.route.endswith(("/quotas", "/models"))


def _body(path: str, model: str) -> dict[str, Any]:
    if path.endswith("embeddings"):
        return {"model": f"{model}-vectors", "input": "hello"}
    if path.endswith("responses"):
        return {"model": model, "input": "hello"}
    if path == "/v1/completions":
        return {"model": model, "prompt": "hello"}
    if path.endswith("messages"):
        return {"model": model, "messages": HELLO, "max_tokens": 500}
    return {"model": model, "messages": HELLO}


def _deployments(name: str, **params: Any) -> list[dict[str, Any]]:
    return [
        {"model_name": name, "litellm_params": {"model": CHAT, **params}},
        {"model_name": f"{name}-vectors", "litellm_params": {"model": VECTORS, **params}},
    ]


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hostile")
    put_beside_config(folder, "issued_keys")
    with (
        SyntheticServer() as upstream,
        SyntheticServer() as other_vendor,
        UntrustedServer(folder) as untrusted,
    ):
        elsewhere = other_vendor.openai_base
        foreign = {"model": "openai/gpt-4o", "api_base": elsewhere, "api_key": OTHER_VENDORS_KEY}
        config = {
            **LOADING,
            "model_list": [
                *_deployments("plain"),
                *_deployments("with-key", api_key=DEPLOYMENTS_KEY),
                *_deployments("untrusted", api_base=untrusted.base_url),
                *_deployments(
                    "trusting",
                    api_base=untrusted.base_url,
                    ssl_verify=str(untrusted.certificate),
                ),
                *_deployments("down", api_base=upstream.openai_base),
                *_deployments(
                    "opted-in",
                    api_key=DEPLOYMENTS_KEY,
                    configurable_clientside_auth_params=["api_base"],
                ),
                {"model_name": "foreign", "litellm_params": foreign},
                {
                    "model_name": "foreign-vectors",
                    "litellm_params": {**foreign, "model": "openai/text-embedding-3-small"},
                },
            ],
            "credential_list": [
                {
                    "credential_name": "other-vendor",
                    "credential_values": {"api_key": OTHER_VENDORS_KEY},
                    "credential_info": {"description": "another vendor's"},
                }
            ],
            "general_settings": {"custom_auth": "issued_keys.check"},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        }
        environment = {
            "OPENAI_API_KEY": OTHER_VENDORS_KEY,
            "OPENAI_ORGANIZATION": "org-of-the-operator",
            "OPENAI_API_BASE": elsewhere,
            "OPENAI_BASE_URL": elsewhere,
            "AZURE_API_KEY": OTHER_VENDORS_KEY,
            "AZURE_API_BASE": other_vendor.url,
            "AZURE_API_VERSION": "2024-10-01",
            "LITELLM_PROXY_API_BASE": elsewhere,
            "LITELLM_PROXY_API_KEY": OTHER_VENDORS_KEY,
        }
        with run_proxy(folder, config, upstream, environment=environment) as proxy:
            yield World(proxy, untrusted, other_vendor)


@pytest.fixture
def world(running_world: World) -> World:
    """Give a test that proxy, with nobody having received anything yet."""
    running_world.proxy.upstream.reset()
    running_world.other_vendor.reset()
    running_world.untrusted.received.clear()
    return running_world


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("keyword", OPERATORS_OWN)
@pytest.mark.parametrize("model", ["with-key", "untrusted"])
def test_what_is_the_operators_is_refused_by_name(
    world: World, path: str, keyword: str, model: str
) -> None:
    reply = world.post(path, model, **{keyword: OPERATORS_OWN[keyword]})
    assert world.received == [], reply.text
    assert reply.status_code == 400, reply.text
    assert f"{keyword} in the body of a request is the operator's to set" in reply.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", [False, None, True, "False", "", 0, [], {"verify": False}])
def test_no_value_of_ssl_verify_gets_through(world: World, path: str, value: Any) -> None:
    # A null would take away what the deployment says.
    reply = world.post(path, "untrusted", ssl_verify=value)
    assert world.received == [], reply.text
    assert reply.status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_a_path_does_not_tell_whether_a_file_exists(
    world: World, path: str, tmp_path: Path
) -> None:
    there, missing = tmp_path / "there.pem", tmp_path / "gone.pem"
    there.write_text("not a certificate")
    for keyword in ("ssl_verify", "ssl_certificate"):
        replies = [world.post(path, "untrusted", **{keyword: str(one)}) for one in (there, missing)]
        assert {reply.status_code for reply in replies} == {400}
        assert len({reply.text for reply in replies}) == 1
        assert str(tmp_path) not in replies[0].text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "field", ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"]
)
def test_a_fallback_does_not_carry_a_keyword_past_the_check(
    world: World, path: str, field: str
) -> None:
    target = {"model": "untrusted", "ssl_verify": False}
    if path.endswith("embeddings"):
        target["model"] = "untrusted-vectors"
    for fallbacks in ([target], [{"down": [target]}, {"down-vectors": [target]}]):
        world.proxy.upstream.respond_with(fault("backend_error"))
        reply = world.post(path, "down", **{field: fallbacks})
        assert reply.is_error
        assert not world.untrusted.received
        assert not world.other_vendor.requests


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "name", ["extra_body", "metadata", "litellm_metadata", "litellm_params", "kwargs"]
)
def test_nesting_a_keyword_changes_nothing(world: World, path: str, name: str) -> None:
    world.post(path, "untrusted", **{name: {"ssl_verify": False, "client": "x"}})
    assert not world.untrusted.received


@pytest.mark.parametrize("path", PATHS)
def test_the_operators_own_certificate_is_used(world: World, path: str) -> None:
    world.post(path, "trusting")
    assert len(world.untrusted.received) == 1
    assert f"Bearer {world.proxy.upstream.api_key}" in world.untrusted.received[0]


@pytest.mark.parametrize("path", PATHS)
def test_another_vendors_deployment_does_not_lend_its_key(world: World, path: str) -> None:
    # LiteLLM's own handling keeps some of these calls with the other vendor.
    world.post(path, "foreign", custom_llm_provider="synthetic")
    assert not world.proxy.upstream.requests
    assert not world.untrusted.received


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["api_base", "base_url"])
def test_a_base_url_is_refused(world: World, path: str, name: str) -> None:
    reply = world.post(path, "plain", **{name: world.untrusted.base_url})
    assert world.received == [], reply.text
    # By LiteLLM itself, which answers 500 to clients that `custom_auth` knows.
    assert reply.is_error


@pytest.mark.parametrize("path", PATHS)
def test_a_base_url_that_the_operator_allows_gets_the_clients_key_only(
    world: World, path: str
) -> None:
    elsewhere = world.other_vendor.openai_base
    reply = world.post(path, "opted-in", api_base=elsewhere)
    assert world.received == [], reply.text
    assert reply.status_code == 400
    assert "Add api_key, or leave the base URL out" in reply.text
    world.post(path, "opted-in", api_base=elsewhere, api_key="syn_the_clients_own_0123456789")
    assert world.other_vendor.last_request.bearer == "syn_the_clients_own_0123456789"
    assert DEPLOYMENTS_KEY not in repr(dict(world.other_vendor.last_request.headers))
    assert not world.proxy.upstream.requests


@pytest.mark.parametrize("path", PATHS)
def test_a_key_of_the_clients_own_is_used_alone(world: World, path: str) -> None:
    world.post(path, "with-key", api_key="syn_the_clients_own_0123456789")
    assert world.proxy.upstream.last_request.bearer == "syn_the_clients_own_0123456789"
    request = repr(dict(world.proxy.upstream.last_request.headers))
    assert DEPLOYMENTS_KEY not in request
    assert OTHER_VENDORS_KEY not in request


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["os.environ/OPENAI_API_KEY", "os.environ/SYNTHETIC_API_KEY"])
def test_a_key_is_not_looked_up_for_a_client(world: World, path: str, key: str) -> None:
    world.post(path, "plain", api_key=key)
    for one in world.proxy.upstream.requests:
        assert OTHER_VENDORS_KEY not in repr(dict(one.headers))
        assert one.bearer == key


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["headers", "extra_headers"])
def test_headers_carry_neither_credentials_nor_framing(world: World, path: str, name: str) -> None:
    hostile = {
        "Authorization": "Bearer of-the-client",
        "authorization ": "Bearer of-the-client",
        "Cookie": "of-the-client",
        "X-Api-Key": "of-the-client",
        "OpenAI-Organization": "of-the-client",
        "Transfer-Encoding": "chunked",
        "Content-Length": "3",
        "Connection": "x-kept",
        "TE": "trailers",
        "Upgrade": "h2c",
        "Keep-Alive": "timeout=1",
        "Trailer": "x-kept",
        "Proxy-Authorization": "of-the-client",
        "Proxy-Connection": "close",
        "Host": "elsewhere.example",
        "Expect": "100-continue",
        "Content-Encoding": "gzip",
        "X-Kept": "yes",
    }
    reply = world.post(path, "plain", **{name: hostile})
    assert reply.is_success, reply.text
    request = world.proxy.upstream.last_request
    assert request.bearer == world.proxy.upstream.api_key
    assert "of-the-client" not in repr(dict(request.headers))
    assert request.headers["host"] == world.proxy.upstream.url.removeprefix("http://")
    for unsent in ("te", "upgrade", "trailer", "keep-alive", "expect", "content-encoding"):
        assert unsent not in request.headers
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize("path", PATHS)
def test_more_retries_than_the_default_are_not_made(world: World, path: str) -> None:
    world.proxy.upstream.respond_with(fault("backend_error"))
    reply = world.post(path, "plain", max_retries=50, timeout=30)
    assert reply.status_code >= 500
    assert 1 <= len(world.proxy.upstream.requests) <= 3


@pytest.mark.parametrize("path", PATHS)
def test_harmless_keywords_are_the_clients(world: World, path: str) -> None:
    harmless = {
        "timeout": 20,
        "stream_timeout": 20,
        "max_retries": 0,
        "num_retries": 0,
        "organization": "org-of-the-client",
        "api_version": "1",
        "drop_params": True,
        "allowed_openai_params": [],
        "additional_drop_params": [],
        "cache": {"no-cache": True},
        "metadata": {"tags": ["a"]},
        "user": "somebody",
    }
    reply = world.post(path, "plain", **harmless)
    assert reply.is_success, reply.text
    request = repr(dict(world.proxy.upstream.last_request.headers))
    assert "org-of-the" not in request


@pytest.mark.parametrize("path", PATHS)
def test_the_model_is_not_swapped(world: World, path: str) -> None:
    world.post(path, "plain", extra_body={"model": "hf:moonshotai/Kimi-K3"})
    assert "Kimi" not in world.proxy.upstream.last_request.body.decode()


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_not_made_up(world: World, path: str) -> None:
    # LiteLLM takes the keyword out, unless the key may use it.
    world.post(path, "plain", mock_response="made up")
    assert world.proxy.upstream.requests


OTHER_OPERATIONS: dict[str, dict[str, Any]] = {
    "/v1/images/generations": {"prompt": "a cat"},
    "/v1/audio/speech": {"input": "hello", "voice": "alloy"},
    "/v1/moderations": {"input": "hello"},
    "/v1/rerank": {"query": "hello", "documents": ["a text"]},
    "/v1/ocr": {"document": {"type": "document_url", "document_url": "https://a.example/a.pdf"}},
    "/v1/videos": {"prompt": "a cat"},
    "/v1/responses/compact": {"input": "hello"},
}


@pytest.mark.parametrize("path", OTHER_OPERATIONS)
@pytest.mark.parametrize("model", ["plain", "with-key"])
def test_what_synthetic_lacks_is_refused(world: World, path: str, model: str) -> None:
    with world.proxy.client(CLIENTS_KEY) as client:
        reply = client.post(path, json={"model": model, **OTHER_OPERATIONS[path]})
    assert world.received == [], reply.text
    assert reply.status_code == 400, reply.text
    assert "Synthetic has no litellm." in reply.text


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/edits"])
def test_what_synthetic_lacks_is_refused_with_a_file_too(world: World, path: str) -> None:
    field = "image" if "images" in path else "file"
    with world.proxy.client(CLIENTS_KEY) as client:
        reply = client.post(
            path,
            data={"model": "plain", "prompt": "x"},
            files={field: ("a.wav", b"RIFF", "audio/wav")},
        )
    assert world.received == [], reply.text
    assert reply.status_code == 400, reply.text
    assert "Synthetic has no litellm." in reply.text


def _events(world: World, model: str, *frames: dict[str, Any]) -> list[dict[str, Any]]:
    """Send frames over the Responses API's WebSocket, and return an answer for each."""
    address = world.proxy.url.replace("http://", "ws://") + f"/v1/responses?model={model}"
    authorization = {"Authorization": f"Bearer {CLIENTS_KEY}"}
    pieces = []
    with connect(address, additional_headers=authorization) as socket:
        for frame in frames:
            socket.send(json.dumps({"type": "response.create", "input": "hello", **frame}))
            while True:
                try:
                    event = json.loads(socket.recv(timeout=30))
                except ConnectionClosed as closed:
                    pieces.append({"type": "closed", "reason": str(closed)})
                    return pieces
                if event["type"] in {"response.completed", "response.failed", "error"}:
                    pieces.append(event)
                    break
    return pieces


def test_a_websocket_is_served_with_the_operators_key(world: World) -> None:
    (last,) = _events(world, "plain", {"model": "plain"})
    assert last["type"] == "response.completed", last
    assert world.proxy.upstream.last_request.bearer == world.proxy.upstream.api_key


@pytest.mark.parametrize("keyword", OPERATORS_OWN)
def test_a_websocket_does_not_carry_a_keyword_past_the_check(world: World, keyword: str) -> None:
    own = {keyword: OPERATORS_OWN[keyword]}
    for frames in (
        [{"model": "untrusted", **own}],
        [{"model": "untrusted"}, {"model": "untrusted", "response": {"input": "hello", **own}}],
    ):
        _events(world, "untrusted", *frames)
        assert world.received == []


def test_a_websocket_to_another_vendor_does_not_lend_its_key(world: World) -> None:
    _events(world, "foreign", {"model": "foreign"}, {"model": CHAT})
    for one in world.proxy.upstream.requests:
        assert OTHER_VENDORS_KEY not in repr(dict(one.headers))
