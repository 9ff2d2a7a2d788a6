"""The page of one model: limits, prices and their history, efforts, aliases, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.cli.formatting import ASCII, BLOCKS, sparkline, usd_per_million
from litellm_synthetic.cli.terminal import PIPE_CHART_WIDTH, Line, Screen, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from decimal import Decimal

    from litellm_synthetic.catalog.models import Catalog, Efforts, Model

_PRICES: Final = {
    "input": "input_usd_per_token",
    "output": "output_usd_per_token",
    "cache read": "cache_read_usd_per_token",
    "cache write": "cache_write_usd_per_token",
}
_CHARTED: Final = ("input", "output", "cache read")
_LABEL_WIDTH: Final = 22
_MAX_CHART_COLUMNS: Final = 60
_MIN_CHART_COLUMNS: Final = 24  # two dates below it
_UNKNOWN: Final = "unknown"

Fact = tuple[str, str]


def page(model: Model, catalog: Catalog, screen: Screen) -> Iterator[Line]:
    """Lay out everything that is known about a model.

    In a pipe each fact is one line, its label first, and nothing is broken.
    """
    until = catalog.observed_on if model.is_current else model.last_seen or catalog.observed_on
    for title, facts in (
        ("", _identity(model, catalog)),
        ("Limits and capabilities", _capabilities(model)),
        ("Reasoning efforts", _efforts(model)),
        ("Aliases", _aliases(model, catalog)),
        ("Price", _price(model)),
        ("Price history, USD per million tokens", _chart(model, until, screen)),
    ):
        yield from _section(title, facts, screen)
    yield from _history(model, screen)
    sources = ((key, catalog.sources.get(key, "")) for key in model.sources)
    yield from _section("Sources", sources, screen)


def _section(title: str, facts: Iterable[Fact], screen: Screen) -> Iterator[Line]:
    facts = tuple(facts)
    if title and facts:
        yield from ((), ((title, "bold"),))
    labels = max([_LABEL_WIDTH, *(len(label) + 2 for label, _ in facts)])
    before = ""
    for label, text in facts:
        # People read a label once; grep needs it on every line.
        shown = "" if label == before and screen.width is not None else label
        before = label
        for part in _wrapped(text, screen, labels):
            yield ((f"{shown:<{labels}}", "dim"), part)
            shown = ""


def _wrapped(text: str, screen: Screen, indent: int) -> Sequence[str]:
    return wrap(text, None if screen.width is None else screen.width - indent)


def _identity(model: Model, catalog: Catalog) -> Iterator[Fact]:
    yield "model", model.id
    yield "kind", model.kind
    yield "status", ", ".join(filter(None, (model.status, model.status_note)))
    if model.is_retired:
        yield "retired", explain(model.id, catalog)
    if model.current_target:
        yield "serves now", model.current_target
    if model.deprecated:
        yield "deprecated", "yes, according to the model list"
    yield "first seen", _day(model.first_seen)
    yield "last seen", _day(model.last_seen)
    if model.removed_on is not None:
        yield "removed", _day(model.removed_on)
    if model.removal_note:
        yield "removal note", model.removal_note
    if model.note:
        yield "note", model.note


def _capabilities(model: Model) -> Iterator[Fact]:
    yield "context window", _tokens(model.context_window_tokens)
    if model.embedding is not None:
        yield "dimensions", f"{model.embedding.dimensions:,}"
    else:
        yield "max output", _tokens(model.max_output_tokens)
    yield "input", _joined(model.input_modalities)
    yield "output", _joined(model.output_modalities)
    yield "tools", _yes_or_no(known=model.tools)
    yield "reasoning", _yes_or_no(known=model.reasoning)
    yield "JSON mode", _yes_or_no(known=model.json_mode)
    yield "structured outputs", _yes_or_no(known=model.structured_outputs)
    for each in model.seed_differences:
        yield "other figures", f"{each.seed} says {each.field} {each.seed_value}"


def _efforts(model: Model) -> Iterator[Fact]:
    efforts = model.efforts
    if model.reasoning is False or efforts is None:
        return
    rest = "all others are refused" if efforts.are_complete else "others were not tried"
    yield "accepted", f"{_joined(efforts.accepted)} ({rest})"
    if efforts.rejected:
        yield "seen refused", _joined(efforts.rejected)
    if efforts.unreliable:
        yield "unreliable", f"{_joined(efforts.unreliable)} (accepted, may end without an answer)"
    yield "can be stopped", _stopping(efforts)
    if efforts.note:
        yield "note", efforts.note


def _stopping(efforts: Efforts) -> str:
    if efforts.can_stop is None:
        return "unknown or disputed"
    if efforts.can_stop:
        return 'yes, reasoning_effort="none" stops it'
    takes_none = "none" in efforts.accepted
    return "no" + (', though reasoning_effort="none" is accepted' if takes_none else "")


def _aliases(model: Model, catalog: Catalog) -> Iterator[Fact]:
    for each in model.alias_targets:
        yield "served", f"{each.target}, {_period(each.since, each.until)}"
    for alias in catalog.models:
        for each in alias.alias_targets:
            if each.target == model.id:
                yield "served as", f"{alias.id}, {_period(each.since, each.until)}"


def _period(since: str, until: str | None) -> str:
    return f"{since} until now" if until is None else f"{since} to {until}"


def _price(model: Model) -> Iterator[Fact]:
    for name, field in _PRICES.items():
        price = getattr(model.prices, field)
        if price is None:
            yield name, _UNKNOWN
        else:
            yield name, f"${usd_per_million(price)} per million tokens" if price else "no charge"
    for tier in model.prices.tiers:
        of_input, of_output = tier.input_usd_per_token, tier.output_usd_per_token
        figures = f"${usd_per_million(of_input)} in, ${usd_per_million(of_output)} out"
        yield f"from {tier.min_prompt_tokens:,} tokens", f"{figures} per million tokens"


def _chart(model: Model, until: date, screen: Screen) -> Iterator[Fact]:
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
        room = (screen.width or PIPE_CHART_WIDTH) - _LABEL_WIDTH - 2
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
    field = _PRICES[name]
    prices = {
        each.observed_on: price
        for each in sorted(model.price_history, key=lambda one: one.observed_on)
        if (price := getattr(each, field)) is not None
    }
    now = getattr(model.prices, field)
    if prices and now is not None and now != prices[max(prices)]:
        prices[max(until, *prices)] = now
    return prices


def _history(model: Model, screen: Screen) -> Iterator[Line]:
    if not model.price_history:
        return
    yield ()
    rows = [["date", "input", "output", "cached", "source"]]
    rows += [
        [
            each.observed_on.isoformat(),
            *(usd_per_million(getattr(each, _PRICES[name])) for name in _CHARTED),
            each.source,
        ]
        for each in sorted(model.price_history, key=lambda one: one.observed_on)
    ]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        *figures, source = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        text = "  ".join((*figures, ""))
        for part in _wrapped(source.lstrip(), screen, len(text)):
            yield ((text, "dim" if row is rows[0] else ""), (part, "dim"))
            text = " " * len(text)


def _day(day: date | None) -> str:
    return _UNKNOWN if day is None else day.isoformat()


def _tokens(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count:,} tokens"


def _joined(values: Sequence[str] | None) -> str:
    return ", ".join(values) if values else _UNKNOWN


def _yes_or_no(*, known: bool | None) -> str:
    return _UNKNOWN if known is None else "yes" if known else "no"
