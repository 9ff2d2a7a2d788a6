"""Every worker of a proxy has the route, under each server that LiteLLM can run."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from litellm_synthetic.testing import SyntheticServer, Text, Usage
from tests.gateway.running import LOADING, Proxy, put_beside_config, run_proxy
from tests.gateway.spend_log import WORKER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASKED = {"model": "synthetic/syn:large:text", "messages": [{"role": "user", "content": "hello"}]}
PRICE = 1000 * 6e-07 + 100 * 1.2e-06
WORKERS = 2
# A connection that goes to a worker that is held still waits for so long. A busy machine may need
# longer for any answer, and then more attempts.
ATTEMPTS = 200
ATTEMPT_SECONDS = 5
CONFIG: dict[str, Any] = {
    "litellm_settings": {"callbacks": [*LOADING["litellm_settings"]["callbacks"], "spend_log.log"]},
    "model_list": [{"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}}],
    "router_settings": {"num_retries": 0},
}


def _ask_one_worker(proxy: Proxy) -> int:
    """Ask over one connection, which is one worker's, and return the worker's process."""
    with proxy.client() as client:
        client.timeout = httpx.Timeout(ATTEMPT_SECONDS)
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


@contextlib.contextmanager
def _let_go_at_the_end() -> Iterator[list[int]]:
    """Let the processes in the list go on when the block ends."""
    pids: list[int] = []
    try:
        yield pids
    finally:
        for process in pids:
            os.kill(process, signal.SIGCONT)


def _ask_every_worker(proxy: Proxy) -> set[int]:
    """Ask one worker after the other, each held still once it has answered.

    Left to themselves the kernel and the event loops may give all connections to one of them.
    """
    with _let_go_at_the_end() as answer:
        for _ in range(ATTEMPTS):
            # A connection that waits for a worker that is held still is given up.
            with contextlib.suppress(httpx.TimeoutException):
                worker = _ask_one_worker(proxy)
                os.kill(worker, signal.SIGSTOP)
                answer.append(worker)
            if len(answer) == WORKERS:
                break
        return set(answer)


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
        assert len(_ask_every_worker(proxy)) == WORKERS
        assert {one.bearer for one in upstream.requests} == {upstream.api_key}
