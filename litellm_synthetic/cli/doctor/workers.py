"""LiteLLM proxies with several workers that may never come up: those that run here, and the next.

Only the command line and the environment of a proxy say how many workers it has; its config does
not. So this looks at the environment of the command itself, and, where the system has `/proc`, at
the processes that it may read.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROCESSES: Final = Path("/proc")
_WORKERS: Final = ("--num_workers", "NUM_WORKERS")
_PATIENCE: Final = ("--timeout_worker_healthcheck", "TIMEOUT_WORKER_HEALTHCHECK")
# Only uvicorn asks its workers for a sign of life.
_OTHER_SERVERS: Final = frozenset(("--run_gunicorn", "--run_hypercorn", "--run_granian"))
_PROGRAMS: Final = frozenset(("litellm", "litellm-proxy"))
_REMEDY: Final = "Start it with --timeout_worker_healthcheck 120."


def check_workers(
    environ: Mapping[str, str] | None = None, processes: Path | None = None
) -> Iterator[Check]:
    """Warn of proxies whose workers are ended when they start slowly; yield nothing otherwise.

    Args:
        environ: the environment that a proxy would be started in; by default that of this process.
        processes: where the system lists processes, in the form of Linux's `/proc`.
    """
    environ = os.environ if environ is None else environ
    running = list(_impatient(PROCESSES if processes is None else processes))
    if running:
        which = ", ".join(f"process {number}, {count} workers" for number, count in running)
        found = (
            f"A LiteLLM proxy runs without --timeout_worker_healthcheck ({which}): on a busy "
            "machine workers that start slowly are ended and started over."
        )
        details = {"processes": [number for number, _ in running]}
        yield Check("workers", "warning", found, _REMEDY, details)
    elif (count := _workers((), environ)) > 1 and not _is_set(_PATIENCE, (), environ):
        found = (
            f"NUM_WORKERS is {count} and TIMEOUT_WORKER_HEALTHCHECK is not set: in a LiteLLM proxy "
            "on a busy machine, workers that start slowly are ended and started over."
        )
        remedy = "Set TIMEOUT_WORKER_HEALTHCHECK to 120 where the proxy is started."
        yield Check("workers", "warning", found, remedy, {"processes": []})


def _impatient(processes: Path) -> Iterator[tuple[int, int]]:
    """Yield process and workers of each proxy that lacks the setting and can be read."""
    for folder in sorted(processes.glob("[0-9]*")):
        try:
            arguments = _texts(folder / "cmdline")
            if not _is_proxy(arguments):
                continue
            pairs = (text.partition("=") for text in _texts(folder / "environ"))
        except OSError:  # it has ended, or is another user's
            continue
        named = (_WORKERS[1], _PATIENCE[1])
        environ = {name: value for name, _, value in pairs if name in named}
        count = _workers(arguments, environ)
        if count > 1 and not _is_set(_PATIENCE, arguments, environ):
            yield int(folder.name), count


def _texts(file: Path) -> list[str]:
    return file.read_bytes().decode("utf-8", "replace").split("\0")


def _is_proxy(arguments: Sequence[str]) -> bool:
    # The program itself, or what its interpreter runs.
    names = [PurePath(text).name for text in arguments[:2]]
    return not _PROGRAMS.isdisjoint(names) and _OTHER_SERVERS.isdisjoint(arguments)


def _workers(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    text = _value(_WORKERS, arguments, environ)
    return int(text) if text.isdecimal() else 1


def _is_set(names: tuple[str, str], arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    return bool(_value(names, arguments, environ))


def _value(names: tuple[str, str], arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return what an option is set to, else its variable; "" where neither is set."""
    option, variable = names
    for argument, after in pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        if name == option:
            return value if equals else after
    return environ.get(variable, "").strip()
