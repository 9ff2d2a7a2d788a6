"""The report: the table of goals, and what each case cost every contender."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.cases import BASELINE
from benchmarks.goals import Figures, middle_half

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.cases import Case
    from benchmarks.goals import Result
    from benchmarks.rounds import Measured
    from benchmarks.startup import Startup
    from benchmarks.workload import ContenderName

TITLES: Final[dict[ContenderName, str]] = {
    "ours": "litellm-synthetic",
    "stock": "stock LiteLLM",
    "openai": "openai SDK",
    "httpx": "plain httpx",
    "floor": "LiteLLM's floor, no I/O",
}
_PLAIN_WIDTH: Final = 140


def context(rounds: int, cases: Sequence[Case], measured: Sequence[Measured]) -> dict[str, Any]:
    """Return what the figures depend on; `complete_rounds` is less than `rounds` after Ctrl-C."""
    made = Counter(one.case for one in measured if one.contender == BASELINE)
    # A few cases take part in fewer rounds than the rest.
    short = [
        made[case.name]
        for case in cases
        if made[case.name] < sum(map(case.takes_part, range(rounds)))
    ]
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{
            name: version(name)
            for name in ("litellm", "litellm-synthetic", "openai", "httpx", "aiohttp", "urllib3")
        },
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "network": "loopback",
        "measured_on": datetime.now(UTC).date().isoformat(),
        "rounds": rounds,
        "complete_rounds": min(short, default=rounds),
    }


def as_json(
    facts: dict[str, Any],
    goals: Sequence[Result],
    measured: Sequence[Measured],
    startup: Startup | None,
) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "context": facts,
        "goals": [{**asdict(one), "is_reached": one.is_reached} for one in goals],
        "measured": [asdict(one) for one in measured],
        "startup": None if startup is None else asdict(startup),
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


def goal_rows(goals: Sequence[Result]) -> list[tuple[str, str, str, str, str]]:
    """Return the cells of the table of goals."""
    rows = []
    for one in goals:
        digits = 3 if one.bound < 0.1 else 2  # noqa: PLR2004  # so that a bound shows as it is
        unit = " ms" if one.unit == "ms" else ""
        sign = "≥" if one.at_least else "≤"
        rows.append(
            (
                one.title,
                f"{sign} {one.bound:g}{unit}",
                f"{one.figure:.{digits}f}{unit}",
                f"{one.low:.{digits}f}-{one.high:.{digits}f}",
                "pass" if one.is_reached else "MISS",
            )
        )
    return rows


def show_goals(goals: Sequence[Result]) -> None:
    """Print the table of goals."""
    headings = ("goal", "at most", "measured", "middle half", "")
    console, table = empty_table(
        "CPU as a ratio to stock LiteLLM, where no unit says else", headings
    )
    for row in goal_rows(goals):
        table.add_row(*row, style=None if row[-1] == "pass" else "red")
    console.print(table)
    reached = sum(one.is_reached for one in goals)
    console.print(f"{reached} of {len(goals)} goals reached", highlight=False)


def show_cases(cases: Sequence[Case], measured: Sequence[Measured]) -> None:
    """Print what a call or an event of each case took."""
    headings = ("case / contender", "CPU", "middle half", "ratio", "wall", "p50", "p99")
    title = "Per call or upstream event: CPU and wall; per call: percentiles"
    console, table = empty_table(title, headings)
    figures = Figures(measured)
    for case in cases:
        if figures.has(case.name):
            _add_case(table, case, figures)
    console.print(table)


def _add_case(table: Table, case: Case, figures: Figures) -> None:
    table.add_row(f"[bold]{case.title}[/bold]")
    base = figures.cpu(case.name, BASELINE)
    for name in case.contenders:
        rows = figures.rows(case.name, name)
        cpu = figures.cpu(case.name, name)
        ratio = median(one / other for one, other in zip(cpu, base, strict=True))
        calls = sorted(seconds for one in rows for seconds in one.call_seconds)
        low, high = middle_half(cpu)
        table.add_row(
            f"  {TITLES[name]}",
            _amount(median(cpu)),
            f"{_amount(low)}-{_amount(high)}",
            f"{ratio:.3f}",
            _amount(median(one.wall_seconds for one in rows)),
            _amount(calls[len(calls) // 2]),
            _amount(calls[min(len(calls) - 1, len(calls) * 99 // 100)]),
            style="green" if name == "ours" else None,
        )
    table.add_section()


def _amount(seconds: float) -> str:
    if seconds < 1e-3:  # noqa: PLR2004  # below a millisecond
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.1f} ms"


def notes(facts: dict[str, Any], measured: Sequence[Measured]) -> list[str]:
    """Return what there is to know about the figures."""
    versions = ", ".join(
        f"{name} {facts[name]}" for name in ("litellm", "litellm-synthetic", "openai", "httpx")
    )
    lines = [
        f"{facts['python']}, {versions}",
        f"{facts['system']}, {facts['cores']} cores, load average {facts['load_average']}",
        f"{facts['rounds']} interleaved rounds, loopback",
        "CPU: all threads of the contender's process, until it has come to rest",
        "Checked in every reply: the whole text, the finish reason, the tokens",
    ]
    for name in ("ours", "stock"):
        rows = [
            one
            for one in measured
            if one.contender == name and one.case.startswith("call-callback")
        ]
        if rows:
            calls = sum(one.units for one in rows)
            priced = sum(one.priced_calls for one in rows)
            lines.append(
                f"Callbacks that were told a price: {priced} of {calls} with {TITLES[name]}"
            )
    return lines
