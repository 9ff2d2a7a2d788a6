"""The run: one server, one process per contender, and rounds that take turns over all of them."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.children import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.workload import Case, ContenderName, Plan


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


@contextmanager
def _children(
    cases: Sequence[Case], pace_ms: float
) -> Iterator[dict[tuple[ContenderName, bool], Child]]:
    with ExitStack() as stack:

        def started(module: str, *arguments: str) -> Child:
            child = Child(module, *arguments)
            stack.callback(child.stop)
            return child

        api_base = started("benchmarks.serving", "--pace-ms", str(pace_ms)).hear()
        target = dict.fromkeys(
            (name, case.has_callback) for case in cases for name in case.contenders
        )
        workers = {
            (name, callback): started(
                "benchmarks.worker", name, api_base, *(["--callback"] if callback else [])
            )
            for name, callback in target
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
