"""Real LiteLLM proxies in processes of their own, with a stand-in as Synthetic behind them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from litellm_synthetic.testing import SyntheticServer

MASTER_KEY = "sk-made-up-for-tests-0123456789abcdef0123456789abcdef"
# The lines that the README names; every proxy that the tests start is loaded by them.
LOADING = {"litellm_settings": {"callbacks": ["litellm_synthetic.proxy.route"]}}
_HERE = Path(__file__).parent
_START_SECONDS = 120
_STOP_SECONDS = 20


@dataclass(frozen=True)
class Proxy:
    """Hold a running proxy: its address, its upstream, its own log and its process."""

    url: str
    upstream: SyntheticServer
    log: Path
    process: subprocess.Popen[bytes]

    def client(self, key: str = MASTER_KEY) -> httpx.Client:
        """Return a client that carries a key of the proxy's own."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)


def put_beside_config(folder: Path, *modules: str) -> None:
    """Copy modules of the tests to where a proxy with its config in `folder` finds them."""
    for module in modules:
        shutil.copy(_HERE / f"{module}.py", folder)


def costs(path: Path, count: int, timeout_seconds: float = 10.0) -> list[dict[str, Any]]:
    """Return what the workers wrote into a spend log, once it holds `count` calls."""
    deadline = time.monotonic() + timeout_seconds
    lines: list[str] = []
    while time.monotonic() < deadline:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            break
        time.sleep(0.05)
    assert len(lines) == count, lines
    return [json.loads(line) for line in lines]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_proxy(
    folder: Path,
    config: Mapping[str, Any] | Path,
    upstream: SyntheticServer,
    *,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Proxy]:
    """Run `litellm --config` on a free port until the block ends.

    Args:
        folder: where the log, and a config given as a mapping, are written.
        config: the whole config, or the path of a written one.
        upstream: the stand-in; its key and base URL are put into the environment.
        environment: more variables, which win.
        arguments: more arguments, such as `--num_workers 2`.
    """
    if not isinstance(config, Path):
        written = folder / "config.yaml"
        written.write_text(yaml.safe_dump(dict(config)))
        config = written
    port = free_port()
    log = folder / f"proxy-{port}.log"
    variables = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "SYNTHETIC_API_KEY": upstream.api_key,
        "SYNTHETIC_API_BASE": upstream.openai_base,
        "SYNTHETIC_CATALOG": "offline",
        **(environment or {}),
    }
    program = str(Path(sys.executable).with_name("litellm"))
    command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        # Workers are children of the process, so the whole group is told to end.
        process = subprocess.Popen(  # noqa: S603  # LiteLLM's own command
            [*command, *arguments],
            env=variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    proxy = Proxy(f"http://127.0.0.1:{port}", upstream, log, process)
    try:
        _wait(proxy)
        yield proxy
    finally:
        _stop(process)


def _wait(proxy: Proxy) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and proxy.process.poll() is None:
        with contextlib.suppress(httpx.TransportError), proxy.client() as client:
            if client.get("/health/readiness").is_success:
                return
        time.sleep(0.3)
    pytest.fail(f"the proxy did not start:\n{proxy.log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
