"""The processes of a benchmark: they take orders on standard input and answer line by line."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_STOP_SECONDS: Final = 5.0
# Nothing of the caller's shell may steer a contender, or add credentials to its requests.
_FOREIGN: Final = ("OPENAI_", "SYNTHETIC_", "LITELLM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class ChildError(RuntimeError):
    """Say that a process of the benchmark failed, with what it wrote to standard error."""


class Child:
    """Talk to one process of the benchmark, line by line."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._title = " ".join((module, *arguments))
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115  # lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter, this package
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the one that reports
        )

    def say(self, line: str) -> None:
        """Send one order.

        Raises:
            ChildError: the process has ended.
        """
        if self._process.stdin is None:
            raise ChildError(f"{self._title} takes no orders")
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._failure() from None

    def hear(self) -> str:
        """Return the next line that the process writes.

        Raises:
            ChildError: the process has ended.
        """
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise self._failure()
        return line.strip()

    def stop(self) -> None:
        """Let the process end, by force if it takes too long."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _failure(self) -> ChildError:
        self._errors.seek(0)
        return ChildError(f"{self._title} failed:\n{self._errors.read()[-4000:]}")


def environment() -> dict[str, str]:
    """Return the variables that a process of the benchmark gets."""
    content = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)
    }
    # With it, each start would compile what an installation has compiled.
    content.pop("PYTHONDONTWRITEBYTECODE", None)
    # Otherwise LiteLLM downloads its price list when it is imported.
    return {**content, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
