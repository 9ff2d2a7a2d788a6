"""Scenes: the behaviour of the upstream, and the outcome of one run of a client."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import Text, ToolCall, ToolCalls, fault
from tests.clients.recipes import PROMPT, Recipe
from tests.gateway.running import MASTER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from litellm_synthetic.testing import RecordedRequest, Reply
    from tests.clients.releases import Installed
    from tests.gateway.running import Proxy

# For a client that asks again and again; it is stopped then, and what it asked is counted.
MAX_SECONDS = 60
FILE = "hello.txt"
CONTENT = "hello\n"
LAST_WORDS = "the file is written"
_STOP_SECONDS = 30
# Nothing listens there: whatever is not on this machine is out of reach.
_NOWHERE = "http://127.0.0.1:9"
ENVIRONMENT = {
    "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE, "http_proxy": _NOWHERE,
    "https_proxy": _NOWHERE, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
    "DO_NOT_TRACK": "1", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "CI": "1",
    "CONTINUE_TELEMETRY_ENABLED": "0", "GEMINI_TELEMETRY_ENABLED": "false",
    "QWEN_TELEMETRY_ENABLED": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # As root, Claude Code skips its questions only in what is said to be a sandbox.
    "IS_SANDBOX": "1",
    "TERM": "dumb", "LANG": "C.UTF-8",
}  # fmt: skip  # one table, read as one


@dataclass(frozen=True)
class Scene:
    """Name what the upstream does.

    Attributes:
        name: what tests and tables call it.
        title: the heading of its column.
        fault: the stand-in's fault; empty for the two-step loop of tools.
        words: a pattern for what the client has to show of it.
    """

    name: str
    title: str
    fault: Any
    words: str


LOOP = Scene("loop", "writes a file", "", LAST_WORDS)
OVERFLOW = Scene("overflow", "overflow", "context_overflow", "600000|524288")
CAP = Scene("cap", "spent plan", "subscription_cap", "subscription rate limits")
UNPAID = Scene("unpaid", "402", "payment_required", "Insufficient quota")
RETIRED = Scene("retired", "retired model", "model_retired", "no longer supported")
CUT = Scene("cut", "cut stream", "stream_cut", "ended early")
SCENES = (LOOP, OVERFLOW, CAP, UNPAID, RETIRED, CUT)


@dataclass(frozen=True)
class Outcome:
    """Hold what one run of a client came to.

    Attributes:
        ended: whether it ended by itself within the time.
        output: everything that it wrote.
        requests: the calls that reached the upstream.
        wrote: whether the file is there, with the right content.
        seconds: how long it ran.
    """

    ended: bool
    output: str
    requests: tuple[RecordedRequest, ...]
    wrote: bool
    seconds: float

    def shows(self, words: str) -> bool:
        """Tell whether a pattern is in what the client wrote, whatever it wrapped and escaped."""
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.output)
        return re.search(words, re.sub(r"\s+", " ", text)) is not None


def play(  # what a run is made of, each named
    recipe: Recipe,
    scene: Scene,
    proxy: Proxy,
    installed: Installed,
    folder: Path,
    *,
    url: str | None = None,
) -> Outcome:
    """Run a client once.

    Args:
        recipe: how it is pointed at the proxy.
        scene: what the upstream does.
        proxy: the proxy, whose upstream is the stand-in.
        installed: the client's release.
        folder: an empty one for the run's home and work.
        url: what the client takes for the proxy's address, if it is another.
    """

    def fill(text: str) -> str:
        return recipe.filled(text, url or proxy.url, MASTER_KEY)

    home, work = folder / "home", folder / "work"
    for each in (home, work):
        each.mkdir(parents=True)
    for name, text in recipe.files.items():
        path = home / name.removeprefix("~/") if name.startswith("~/") else work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fill(text))
    upstream = proxy.upstream
    upstream.reset()
    upstream.respond_with(fault(scene.fault) if scene.fault else _loop(recipe, str(work / FILE)))
    variables = {name: fill(text) for name, text in recipe.variables.items()}
    environment = {**ENVIRONMENT, "HOME": str(home), "PATH": installed.path, **variables}
    arguments = [fill(text) for text in recipe.arguments]
    started = time.monotonic()
    ended, output = _run([str(installed.program), *arguments], work, environment)
    seconds = time.monotonic() - started
    calls = tuple(one for one in upstream.requests if one.method == "POST")
    written = work / FILE
    wrote = written.exists() and written.read_text() == CONTENT
    return Outcome(ended, output, calls, wrote, seconds)


def _run(command: list[str], work: Path, environment: Mapping[str, str]) -> tuple[bool, str]:
    """Run a command to its end, or until its time is up, in a process group of its own."""
    process = subprocess.Popen(  # noqa: S603  # a pinned release
        command, cwd=work, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip  # one call
    try:
        return True, process.communicate(timeout=MAX_SECONDS)[0]
    except subprocess.TimeoutExpired:
        _kill(process)
        return False, process.communicate(timeout=_STOP_SECONDS)[0]
    finally:
        _kill(process)  # what it may have started and left behind


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _loop(recipe: Recipe, path: str) -> Callable[[RecordedRequest], Reply]:
    """Return an upstream that has a client write a file with its own tool, and then ends."""

    def reply(request: RecordedRequest) -> Reply:
        body = request.json or {}
        if not recipe.does_tools:
            return Text(f"{FILE}\n```\n{CONTENT}```\n\n{LAST_WORDS}")
        if any(map(_holds_result, body.get("messages") or ())):
            return Text(LAST_WORDS)
        offered = [tool.get("name") or tool["function"]["name"] for tool in body.get("tools") or ()]
        for name, arguments in recipe.tools.items():
            if name in offered:
                return ToolCalls([ToolCall(name, arguments(path))])
        return Text(PROMPT)  # a title, a summary: what a client asks for beside

    return reply


def _holds_result(message: Any) -> bool:
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return message.get("role") == "tool" or any(part.get("type") == "tool_result" for part in parts)
