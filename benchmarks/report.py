"""The report: medians over the rounds, their spread, and ratios against stock LiteLLM."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.workload import BASELINE, CASES, CHUNKS, Case, ContenderName, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rounds import Measured

_TITLES: Final[dict[ContenderName, str]] = {
    "ours": "litellm-synthetic",
    "stock": "stock LiteLLM",
    "openai": "openai SDK",
    "httpx": "plain httpx",
    "floor": "LiteLLM's floor, no I/O",
}
_PLAIN_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """Sum up one quantity of one contender over all rounds.

    Attributes:
        median_seconds: per call or per streamed chunk.
        spread: half the interquartile range, as a share of the median.
        ratio: the median of the rounds' ratios to stock LiteLLM in the same round.
    """

    median_seconds: float
    spread: float
    ratio: float


def figure(values: Sequence[float], baseline: Sequence[float]) -> Figure:
    """Return the figure for one value per round, beside stock's of the same rounds."""
    middle = median(values)
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (middle, middle, middle)
    ratios = [value / base for value, base in zip(values, baseline, strict=True)]
    return Figure(middle, (high - low) / 2 / middle, median(ratios))


def context(plan: Plan, pace_ms: float) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "litellm": version("litellm"),
        "litellm-synthetic": version("litellm-synthetic"),
        "openai": version("openai"),
        "httpx": version("httpx"),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "network": "loopback",
        "chunks_per_stream": CHUNKS,
        "pace_ms": pace_ms,
        "plan": {name: value for name, value in asdict(plan).items() if name != "cases"},
    }


def empty_table(title: str, headings: Sequence[str]) -> tuple[Console, Table]:
    """Return a table to fill and where to print it; plain text where that is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH, color_system=None)
    table = Table(
        box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2,
        title=title,
        title_justify="left",
    )
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return console, table


def show(measured: Sequence[Measured], facts: dict[str, Any]) -> None:
    """Print the table; plain text where the output is no terminal."""
    console, table = empty_table(
        "Per call or streamed chunk: median, ± half the interquartile range, ratio to stock",
        ("case / contender", "wall", "±", "ratio", "CPU", "±", "ratio"),
    )
    for case in CASES:
        rows = [one for one in measured if one.case == case.name]
        if rows:
            _add_case(table, case, rows)
    console.print(table)
    for line in _notes(measured, facts):
        console.print(line, highlight=False)


def _add_case(table: Table, case: Case, rows: Sequence[Measured]) -> None:
    table.add_row(f"[bold]{case.title}[/bold]")
    base = [one for one in rows if one.contender == BASELINE]
    for name in case.contenders:
        own = [one for one in rows if one.contender == name]
        wall = figure([one.wall_seconds for one in own], [one.wall_seconds for one in base])
        cpu = figure([one.cpu_seconds for one in own], [one.cpu_seconds for one in base])
        style = "green" if name == "ours" else None
        cells = [*_cells(wall, case), *_cells(cpu, case)]
        table.add_row(f"  {_TITLES[name]}", *cells, style=style)
    table.add_section()


def _cells(one: Figure, case: Case) -> tuple[str, str, str]:
    if case.is_stream:
        amount = f"{one.median_seconds * 1e6:,.0f} µs"
    else:
        amount = f"{one.median_seconds * 1e3:,.2f} ms"
    return amount, f"{one.spread:.0%}", f"{one.ratio:.2f}"


def _notes(measured: Sequence[Measured], facts: dict[str, Any]) -> list[str]:
    versions = ", ".join(
        f"{name} {facts[name]}" for name in ("litellm", "litellm-synthetic", "openai", "httpx")
    )
    pace = f"{facts['pace_ms']:g} ms apart" if facts["pace_ms"] else "sent as fast as they go"
    lines = [
        f"{facts['python']}, {versions}",
        f"{facts['system']}, {facts['cores']} cores, {facts['plan']['rounds']} interleaved rounds",
        f"Loopback; {CHUNKS} chunks per stream, {pace}; a chunk's share includes its call's",
        "CPU: the contender's whole process, and what LiteLLM does there after the reply",
        "Checked in every reply: the whole text, the finish reason, the tokens",
    ]
    for name in ("ours", "stock"):
        events = [
            one for one in measured if one.contender == name and one.case.endswith("-callback")
        ]
        if events:
            calls = sum(one.units // _units_per_call(one.case) for one in events)
            priced = sum(one.priced_calls for one in events)
            lines.append(
                f"Callbacks that were told a price: {priced} of {calls} with {_TITLES[name]}"
            )
    return lines


def _units_per_call(case_name: str) -> int:
    return next(case.units_per_call for case in CASES if case.name == case_name)
