"""Price history as a small chart: columns for time, blocks for the price, counted from zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.formatting import usd_per_million
from litellm_synthetic.cli.terminal import Line, Span, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

_ROWS: Final = 3
_FEWEST_COLUMNS: Final = 12
_MOST_COLUMNS: Final = 72
_DATE_CHARACTERS: Final = 10
_SERIES_STYLES: Final = ("green", "yellow", "magenta", "cyan")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Name the characters of a chart; `ramp` fills a cell from empty to full."""

    ramp: str
    side: str
    corner: str
    floor: str
    tick: str


BLOCKS: Final = Glyphs(ramp=" ▁▂▃▄▅▆▇█", side="│", corner="└", floor="─", tick="┬")
ASCII: Final = Glyphs(ramp=" .:#", side="|", corner="+", floor="-", tick="+")


@dataclass(frozen=True, slots=True)
class Series:
    """Hold the prices of one kind of token, in USD per token, by the date they were seen."""

    name: str
    prices: Mapping[date, Decimal]

    @property
    def is_flat(self) -> bool:
        """Tell whether the price never changed."""
        return len(set(self.prices.values())) == 1


def draw(series: Sequence[Series], until: date, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """Draw the series over one axis of time, from the first price to `until`.

    Each has a scale of its own, from zero to its highest price, so that heights are proportional
    within a series. A price is drawn until the next one is seen. Of several that fall into one
    column the highest is drawn, so that a short rise is not lost.

    Args:
        series: those to draw, each with at least one price.
        until: where the axis ends; it is moved if a price is later.
        width: columns of the screen.
        glyphs: `BLOCKS`, or `ASCII` where blocks can't be shown.
    """
    highest = {each.name: usd_per_million(max(each.prices.values())) for each in series}
    names = max(len(each.name) for each in series)
    label = names + 2 + max(len(each) for each in highest.values()) + 1
    columns = min(max(width - label - 1, _FEWEST_COLUMNS), _MOST_COLUMNS)
    changes = sorted({day for each in series for day in _changes(each.prices)})
    first = min(day for each in series for day in each.prices)
    axis = _Axis(first, max(until, changes[-1]), columns)
    for index, each in enumerate(series):
        full = len(glyphs.ramp) - 1
        steps = tuple(_heights(each.prices, axis, _ROWS * full))
        style = _SERIES_STYLES[index % len(_SERIES_STYLES)]
        for row in reversed(range(_ROWS)):
            text = {_ROWS - 1: highest[each.name], 0: "0"}.get(row, "")
            name = each.name if row == _ROWS - 1 else ""
            cells = "".join(glyphs.ramp[min(max(step - row * full, 0), full)] for step in steps)
            yield line(
                f"{name:<{names}}  ",
                Span(f"{text:>{label - names - 3}} {glyphs.side}", "dim"),
                Span(cells, style),
            )
    yield from _floor(axis, changes, label, glyphs)


@dataclass(frozen=True, slots=True)
class _Axis:
    first: date
    last: date
    columns: int

    def column(self, day: date) -> int:
        days = max((self.last - self.first).days, 1)
        return round((day - self.first).days * (self.columns - 1) / days)


def _changes(prices: Mapping[date, Decimal]) -> Iterator[date]:
    before: Decimal | None = None
    for day in sorted(prices):
        if prices[day] != before:
            yield day
        before = prices[day]


def _heights(prices: Mapping[date, Decimal], axis: _Axis, most: int) -> Iterator[int]:
    seen: dict[int, list[Decimal]] = {}
    for day in sorted(prices):
        seen.setdefault(axis.column(day), []).append(prices[day])
    top = max(prices.values())
    price: Decimal | None = None
    for column in range(axis.columns):
        here = seen.get(column, [])
        shown = max(here) if here else price
        # A price that isn't zero is never drawn as if it were.
        yield max(1, round(float(shown / top) * most)) if shown else 0
        price = here[-1] if here else price


def _floor(axis: _Axis, changes: Sequence[date], label: int, glyphs: Glyphs) -> Iterator[Line]:
    ticks = {axis.column(day) for day in changes} | {axis.columns - 1}
    floor = "".join(
        glyphs.tick if column in ticks else glyphs.floor for column in range(axis.columns)
    )
    yield line(Span(f"{'':{label - 1}}{glyphs.corner}{floor}", "dim"))
    dates = [" "] * max(axis.columns, _DATE_CHARACTERS)
    for day in (axis.first, axis.last, *changes):
        start = min(axis.column(day), len(dates) - _DATE_CHARACTERS)
        around = dates[max(start - 1, 0) : start + _DATE_CHARACTERS + 1]
        if not "".join(around).strip():
            dates[start : start + _DATE_CHARACTERS] = day.isoformat()
    yield line(Span(f"{'':{label}}{''.join(dates)}", "dim"))
