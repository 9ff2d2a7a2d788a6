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
from typing import TYPE_CHECKING, Final

import yaml

from benchmarks.children import ChildError, environment
from benchmarks.workload import API_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.gateway.cases import ContenderName

MASTER_KEY: Final = "sk-bench-0123456789abcdef0123456789abcdef"
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_START_SECONDS: Final = 600.0
_STOP_SECONDS: Final = 20.0
_PROC: Final = Path("/proc")
_GROUP_FIELD, _USER_FIELD, _SYSTEM_FIELD = 2, 11, 12  # of /proc/PID/stat, after the name
_LOOK_SECONDS: Final = 0.2
_RESTING_CPU_SECONDS: Final = 0.03
_PATIENCE_SECONDS: Final = 15.0


def configs(upstream: str, folder: Path) -> dict[ContenderName, Path]:
    """Write the config that `proxy-config` writes, and the same for stock LiteLLM.

    Stock LiteLLM ignores `SYNTHETIC_API_BASE`, so its deployments state the base URL. Else the two
    differ in the line that loads this package.

    Raises:
        ChildError: the command failed.
    """
    ours, stock = folder / "ours.yaml", folder / "stock.yaml"
    program = Path(sys.executable).with_name("litellm-synthetic")
    command = [str(program), "proxy-config", "--out", str(ours)]
    result = subprocess.run(  # noqa: S603  # our own command
        command, env=_environment("ours", upstream, folder), capture_output=True, check=False
    )
    if result.returncode:
        raise ChildError(f"proxy-config failed:\n{result.stderr.decode()}")
    shipped = yaml.safe_load(ours.read_text())
    for deployment in shipped["model_list"]:
        deployment["litellm_params"]["api_base"] = f"{upstream}/openai/v1"
    shipped["litellm_settings"].pop("callbacks")
    stock.write_text(yaml.safe_dump(shipped))
    return {"ours": ours, "stock": stock}


class RunningProxy:
    """Know a proxy's port and what its processes have used."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
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

    def knows_prices(self) -> bool:
        """Tell whether the proxy knows what the models cost, as it does with our route only."""
        request = urllib.request.Request(  # loopback
            f"http://127.0.0.1:{self.port}/model/info",
            headers={"Authorization": f"Bearer {MASTER_KEY}"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310  # loopback
            models = json.loads(reply.read())["data"]
        return any(one["model_info"].get("input_cost_per_token") for one in models)


@contextmanager
def running(
    name: ContenderName, config: Path, workers: int, upstream: str, folder: Path
) -> Iterator[RunningProxy]:
    """Run one proxy until the block ends.

    Raises:
        ChildError: it ended, or did not get ready in time.
    """
    log = folder / f"{name}-{workers}.log"
    port = _free_port()
    program = str(Path(sys.executable).with_name("litellm"))
    command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603  # LiteLLM's own command
            [*command, "--num_workers", str(workers), "--timeout_worker_healthcheck", "120"],
            cwd=folder,
            env=_environment(name, upstream, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    proxy = RunningProxy(port, process)
    try:
        _wait(proxy, process, log)
        yield proxy
    finally:
        _stop(process)


def _environment(name: ContenderName, upstream: str, folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in environment().items() if name != _NO_BYTECODE}
    own = {"SYNTHETIC_API_BASE": f"{upstream}/openai/v1", "SYNTHETIC_CATALOG": "offline"}
    return {
        **inherited,
        # Bytecode as an installed package has it, also where the environment was made without.
        "PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / "bench-bytecode"),
        "HOME": str(folder),
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "SYNTHETIC_API_KEY": API_KEY,
        **(own if name == "ours" else {}),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(proxy: RunningProxy, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{proxy.port}/health/readiness", timeout=10
            ):  # loopback
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
