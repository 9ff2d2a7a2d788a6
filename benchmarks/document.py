"""docs/performance.md, written from a run, and its plots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from benchmarks.report import TITLES, goal_rows
from benchmarks.sweeps import STREAMED_EVENTS, SWEEPS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.goals import Result
    from benchmarks.sweeps import Sweep, Swept

_TEXT: Final = """\
# Performance

Written on {measured_on} by `tox run -e bench -- {options}`;
[how it is measured](../benchmarks/README.md).

{machine}

## Goals

Unless a unit says else, a figure is the CPU time of all threads as a ratio to that of stock LiteLLM
in the same round: 0.25 is a quarter of it. The median over the rounds, and the middle half of them.
A goal whose cases the options leave out is not in the table.

| goal | bound | measured | middle half | |
|---|---|---|---|---|
{rows}

{reached} of {count} goals are reached in this run.
{plots}"""
_PLOTS: Final = """
## Growth and concurrency

![CPU time as a call grows, and latency as calls are made at once](performance.png)

The same [as SVG](performance.svg). Bursts and paced streams have {events} events each. Both axes
are logarithmic; a dashed line is a 99th percentile.
{missing}"""
_COLOURS: Final = {"ours": "tab:green", "stock": "tab:red"}


def write(
    folder: Path, facts: dict[str, Any], goals: Sequence[Result], swept: Sequence[Swept]
) -> None:
    """Write the page, and the plots where there are sweeps."""
    rows = "\n".join(f"| {' | '.join(row)} |" for row in goal_rows(goals))
    machine = (
        f"{facts['python']}, LiteLLM {facts['litellm']}, httpx {facts['httpx']}; a shared "
        f"{facts['system']} machine with {facts['cores']} cores and a load average of "
        f"{facts['load_average']}; {_rounds(facts)}; server and contenders on loopback."
    )
    page = _TEXT.format(
        options=facts["options"],
        measured_on=facts["measured_on"],
        machine=machine,
        rows=rows,
        reached=sum(one.is_reached for one in goals),
        count=len(goals),
        plots=_PLOTS.format(missing=_missing(swept), events=STREAMED_EVENTS) if swept else "",
    )
    (folder / "performance.md").write_text(page, encoding="utf-8")
    if swept:
        _plot(folder, swept)


def _rounds(facts: dict[str, Any]) -> str:
    complete, rounds = facts["complete_rounds"], facts["rounds"]
    if complete == rounds:
        return f"{rounds} rounds"
    return f"ended early, so {complete} to {rounds} rounds of each case"


def _complete(swept: Sequence[Swept]) -> list[Sweep]:
    return [sweep for sweep in SWEEPS if any(one.sweep == sweep.name for one in swept)]


def _missing(swept: Sequence[Swept]) -> str:
    complete = _complete(swept)
    missing = [sweep.title for sweep in SWEEPS if sweep not in complete]
    return f"\nNot measured, as the run was ended early: {'; '.join(missing)}.\n" if missing else ""


def _plot(folder: Path, swept: Sequence[Swept]) -> None:
    import matplotlib as mpl  # noqa: PLC0415  # only the documents need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  # after the backend is chosen

    complete = _complete(swept)
    columns = min(len(complete) + 1, 4)  # one place for the legend
    rows = math.ceil((len(complete) + 1) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 4 * rows), squeeze=False)
    for axis, sweep in zip(axes.flat, complete, strict=False):
        _draw(axis, sweep, [one for one in swept if one.sweep == sweep.name])
    for axis in axes.flat[len(complete) :]:
        axis.axis("off")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    axes.flat[-1].legend(handles, labels, loc="center")
    figure.tight_layout()
    figure.savefig(folder / "performance.png", dpi=80)
    mpl.rcParams["svg.hashsalt"] = "performance"
    figure.savefig(folder / "performance.svg", metadata={"Date": None})


def _draw(axis: Any, sweep: Sweep, swept: Sequence[Swept]) -> None:
    for name, colour in _COLOURS.items():
        own = [one for one in swept if one.contender == name]
        sizes = [one.size for one in own]
        if sweep.is_latency:
            p50, p99 = [one.p50_ms for one in own], [one.p99_ms for one in own]
            axis.plot(sizes, p50, marker="o", color=colour, label=TITLES[own[0].contender])
            axis.plot(sizes, p99, marker="o", color=colour, linestyle="--")
        else:
            cpu = [one.cpu_ms for one in own]
            axis.plot(sizes, cpu, marker="o", color=colour, label=TITLES[own[0].contender])
    axis.set_xscale("symlog")
    axis.set_yscale("log")
    axis.set_xlabel(sweep.title)
    axis.set_ylabel("ms until the end, p50 and p99" if sweep.is_latency else "ms of CPU per call")
    axis.grid(visible=True, which="major", alpha=0.3)
