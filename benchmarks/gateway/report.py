"""The report: medians over the rounds, and ratios of the proxy with our route to stock's."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.gateway.cases import BASELINE, CASE_BY_NAME, CONTENDERS, ContenderName, Plan
from benchmarks.report import empty_table
from benchmarks.workload import CHUNKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.gateway.rounds import Measured

_TITLES: Final[dict[ContenderName, str]] = {
    "ours": "litellm-synthetic",
    "stock": "stock LiteLLM",
    "floor": "stand-ins alone",
}


def context(plan: Plan) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "litellm": version("litellm"),
        "litellm-synthetic": version("litellm-synthetic"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "rounds": plan.rounds,
        "clients_per_worker": plan.clients,
        "calls_per_worker": plan.calls,
        "chunks_per_stream": CHUNKS,
    }


def show(measured: Sequence[Measured], facts: dict[str, Any]) -> None:
    """Print the table; plain text where the output is no terminal."""
    figures = ("calls/s", "ratio", "p50 ms", "ratio", "p95 ms", "CPU ms", "ratio")
    console, table = empty_table(
        "A LiteLLM proxy: medians over the rounds; ratios to stock in the same round",
        ("call / contender", *figures),
    )
    for workers, case in dict.fromkeys((one.workers, one.case) for one in measured):
        title = f"{workers} worker{'' if workers == 1 else 's'}, {CASE_BY_NAME[case].title}"
        table.add_row(f"[bold]{title}[/bold]")
        rows = [one for one in measured if (one.workers, one.case) == (workers, case)]
        for name in CONTENDERS:
            style = "green" if name == "ours" else None
            table.add_row(f"  {_TITLES[name]}", *_cells(rows, name), style=style)
        table.add_section()
    console.print(table)
    for line in _notes(facts):
        console.print(line, highlight=False)


def _cells(rows: Sequence[Measured], name: ContenderName) -> list[str]:
    own = [one for one in rows if one.contender == name]
    base = [one for one in rows if one.contender == BASELINE]
    rate, rate_ratio = _pair(own, base, lambda one: one.calls_per_second)
    p50, p50_ratio = _pair(own, base, lambda one: one.p50_seconds)
    p95, _ = _pair(own, base, lambda one: one.p95_seconds)
    cpu, cpu_ratio = _pair(own, base, lambda one: one.cpu_seconds)
    return [
        f"{rate:,.0f}",
        _ratio(rate_ratio, name),
        _milliseconds(p50),
        _ratio(p50_ratio, name),
        _milliseconds(p95),
        _milliseconds(cpu),
        _ratio(cpu_ratio, name),
    ]


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f}" if seconds else ""


def _pair(
    own: Iterable[Measured], base: Iterable[Measured], value: Callable[[Measured], float]
) -> tuple[float, float | None]:
    """Return the median, and the median of the rounds' ratios to stock's."""
    values, bases = [value(one) for one in own], [value(one) for one in base]
    ratios = [one / other for one, other in zip(values, bases, strict=True) if other]
    return median(values), median(ratios) if ratios else None


def _ratio(ratio: float | None, name: ContenderName) -> str:
    return "" if ratio is None or name == "floor" else f"{ratio:.2f}"


def _notes(facts: dict[str, Any]) -> list[str]:
    python, system, cores = facts["python"], facts["system"], facts["cores"]
    litellm, ours = facts["litellm"], facts["litellm-synthetic"]
    rounds, clients = facts["rounds"], facts["clients_per_worker"]
    chunks = facts["chunks_per_stream"]
    return [
        f"{python}, litellm {litellm}, litellm-synthetic {ours}",
        f"{system}, {cores} cores for proxies, stand-ins and load; {rounds} interleaved rounds",
        f"{clients} clients per worker, a connection per call; {chunks} chunks per stream, unpaced",
        "CPU: per call, of all processes of the proxy, and what LiteLLM does there after the reply",
        "Checked in every reply: the whole text, the finish reason, the tokens",
    ]
