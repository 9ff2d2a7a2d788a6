"""The examples of docs/proxy.md, run on a real proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import SyntheticServer
from tests.gateway.running import run_proxy
from tests.test_proxy_docs import DOCUMENTED, ROOT, snippets
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.gateway.running import Proxy

KIMI = "synthetic/hf:moonshotai/Kimi-K3"
_HELLO = {"role": "user", "content": "hello"}
_OTHER_PROVIDER = "from litellm import CustomLLM\n\nhandler = CustomLLM()\n"


def all_together() -> dict[str, Any]:
    """Merge the page's snippets, and entries of the same name into one."""
    merged: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    for snippet in DOCUMENTED:
        for entry in snippet.get("model_list", ()):
            merged = entries.setdefault(entry["model_name"], {"litellm_params": {}})
            params = merged["litellm_params"] | entry["litellm_params"]
            merged.update({**entry, "litellm_params": params})
        for section in snippet.keys() - {"model_list"}:
            merged[section] = merged.get(section, {}) | snippet[section]
    del merged["general_settings"]["database_url"]  # there is none here
    return merged | {"model_list": list(entries.values())}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy with all of it, with the startup hook, and another custom provider after us."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "other.py").write_text(_OTHER_PROVIDER)
    config = all_together()
    other = {"provider": "other", "custom_handler": "other.handler"}
    config["litellm_settings"]["custom_provider_map"] = [other]
    hook = {"LITELLM_WORKER_STARTUP_HOOKS": "litellm_synthetic:register"}
    with run_proxy(folder, config, environment=hook) as proxy:
        yield proxy


@pytest.fixture
def proxy(running: Proxy) -> Proxy:
    """Give a test the proxy, with an upstream that has heard nothing yet."""
    running.upstream.reset()
    return running


def chat(proxy: Proxy, model: str, words: int = 1) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "word " * words}]}
    with proxy.client() as client:
        return client.post("/v1/chat/completions", json=body)


def cost(reply: httpx.Response) -> float:
    assert reply.status_code == 200, reply.text[:500]
    return float(reply.headers["x-litellm-response-cost"])


@pytest.mark.parametrize("name", ["large", "glm", "small", "frugal", KIMI])
def test_every_documented_chat_entry_answers_and_costs(proxy: Proxy, name: str) -> None:
    assert cost(chat(proxy, name)) > 0


def test_embeddings_survive_a_custom_provider_map_in_the_yaml(proxy: Proxy) -> None:
    with proxy.client() as client:
        reply = client.post("/v1/embeddings", json={"model": "embeddings", "input": ["a"]})
    assert len(reply.json()["data"][0]["embedding"]) == 768


def test_an_entrys_own_price_is_charged_for_that_entry_only(proxy: Proxy) -> None:
    own, ids = chat(proxy, "frugal"), chat(proxy, KIMI)
    prompt, answer = (own.json()["usage"][f"{one}_tokens"] for one in ("prompt", "completion"))
    assert cost(own) == pytest.approx(prompt * 0.000004 + answer * 0.00002)
    assert cost(ids) < cost(own)


def test_an_entrys_own_limit_refuses_and_holds_for_the_same_model(proxy: Proxy) -> None:
    for name in ("frugal", KIMI):
        refusal = chat(proxy, name, words=110_000)
        assert (refusal.status_code, proxy.upstream.requests) == (400, [])


def test_the_startup_hook_alone_is_enough(tmp_path: Path) -> None:
    config = {"model_list": all_together()["model_list"]}
    hook = {"LITELLM_WORKER_STARTUP_HOOKS": "litellm_synthetic:register"}
    with (
        SyntheticServer() as upstream,
        run_proxy(tmp_path, config, upstream, environment=hook) as proxy,
    ):
        assert cost(chat(proxy, "small")) > 0


def test_spent_budgets_refuse_or_fall_back_without_a_database(tmp_path: Path) -> None:
    config = all_together()
    large = next(one for one in config["model_list"] if one["model_name"] == "large")
    assert large["litellm_params"]["max_budget"] == 5
    large["litellm_params"]["max_budget"] = 0.000001
    config["router_settings"]["provider_budget_config"]["synthetic"]["budget_limit"] = 0.001
    with SyntheticServer() as upstream, run_proxy(tmp_path, config, upstream) as proxy:

        def is_answered(model: str, status: int, models: list[str], text: str = "") -> bool:
            upstream.reset()
            reply = chat(proxy, model)
            models = [one.json["model"] for one in upstream.requests]
            return (reply.status_code, models) == (status, models) and text in reply.text

        # The proxy counts a call's cost after it has answered.
        assert cost(chat(proxy, "large")) > 0
        wait_until(
            lambda: is_answered("large", 200, ["syn:small:text"]),
            lambda: "the documented fallback does not answer",
        )
        assert cost(chat(proxy, "small", words=20_000)) > 0.001
        wait_until(
            lambda: is_answered("small", 429, [], "budget for provider synthetic"),
            lambda: "the budget for all of Synthetic is not kept to",
        )


def test_the_readmes_config_starts_and_serves(tmp_path: Path) -> None:
    [config] = snippets(ROOT / "README.md")
    with (
        SyntheticServer() as upstream,
        run_proxy(tmp_path, config, upstream, from_scratch=True) as proxy,
        proxy.client() as client,
    ):
        for path in ("/v1/chat/completions", "/v1/messages"):
            for model in ("large", KIMI):
                body = {"model": model, "max_tokens": 500, "messages": [_HELLO]}
                reply = client.post(path, json=body)
                assert reply.status_code == 200, reply.text
                assert float(reply.headers["x-litellm-response-cost"]) > 0
        assert {one.route for one in upstream.requests} == {
            "/openai/v1/chat/completions",
            "/anthropic/v1/messages",
        }
