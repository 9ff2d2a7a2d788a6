"""The run: one server, one process per contender, and rounds that take turns over all of them."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.cases import PLAIN, RIVALS, Setup
from benchmarks.children import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.cases import Case
    from benchmarks.workload import ContenderName

# The first core often has the system's own work.
_SHARED_CORE: Final = (os.cpu_count() or 1) - 1


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what one contender's batch in one round took.

    Attributes:
        units: what `cpu_seconds` and `wall_seconds` are shared out over: calls, or events.
        call_seconds: of each call.
        first_seconds: of each call, to its first chunk.
    """

    case: str
    contender: ContenderName
    round: int
    units: int
    wall_seconds: float
    cpu_seconds: float
    call_seconds: list[float]
    first_seconds: list[float]
    priced_calls: int


class Field:
    """Hold the server and the contenders, all of them alive at once."""

    def __init__(self, stack: ExitStack, cases: Sequence[Case]) -> None:
        self._stack = stack
        address = self._started("benchmarks.serving").hear()
        wanted = dict.fromkeys(
            (name, setup_of(case, name)) for case in cases for name in case.contenders
        )
        self._workers = {
            (name, setup): self._started(
                "benchmarks.worker", name, address, json.dumps(asdict(setup))
            )
            for name, setup in wanted
        }
        for worker in self._workers.values():
            worker.hear()

    def _started(self, module: str, *arguments: str) -> Child:
        child = Child(module, *arguments)
        self._stack.callback(child.stop)
        return child

    def measure(self, case: Case, name: ContenderName, number: int) -> Measured:
        """Let a contender make one batch."""
        worker = self._workers[name, setup_of(case, name)]
        core = _SHARED_CORE if case.saturated else None
        worker.say(json.dumps({"case": case.as_json(), "core": core}))
        sample: dict[str, Any] = json.loads(worker.hear())
        units = case.batch * case.units
        sample["wall_seconds"] /= units
        sample["cpu_seconds"] /= units
        return Measured(case.name, name, number, units, **sample)

    @contextmanager
    def load(self, case: Case) -> Iterator[None]:
        """Keep the core busy that the contenders of a saturated case are on."""
        if not case.saturated:
            yield
            return
        spinner = Child("benchmarks.spinner", str(_SHARED_CORE))
        try:
            spinner.hear()
            yield
        finally:
            spinner.stop()


def setup_of(case: Case, name: ContenderName) -> Setup:
    """Return how the process of a contender is set up: the plain ones have nothing to set."""
    if name not in RIVALS:
        return PLAIN
    # Only our package has the setting.
    return PLAIN if name == "stock" and not case.setup.merges else case.setup


def run(cases: Sequence[Case], *, rounds: int, progress: Callable[[str], None]) -> list[Measured]:
    """Measure the cases and return one figure per case, contender and round.

    Each round goes through all contenders of a case before the next case, and starts with another
    contender than the round before, so that each ratio is of two batches that ran one right after
    the other. What a batch needs to be warm, its worker does first and does not count. Ctrl-C ends
    it with what is complete, once every case has been measured.

    Raises:
        ChildError: a process failed, for instance because a contender lost data.
    """
    progress("starting the server and the contenders")
    measured: list[Measured] = []
    with ExitStack() as stack:
        field = Field(stack, cases)
        for number in range(rounds):
            for case in cases:
                if not case.takes_part(number):
                    continue
                progress(f"round {number + 1} of {rounds}: {case.title}")
                shift = number % len(case.contenders)
                order = case.contenders[shift:] + case.contenders[:shift]
                try:
                    with field.load(case):
                        batches = [field.measure(case, name, number) for name in order]
                except KeyboardInterrupt:
                    if not number:
                        raise
                    return measured
                measured += batches
    return measured
