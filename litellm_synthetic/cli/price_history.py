"""The prices of one model over time: as charts over one axis, and as dated figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.formatting import ASCII, BLOCKS, sparkline, usd_per_million
from litellm_synthetic.cli.terminal import PIPE_CHART_WIDTH, Line, Screen, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from decimal import Decimal

    from litellm_synthetic.catalog.models import Model

PRICES: Final = {
    "input": "input_usd_per_token",
    "output": "output_usd_per_token",
    "cache read": "cache_read_usd_per_token",
    "cache write": "cache_write_usd_per_token",
}
_CHARTED: Final = ("input", "output", "cache read")
LABEL_WIDTH: Final = 22
_MAX_CHART_COLUMNS: Final = 60
_MIN_CHART_COLUMNS: Final = 24  # two dates below it


def chart(model: Model, until: date, screen: Screen) -> Iterator[tuple[str, str]]:
    """Give a sparkline for each price that changed, all over one axis of dates."""
    series = {name: prices for name in _CHARTED if (prices := _series(model, name, until))}
    changed = {name: each for name, each in series.items() if len(set(each.values())) > 1}
    if changed:
        start = min(min(each) for each in changed.values())
        end = max(until, *(max(each) for each in changed.values()))
        bounds = {
            name: f"{usd_per_million(min(each.values()))} to {usd_per_million(max(each.values()))}"
            for name, each in changed.items()
        }
        room = (screen.width or PIPE_CHART_WIDTH) - LABEL_WIDTH - 2
        columns = room - max(len(each) for each in bounds.values())
        columns = min(max(columns, _MIN_CHART_COLUMNS), _MAX_CHART_COLUMNS)
        ramp = BLOCKS if screen.has_glyphs else ASCII
        for name, each in changed.items():
            yield name, f"{sparkline(each, start, end, columns, ramp)}  {bounds[name]}"
        yield "from, to", f"{start}{end.isoformat():>{columns - len(start.isoformat())}}"
    for name, each in series.items():
        if name not in changed:
            (first, price), *_ = each.items()
            yield name, f"{usd_per_million(price)}, unchanged since {first}"


def _series(model: Model, name: str, until: date) -> dict[date, Decimal]:
    """Return the prices of one kind of token by the date on which each was first seen."""
    field = PRICES[name]
    prices = {
        each.observed_on: price
        for each in sorted(model.price_history, key=lambda one: one.observed_on)
        if (price := getattr(each, field)) is not None
    }
    now = getattr(model.prices, field)
    if prices and now is not None and now != prices[max(prices)]:
        prices[max(until, *prices)] = now
    return prices


def history(model: Model, screen: Screen) -> Iterator[Line]:
    """Lay the dated prices out as a table, with their sources."""
    if not model.price_history:
        return
    yield ()
    rows = [["date", "input", "output", "cached", "source"]]
    rows += [
        [
            each.observed_on.isoformat(),
            *(usd_per_million(getattr(each, PRICES[name])) for name in _CHARTED),
            each.source,
        ]
        for each in sorted(model.price_history, key=lambda one: one.observed_on)
    ]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        *figures, source = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        text = "  ".join((*figures, ""))
        for part in wrap(
            source.lstrip(), None if screen.width is None else screen.width - len(text)
        ):
            yield ((text, "dim" if row is rows[0] else ""), (part, "dim"))
            text = " " * len(text)
