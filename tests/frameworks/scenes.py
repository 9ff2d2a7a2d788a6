"""One run of a framework's program, and what it came to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import SyntheticServer, fault
from tests.frameworks.kinds import PROGRAMS, Framework
from tests.frameworks.upstream import loop, overflowing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# For the first call to come: importing a framework takes long on a busy machine.
START_SECONDS = 300
# From then on. A framework that still waits or asks again is stopped, and what it asked is counted.
MAX_SECONDS = 60
_STOP_SECONDS = 30
_POLL_SECONDS = 0.1
_NOWHERE = "http://127.0.0.1:9"
_ENVIRONMENT = {
    "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "http_proxy": _NOWHERE,
    "https_proxy": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True", "SYNTHETIC_CATALOG": "offline",
    # The stand-in's key reports a plan, and these calls are held against their prices.
    "SYNTHETIC_BILLING": "list-price",
    "DO_NOT_TRACK": "1", "OTEL_SDK_DISABLED": "true", "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false", "LANGSMITH_TRACING": "false", "CI": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1", "HF_HUB_OFFLINE": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "dumb", "LANG": "C.UTF-8",
}  # fmt: skip  # one table, read as one


@dataclass(frozen=True)
class Scene:
    """Name what a program does, and what the upstream does to it.

    Attributes:
        name: what tests and tables call it.
        functions: those of the program's functions that run, one after the other.
        upstream: what makes the upstream for a framework.
        words: a pattern of what a failure has to show.
    """

    name: str
    functions: tuple[str, ...]
    upstream: Callable[[Framework], Any]
    words: str = ""


WORK = Scene("work", ("ask", "stream", "window"), loop)
OVERFLOW = Scene("overflow", ("ask",), overflowing, "600,?000|524,?288")
CAP = Scene("cap", ("ask",), lambda _: fault("subscription_cap"), "subscription rate limits")
SCENES = (WORK, OVERFLOW, CAP)


@dataclass(frozen=True)
class Outcome:
    """Hold what one run of a program came to.

    Attributes:
        ended: whether it ended by itself within the time.
        report: what `run_scene.py` wrote; empty where it did not come to that.
        output: everything that was printed.
        calls: the bodies of the model calls that reached the upstream.
    """

    ended: bool
    report: Mapping[str, Any]
    output: str
    calls: tuple[dict[str, Any], ...]

    def result(self, function: str = "ask") -> Any:
        """Return what a function of the program returned; None where it failed."""
        return self.report.get(function, {}).get("result")

    def error(self, function: str = "ask") -> list[str]:
        """Return the classes of a function's error and of what it came from."""
        return list(self.report.get(function, {}).get("error", ()))

    @property
    def version(self) -> str:
        """Return the version of LiteLLM."""
        return str(self.report.get("versions", {}).get("litellm", "unknown"))

    def shows(self, words: str) -> bool:
        """Tell whether a pattern is in the error or in what was printed."""
        text = f"{self.report.get('ask', {}).get('message', '')} {self.output}"
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[│╭╰─]", "", text)
        return re.search(words, re.sub(r"\s+", " ", text)) is not None


def play(
    framework: Framework, scene: Scene, python: Path, folder: Path, *, is_stock: bool = False
) -> Outcome:
    """Run a framework's program once.

    Args:
        framework: the framework.
        scene: what it does, and what is done to it.
        python: the interpreter of its environment.
        folder: an empty one for the run.
        is_stock: leave LiteLLM as it is.
    """
    file = folder / "outcome.json"
    with SyntheticServer() as upstream:
        upstream.respond_with(scene.upstream(framework))
        environment = {
            **_ENVIRONMENT,
            "HOME": str(folder),
            "SYNTHETIC_API_KEY": upstream.api_key,
            "SYNTHETIC_API_BASE": upstream.openai_base,
            "SYNTHETIC_CACHE_DIR": str(folder / "cache"),
        }
        command = [str(python), str(PROGRAMS / "run_scene.py"), str(framework.program), str(file)]
        if is_stock:
            command += ["--stock", upstream.openai_base]
        ended, output = _run([*command, *scene.functions], folder, environment, upstream)
        calls = tuple(one.json or {} for one in upstream.requests if one.method == "POST")
    report = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return Outcome(ended, report, output, calls)


def _run(
    command: list[str], folder: Path, environment: Mapping[str, str], upstream: SyntheticServer
) -> tuple[bool, str]:
    """Run a command to its end, or until its time is up, in a process group of its own."""
    output = folder / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # a program of this suite
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip  # one call
    try:
        ended = _ends(process, upstream)
    finally:
        _kill(process)  # and what it may have started and left behind
        process.wait(_STOP_SECONDS)
    return ended, output.read_text("utf-8", "replace")


def _ends(process: subprocess.Popen[bytes], upstream: SyntheticServer) -> bool:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and not upstream.requests and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    try:
        process.wait(MAX_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
