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
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

from benchmarks import contenders
from benchmarks.workload import CASE_BY_NAME, CONTENDERS, WHOLE_REPLY, Case, ContenderName, Received

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.callback import CostKeeper

_LOOK_SECONDS: Final = 0.015
_RESTING_CPU_SECONDS: Final = 0.001
_PATIENCE_SECONDS: Final = 20.0


class LostDataError(AssertionError):
    """Say that a contender did not hand over what the server had sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what one batch of calls took, in seconds.

    Attributes:
        wall_seconds: until the last reply of the batch was there.
        cpu_seconds: of all threads, until the process had come to rest.
        priced_calls: how many callbacks got a cost; 0 where there is not a callback.
    """

    wall_seconds: float
    cpu_seconds: float
    priced_calls: int


class Worker:
    """Measure one contender; async calls on one event loop that lasts as long as the process."""

    def __init__(
        self, contender: contenders.Contender, keeper: CostKeeper | None, runner: asyncio.Runner
    ) -> None:
        self._contender = contender
        self._keeper = keeper
        self._runner = runner

    def measure(self, case: Case, calls: int) -> Sample:
        """Return what a batch of calls took, after checking that every reply arrived whole."""
        self._batch(case, case.at_once)  # connections may have been dropped since the last round
        self._rest(case)
        requests = len(self._keeper.costs_usd) if self._keeper else 0
        gc.collect()
        cpu = time.process_time()
        replies, wall = self._batch(case, calls)
        self._rest(case, requests + calls)
        cpu = time.process_time() - cpu
        result = self._contender.read_stream if case.is_stream else self._contender.read_plain
        for reply in replies:
            _check(result(reply))
        return Sample(wall, cpu, self._priced(requests, calls))

    def _batch(self, case: Case, calls: int) -> tuple[list[Any], float]:
        """Return the replies and the seconds until the last of them."""
        if case.is_async:
            return self._runner.run(self._async_batch(case, calls))
        call = self._contender.stream if case.is_stream else self._contender.plain
        start = time.perf_counter()
        replies = [call() for _ in range(calls)]
        return replies, time.perf_counter() - start

    async def _async_batch(self, case: Case, calls: int) -> tuple[list[Any], float]:
        call = self._contender.astream if case.is_stream else self._contender.aplain

        async def lane() -> list[Any]:
            return [await call() for _ in range(calls // case.at_once)]

        start = time.perf_counter()
        lanes = await asyncio.gather(*(lane() for _ in range(case.at_once)))
        return [reply for replies in lanes for reply in replies], time.perf_counter() - start

    def _rest(self, case: Case, callbacks: int = 0) -> None:
        """Wait until no thread works any more and every callback has been called."""
        until = time.monotonic() + _PATIENCE_SECONDS
        before = time.process_time()
        while time.monotonic() < until:
            if case.is_async:
                self._runner.run(asyncio.sleep(_LOOK_SECONDS))
            else:
                time.sleep(_LOOK_SECONDS)
            spent, before = time.process_time() - before, time.process_time()
            events = self._keeper is None or len(self._keeper.costs_usd) >= callbacks
            if events and spent < _RESTING_CPU_SECONDS:
                return
        raise LostDataError("the process did not come to rest, or a callback was never called")

    def _priced(self, requests: int, calls: int) -> int:
        if self._keeper is None:
            return 0
        costs_usd = self._keeper.costs_usd[requests:]
        if len(costs_usd) != calls:
            raise LostDataError(f"{len(costs_usd)} callbacks for {calls} calls")
        return sum(cost is not None for cost in costs_usd)


def _check(pieces: Received) -> None:
    if pieces != WHOLE_REPLY:
        raise LostDataError(f"expected {WHOLE_REPLY}, received {pieces}")


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
    parser.add_argument("api_base")
    parser.add_argument("--callback", action="store_true")
    options = parser.parse_args()
    with _own_output() as output, asyncio.Runner() as runner:
        worker = _prepared(options.contender, options.api_base, runner, callback=options.callback)
        print("ready", file=output, flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            sample = worker.measure(CASE_BY_NAME[order["case"]], order["calls"])
            print(json.dumps(asdict(sample)), file=output, flush=True)
        output.flush()
        # LiteLLM flushes its logs at exit, which nobody waits for.
        os._exit(0)


def _prepared(
    name: ContenderName, api_base: str, runner: asyncio.Runner, *, callback: bool
) -> Worker:
    contender = contenders.make(name, api_base)
    if name == "stock" and "litellm_synthetic" in sys.modules:
        raise LostDataError("this package is loaded in the process that measures stock LiteLLM")
    if not callback:
        return Worker(contender, None, runner)
    from benchmarks.callback import install  # noqa: PLC0415  # imports LiteLLM

    return Worker(contender, install(), runner)


if __name__ == "__main__":
    main()
