"""The run: for each number of workers both proxies are up, and their batches alternate in pairs."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.children import Child, ChildError
from benchmarks.gateway import proxies
from benchmarks.gateway.cases import CONTENDERS, Case, ContenderName, Plan
from benchmarks.gateway.load import Order, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_WARMING_CALLS_PER_WORKER: Final = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold one contender's half of a pair.

    Attributes:
        cpu_seconds: of all the proxy's processes, per call, with what LiteLLM does after the reply.
        call_seconds: each call's own wall time.
        writes: how many HTTP chunks a streamed reply had, on average.
    """

    workers: int
    case: str
    contender: ContenderName
    pair: int
    calls_per_second: float
    cpu_seconds: float
    call_seconds: list[float]
    writes: float


class _Bench:
    """Hold the processes of one number of workers."""

    def __init__(
        self,
        plan: Plan,
        workers: int,
        load: Child,
        running: Mapping[ContenderName, proxies.RunningProxy],
    ) -> None:
        self._plan = plan
        self._workers = workers
        self._load = load
        self._running = running

    def warm_up(self) -> None:
        """Reach every worker of both proxies with every kind of call."""
        for name, proxy in self._running.items():
            if proxy.knows_prices() is not (name == "ours"):
                raise ChildError(f"the proxy of {name} does not run the route that it should")
        for case in self._plan.cases:
            for name in CONTENDERS:
                self._fire(case, name, _WARMING_CALLS_PER_WORKER * self._workers)

    def measure(self, case: Case, name: ContenderName, pair: int) -> Batch:
        """Return what one batch took."""
        for one in self._running.values():
            one.rest()
        calls = case.calls * self._workers
        proxy = self._running[name]
        before = proxy.cpu_seconds()
        sample = self._fire(case, name, calls)
        proxy.rest()
        return Batch(
            workers=self._workers,
            case=case.name,
            contender=name,
            pair=pair,
            calls_per_second=calls / sample.wall_seconds,
            cpu_seconds=(proxy.cpu_seconds() - before) / calls,
            call_seconds=sample.call_seconds,
            writes=sample.writes,
        )

    def _fire(self, case: Case, name: ContenderName, calls: int) -> Sample:
        order = Order(
            case=case.name,
            port=self._running[name].port,
            key=proxies.MASTER_KEY,
            calls=calls,
            clients=case.clients * self._workers,
        )
        self._load.say(json.dumps(asdict(order)))
        return Sample(**json.loads(self._load.hear()))


def run(plan: Plan, progress: Callable[[str], None]) -> Iterator[Batch]:
    """Measure the plan and yield one batch per number of workers, case, pair and contender.

    Only the proxies of one number of workers run at a time. In every other pair stock is first.

    Raises:
        ChildError: a process failed, for instance because a reply was not whole.
    """
    for workers in plan.workers:
        progress(f"{workers} workers: starting both proxies")
        with ExitStack() as stack:
            bench = _start(stack, plan, workers)
            bench.warm_up()
            for pair in range(1, plan.pairs + 1):
                for case in plan.cases:
                    progress(f"{workers} workers, pair {pair} of {plan.pairs}: {case.title}")
                    for name in CONTENDERS if pair % 2 else reversed(CONTENDERS):
                        yield bench.measure(case, name, pair)


def complete_pairs(measured: Sequence[Batch]) -> list[Batch]:
    """Return the batches that have their other half."""
    halves = Counter((one.workers, one.case, one.pair) for one in measured)
    return [one for one in measured if halves[one.workers, one.case, one.pair] == len(CONTENDERS)]


def _start(stack: ExitStack, plan: Plan, workers: int) -> _Bench:
    def started(module: str) -> Child:
        child = Child(module)
        stack.callback(child.stop)
        return child

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    upstream = started("benchmarks.gateway.upstream").hear()
    configs = proxies.configs(upstream, folder)
    running: dict[ContenderName, proxies.RunningProxy] = {
        name: stack.enter_context(proxies.running(name, config, workers, upstream, folder))
        for name, config in configs.items()
    }
    load = started("benchmarks.gateway.load")
    load.hear()
    return _Bench(plan, workers, load, running)
