"""Sweeps: how the cost of a call grows with its size, and its latency with the calls at once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.cases import PACE_MS, Case, Setup
from benchmarks.children import ChildError
from benchmarks.goals import percentile
from benchmarks.report import TITLES, empty_table
from benchmarks.rounds import Field
from benchmarks.workload import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.workload import ContenderName

_MAX_ROUNDS: Final = 2
# Enough calls for a 99th percentile in one round.
_ENOUGH_CALLS: Final = 100
STREAMED_EVENTS: Final = 20
_MILLISECONDS: Final = 1000.0
_CALL: Final = Case("sweep", "", batch=5, is_async=True)
_STREAM: Final = Case("sweep", "", stream=True, is_async=True, batch=1)
# With one of these at once there are still ten streams for a 99th percentile.
_MIN_STREAMS: Final = 10


@dataclass(frozen=True, slots=True)
class Sweep:
    """Describe one sweep: one thing grows, everything else stays.

    Attributes:
        name: what it is called in the raw figures.
        title: what grows.
        cases: the case at each size.
        is_latency: whether the percentiles of whole calls are plotted, and not the CPU time.
    """

    name: str
    title: str
    cases: tuple[tuple[int, Case], ...]
    is_latency: bool = False


@dataclass(frozen=True, slots=True)
class Swept:
    """Hold what one contender took at one size, medians over the rounds, per call.

    Attributes:
        p50_ms: of whole calls.
        p99_ms: of whole calls.
    """

    sweep: str
    size: int
    contender: ContenderName
    cpu_ms: float
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return asdict(self)


def _streams_at_once(count: int, pace_ms: float) -> Case:
    served = Served(events=STREAMED_EVENTS, pace_ms=pace_ms)
    batch = max(count, _MIN_STREAMS)
    return replace(_STREAM, served=served, at_once=count, batch=batch - batch % count)


SWEEPS: Final = (
    Sweep(
        "chunks", "events in a stream",
        tuple(
            (count, replace(_STREAM, served=Served(events=count)))
            for count in (10, 100, 1_000, 10_000)
        ),
    ),
    Sweep(
        "history", "messages in the conversation",
        tuple((count, replace(_CALL, history=count)) for count in (1, 10, 100, 500, 2_000)),
    ),
    Sweep(
        "tools", "tools offered",
        tuple((count, replace(_CALL, tools=count)) for count in (1, 8, 32, 128)),
    ),
    Sweep(
        "callbacks", "success callbacks",
        tuple(
            (count, replace(_STREAM, setup=Setup(callbacks=count))) for count in (0, 1, 4, 16)
        ),
    ),
    Sweep(
        "delta", "words in a delta",
        tuple(
            (words, replace(_STREAM, served=Served(events=100, words=words)))
            for words in (1, 10, 100, 1_000)
        ),
    ),
    Sweep(
        "burst", "streams at once, each in a burst",
        tuple((count, _streams_at_once(count, 0)) for count in (1, 10, 100, 400)),
        is_latency=True,
    ),
    Sweep(
        "paced", "streams at once, events 5 ms apart",
        tuple((count, _streams_at_once(count, PACE_MS)) for count in (1, 10, 100, 400)),
        is_latency=True,
    ),
)  # fmt: skip  # one table, read as one


def run(rounds: int, progress: Callable[[str], None]) -> tuple[list[Swept], list[ChildError]]:
    """Measure every sweep in at most two rounds; at each size the contenders take turns.

    Sizes with at least a hundred calls per round are measured once.

    Ctrl-C ends it with the sweeps that are complete. A sweep in which a process fails, for instance
    because a contender lost data, is left out, and the others go on.

    Returns:
        The figures of the complete sweeps, and why others are missing.

    Raises:
        ChildError: a process did not start.
    """
    progress("starting the processes of the sweeps")
    made: list[Swept] = []
    failures: list[ChildError] = []
    with ExitStack() as stack:
        field = Field(stack, [case for sweep in SWEEPS for _, case in sweep.cases])
        for sweep in SWEEPS:
            swept: list[Swept] = []
            try:
                for size, case in sweep.cases:
                    progress(f"{size} {sweep.title}")
                    swept += _measured(field, sweep, size, case, min(rounds, _MAX_ROUNDS))
            except KeyboardInterrupt:
                break
            except ChildError as error:
                failures.append(error)
                continue
            made += swept
    return made, failures


def _measured(field: Field, sweep: Sweep, size: int, case: Case, rounds: int) -> list[Swept]:
    batches = [
        field.measure(case, name, number)
        for number in range(1 if case.batch >= _ENOUGH_CALLS else rounds)
        for name in (case.contenders if number % 2 else case.contenders[::-1])
    ]
    made = []
    for name in case.contenders:
        own = [one for one in batches if one.contender == name]
        calls = [seconds * _MILLISECONDS for one in own for seconds in one.call_seconds]
        cpu_ms = median(one.cpu_seconds for one in own) * case.units * _MILLISECONDS
        made.append(
            Swept(sweep.name, size, name, cpu_ms, percentile(calls, 50), percentile(calls, 99))
        )
    return made


def show(swept: Sequence[Swept]) -> None:
    """Print the sweeps."""
    headings = ("size / contender", "CPU per call", "p50", "p99")
    console, table = empty_table("Growth and concurrency", headings)
    for sweep in SWEEPS:
        table.add_row(f"[bold]{sweep.title}[/bold]")
        for one in swept:
            if one.sweep == sweep.name:
                table.add_row(
                    f"  {one.size:>6} {TITLES[one.contender]}",
                    f"{one.cpu_ms:,.1f} ms", f"{one.p50_ms:,.1f} ms", f"{one.p99_ms:,.1f} ms",
                )  # fmt: skip  # one row, read as one
        table.add_section()
    console.print(table)
