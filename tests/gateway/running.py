"""Real LiteLLM proxies in processes of their own, with a stand-in as Synthetic behind them.

Nine tenths of a proxy's start are the import of LiteLLM. So most proxies are forks of a process
that has imported it, and has read nothing else: no config, no key, nothing of this package. From
there on a fork does what the `litellm` command does.
"""

from __future__ import annotations

import contextlib
import functools
import json
import multiprocessing
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.context import ForkServerContext

    from litellm_synthetic.testing import SyntheticServer

MASTER_KEY = "sk-made-up-for-tests-0123456789abcdef0123456789abcdef"
# The lines that the README names; every proxy that the tests start is loaded by them.
LOADING = {"litellm_settings": {"callbacks": ["litellm_synthetic.proxy.route"]}}
_HERE = Path(__file__).parent
# Read by LiteLLM while it is imported, so that all forks share them. The scaled example's README
# says 10 seconds; the tests need not wait that long.
REDIS_RECOVERY_SECONDS = 2
_READ_ON_IMPORT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Back-off of LiteLLM's own; what a Retry-After asks for is waited for in full.
    "INITIAL_RETRY_DELAY": "0.01",
    "JITTER": "0",
    "REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT": str(REDIS_RECOVERY_SECONDS),
}
# For a busy machine: nothing waits that long where all is well.
_START_SECONDS = 300
_STOP_SECONDS = 60
_WAIT_SECONDS = 120
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
        return httpx.Client(base_url=self.url, headers=headers, timeout=_WAIT_SECONDS)


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


def wait_until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Wait for what a proxy does after it has answered; it gives no sign of that."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(_POLL_SECONDS)


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
    from_scratch: bool = False,
) -> Iterator[Proxy]:
    """Run `litellm --config` on a free port until the block ends.

    Args:
        folder: where the log, and a config given as a mapping, are written.
        config: the whole config, or the path of a written one.
        upstream: the stand-in; its key and base URL are put into the environment.
        environment: more variables, which win.
        arguments: more arguments, such as `--num_workers 2`.
        from_scratch: run the command itself instead of a fork. Needed for more than one worker, and
            for variables that LiteLLM reads while it is imported.
    """
    if not isinstance(config, Path):
        written = folder / "config.yaml"
        written.write_text(yaml.safe_dump(dict(config)))
        config = written
    port = free_port()
    log = folder / f"proxy-{port}.log"
    variables = {
        **os.environ,
        **_READ_ON_IMPORT,
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "SYNTHETIC_API_KEY": upstream.api_key,
        "SYNTHETIC_API_BASE": upstream.openai_base,
        "SYNTHETIC_CATALOG": "offline",
        **(environment or {}),
    }
    words = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), *arguments]
    started: Process = (_Command if from_scratch else _Fork)(words, variables, log)
    proxy = Proxy(f"http://127.0.0.1:{port}", upstream, log, started)
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
        self._process = _imported_proxy().Process(
            target=_be_litellm, args=(list(words), dict(variables), str(log)), daemon=True
        )
        self._process.start()
        self.pid = self._process.pid or 0

    def is_running(self) -> bool:
        return self._process.is_alive()

    def wait(self, seconds: float) -> bool:
        self._process.join(seconds)
        return not self.is_running()


@functools.cache
def _imported_proxy() -> ForkServerContext:
    """Start the process that imports LiteLLM's proxy, and is forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["litellm.proxy.proxy_server", "litellm.proxy.proxy_cli"])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _READ_ON_IMPORT.items():
            patch.setenv(name, value)
        # It starts with the first process that is asked for, and keeps this environment.
        first = context.Process(target=_do_nothing)
        first.start()
        first.join()
    return context


def _do_nothing() -> None:
    return


def _be_litellm(words: Sequence[str], variables: Mapping[str, str], log: str) -> None:
    """Do in a fork what the console script `litellm` does."""
    os.setsid()
    with Path(log).open("wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["litellm", *words]
    from litellm import run_server  # noqa: PLC0415  # only a fork has it imported anyway

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
