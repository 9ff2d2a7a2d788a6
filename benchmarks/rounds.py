"""The run: one server, one process per contender, and rounds that take turns over all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.workload import Case, ContenderName, Plan

_ROOT: Final = Path(__file__).resolve().parent.parent
_STOP_SECONDS: Final = 5.0
# Nothing of the caller's shell may steer a contender, or add credentials to its requests.
_FOREIGN: Final = ("OPENAI_", "SYNTHETIC_", "LITELLM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what one contender's batch in one round took, per unit: a call or a streamed chunk."""

    case: str
    contender: ContenderName
    round: int
    units: int
    wall_seconds: float
    cpu_seconds: float
    priced_calls: int


class ChildError(RuntimeError):
    """Say that a process of the benchmark failed, with what it wrote to standard error."""


class _Child:
    """Talk to one process of the benchmark, line by line."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._title = " ".join((module, *arguments))
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115  # lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter, this package
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def say(self, line: str) -> None:
        if self._process.stdin is None:
            raise ChildError(f"{self._title} takes no orders")
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._failure() from None

    def hear(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise self._failure()
        return line.strip()

    def stop(self) -> None:
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


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)
    }
    # Otherwise LiteLLM downloads its price list when it is imported.
    return {**kept, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


@contextmanager
def _children(
    cases: Sequence[Case], pace_ms: float
) -> Iterator[dict[tuple[ContenderName, bool], _Child]]:
    with ExitStack() as stack:

        def started(module: str, *arguments: str) -> _Child:
            child = _Child(module, *arguments)
            stack.callback(child.stop)
            return child

        api_base = started("benchmarks.serving", "--pace-ms", str(pace_ms)).hear()
        wanted = dict.fromkeys(
            (name, case.has_callback) for case in cases for name in case.contenders
        )
        workers = {
            (name, callback): started(
                "benchmarks.worker", name, api_base, *(["--callback"] if callback else [])
            )
            for name, callback in wanted
        }
        for worker in workers.values():
            worker.hear()
        yield workers


def run(plan: Plan, *, pace_ms: float, progress: Callable[[str], None]) -> list[Measured]:
    """Measure the plan's cases and return one figure per case, contender and round.

    A first round warms everything up and is thrown away. Each round goes through all contenders of
    a case before the next case, and starts with another contender than the round before.

    Raises:
        ChildError: a process failed, for instance because a contender lost data.
    """
    progress("starting the server and the contenders")
    measured: list[Measured] = []
    with _children(plan.cases, pace_ms) as workers:
        for number in range(plan.rounds + 1):
            for case in plan.cases:
                progress(f"round {number} of {plan.rounds}: {case.title}")
                shift = number % len(case.contenders)
                for name in case.contenders[shift:] + case.contenders[:shift]:
                    calls = plan.calls(case) if number else case.at_once
                    worker = workers[name, case.has_callback]
                    worker.say(json.dumps({"case": case.name, "calls": calls}))
                    sample = json.loads(worker.hear())
                    if number:
                        measured.append(_per_unit(case, name, number, calls, sample))
    return measured


def _per_unit(
    case: Case, name: ContenderName, number: int, calls: int, sample: dict[str, Any]
) -> Measured:
    units = calls * case.units_per_call
    return Measured(
        case=case.name,
        contender=name,
        round=number,
        units=units,
        wall_seconds=sample["wall_seconds"] / units,
        cpu_seconds=sample["cpu_seconds"] / units,
        priced_calls=sample["priced_calls"],
    )
