"""The report: ratios of the proxy with our route to stock's, pair by pair, beside their goals."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from benchmarks.gateway.cases import BASELINE, CASE_BY_NAME, Case, ContenderName, Plan
from benchmarks.report import empty_table
from benchmarks.workload import CHUNKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.gateway.rounds import Batch

_OURS: Final[ContenderName] = "ours"
_PERCENTILES: Final = 100
_CPU: Final = "CPU per call"
_RATE: Final = "calls per second"
_P50: Final = "p50"
_P99: Final = "p99"
_VERDICTS: Final = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}


@dataclass(frozen=True, slots=True)
class Ratio:
    """Hold one figure as a ratio to stock's: the median over the pairs, and the quartiles.

    Attributes:
        goal: None where none was set.
        is_met: None likewise.
    """

    workers: int
    case: str
    figure: str
    ratio: float
    low: float
    high: float
    goal: str | None = None
    is_met: bool | None = None


def context(plan: Plan) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "litellm": version("litellm"),
        "litellm-synthetic": version("litellm-synthetic"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "pairs": plan.pairs,
        "cases": {
            case.name: {"calls_per_worker": case.calls, "clients_per_worker": case.clients}
            for case in plan.cases
        },
        "chunks_per_stream": CHUNKS,
    }


def ratios(measured: Sequence[Batch]) -> list[Ratio]:
    """Return every ratio, those with goals and the others."""
    return [
        one
        for workers, name, batches in _by_case(measured)
        for one in _ratios(workers, CASE_BY_NAME[name], batches)
    ]


def _by_case(measured: Sequence[Batch]) -> Iterator[tuple[int, str, list[Batch]]]:
    for workers, name in dict.fromkeys((one.workers, one.case) for one in measured):
        batches = [one for one in measured if (one.workers, one.case) == (workers, name)]
        yield workers, name, batches


def _ratios(workers: int, case: Case, batches: Sequence[Batch]) -> Iterator[Ratio]:
    ours, stock = _of(batches, _OURS), _of(batches, BASELINE)

    def ratio(figure: str, value: Callable[[Batch], float]) -> Ratio:
        values = [value(one) / value(other) for one, other in zip(ours, stock, strict=True)]
        low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
        return Ratio(workers, case.name, figure, middle, low, high)

    yield _judged(ratio(_CPU, lambda one: one.cpu_seconds), at_most=case.cpu_goal)
    if not case.is_paced:  # the pace decides
        yield _judged(ratio(_RATE, lambda one: one.calls_per_second), at_least=case.rate_goal)
    yield ratio(_P50, lambda one: median(one.call_seconds))
    # Too few calls in a batch for its own p99, so there is one ratio of all batches.
    tail = _p99(ours) / _p99(stock)
    yield _judged(Ratio(workers, case.name, _P99, tail, tail, tail), at_most=1.0)


def _judged(ratio: Ratio, *, at_most: float | None = None, at_least: float | None = None) -> Ratio:
    if at_most is not None:
        return replace(ratio, goal=f"≤ {at_most:.2f}", is_met=ratio.ratio <= at_most)
    if at_least is not None:
        return replace(ratio, goal=f"≥ {at_least:.2f}", is_met=ratio.ratio >= at_least)
    return ratio


def _p99(batches: Sequence[Batch]) -> float:
    seconds = [each for one in batches for each in one.call_seconds]
    return quantiles(seconds, n=_PERCENTILES)[-1]


def _of(rows: Sequence[Batch], name: ContenderName) -> list[Batch]:
    return sorted((one for one in rows if one.contender == name), key=lambda one: one.pair)


def show(measured: Sequence[Batch], facts: dict[str, Any]) -> None:
    """Print the table; plain text where the output is not a terminal."""
    console, table = empty_table(
        "A LiteLLM proxy with this package beside stock's: medians over the pairs",
        ("", "ours", "stock", "ratio", "quartiles", "goal", "is"),
    )
    for workers, name, batches in _by_case(measured):
        case = CASE_BY_NAME[name]
        ours, stock = _of(batches, _OURS), _of(batches, BASELINE)
        table.add_row(f"[bold]{_workers(workers)}: {case.title}[/bold]")
        for one in _ratios(workers, case, batches):
            table.add_row(
                f"  {one.figure}",
                _figure(one.figure, ours),
                _figure(one.figure, stock),
                f"{one.ratio:.2f}",
                f"{one.low:.2f}-{one.high:.2f}" if one.low != one.high else "",
                one.goal or "",
                _VERDICTS[one.is_met],
            )
        if case.is_stream:
            writes = [f"{median(one.writes for one in side):.0f}" for side in (ours, stock)]
            table.add_row("  HTTP chunks", *writes)
        table.add_section()
    console.print(table)
    for line in _notes(facts):
        console.print(line, highlight=False)


def _figure(figure: str, batches: Sequence[Batch]) -> str:
    if figure == _CPU:
        return _milliseconds(median(one.cpu_seconds for one in batches))
    if figure == _RATE:
        return f"{median(one.calls_per_second for one in batches):,.0f}"
    if figure == _P50:
        return _milliseconds(median(median(one.call_seconds) for one in batches))
    return _milliseconds(_p99(batches))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds < 1 else f"{seconds * 1e3:,.0f} ms"


def _workers(workers: int) -> str:
    return f"{workers} worker{'' if workers == 1 else 's'}"


def _notes(facts: dict[str, Any]) -> list[str]:
    python, system, cores = facts["python"], facts["system"], facts["cores"]
    litellm, ours, pairs = facts["litellm"], facts["litellm-synthetic"], facts["pairs"]
    return [
        f"{python}, litellm {litellm}, litellm-synthetic {ours}",
        f"{system}, {cores} cores for proxies, upstream and load; {pairs} alternating pairs",
        "Both proxies run the config that proxy-config writes; connections last",
        "CPU: of all processes of the proxy, and what LiteLLM does there after the reply",
        "Checked in every reply: the whole text, the finish reason, the tokens",
    ]
