"""Real LiteLLM proxies in processes of their own, with a stand-in as Synthetic behind them.

Nine tenths of a proxy's start are the import of LiteLLM, so most proxies are forks of a process
that has imported it. From there on a fork does what the `litellm` command does.
"""

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
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
import yaml

from litellm_synthetic.testing import SyntheticServer
from tests.forks import ENVIRONMENT, Command, fork
from tests.waiting import MAX_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MASTER_KEY = "sk-made-up-for-tests-0123456789abcdef0123456789abcdef"
# The lines that the README names; every proxy that the tests start is loaded by them.
LOADING = {"litellm_settings": {"callbacks": ["litellm_synthetic.proxy.route"]}}
_HERE = Path(__file__).parent
# For a busy machine: nothing waits that long where all is well.
_START_SECONDS = 300
# A server that still waits for idle connections is killed after that; no test looks at an end.
_STOP_SECONDS = 5
_POLL_SECONDS = 0.05


class Process(Protocol):
    """A process that can be waited for."""

    @property
    def pid(self) -> int: ...

    def is_running(self) -> bool: ...

    def wait(self, seconds: float) -> bool:
        """Return whether it ended within the time."""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its address, its upstream, its own log and its process."""

    url: str
    upstream: SyntheticServer
    log: Path
    process: Process

    def client(self, key: str = MASTER_KEY) -> httpx.Client:
        """Return a client that carries a key of the proxy's own."""
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=MAX_SECONDS)


def put_beside_config(folder: Path, *modules: str) -> None:
    """Copy modules of the tests to where a proxy with its config in `folder` finds them."""
    for module in modules:
        shutil.copy(_HERE / f"{module}.py", folder)


def costs(path: Path, count: int) -> list[dict[str, Any]]:
    """Return what the workers wrote into a spend log, once it holds `count` calls."""

    def lines() -> list[str]:
        return path.read_text().splitlines() if path.exists() else []

    wait_until(lambda: len(lines()) >= count, lambda: f"{len(lines())} of {count} calls are told")
    assert len(lines()) == count, lines()
    return [json.loads(line) for line in lines()]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_proxy(
    folder: Path,
    config: Mapping[str, Any] | Path,
    upstream: SyntheticServer | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    from_scratch: bool = False,
) -> Iterator[Proxy]:
    """Run `litellm --config` on a free port until the block ends.

    Args:
        folder: where the log, and a config given as a mapping, are written.
        config: the whole config, or the path of a written one.
        upstream: the stand-in, by default one of its own; its key and base URL are put into the
            environment.
        environment: more variables, which win.
        arguments: more arguments, such as `--num_workers 2`.
        from_scratch: run the command itself instead of a fork. Needed for more than one worker, and
            for variables that LiteLLM reads while it is imported.
    """
    if not isinstance(config, Path):
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(dict(config)))
        config = path
    with SyntheticServer() if upstream is None else contextlib.nullcontext(upstream) as behind:
        port = free_port()
        log = folder / f"proxy-{port}.log"
        variables = {
            **os.environ,
            **ENVIRONMENT,
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "SYNTHETIC_API_KEY": behind.api_key,
            "SYNTHETIC_API_BASE": behind.openai_base,
            "SYNTHETIC_CATALOG": "offline",
            # The stand-in's key reports a plan, and most tests look at prices.
            "SYNTHETIC_BILLING": "list-price",
            **(environment or {}),
        }
        words = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), *arguments]
        started: Process = (_Command if from_scratch else _Fork)(words, variables, log)
        proxy = Proxy(f"http://127.0.0.1:{port}", behind, log, started)
        try:
            _wait(proxy)
            yield proxy
        finally:
            _stop(started)


class _Command:
    """The `litellm` command, in a process group of its own: its workers are told to end too."""

    def __init__(self, words: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        program = str(Path(sys.executable).with_name("litellm"))
        with log.open("w") as output:
            self._process = subprocess.Popen(  # noqa: S603  # LiteLLM's own command
                [program, *words],
                env=dict(variables),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.is_running()


class _Fork:
    """A fork of the process that has imported LiteLLM's proxy."""

    def __init__(self, words: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        log.touch()
        self._process = fork(
            Command(_run_litellm, ["litellm", *words], variables, Path.cwd(), str(log))
        )
        self.pid = self._process.pid or 0

    def is_running(self) -> bool:
        return self._process.is_alive()

    def wait(self, seconds: float) -> bool:
        self._process.join(seconds)
        return not self.is_running()


def _run_litellm() -> None:
    """Do what the console script `litellm` does."""
    from litellm import run_server  # noqa: PLC0415  # nothing else here needs LiteLLM

    run_server()


def _wait(proxy: Proxy) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with proxy.client() as client:
        while time.monotonic() < deadline and proxy.process.is_running():
            with contextlib.suppress(httpx.TransportError):
                if client.get("/health/readiness").is_success:
                    return
            time.sleep(_POLL_SECONDS)
    pytest.fail(f"the proxy did not start:\n{proxy.log.read_text()[-3000:]}")


def _stop(process: Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if process.wait(_STOP_SECONDS):
            return
