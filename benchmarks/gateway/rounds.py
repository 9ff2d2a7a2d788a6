"""The run: for each number of workers, rounds that take turns over both proxies and the floor."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from benchmarks.children import Child, ChildError
from benchmarks.gateway import proxies
from benchmarks.gateway.cases import CONTENDERS, GROUP, PROXIES, Case, ContenderName, Plan
from benchmarks.gateway.load import Order
from benchmarks.workload import API_KEY, MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# One stand-in process serves more than a proxy's worker does; two leave room for four of them.
_STAND_INS: Final = 2
_OPENAI_PATH: Final = "/openai/v1"
_WARMING_CALLS_PER_WORKER: Final = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold one contender's batch in one round.

    Attributes:
        cpu_seconds: of all the proxy's processes, per call; 0 for the floor.
    """

    workers: int
    case: str
    contender: ContenderName
    round: int
    calls: int
    calls_per_second: float
    p50_seconds: float
    p95_seconds: float
    cpu_seconds: float


class _Bench:
    """Hold the processes of one number of workers."""

    def __init__(
        self,
        plan: Plan,
        workers: int,
        load: Child,
        upstreams: list[str],
        running: Mapping[ContenderName, proxies.RunningProxy],
    ) -> None:
        self._plan = plan
        self._workers = workers
        self._load = load
        self._upstreams = upstreams
        self._running = running

    def warm_up(self) -> None:
        """Reach every worker of both proxies with every kind of call."""
        for name, proxy in self._running.items():
            if proxy.knows_limits() is not (name == "ours"):
                raise ChildError(f"the proxy of {name} does not run the route that it should")
        for case in self._plan.cases:
            for name in CONTENDERS:
                calls = _WARMING_CALLS_PER_WORKER * self._workers
                self._fire(case, name, calls)

    def measure(self, case: Case, name: ContenderName, number: int) -> Measured:
        """Return what one batch took."""
        calls = self._plan.calls[case.name] * self._workers
        proxy = self._running.get(name)
        if proxy is None:
            cpu, sample = 0.0, self._fire(case, name, calls)
        else:
            for one in self._running.values():
                one.rest()
            cpu = proxy.cpu_seconds()
            sample = self._fire(case, name, calls)
            proxy.rest()
            cpu = proxy.cpu_seconds() - cpu
        seconds = sample["call_seconds"]
        return Measured(
            workers=self._workers,
            case=case.name,
            contender=name,
            round=number,
            calls=calls,
            calls_per_second=calls / sample["wall_seconds"],
            p50_seconds=median(seconds),
            p95_seconds=quantiles(seconds, n=20)[-1],
            cpu_seconds=cpu / calls,
        )

    def _fire(self, case: Case, name: ContenderName, calls: int) -> dict[str, Any]:
        proxy = self._running.get(name)
        order = Order(
            case=case.name,
            urls=[proxy.url + case.path]
            if proxy
            else [upstream + case.upstream_path for upstream in self._upstreams],
            key=proxies.MASTER_KEY if proxy else API_KEY,
            model=GROUP if proxy else MODEL,
            calls=calls,
            clients=self._plan.clients * self._workers,
        )
        self._load.say(json.dumps(asdict(order)))
        sample: dict[str, Any] = json.loads(self._load.hear())
        return sample


def run(plan: Plan, progress: Callable[[str], None]) -> Iterator[Measured]:
    """Measure the plan and yield one figure per number of workers, case, contender and round.

    Only the proxies of one number of workers run at a time. Each round starts with another
    contender than the one before.

    Raises:
        ChildError: a process failed, for instance because a reply was not whole.
    """
    for workers in plan.workers:
        progress(f"{workers} workers: starting both proxies")
        with ExitStack() as stack:
            bench = _start(stack, plan, workers)
            bench.warm_up()
            for number in range(1, plan.rounds + 1):
                for case in plan.cases:
                    progress(f"{workers} workers, round {number} of {plan.rounds}: {case.title}")
                    shift = number % len(CONTENDERS)
                    for name in CONTENDERS[shift:] + CONTENDERS[:shift]:
                        yield bench.measure(case, name, number)


def _start(stack: ExitStack, plan: Plan, workers: int) -> _Bench:
    def started(module: str) -> Child:
        child = Child(module)
        stack.callback(child.stop)
        return child

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    stand_ins = [started("benchmarks.serving") for _ in range(_STAND_INS)]
    upstreams = [one.hear().removesuffix(_OPENAI_PATH) for one in stand_ins]
    running: dict[ContenderName, proxies.RunningProxy] = {
        name: stack.enter_context(proxies.running(name, workers, upstreams, folder))
        for name in PROXIES
    }
    load = started("benchmarks.gateway.load")
    load.hear()
    return _Bench(plan, workers, load, upstreams, running)
