"""The page of one model: limits, prices and their history, efforts, aliases, sources."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.cli.formatting import usd_per_million
from litellm_synthetic.cli.price_history import LABEL_WIDTH, PRICES, chart, history
from litellm_synthetic.cli.terminal import Line, Screen, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from litellm_synthetic.catalog.models import Efforts, Model
    from litellm_synthetic.catalog.table import Catalog

_SHORT_PRICES: Final = {
    "in": "input_usd_per_token",
    "out": "output_usd_per_token",
    "cached": "cache_read_usd_per_token",
}
_UNKNOWN: Final = "unknown"

Fact = tuple[str, str]


def page(
    model: Model, catalog: Catalog, screen: Screen, *, with_sources: bool = False
) -> Iterator[Line]:
    """Lay out what is known about a model, short enough for a screen; or all of it.

    In a pipe each fact is one line, its label first, and nothing is broken.

    Args:
        model: the model.
        catalog: the table that it is from.
        screen: where it is shown.
        with_sources: whether to show notes, former targets, dated prices and sources as well.
    """
    until = catalog.observed_on if model.is_current else model.last_seen or catalog.observed_on
    if screen.width is not None and not with_sources:
        facts = (
            _identity(model, catalog, with_notes=False),
            _capabilities(model, with_notes=False),
            chain(
                _efforts(model, with_notes=False, name="efforts"),
                _served_as(model, catalog),
                _price_line(model),
                chart(model, until, screen),
            ),
        )
        yield from _compact([tuple(each) for each in facts], screen)
        return
    for title, section in (
        ("", _identity(model, catalog, with_notes=with_sources)),
        ("Limits and capabilities", _capabilities(model, with_notes=with_sources)),
        ("Reasoning efforts", _efforts(model, with_notes=with_sources)),
        ("Aliases", chain(_served(model), _served_as(model, catalog, with_former=True))),
        ("Price", _price(model)),
        ("Price history, USD per million tokens", chart(model, until, screen)),
    ):
        yield from _section(title, section, screen)
    if with_sources:
        yield from history(model, screen)
        sources = ((key, catalog.sources.get(key, "")) for key in model.sources)
        yield from _section("Sources", sources, screen)


def _compact(groups: Sequence[tuple[Fact, ...]], screen: Screen) -> Iterator[Line]:
    """Lay groups of facts out without titles, two facts a line where both are short."""
    for number, facts in enumerate(each for each in groups if each):
        if number:
            yield ()
        waiting: Fact | None = None
        for fact in facts:
            if waiting is not None and _is_short(fact, screen):
                yield (*_half(waiting, screen), *_half(fact, screen))
                waiting = None
                continue
            if waiting is not None:
                yield from _section("", [waiting], screen)
            waiting = fact if _is_short(fact, screen) else None
            if waiting is None:
                yield from _section("", [fact], screen)
        if waiting is not None:
            yield from _section("", [waiting], screen)


def _is_short(fact: Fact, screen: Screen) -> bool:
    return len(fact[1]) < (screen.width or 0) // 2 - LABEL_WIDTH


def _half(fact: Fact, screen: Screen) -> Line:
    label, text = fact
    room = (screen.width or 0) // 2 - LABEL_WIDTH
    return ((f"{label:<{LABEL_WIDTH}}", "dim"), f"{text:<{room}}")


def _section(title: str, facts: Iterable[Fact], screen: Screen) -> Iterator[Line]:
    facts = tuple(facts)
    if title and facts:
        yield from ((), ((title, "bold"),))
    labels = max([LABEL_WIDTH, *(len(label) + 2 for label, _ in facts)])
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


def _identity(model: Model, catalog: Catalog, *, with_notes: bool) -> Iterator[Fact]:
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
    if not with_notes:
        return
    if model.removed_on is not None:
        yield "removed", _day(model.removed_on)
    if model.removal_note:
        yield "removal note", model.removal_note
    if model.note:
        yield "note", model.note


def _capabilities(model: Model, *, with_notes: bool) -> Iterator[Fact]:
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
    for each in model.seed_differences if with_notes else ():
        yield "other figures", f"{each.seed} says {each.field} {each.seed_value}"


def _efforts(model: Model, *, with_notes: bool, name: str = "accepted") -> Iterator[Fact]:
    efforts = model.efforts
    if model.reasoning is False or efforts is None:
        return
    rest = "all others are refused" if efforts.are_complete else "others were not tried"
    yield name, f"{_joined(efforts.accepted)} ({rest})"
    if efforts.rejected and with_notes:
        yield "seen refused", _joined(efforts.rejected)
    if efforts.unreliable:
        yield "unreliable", f"{_joined(efforts.unreliable)} (accepted, may end without an answer)"
    yield "can be stopped", _stopping(efforts)
    if efforts.note and with_notes:
        yield "note", efforts.note


def _stopping(efforts: Efforts) -> str:
    if efforts.can_stop is None:
        return "unknown or disputed"
    if efforts.can_stop:
        return 'yes, reasoning_effort="none" stops it'
    takes_none = "none" in efforts.accepted
    return "no" + (', though reasoning_effort="none" is accepted' if takes_none else "")


def _served(model: Model) -> Iterator[Fact]:
    for each in model.alias_targets:
        yield "served", f"{each.target}, {_period(each.since, each.until)}"


def _served_as(model: Model, catalog: Catalog, *, with_former: bool = False) -> Iterator[Fact]:
    for alias in catalog.models:
        for each in alias.alias_targets:
            if each.target == model.id and (each.until is None or with_former):
                yield "served as", f"{alias.id}, {_period(each.since, each.until)}"


def _period(since: str, until: str | None) -> str:
    return f"{since} until now" if until is None else f"{since} to {until}"


def _price(model: Model) -> Iterator[Fact]:
    for name, field in PRICES.items():
        price = getattr(model.prices, field)
        if price is None:
            yield name, _UNKNOWN
        else:
            yield name, f"${usd_per_million(price)} per million tokens" if price else "no charge"
    for tier in model.prices.tiers:
        of_input, of_output = tier.input_usd_per_token, tier.output_usd_per_token
        figures = f"${usd_per_million(of_input)} in, ${usd_per_million(of_output)} out"
        yield f"from {tier.min_prompt_tokens:,} tokens", f"{figures} per million tokens"


def _price_line(model: Model) -> Iterator[Fact]:
    prices = (
        f"{usd_per_million(price)} {word}"
        for word, field in _SHORT_PRICES.items()
        if (price := getattr(model.prices, field)) is not None
    )
    yield "$ per million tokens", ", ".join(prices) or _UNKNOWN
    yield from list(_price(model))[len(PRICES) :]


def _day(day: date | None) -> str:
    return _UNKNOWN if day is None else day.isoformat()


def _tokens(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count:,} tokens"


def _joined(values: Sequence[str] | None) -> str:
    return ", ".join(values) if values else _UNKNOWN


def _yes_or_no(*, known: bool | None) -> str:
    return _UNKNOWN if known is None else "yes" if known else "no"
