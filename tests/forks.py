"""Processes that begin with LiteLLM imported: forks of one that has imported it, and nothing else.

The import is most of what a short process costs. The process that is forked has read no key, no
setting and no file of a test's, and runs no thread.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess
    from pathlib import Path

# Read by LiteLLM while it is imported.
ENVIRONMENT: Final[dict[str, str]] = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Back-off of LiteLLM's own; what a Retry-After asks for is waited for in full.
    "INITIAL_RETRY_DELAY": "0.01",
    "JITTER": "0",
    # The scaled example's README says 10 seconds; tests need not wait that long.
    "REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT": "2",
}
_imported: Final = ["litellm"]


def import_too(*modules: str) -> None:
    """Have more modules imported before any fork; called while tests are collected."""
    _imported.extend(modules)


@dataclass(frozen=True)
class Command:
    """What a process is started with.

    Attributes:
        run: what it runs; it is found by its name, so it may not be a local function.
        arguments: its `sys.argv`.
        variables: its whole environment.
        folder: its working folder.
        streams: the terminal, or else the file, that it writes to; only a terminal is read.
    """

    run: Callable[[], object]
    arguments: list[str]
    variables: Mapping[str, str]
    folder: Path
    streams: str


def fork(command: Command) -> BaseProcess:
    """Start a process in a session of its own."""
    process = _context().Process(target=_be, args=(command,), daemon=True)
    process.start()
    return process


@functools.cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_imported)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        # It starts with the first process that is asked for, and keeps this environment.
        first = context.Process(target=_nothing)
        first.start()
        first.join()
    return context


def _nothing() -> None:
    return


def _be(command: Command) -> None:
    os.setsid()
    # A shell's background, where a suite may run, ignores Ctrl-C, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The first terminal that the leader of a session opens becomes the session's own.
    streams = os.open(command.streams, os.O_RDWR)
    reads = streams if os.isatty(streams) else os.open(os.devnull, os.O_RDONLY)
    for number, start in enumerate((reads, streams, streams)):
        os.dup2(start, number)
    # Python's own were opened on something else.
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # open to the end
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1)  # noqa: SIM115  # as above
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1)  # noqa: SIM115  # as above
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.variables)
    sys.argv = command.arguments
    command.run()
