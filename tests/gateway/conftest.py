"""A real LiteLLM proxy in a process of its own, with the stand-in as Synthetic behind it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from litellm_synthetic.testing import SyntheticServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# The proxy is an extra of LiteLLM; `tox run -e gateway` installs it.
collect_ignore_glob = [] if importlib.util.find_spec("apscheduler") else ["test_*.py"]

MASTER_KEY = "sk-made-up-for-tests-0123456789abcdef0123456789abcdef"
_START_SECONDS = 90


@dataclass(frozen=True)
class Proxy:
    """Hold a running proxy: its address, its upstream and its own log."""

    url: str
    upstream: SyntheticServer
    log: Path

    def client(self) -> httpx.Client:
        """Return a client that carries the master key."""
        headers = {"Authorization": f"Bearer {MASTER_KEY}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


CONFIG: dict[str, Any] = {
    "model_list": [
        {"model_name": "small", "litellm_params": {"model": "synthetic/syn:small:text"}},
        {"model_name": "alone", "litellm_params": {"model": "synthetic/syn:small:text"}},
        {"model_name": "large", "litellm_params": {"model": "synthetic/syn:large:text"}},
        {
            "model_name": "own",
            "litellm_params": {"model": "synthetic/hf:moonshotai/Kimi-K3"},
            "model_info": {"max_input_tokens": 1000, "input_cost_per_token": 9e-06},
        },
        {"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}},
    ],
    "router_settings": {
        "enable_pre_call_checks": True,
        "context_window_fallbacks": [{"small": ["large"]}],
        "num_retries": 0,
    },
}


@pytest.fixture(scope="session")
def running_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run one proxy for the session."""
    folder = tmp_path_factory.mktemp("proxy")
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    log = folder / "proxy.log"
    with SyntheticServer() as upstream, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {
            **os.environ,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "LITELLM_WORKER_STARTUP_HOOKS": "litellm_synthetic:register",
            "SYNTHETIC_API_KEY": upstream.api_key,
            "SYNTHETIC_API_BASE": upstream.openai_base,
            "SYNTHETIC_CATALOG": "offline",
        }
        program = str(Path(sys.executable).with_name("litellm"))
        command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with log.open("w") as output:
            process = subprocess.Popen(  # noqa: S603  # LiteLLM's own command
                command, env=environment, stdout=output, stderr=output
            )
        proxy = Proxy(f"http://127.0.0.1:{port}", upstream, log)
        try:
            _wait(proxy, process)
            yield proxy
        finally:
            process.terminate()
            process.wait(20)


def _wait(proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError), proxy.client() as client:
            if client.get("/health/liveliness").is_success:
                return
        time.sleep(0.3)
    pytest.fail(f"the proxy did not start:\n{proxy.log.read_text()[-3000:]}")


@pytest.fixture
def proxy(running_proxy: Proxy) -> Proxy:
    """Give a test the proxy, with an upstream that has heard nothing yet."""
    running_proxy.upstream.reset()
    return running_proxy
