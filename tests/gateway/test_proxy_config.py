"""A proxy runs on what `proxy-config` writes, and on it does what the file says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.cli.main import main
from litellm_synthetic.testing import Account, SyntheticServer
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.gateway.running import run_proxy
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.running import Proxy

GPT = "synthetic/hf:openai/gpt-oss-120b"
SMALL = "synthetic/syn:small:text"
EMBEDDINGS = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"


def long_prompt(tokens: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": "word " * tokens}]


def write(folder: Path, *options: str) -> Path:
    """Let the command write a config into a folder, by the bundled table."""
    path = folder / "config.yaml"
    # Session and module fixtures run before the one that hides the developer's own settings.
    world: dict[str, str | None] = dict.fromkeys(
        name for name in os.environ if name.startswith("SYNTHETIC_")
    )
    world["SYNTHETIC_CACHE_DIR"] = str(path.parent / "cache")
    active.forget()
    result = CliRunner().invoke(main, ["proxy-config", *options, "--out", str(path)], env=world)
    active.forget()
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the file, with all that one proxy can use."""
    return write(tmp_path_factory.mktemp("written"), "--aliases", "--fallbacks")


@pytest.fixture(scope="module")
def running(written: Path) -> Iterator[Proxy]:
    """Run one proxy on the written file, as it is."""
    with run_proxy(written.parent, written) as proxy:
        yield proxy


@pytest.fixture
def proxy(running: Proxy) -> Proxy:
    """Give a test the proxy, with an upstream that has heard nothing yet."""
    running.upstream.reset()
    return running


def info_of(proxy: Proxy, name: str) -> dict[str, Any]:
    with proxy.client() as client:
        entries = client.get("/model/info").json()["data"]
    (info,) = (one["model_info"] for one in entries if one["model_name"] == name)
    assert isinstance(info, dict)
    return info


def test_every_entry_is_listed_and_nothing_else(proxy: Proxy) -> None:
    with proxy.client() as client:
        ids = sorted(one["id"] for one in client.get("/v1/models").json()["data"])
    current = [one.id for one in load_bundled().current()]
    assert ids == sorted(f"synthetic/{one}" for one in ("default", *current))


@pytest.mark.parametrize("name", [GPT, SMALL, EMBEDDINGS])
def test_model_info_shows_limits_of_file_or_table_and_the_tables_prices(
    proxy: Proxy, name: str
) -> None:
    info, facts = info_of(proxy, name), load_bundled().find(name)
    assert facts is not None
    assert info["max_input_tokens"] == facts.context_window_tokens
    assert info["max_output_tokens"] == facts.max_output_tokens
    assert info["input_cost_per_token"] == float(facts.prices.input_usd_per_token or 0)
    assert info["output_cost_per_token"] == float(facts.prices.output_usd_per_token or 0)
    assert info["mode"] == ("embedding" if name == EMBEDDINGS else "chat")


def test_health_sends_no_paid_call(proxy: Proxy) -> None:
    with proxy.client() as client:
        report = client.get("/health")
    assert report.status_code == 200
    assert proxy.upstream.requests == []


def test_a_call_is_answered_and_priced(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": GPT, "messages": [{"role": "user", "content": "hello"}]}
        reply = client.post("/v1/chat/completions", json=body)
        vectors = client.post("/v1/embeddings", json={"model": EMBEDDINGS, "input": ["a"]})
    assert reply.status_code == 200
    assert float(reply.headers["x-litellm-response-cost"]) > 0
    assert len(vectors.json()["data"][0]["embedding"]) == 768
    assert proxy.upstream.requests[0].bearer == proxy.upstream.api_key


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("payload", "tokens", "answer"),
    [
        (GPT, 150_000, "hf:zai-org/GLM-4.7-Flash"),
        (GPT, 200_000, "hf:nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4"),
        (GPT, 300_000, "hf:zai-org/GLM-5.3-Flash"),
        (SMALL, 200_000, "syn:small:vision"),
    ],
)
def test_a_prompt_that_is_too_long_goes_to_the_nearest_window_that_takes_it(
    proxy: Proxy, payload: str, tokens: int, answer: str, *, stream: bool
) -> None:
    with proxy.client() as client:
        body = {"model": payload, "messages": long_prompt(tokens), "stream": stream}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text[:500]
    assert [one.json["model"] for one in proxy.upstream.requests] == [answer]


def test_a_prompt_over_every_window_is_refused_without_a_request(proxy: Proxy) -> None:
    with proxy.client() as client:
        body = {"model": GPT, "messages": long_prompt(600_000)}
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert not proxy.upstream.requests


def test_a_second_key_serves_when_the_plan_is_empty(tmp_path: Path) -> None:
    config = yaml.safe_load(write(tmp_path).read_text())
    entry = next(one for one in config["model_list"] if one["model_name"] == GPT)
    params = {**entry["litellm_params"], "api_key": "os.environ/PREPAID_KEY"}
    config["model_list"].append({**entry, "litellm_params": params})
    prepaid = "syn_prepaid_0123456789"
    plan_account, prepaid_account = Account(2, 24), Account(None, 5)
    with (
        SyntheticServer() as upstream,
        run_proxy(tmp_path, config, upstream, environment={"PREPAID_KEY": prepaid}) as proxy,
        proxy.client() as client,
    ):
        upstream.serve_accounts({upstream.api_key: plan_account, prepaid: prepaid_account})
        body = {"model": GPT, "messages": [{"role": "user", "content": "hello"}]}
        replies = [client.post("/v1/chat/completions", json=body) for _ in range(8)]
    assert {reply.status_code for reply in replies} == {200}
    assert plan_account.calls == 2
    assert prepaid_account.calls == 6
    assert plan_account.refusals <= 1


def test_nobody_gets_in_without_the_master_key(proxy: Proxy) -> None:
    with proxy.client(key="sk-another") as client:
        assert client.get("/v1/models").status_code in {400, 401}


def test_the_written_file_holds_no_key(written: Path, proxy: Proxy) -> None:
    assert proxy.upstream.api_key not in written.read_text("utf-8")
    entries = yaml.safe_load(written.read_text("utf-8"))["model_list"]
    keys = {one["litellm_params"]["api_key"] for one in entries}
    assert keys == {"os.environ/SYNTHETIC_API_KEY"}


@needs_redis
def test_with_redis_only_those_who_ask_get_an_earlier_answer(tmp_path: Path) -> None:
    written = write(tmp_path, "--models", GPT, "--redis")
    body = {"model": GPT, "messages": [{"role": "user", "content": "hello"}]}
    with (
        RedisServer(tmp_path) as redis,
        SyntheticServer() as upstream,
        run_proxy(tmp_path, written, upstream, environment=redis.environment) as proxy,
        proxy.client() as client,
    ):
        assert client.get("/cache/ping").json()["cache_type"] == "redis"
        for _ in range(2):
            assert client.post("/v1/chat/completions", json=body).status_code == 200
        assert len(upstream.requests) == 2
        asking = body | {"cache": {"use-cache": True}}
        first = client.post("/v1/chat/completions", json=asking).json()
        wait_until(redis.has_answers, lambda: "the answer is not cached")
        again = client.post("/v1/chat/completions", json=asking).json()
        assert again["id"] == first["id"]
        assert len(upstream.requests) == 3
