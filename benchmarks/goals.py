"""The goals: what this package promises of its speed, and whether a run has kept it.

Every figure is a median over the rounds of a run, with the spread of the middle half of them. A
ratio is ours to stock LiteLLM's in the same round.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.rounds import Measured
    from benchmarks.startup import Startup
    from benchmarks.workload import ContenderName

_MILLISECONDS: Final = 1000.0
_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Result:
    """Hold one goal and what a run says of it.

    Attributes:
        title: what is measured.
        bound: the goal; the figure may not exceed it, or has to reach it if `at_least`.
        figure: the median over the rounds.
        low: the lower end of the middle half of the rounds.
        high: the upper end.
        unit: of all of them; "" for a ratio.
    """

    title: str
    bound: float
    figure: float
    low: float
    high: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_reached(self) -> bool:
        """Tell whether the goal is reached, at the digits that are shown."""
        figure = round(self.figure, 3)
        return figure >= self.bound if self.at_least else figure <= self.bound


class Figures:
    """Look up the rounds of a run."""

    def __init__(self, measured: Iterable[Measured]) -> None:
        self._by_case: dict[tuple[str, ContenderName], list[Measured]] = {}
        for one in measured:
            self._by_case.setdefault((one.case, one.contender), []).append(one)

    def has(self, case: str) -> bool:
        """Tell whether a case was measured."""
        return (case, "ours") in self._by_case

    def rows(self, case: str, contender: ContenderName) -> list[Measured]:
        """Return a contender's batches of a case, in the order of the rounds."""
        return self._by_case[case, contender]

    def cpu(self, case: str, contender: ContenderName) -> list[float]:
        """Return the CPU seconds per unit, in the order of the rounds."""
        return [one.cpu_seconds for one in self.rows(case, contender)]

    def cpu_ratios(self, case: str) -> list[float]:
        """Return ours to stock's CPU time in each round."""
        return _ratios(self.cpu(case, "ours"), self.cpu(case, "stock"))

    def tail_ratios(self, case: str) -> list[float]:
        """Return ours to stock's 99th percentile of whole calls in each round."""
        return _ratios(
            [percentile(one.call_seconds, 99) for one in self.rows(case, "ours")],
            [percentile(one.call_seconds, 99) for one in self.rows(case, "stock")],
        )


def _ratios(ours: Sequence[float], stock: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, stock, strict=True)]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of values, the nearest that was measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // _PERCENT)]


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Return the quartiles of values."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def result(
    title: str, bound: float, values: Sequence[float], unit: str = "", *, at_least: bool = False
) -> Result:
    """Return a goal with the figure for one value per round."""
    low, high = middle_half(values)
    return Result(title, bound, median(values), low, high, unit, at_least)


# What is said in ratios of CPU time to stock's: case, goal.
_CPU_GOALS: Final = (
    ("plain call, sync", "call-sync", 0.32),
    ("plain call, async", "call-async", 0.36),
    ("200 events in a burst, sync, merged", "burst-sync", 0.06),
    ("200 events in a burst, async, merged", "burst-async", 0.08),
    ("the same, SYNTHETIC_STREAM_MERGE=0, sync", "burst-unmerged-sync", 0.10),
    ("the same, SYNTHETIC_STREAM_MERGE=0, async", "burst-unmerged-async", 0.12),
    ("100 events that arrive alone, sync", "alone-sync", 0.15),
    ("100 events that arrive alone, async", "alone-async", 0.30),
    ("100 events that arrive alone, async, 50 streams at once", "alone-50", 0.20),
    ("through Router: plain call, sync", "call-router-sync", 0.36),
    ("through Router: plain call, async", "call-router-async", 0.36),
    ("through Router: burst, sync", "burst-router-sync", 0.12),
    ("through Router: burst, async", "burst-router-async", 0.12),
    ("10,000 events of text, sync", "long-text-sync", 0.015),
    ("10,000 events of text, async", "long-text-async", 0.015),
    ("10,000 pieces of tool arguments, sync", "long-arguments-sync", 0.015),
    ("10,000 pieces of tool arguments, async", "long-arguments-async", 0.015),
    ("Messages API: completion stream, sync", "messages-sync", 0.20),
    ("Messages API: completion stream, async", "messages-async", 0.20),
    ("Messages API: native stream", "native", 0.30),
    ("8 MiB image in a message, sync", "image-sync", 0.5),
    ("8 MiB image in a message, async", "image-async", 0.5),
)
# What is compared: without a callback, and with one.
_CALLBACK_CASES: Final = (
    ("plain call, sync", "call-sync", "call-callback-sync"),
    ("plain call, async", "call-async", "call-callback-async"),
    ("burst, sync", "burst-sync", "burst-callback-sync"),
    ("burst, async", "burst-async", "burst-callback-async"),
    ("alone, sync", "alone-sync", "alone-callback-sync"),
    ("alone, async", "alone-async", "alone-callback-async"),
    ("50 streams, async", "alone-50", "alone-50-callback"),
)
_MAX_CALLBACK_COST: Final = 0.03
_MAX_ABOVE_FLOOR: Final = 1.2
_MIN_EVENTS_RATIO: Final = 6.0
_MAX_FIRST_CHUNK_MS: Final = 1.5
_MAX_REGISTER_MS: Final = 40.0
_MAX_IMPORT_MS: Final = 15.0


def results(measured: Iterable[Measured], startup: Startup | None) -> list[Result]:
    """Return every goal that the run has measured."""
    figures = Figures(measured)
    made = [
        result(title, bound, figures.cpu_ratios(case))
        for title, case, bound in _CPU_GOALS
        if figures.has(case)
    ]
    made += [
        _above_floor(figures, kind) for kind in ("sync", "async") if figures.has(f"call-{kind}")
    ]
    made += [
        _callback_cost(figures, title, without, case)
        for title, without, case in _CALLBACK_CASES
        if figures.has(case) and figures.has(without)
    ]
    for title, case in (("in a burst", "saturated-50"), ("5 ms apart", "saturated-50-paced")):
        if figures.has(case):
            made.append(_tails(figures, title, case))
    if figures.has("alone-50"):
        ratios = [1 / ratio for ratio in figures.cpu_ratios("alone-50")]
        title = "50 streams, 5 ms apart: upstream events per CPU second"
        made.append(result(title, _MIN_EVENTS_RATIO, ratios, at_least=True))
    for kind in ("sync", "async"):
        if figures.has(f"first-{kind}"):
            made.append(_first_chunk(figures, kind))
    if startup is not None:
        made += [
            _in_ms(
                "register() with its imports, after import litellm, CPU",
                _MAX_REGISTER_MS,
                startup.register_seconds,
            ),
            _in_ms("import litellm_synthetic, CPU", _MAX_IMPORT_MS, startup.import_seconds),
        ]
    return made


def _above_floor(figures: Figures, kind: str) -> Result:
    case = f"call-{kind}"
    values = [
        (ours - floor) / plain
        for ours, floor, plain in zip(
            figures.cpu(case, "ours"),
            figures.cpu(case, "floor"),
            figures.cpu(case, "httpx"),
            strict=True,
        )
    ]
    title = f"plain call above LiteLLM's floor, in plain httpx calls, {kind}"
    return result(title, _MAX_ABOVE_FLOOR, values)


def _callback_cost(figures: Figures, title: str, without: str, case: str) -> Result:
    # A run that is ended early has one round more of one case than of the other.
    values = [
        heard - alone
        for heard, alone in zip(figures.cpu_ratios(case), figures.cpu_ratios(without), strict=False)
    ]
    return result(
        f"with a success callback, more than without: {title}", _MAX_CALLBACK_COST, values
    )


def _tails(figures: Figures, title: str, case: str) -> Result:
    made = result(
        f"50 streams on one saturated core, {title}: p99, worst round",
        1.0,
        figures.tail_ratios(case),
    )
    worst = max(figures.tail_ratios(case))
    return Result(made.title, made.bound, worst, made.low, made.high)


def _first_chunk(figures: Figures, kind: str) -> Result:
    case = f"first-{kind}"
    values = [
        (median(ours.first_seconds) - median(plain.first_seconds)) * _MILLISECONDS
        for ours, plain in zip(figures.rows(case, "ours"), figures.rows(case, "httpx"), strict=True)
    ]
    return result(f"first chunk, added to plain httpx, {kind}", _MAX_FIRST_CHUNK_MS, values, "ms")


def _in_ms(title: str, bound: float, seconds: Sequence[float]) -> Result:
    return result(title, bound, [one * _MILLISECONDS for one in seconds], "ms")
