"""One contender in a fresh interpreter: reads orders, makes the calls, writes what they cost.

Orders and samples are lines of JSON on standard input and output. Wall time is that of the calls.
CPU time is the whole process's, until it has come to rest: LiteLLM prices and logs a call on other
threads after the caller has its reply.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from benchmarks import contenders
from benchmarks.cases import CONTENDERS, Case, Setup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.callback import CostKeeper
    from benchmarks.workload import ContenderName

_LOOK_SECONDS: Final = 0.015
_RESTING_CPU_SECONDS: Final = 0.001
_WARM_EVENTS: Final = 20
_WARM_SHARE: Final = 10
# LiteLLM logs a call with many callbacks on other threads, which wait long on a busy machine.
_PATIENCE_SECONDS: Final = 240.0


class LostDataError(AssertionError):
    """Say that a contender did not hand over what the server had sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what one batch of calls took, in seconds.

    Attributes:
        wall_seconds: until the last reply of the batch was there.
        cpu_seconds: of all threads, until the process had come to rest.
        call_seconds: how long each call took to its end.
        first_seconds: how long each call took to its first chunk; empty where none is streamed.
        priced_calls: how many callbacks got a cost; 0 where there is not a callback.
    """

    wall_seconds: float
    cpu_seconds: float
    call_seconds: list[float]
    first_seconds: list[float]
    priced_calls: int


class _Batch:
    """Make the calls of a batch, and keep what came of them."""

    def __init__(self, contender: contenders.Contender, case: Case) -> None:
        self._contender = contender
        self._case = case
        self.replies: list[Any] = []
        self.call_seconds: list[float] = []
        self.first_seconds: list[float] = []

    def call(self) -> None:
        start = time.perf_counter()
        if self._case.stream:
            reply, first_at = self._contender.stream(self._case)
            self.first_seconds.append(first_at - start)
        else:
            reply = self._contender.plain(self._case)
        self.call_seconds.append(time.perf_counter() - start)
        self.replies.append(reply)
        if self._case.rest_seconds:
            time.sleep(self._case.rest_seconds)

    async def acall(self) -> None:
        start = time.perf_counter()
        if self._case.stream:
            reply, first_at = await self._contender.astream(self._case)
            self.first_seconds.append(first_at - start)
        else:
            reply = await self._contender.aplain(self._case)
        self.call_seconds.append(time.perf_counter() - start)
        self.replies.append(reply)
        if self._case.rest_seconds:
            await asyncio.sleep(self._case.rest_seconds)

    async def acalls(self, calls: int) -> None:
        async def lane() -> None:
            for _ in range(calls // self._case.at_once):
                await self.acall()

        await asyncio.gather(*(lane() for _ in range(self._case.at_once)))

    def check(self) -> None:
        expected = self._case.served.received
        read = self._contender.read_stream if self._case.stream else self._contender.read_plain
        for reply in self.replies:
            received = read(reply)
            if received != expected:
                shown = f"{str(expected)[-300:]}, received {str(received)[-300:]}"
                raise LostDataError(f"{self._case.name}: expected {shown}")


class Worker:
    """Measure one contender; async calls on one event loop that lasts as long as the process."""

    def __init__(
        self,
        contender: contenders.Contender,
        keepers: list[CostKeeper],
        runner: asyncio.Runner,
    ) -> None:
        self._contender = contender
        self._keepers = keepers
        self._runner = runner

    def measure(self, case: Case, core: int | None) -> Sample:
        """Return what a batch of calls took, after checking that every reply arrived whole."""
        _stay_on(core)
        # Connections may have been dropped since the last round.
        seen = [len(keeper.costs_usd) for keeper in self._keepers]
        self._run(_Batch(self._contender, _shortened(case)), case, case.at_once)
        self._rest(case, [before + case.at_once for before in seen])
        seen = [len(keeper.costs_usd) for keeper in self._keepers]
        gc.collect()
        batch = _Batch(self._contender, case)
        cpu = time.process_time()
        wall = self._run(batch, case, case.batch)
        self._rest(case, [before + case.batch for before in seen])
        cpu = time.process_time() - cpu
        batch.check()
        priced = self._priced(seen, case.batch)
        return Sample(wall, cpu, batch.call_seconds, batch.first_seconds, priced)

    def _run(self, batch: _Batch, case: Case, calls: int) -> float:
        start = time.perf_counter()
        if case.is_async:
            self._runner.run(batch.acalls(calls))
        else:
            for _ in range(calls):
                batch.call()
        return time.perf_counter() - start - case.rest_seconds * calls / case.at_once

    def _rest(self, case: Case, callbacks: list[int]) -> None:
        """Wait until no thread works any more and every callback has been called."""
        until = time.monotonic() + _PATIENCE_SECONDS
        before = time.process_time()
        while time.monotonic() < until:
            if case.is_async:
                self._runner.run(asyncio.sleep(_LOOK_SECONDS))
            else:
                time.sleep(_LOOK_SECONDS)
            spent, before = time.process_time() - before, time.process_time()
            were_called = all(
                len(keeper.costs_usd) >= count
                for keeper, count in zip(self._keepers, callbacks, strict=True)
            )
            if were_called and spent < _RESTING_CPU_SECONDS:
                return
        raise LostDataError("the process did not come to rest, or a callback was never called")

    def _priced(self, seen: list[int], calls: int) -> int:
        priced = 0
        for keeper, before in zip(self._keepers, seen, strict=True):
            costs_usd = keeper.costs_usd[before:]
            if len(costs_usd) != calls:
                raise LostDataError(f"{len(costs_usd)} callbacks for {calls} calls")
            priced += sum(cost is not None for cost in costs_usd)
        return priced


def _shortened(case: Case) -> Case:
    """Return a case that warms up what a case needs, and takes little time."""
    if not case.stream:
        return case
    events = min(case.served.events, max(_WARM_EVENTS, case.served.events // _WARM_SHARE))
    return replace(case, served=replace(case.served, events=events, pace_ms=0.0))


def _stay_on(core: int | None) -> None:
    """Keep every thread of this process on one core, or let all go where they like."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = set(range(os.cpu_count() or 1)) if core is None else {core}
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def _own_output() -> Iterator[TextIO]:
    """Yield the real standard output, and send whatever a library prints to standard error."""
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        yield output


def main() -> None:
    """Say `ready`, then answer each order until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("address")
    parser.add_argument("setup", type=json.loads)
    options = parser.parse_args()
    with _own_output() as output, asyncio.Runner() as runner:
        worker = _prepared(options.contender, options.address, Setup(**options.setup), runner)
        print("ready", file=output, flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            sample = worker.measure(Case.from_json(order["case"]), order["core"])
            print(json.dumps(asdict(sample)), file=output, flush=True)
        output.flush()
        # LiteLLM flushes its logs at exit, which nobody waits for.
        os._exit(0)


def _prepared(name: ContenderName, address: str, setup: Setup, runner: asyncio.Runner) -> Worker:
    contender = contenders.make(name, address, setup)
    if name == "stock" and "litellm_synthetic" in sys.modules:
        raise LostDataError("this package is loaded in the process that measures stock LiteLLM")
    if not setup.callbacks:
        return Worker(contender, [], runner)
    from benchmarks.callback import install  # noqa: PLC0415  # imports LiteLLM

    return Worker(contender, install(setup.callbacks), runner)


if __name__ == "__main__":
    main()
