"""The proxies that are measured: `litellm --config …`, each a group of processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.children import ChildError, environment
from benchmarks.gateway.cases import GROUP, ContenderName
from benchmarks.workload import API_KEY, MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MASTER_KEY: Final = "sk-bench-0123456789abcdef0123456789abcdef"
_LOADING: Final = {"callbacks": ["litellm_synthetic.proxy.route"]}
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 20.0
_PROC: Final = Path("/proc")
_GROUP_FIELD, _USER_FIELD, _SYSTEM_FIELD = 2, 11, 12  # of /proc/PID/stat, after the name
_LOOK_SECONDS: Final = 0.2
_RESTING_CPU_SECONDS: Final = 0.03
_PATIENCE_SECONDS: Final = 15.0


def config(name: ContenderName, upstreams: Sequence[str]) -> dict[str, Any]:
    """Return a proxy's config: one group with a deployment per stand-in.

    Both proxies get the base URL per deployment, since stock LiteLLM ignores `SYNTHETIC_API_BASE`.
    They differ in the line that loads this package.
    """
    deployments = [
        {
            "model_name": GROUP,
            "litellm_params": {
                "model": f"synthetic/{MODEL}",
                "api_base": f"{upstream}/openai/v1",
                "api_key": API_KEY,
            },
        }
        for upstream in upstreams
    ]
    return {
        "model_list": deployments,
        "litellm_settings": _LOADING if name == "ours" else {},
        "general_settings": {"master_key": MASTER_KEY},
    }


class RunningProxy:
    """Know a proxy's address and what its processes have used."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self._process = process

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes so far; 0 where there is no `/proc`."""
        ticks = 0
        for stat in _PROC.glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # it ended just now
                continue
            if int(fields[_GROUP_FIELD]) == self._process.pid:
                ticks += int(fields[_USER_FIELD]) + int(fields[_SYSTEM_FIELD])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rest(self) -> None:
        """Wait until it has done what LiteLLM leaves for after the replies, or 15 s."""
        until = time.monotonic() + _PATIENCE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            spent, before = self.cpu_seconds() - before, self.cpu_seconds()
            if spent < _RESTING_CPU_SECONDS:
                return

    def knows_limits(self) -> bool:
        """Return whether the proxy knows the model's window, as it does with our route only."""
        request = urllib.request.Request(  # noqa: S310  # loopback
            f"{self.url}/model/info", headers={"Authorization": f"Bearer {MASTER_KEY}"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310  # loopback
            message = json.loads(reply.read())
        return all(one["model_info"].get("max_input_tokens") for one in message["data"])


@contextmanager
def running(
    name: ContenderName, workers: int, upstreams: Sequence[str], folder: Path
) -> Iterator[RunningProxy]:
    """Run one proxy until the block ends.

    Raises:
        ChildError: it ended, or did not get ready in time.
    """
    title = f"{name}-{workers}"
    text, log = folder / f"{title}.yaml", folder / f"{title}.log"
    text.write_text(json.dumps(config(name, upstreams)))  # JSON is YAML
    port = _free_port()
    program = str(Path(sys.executable).with_name("litellm"))
    command = [program, "--config", str(text), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603  # LiteLLM's own command
            [*command, "--num_workers", str(workers)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    proxy = RunningProxy(f"http://127.0.0.1:{port}", process)
    try:
        _wait(proxy, process, log)
        yield proxy
    finally:
        _stop(process)


def _environment(folder: Path) -> dict[str, str]:
    # Bytecode as an installed package has it, written to where nobody else looks: LiteLLM 1.106.2
    # tries a failing import in each request, which costs 4 ms where Python must compile for it.
    content = {name: value for name, value in environment().items() if name != _NO_BYTECODE}
    bytecode = str(folder / "bytecode")
    return {**content, "PYTHONPYCACHEPREFIX": bytecode, "SYNTHETIC_CATALOG": "offline"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(proxy: RunningProxy, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{proxy.url}/health/readiness", timeout=10):  # noqa: S310  # loopback
                return
        except OSError:
            time.sleep(0.3)
    raise ChildError(f"a proxy did not start:\n{log.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_STOP_SECONDS)
    except ProcessLookupError:
        process.wait()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
