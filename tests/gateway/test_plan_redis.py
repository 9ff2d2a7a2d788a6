"""Two proxies of two workers each share what they know of plans over a real Redis."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from litellm_synthetic.testing import Account, SyntheticServer
from tests.gateway.each_worker import ask_every_worker
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.gateway.running import LOADING, Proxy, put_beside_config, run_proxy
from tests.gateway.spend_log import LOG_VARIABLE, WORKER_HEADER
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

pytestmark = needs_redis
WORKERS = 2
SPENT, ROOMY = "syn_spent_0123456789", "syn_roomy_0123456789"
CONFIG: dict[str, Any] = {
    "litellm_settings": {
        "callbacks": [*LOADING["litellm_settings"]["callbacks"], "spend_log.log"],
        "cache": True,
        "cache_params": {
            "type": "redis",
            "host": "os.environ/REDIS_HOST",
            "port": "os.environ/REDIS_PORT",
            "namespace": "litellm",
            "mode": "default_off",
        },
    },
    "model_list": [
        {
            "model_name": name,
            "litellm_params": {"model": "synthetic/syn:large:text", "api_key": key},
        }
        for name, key in (("spent", SPENT), ("roomy", ROOMY))
    ],
    "router_settings": {"num_retries": 1},
}


@pytest.fixture
def upstream() -> Iterator[SyntheticServer]:
    with SyntheticServer() as server:
        yield server


@pytest.fixture
def proxies(tmp_path: Path, redis: RedisServer, upstream: SyntheticServer) -> Iterator[list[Proxy]]:
    """Run two proxies of two workers each; gunicorn's are forks, which need no import of theirs."""
    put_beside_config(tmp_path, "spend_log")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    environment = {**redis.environment, LOG_VARIABLE: str(tmp_path / "spend.jsonl")}
    arguments = ["--num_workers", str(WORKERS), "--run_gunicorn"]

    def started(_: int) -> Proxy:
        return stack.enter_context(
            run_proxy(tmp_path, config, upstream, environment=environment, arguments=arguments)
        )

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        yield list(pool.map(started, range(2)))


def ask(client: httpx.Client, model: str) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return client.post("/v1/chat/completions", json=body)


def is_refused_unsent(client: httpx.Client) -> int:
    """Have a worker refuse a call of the spent plan without sending it; return its process."""
    reply = ask(client, "spent")
    assert reply.status_code == 429, reply.text
    assert "Nothing was sent" in reply.text
    assert "5-hour requests" in reply.text
    assert 1 <= int(reply.headers["retry-after"]) <= 901  # Date has whole seconds
    return int(reply.headers[WORKER_HEADER])


def is_served(client: httpx.Client) -> int:
    """Have a worker serve a call of another plan; return its process."""
    reply = ask(client, "roomy")
    assert reply.status_code == 200, reply.text
    return int(reply.headers[WORKER_HEADER])


def still_knows(client: httpx.Client) -> int:
    """Have a worker do both."""
    worker = is_served(client)
    assert is_refused_unsent(client) == worker
    return worker


def test_all_workers_learn_before_their_first_failure_and_outlive_redis(
    proxies: list[Proxy], redis: RedisServer, upstream: SyntheticServer
) -> None:
    spent, roomy = Account(0.5, 24), Account(500, 24)
    upstream.serve_accounts({SPENT: spent, ROOMY: roomy})
    with proxies[0].client() as client:
        assert ask(client, "spent").status_code == 429
    assert spent.refusals == 1
    wait_until(lambda: b":plan:rest:" in redis.ask("KEYS *"), lambda: "the rest is not shared")
    for proxy in proxies:
        ask_every_worker(proxy, is_refused_unsent, WORKERS)
    assert spent.refusals == 1

    redis.kill()
    for proxy in proxies:
        ask_every_worker(proxy, still_knows, WORKERS)
        warnings = proxy.log.read_text().count("Redis cannot be reached")
        assert 1 <= warnings <= WORKERS
    assert (spent.refusals, roomy.refusals) == (1, 0)
