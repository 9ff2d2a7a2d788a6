"""The report: ratios of the proxy with our route to stock's, pair by pair, beside their goals."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from benchmarks.gateway.cases import BASELINE, CASE_BY_NAME, Case, ContenderName, Plan
from benchmarks.report import empty_table
from benchmarks.workload import CHUNKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.gateway.rounds import Batch

_OURS: Final[ContenderName] = "ours"
_PERCENTILES: Final = 100


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
    made: list[Ratio] = []
    for workers, name in dict.fromkeys((one.workers, one.case) for one in measured):
        rows = [one for one in measured if (one.workers, one.case) == (workers, name)]
        made += _ratios(workers, CASE_BY_NAME[name], rows)
    return made


def _ratios(workers: int, case: Case, rows: Sequence[Batch]) -> list[Ratio]:
    ours, stock = _of(rows, _OURS), _of(rows, BASELINE)

    def ratio(figure: str, value: Callable[[Batch], float], goal: str | None, limit: Any) -> Ratio:
        values = [value(one) / value(other) for one, other in zip(ours, stock, strict=True)]
        low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
        is_met = None
        if goal is not None:
            is_met = middle >= limit if goal.startswith("≥") else middle <= limit
        return Ratio(workers, case.name, figure, median(values), low, high, goal, is_met)

    cpu = f"≤ {case.cpu_goal:.2f}" if case.cpu_goal is not None else None
    rate = f"≥ {case.rate_goal:.2f}" if case.rate_goal is not None else None
    made = [
        ratio("CPU per call", lambda one: one.cpu_seconds, cpu, case.cpu_goal),
        ratio("p50", lambda one: median(one.call_seconds), None, None),
    ]
    if not case.is_paced:  # the pace decides
        made.insert(
            1, ratio("calls per second", lambda one: one.calls_per_second, rate, case.rate_goal)
        )
    # Too few calls in a batch for its own p99, so there is one ratio of all batches.
    slowest = [
        _p99(chain.from_iterable(one.call_seconds for one in side)) for side in (ours, stock)
    ]
    tail = slowest[0] / slowest[1]
    made.append(Ratio(workers, case.name, "p99", tail, tail, tail, "≤ 1.00", tail <= 1))
    return made


def _p99(seconds: Iterable[float]) -> float:
    return quantiles(seconds, n=_PERCENTILES)[-1]


def _of(rows: Sequence[Batch], name: ContenderName) -> list[Batch]:
    return sorted((one for one in rows if one.contender == name), key=lambda one: one.pair)


def show(measured: Sequence[Batch], facts: dict[str, Any]) -> None:
    """Print both tables; plain text where the output is not a terminal."""
    console, table = empty_table(
        "A LiteLLM proxy with this package beside stock's: medians over the pairs",
        ("", "ours", "stock", "ratio", "quartiles", "goal", "is"),
    )
    for workers, name in dict.fromkeys((one.workers, one.case) for one in measured):
        case = CASE_BY_NAME[name]
        table.add_row(f"[bold]{_workers(workers)}: {case.title}[/bold]")
        rows = [one for one in measured if (one.workers, one.case) == (workers, name)]
        for one in _ratios(workers, case, rows):
            spread = f"{one.low:.2f}-{one.high:.2f}" if one.low != one.high else ""
            table.add_row(
                f"  {one.figure}",
                *(_figure(one.figure, _of(rows, side)) for side in (_OURS, BASELINE)),
                f"{one.ratio:.2f}",
                spread,
                one.goal or "",
                {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[one.is_met],
            )
        if case.is_stream:
            writes = [
                f"{median(b.writes for b in _of(rows, side)):.0f}" for side in (_OURS, BASELINE)
            ]
            table.add_row("  HTTP chunks", *writes)
        table.add_section()
    console.print(table)
    for line in _notes(facts):
        console.print(line, highlight=False)


def _figure(figure: str, batches: Sequence[Batch]) -> str:
    if figure == "CPU per call":
        return f"{median(one.cpu_seconds for one in batches) * 1e3:,.1f} ms"
    if figure == "calls per second":
        return f"{median(one.calls_per_second for one in batches):,.0f}"
    if figure == "p50":
        return f"{median(median(one.call_seconds) for one in batches) * 1e3:,.0f} ms"
    return f"{_p99(chain.from_iterable(one.call_seconds for one in batches)) * 1e3:,.0f} ms"


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
