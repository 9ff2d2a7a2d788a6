"""The page of one model: limits, prices and their history, efforts, aliases, sources."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.cli.formatting import usd_per_million
from litellm_synthetic.cli.price_chart import ASCII, BLOCKS, Series, draw
from litellm_synthetic.cli.terminal import Line, Screen, Span, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from litellm_synthetic.catalog.models import Catalog, Efforts, Model, Prices

_PRICES: Final = (
    ("input", "input_usd_per_token"),
    ("output", "output_usd_per_token"),
    ("cache read", "cache_read_usd_per_token"),
)
_LABEL_WIDTH: Final = 22
_NARROWEST_TEXT: Final = 20
_NOTHING_KNOWN: Final = "unknown"

Fact = tuple[str, str]


def page(model: Model, catalog: Catalog, screen: Screen) -> Iterator[Line]:
    """Lay out everything that is known about a model.

    In a pipe each fact is one line, its label first, and nothing is broken.
    """
    for title, facts in (
        ("", _identity(model, catalog)),
        ("Limits and capabilities", _capabilities(model)),
        ("Reasoning efforts", _efforts(model)),
        ("Aliases", _aliases(model, catalog)),
    ):
        yield from _section(title, facts, screen)
    yield from _section("Price", _price(model), screen)
    yield from _chart(model, catalog, screen)
    yield from _history(model, screen)
    yield from _section("Sources", _sources(model, catalog), screen)


def _section(title: str, facts: Iterable[Fact], screen: Screen) -> Iterator[Line]:
    facts = tuple(facts)
    if title and facts:
        yield from _heading(title)
    labels = max([_LABEL_WIDTH, *(len(label) + 2 for label, _ in facts)])
    before = ""
    for label, text in facts:
        # For the eye a label is said once; grep wants it on every line.
        shown = "" if label == before and screen.width is not None else label
        before = label
        for part in _broken(text, screen, labels):
            yield line(Span(f"{shown:<{labels}}", "dim"), part)
            shown = ""


def _heading(title: str) -> Iterator[Line]:
    yield ()
    yield line(Span(title, "bold"))


def _broken(text: str, screen: Screen, indent: int) -> Sequence[str]:
    if screen.width is None:
        return (text,)
    room = max(screen.width - indent, _NARROWEST_TEXT)
    return wrap(text, room, break_long_words=False, break_on_hyphens=False) or ("",)


def _identity(model: Model, catalog: Catalog) -> Iterator[Fact]:
    yield "model", model.id
    yield "kind", model.kind
    yield "status", ", ".join(filter(None, (model.status, model.status_note)))
    if model.is_retired:
        yield "retired", explain(model.id, catalog)
    if model.current_target:
        yield "serves now", model.current_target
    if model.deprecated:
        yield "deprecated", "yes, says the model list"
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
    yield "input", _listed(model.input_modalities)
    yield "output", _listed(model.output_modalities)
    yield "tools", _yes_or_no(known=model.tools)
    yield "reasoning", _yes_or_no(known=model.reasoning)
    yield "JSON mode", _yes_or_no(known=model.json_mode)
    yield "structured outputs", _yes_or_no(known=model.structured_outputs)
    for each in model.seed_differences:
        yield "figures elsewhere", f"{each.seed} says {each.field} {each.seed_value}"


def _efforts(model: Model) -> Iterator[Fact]:
    efforts = model.efforts
    if model.reasoning is False or efforts is None:
        return
    how = "all others are refused" if efforts.are_complete else "others were not tried"
    yield "accepted", f"{_listed(efforts.accepted)} ({how})"
    if efforts.rejected:
        yield "seen refused", _listed(efforts.rejected)
    if efforts.unreliable:
        yield "unreliable", f"{_listed(efforts.unreliable)} (accepted, may end without an answer)"
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
        yield "served", f"{each.target}, {_span(each.since, each.until)}"
    for alias in catalog.models:
        for each in alias.alias_targets:
            if each.target == model.id:
                yield "served as", f"{alias.id}, {_span(each.since, each.until)}"


def _span(since: str, until: str | None) -> str:
    return f"{since} until now" if until is None else f"{since} to {until}"


def _price(model: Model) -> Iterator[Fact]:
    kinds = (*_PRICES, ("cache write", "cache_write_usd_per_token"))
    for name, field in kinds:
        price = getattr(model.prices, field)
        if price is None:
            yield name, _NOTHING_KNOWN
        else:
            yield name, f"${usd_per_million(price)} per million tokens" if price else "no charge"
    for tier in model.prices.tiers:
        of_input, of_output = tier.input_usd_per_token, tier.output_usd_per_token
        figures = f"${usd_per_million(of_input)} in, ${usd_per_million(of_output)} out"
        yield f"from {tier.min_prompt_tokens:,} tokens", f"{figures} per million tokens"


def _chart(model: Model, catalog: Catalog, screen: Screen) -> Iterator[Line]:
    until = catalog.observed_on if model.is_current else model.last_seen or catalog.observed_on
    series = tuple(_series(model, until))
    if not series:
        return
    moved = [each for each in series if not each.is_flat]
    yield from _heading("Price history, USD per million tokens")
    if moved:
        yield from draw(moved, until, screen.chart_width, BLOCKS if screen.has_glyphs else ASCII)
    for each in series:
        if each.is_flat:
            first, price = next(iter(each.prices.items()))
            yield line(f"{each.name} unchanged at {usd_per_million(price)} since {first}")
    yield ()


def _series(model: Model, until: date) -> Iterator[Series]:
    for name, field in _PRICES:
        prices = {
            each.observed_on: price
            for each in sorted(model.price_history, key=lambda one: one.observed_on)
            if (price := getattr(each, field)) is not None
        }
        if not prices:
            continue
        now = getattr(model.prices, field)
        if now is not None and now != prices[max(prices)]:
            prices[max(until, *prices)] = now
        yield Series(name, prices)


def _history(model: Model, screen: Screen) -> Iterator[Line]:
    if not model.price_history:
        return
    rows = [("date", "input", "output", "cached", "source")]
    rows += [
        (each.observed_on.isoformat(), *_figures(each), each.source)
        for each in sorted(model.price_history, key=lambda one: one.observed_on)
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    for number, row in enumerate(rows):
        day, *figures, source = row
        cells = (each.rjust(width) for each, width in zip(figures, widths[1:], strict=True))
        text = "  ".join((day.ljust(widths[0]), *cells, ""))
        for part in _broken(source, screen, len(text)):
            yield line(Span(text, "" if number else "dim"), Span(part, "dim"))
            text = " " * len(text)


def _figures(prices: Prices) -> tuple[str, str, str]:
    return (
        usd_per_million(prices.input_usd_per_token),
        usd_per_million(prices.output_usd_per_token),
        usd_per_million(prices.cache_read_usd_per_token),
    )


def _sources(model: Model, catalog: Catalog) -> Iterator[Fact]:
    for key in model.sources:
        yield key, catalog.sources.get(key, "")


def _day(day: date | None) -> str:
    return _NOTHING_KNOWN if day is None else day.isoformat()


def _tokens(count: int | None) -> str:
    return _NOTHING_KNOWN if count is None else f"{count:,} tokens"


def _listed(values: Sequence[str] | None) -> str:
    return ", ".join(values) if values else _NOTHING_KNOWN


def _yes_or_no(*, known: bool | None) -> str:
    return _NOTHING_KNOWN if known is None else "yes" if known else "no"
