"""Every worker of a proxy has the route, under each server that LiteLLM can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import SyntheticServer, Text, Usage
from tests.gateway.each_worker import ask_every_worker
from tests.gateway.running import LOADING, put_beside_config, run_proxy
from tests.gateway.spend_log import WORKER_HEADER

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

ASKED = {"model": "synthetic/syn:large:text", "messages": [{"role": "user", "content": "hello"}]}
PRICE = 1000 * 6e-07 + 100 * 1.2e-06
WORKERS = 2
CONFIG: dict[str, Any] = {
    "litellm_settings": {"callbacks": [*LOADING["litellm_settings"]["callbacks"], "spend_log.log"]},
    "model_list": [{"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}}],
    "router_settings": {"num_retries": 0},
}


def _ask(client: httpx.Client) -> int:
    """Ask one worker, and return its process."""
    replies = [
        client.post("/v1/chat/completions", json=ASKED),
        client.post("/v1/messages", json={**ASKED, "max_tokens": 500}),
    ]
    ids = {one["id"] for one in client.get("/v1/models").json()["data"]}
    assert [reply.status_code for reply in replies] == [200, 200]
    for reply in replies:
        assert float(reply.headers["x-litellm-response-cost"]) == pytest.approx(PRICE)
    assert "synthetic/hf:zai-org/GLM-5.3" in ids
    (worker,) = {int(reply.headers[WORKER_HEADER]) for reply in replies}
    return worker


@pytest.mark.parametrize(
    "arguments",
    [
        # uvicorn replaces a worker that doesn't answer for 5 seconds.
        pytest.param(["--timeout_worker_healthcheck", "1200"], id="uvicorn"),
        pytest.param(["--run_gunicorn"], id="gunicorn"),
        pytest.param(["--run_granian"], id="granian"),
    ],
)
def test_every_worker_serves_the_route_and_knows_the_prices(
    tmp_path: Path, arguments: list[str]
) -> None:
    put_beside_config(tmp_path, "spend_log")
    with (
        SyntheticServer() as upstream,
        run_proxy(
            tmp_path,
            CONFIG,
            upstream,
            environment={"SPEND_LOG": str(tmp_path / "spend.jsonl")},
            arguments=["--num_workers", str(WORKERS), *arguments],
            from_scratch=True,
        ) as proxy,
    ):
        upstream.respond_with(Text("Hi.", usage=Usage(1000, 100)))
        ask_every_worker(proxy, _ask, WORKERS)
        assert {one.bearer for one in upstream.requests} == {upstream.api_key}
