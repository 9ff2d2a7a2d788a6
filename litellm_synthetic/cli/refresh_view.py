"""What a refresh found, as lines and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.catalog.models import PriceTier
from litellm_synthetic.cli.formatting import UNKNOWN, age, tokens, usd_per_million
from litellm_synthetic.cli.models_json import FORMAT, json_value, table_document
from litellm_synthetic.cli.terminal import Line, Span, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.merge import Change
    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.refresh import RefreshOutcome

_PRICE_SUFFIX: Final = "_usd_per_token"
_LABEL_WIDTH: Final = 12


def difference(before: ModelTable, outcome: RefreshOutcome) -> Iterator[Line]:
    """Lay out what a refresh found: one line for each id, fact or row, what happened first."""
    catalog = outcome.table.catalog
    for model_id in outcome.added:
        model = catalog.find(model_id)
        facts = f"  {_facts(model)}" if model else ""
        yield _entry("added", "green", model_id, facts)
    for change in outcome.changed:
        yield _entry("changed", "yellow", change.id, f"  {_change(change)}")
    for model_id in outcome.retired:
        yield _entry("retired", "red", model_id, f"  {explain(model_id, catalog)}")
    for row in outcome.skipped:
        name = f"row {row.index}" if row.id is None else f"row {row.index}, {row.id}"
        yield _entry("skipped", "magenta", name, f"  {row.reason}")
    for each in outcome.unreadable:
        yield _entry("unreadable", "magenta", each.id, f"  {each.field}: {each.reason}")
    if not outcome.has_drifted:
        yield line(f"nothing changed since {_moment(before)}")


def difference_document(before: ModelTable, outcome: RefreshOutcome) -> dict[str, Any]:
    """Return the document that `refresh --json` prints."""
    return {
        "format": FORMAT,
        "table": table_document(outcome.table),
        "before": table_document(before),
        "not_modified": outcome.not_modified,
        "added": list(outcome.added),
        "changed": [
            {
                "id": each.id,
                "field": each.field,
                "before": json_value(each.before),
                "after": json_value(each.after),
            }
            for each in outcome.changed
        ],
        "retired": list(outcome.retired),
        "skipped": [
            {"index": each.index, "id": each.id, "reason": each.reason} for each in outcome.skipped
        ],
        "unreadable": [
            {"id": each.id, "field": each.field, "reason": each.reason}
            for each in outcome.unreadable
        ],
    }


def _facts(model: Model) -> str:
    prices = model.prices
    return (
        f"context {_value(model.context_window_tokens)}, USD per million tokens: "
        f"input {_value(prices.input_usd_per_token)}, output {_value(prices.output_usd_per_token)}"
    )


def _entry(what: str, style: str, name: str, rest: str) -> Line:
    return line(Span(f"{what:<{_LABEL_WIDTH}}", style), Span(name, "bold"), rest)


def _change(change: Change) -> str:
    field = change.field
    if field == "tiers":
        field = "prices of long prompts, USD per million"
    elif field.endswith(_PRICE_SUFFIX):
        field = f"{field.removesuffix(_PRICE_SUFFIX).replace('_', ' ')} price, USD per million"
    return f"{field.replace('_', ' ')}: {_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return usd_per_million(value)
    if isinstance(value, int):
        return tokens(value)
    if isinstance(value, tuple):
        return ", ".join(_item(each) for each in value) or UNKNOWN
    return str(value)


def _item(value: Any) -> str:
    if not isinstance(value, PriceTier):
        return str(value)
    return (
        f"from {tokens(value.min_prompt_tokens)} prompt tokens "
        f"{usd_per_million(value.input_usd_per_token)} in, "
        f"{usd_per_million(value.output_usd_per_token)} out"
    )


def _moment(table: ModelTable) -> str:
    if table.fetched_at is None:
        return f"{table.catalog.observed_on} (the facts bundled with the package)"
    ago = age(table.age_seconds() or 0.0)
    return f"{table.fetched_at:%Y-%m-%d %H:%M} UTC ({ago})"
