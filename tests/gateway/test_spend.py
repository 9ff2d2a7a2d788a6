"""The cost of each call through the proxy, and the refusal of spent budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from litellm_synthetic.testing import Account, Text, ToolCall, ToolCalls, Usage, fault
from tests.gateway.running import (
    LOADING,
    MASTER_KEY,
    Proxy,
    costs,
    put_beside_config,
    run_proxy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

HELLO = [{"role": "user", "content": "hello"}]
USAGE = Usage(1000, 100, cached_tokens=400)
# What syn:large:text serves: USD 0.60 in, 0.03 from the cache and 1.20 out, per million tokens.
LIST_PRICE = 600 * 6e-07 + 400 * 3e-08 + 100 * 1.2e-06

CONFIG: dict[str, Any] = {
    "litellm_settings": {
        "callbacks": [*LOADING["litellm_settings"]["callbacks"], "spend_log.log"],
        # Has keys that a callable issues checked for their budgets per model.
        "enable_post_custom_auth_checks": True,
    },
    "model_list": [
        {"model_name": "large", "litellm_params": {"model": "synthetic/syn:large:text"}},
        {"model_name": "small", "litellm_params": {"model": "synthetic/syn:small:text"}},
        {
            "model_name": "own-price",
            "litellm_params": {
                "model": "synthetic/hf:zai-org/GLM-5.3",
                "input_cost_per_token": 1e-06,
                "output_cost_per_token": 2e-06,
            },
        },
        {
            "model_name": "vectors",
            "litellm_params": {"model": "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"},
        },
        *(
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"synthetic/{model}",
                    "max_budget": 1e-05,
                    "budget_duration": "1d",
                },
            }
            for name, model in (
                ("capped", "hf:Qwen/Qwen3.8-27B"),
                ("capped-for-streams", "hf:openai/gpt-oss-120b"),
                ("capped-with-fallback", "syn:large:vision"),
            )
        ),
    ],
    "general_settings": {
        "custom_auth": "issued_keys.check",
        "custom_auth_run_common_checks": True,
    },
    "router_settings": {
        "num_retries": 0,
        "disable_cooldowns": True,
        "fallbacks": [{"capped-with-fallback": ["small"]}],
    },
}
FREE_KEY = "sk-key-without-a-budget"


@pytest.fixture(scope="module")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy with budgets on deployments and on keys."""
    folder = tmp_path_factory.mktemp("spend")
    put_beside_config(folder, "spend_log", "issued_keys")
    settings = {"SPEND_LOG": str(folder / "spend.jsonl")}
    with run_proxy(folder, CONFIG, environment=settings) as proxy:
        yield proxy


@pytest.fixture
def shop(running_shop: Proxy) -> Proxy:
    """Give a test that proxy, with an upstream and a spend log that hold nothing yet."""
    running_shop.upstream.reset()
    _spend_log(running_shop).unlink(missing_ok=True)
    return running_shop


def _spend_log(proxy: Proxy) -> Path:
    return proxy.log.parent / "spend.jsonl"


def _chat(proxy: Proxy, model: str, *, key: str = FREE_KEY, stream: bool = False) -> httpx.Response:
    with proxy.client(key) as client:
        body = {"model": model, "messages": HELLO, "stream": stream}
        return client.post("/v1/chat/completions", json=body)


def _is_refused_for_its_budget(reply: httpx.Response) -> None:
    # 400 in older versions of LiteLLM, 422 in newer ones.
    assert 400 <= reply.status_code < 500, reply.text
    assert "budget" in reply.text.lower()


# ---- spend per call


def test_a_plain_call_costs_its_list_price_with_cache_reads(shop: Proxy) -> None:
    shop.upstream.enqueue(Text("Hi.", usage=USAGE))
    reply = _chat(shop, "large")
    assert float(reply.headers["x-litellm-response-cost"]) == pytest.approx(LIST_PRICE, rel=1e-9)
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(LIST_PRICE, rel=1e-9)
    assert (record["prompt_tokens"], record["completion_tokens"]) == (1000, 100)
    assert record["model_group"] == "large"


@pytest.mark.parametrize("include_usage", [False, True], ids=["usage hidden", "usage shown"])
@pytest.mark.parametrize("placement", ["finish", "final", "both"])
def test_a_streamed_call_costs_the_same(
    shop: Proxy, placement: Any, *, include_usage: bool
) -> None:
    shop.upstream.enqueue(Text("Hi.", usage=USAGE, usage_placement=placement))
    with openai.OpenAI(base_url=f"{shop.url}/v1", api_key=FREE_KEY, max_retries=0) as client:
        extra: Any = {"stream_options": {"include_usage": True}} if include_usage else {}
        list(
            client.chat.completions.create(
                model="large",
                messages=[{"role": "user", "content": "hello"}],
                stream=True,
                **extra,
            )
        )
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(LIST_PRICE, rel=1e-9)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_messages_and_responses_cost_the_same(shop: Proxy, path: str, *, stream: bool) -> None:
    shop.upstream.enqueue(Text("Hi.", usage=USAGE))
    body: dict[str, Any] = {"model": "large", "stream": stream}
    body |= {"max_tokens": 500, "messages": HELLO} if "messages" in path else {"input": "hello"}
    with shop.client(FREE_KEY) as client:
        reply = client.post(path, json=body)
    assert reply.is_success
    if not stream:
        told_cost = float(reply.headers["x-litellm-response-cost"])
        assert told_cost == pytest.approx(LIST_PRICE, rel=1e-9)
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(LIST_PRICE, rel=1e-9)


def test_a_tool_call_costs_its_tokens(shop: Proxy) -> None:
    shop.upstream.enqueue(ToolCalls([ToolCall("f", "{}")], usage=USAGE))
    reply = _chat(shop, "large")
    assert float(reply.headers["x-litellm-response-cost"]) == pytest.approx(LIST_PRICE, rel=1e-9)
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(LIST_PRICE, rel=1e-9)


def test_a_price_that_the_operator_sets_wins(shop: Proxy) -> None:
    shop.upstream.enqueue(Text("Hi.", usage=Usage(1000, 100)))
    reply = _chat(shop, "own-price")
    cost = float(reply.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(1000 * 1e-06 + 100 * 2e-06, rel=1e-9)
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(cost)


def test_embeddings_are_free(shop: Proxy) -> None:
    with shop.client(FREE_KEY) as client:
        reply = client.post("/v1/embeddings", json={"model": "vectors", "input": "hello"})
    assert reply.is_success
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == 0


def test_a_refused_call_costs_nothing(shop: Proxy) -> None:
    shop.upstream.enqueue(fault("backend_error"), Text("Hi.", usage=USAGE))
    assert _chat(shop, "large").status_code == 500
    assert _chat(shop, "large").status_code == 200
    # Only the second is in the log.
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(LIST_PRICE, rel=1e-9)


# ---- budgets


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_deployments_budget_is_refused_when_spent(shop: Proxy, *, stream: bool) -> None:
    model = "capped-for-streams" if stream else "capped"
    shop.upstream.respond_with(Text("Hi.", usage=Usage(1000, 100)))
    assert _chat(shop, model, stream=stream).is_success
    costs(_spend_log(shop), 1)
    refusal = _chat(shop, model, stream=stream)
    assert refusal.status_code == 429, refusal.text
    assert "budget" in refusal.json()["error"]["message"].lower()
    assert len(shop.upstream.requests) == 1


def test_a_deployment_over_budget_falls_back(shop: Proxy) -> None:
    shop.upstream.respond_with(Text("Hi.", usage=Usage(1000, 100)))
    assert _chat(shop, "capped-with-fallback").is_success
    costs(_spend_log(shop), 1)
    assert _chat(shop, "capped-with-fallback").is_success
    models = [one.json["model"] for one in shop.upstream.requests]
    assert models == ["syn:large:vision", "syn:small:text"]
    assert [one["model_group"] for one in costs(_spend_log(shop), 2)][1] == "small"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_keys_budget_is_refused_when_spent(shop: Proxy, *, stream: bool) -> None:
    key = "sk-key-with-a-budget-for-streams" if stream else "sk-key-with-a-budget"
    shop.upstream.respond_with(Text("Hi.", usage=USAGE))
    assert _chat(shop, "large", key=key, stream=stream).is_success
    costs(_spend_log(shop), 1)
    refusal = _chat(shop, "large", key=key, stream=stream)
    _is_refused_for_its_budget(refusal)
    assert refusal.json()["error"]["type"] == "budget_exceeded"
    assert len(shop.upstream.requests) == 1
    # Another key goes on.
    assert _chat(shop, "large").is_success
    costs(_spend_log(shop), 2)


def test_a_keys_budget_counts_messages_and_their_streams(shop: Proxy) -> None:
    shop.upstream.respond_with(Text("Hi.", usage=USAGE))
    body = {"model": "large", "max_tokens": 500, "messages": HELLO, "stream": True}
    with shop.client("sk-key-with-a-budget-for-messages") as client:
        assert client.post("/v1/messages", json=body).is_success
        costs(_spend_log(shop), 1)
        refusal = client.post("/v1/messages", json=body)
    _is_refused_for_its_budget(refusal)
    assert len(shop.upstream.requests) == 1


def test_a_keys_budget_for_one_model_leaves_the_others(shop: Proxy) -> None:
    key = "sk-key-with-a-model-budget"
    shop.upstream.respond_with(Text("Hi.", usage=USAGE))
    assert _chat(shop, "large", key=key).is_success
    costs(_spend_log(shop), 1)
    refusal = _chat(shop, "large", key=key)
    _is_refused_for_its_budget(refusal)
    assert _chat(shop, "small", key=key).is_success
    costs(_spend_log(shop), 2)


@pytest.fixture(scope="module")
def running_capped_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy that may spend one cent a day on Synthetic in all."""
    folder = tmp_path_factory.mktemp("capped")
    put_beside_config(folder, "spend_log")
    config = {
        "litellm_settings": CONFIG["litellm_settings"],
        "model_list": CONFIG["model_list"][:2],
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "provider_budget_config": {"synthetic": {"budget_limit": 0.01, "time_period": "1d"}},
        },
    }
    settings = {"SPEND_LOG": str(folder / "spend.jsonl")}
    with run_proxy(folder, config, environment=settings) as proxy:
        yield proxy


def test_the_providers_budget_is_refused_when_spent_over_all_models(
    running_capped_shop: Proxy,
) -> None:
    shop = running_capped_shop
    half = Text("Hi.", usage=Usage(10_000, 0))
    shop.upstream.enqueue(half, half)
    assert _chat(shop, "large", key=MASTER_KEY).is_success
    assert _chat(shop, "large", key=MASTER_KEY, stream=True).is_success
    amounts = costs(_spend_log(shop), 2)
    assert sum(one["cost"] for one in amounts) == pytest.approx(0.012)
    for model in ("large", "small"):
        for stream in (False, True):
            refusal = _chat(shop, model, key=MASTER_KEY, stream=stream)
            assert refusal.status_code == 429, refusal.text
            assert "budget for provider synthetic" in refusal.json()["error"]["message"]
    assert len(shop.upstream.requests) == 2


# ---- what the key pays


@pytest.fixture(scope="module")
def running_mixed_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy with a key on a plan and a prepaid one, each under a name of its own."""
    folder = tmp_path_factory.mktemp("mixed")
    put_beside_config(folder, "spend_log")
    config = {
        "litellm_settings": {"callbacks": CONFIG["litellm_settings"]["callbacks"]},
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {
                    "model": "synthetic/syn:large:text",
                    "api_key": f"syn_{name}_0123456789",
                },
            }
            for name in ("plan", "prepaid")
        ],
    }
    settings = {"SPEND_LOG": str(folder / "spend.jsonl"), "SYNTHETIC_BILLING": "metered"}
    with run_proxy(folder, config, environment=settings) as proxy:
        yield proxy


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(("name", "price"), [("plan", 0.0), ("prepaid", LIST_PRICE)])
def test_a_call_is_billed_as_the_key_that_served_it_pays(
    running_mixed_shop: Proxy, path: str, name: str, price: float, *, stream: bool
) -> None:
    shop = running_mixed_shop
    shop.upstream.reset()
    _spend_log(shop).unlink(missing_ok=True)
    shop.upstream.serve_accounts(
        {"syn_plan_0123456789": Account(500, 24), "syn_prepaid_0123456789": Account(None, 24)}
    )
    shop.upstream.respond_with(Text("Hi.", usage=USAGE))
    body = {"model": name, "messages": HELLO, "max_tokens": 50, "stream": stream}
    with shop.client() as client:
        reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    if not stream:
        # LiteLLM leaves the header out where a call costs nothing.
        told = float(reply.headers.get("x-litellm-response-cost", "0"))
        assert told == pytest.approx(price, rel=1e-9)
    (record,) = costs(_spend_log(shop), 1)
    assert record["cost"] == pytest.approx(price, rel=1e-9)
    assert "priced at $0" not in shop.log.read_text()
