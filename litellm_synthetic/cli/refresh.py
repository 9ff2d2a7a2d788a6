"""The command `refresh`: fetch the model list and print the difference, or only check for one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog import refresh as table_refresh
from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.catalog.models import PriceTier
from litellm_synthetic.cli.formatting import UNKNOWN, age, provenance, tokens, usd_per_million
from litellm_synthetic.cli.json_document import FORMAT, as_json
from litellm_synthetic.cli.models_json import table_document
from litellm_synthetic.cli.terminal import Line, Screen, error, remark, working
from litellm_synthetic.config.settings import models_base_url
from litellm_synthetic.exceptions import RefreshError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.merge import Change
    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.refresh import RefreshOutcome

FAILED: Final = 1
DRIFTED: Final = 1
CHECK_FAILED: Final = 2
_PRICE_SUFFIX: Final = "_usd_per_token"
_STYLES: Final = {"added": "green", "changed": "yellow", "retired": "red"}


def run(base_url: str | None, *, is_json: bool, check: bool = False) -> int:
    """Refresh, or check, and return the exit code; an error is one line on stderr.

    Args:
        base_url: where to ask.
        is_json: whether to print one JSON document.
        check: whether to compare only, and write nothing.

    Returns:
        Of a refresh, 0, or 1 after an error. Of a check, 0 where nothing differs, 1 where something
        does, 2 after an error.
    """
    fetch = table_refresh.check if check else table_refresh.refresh
    try:
        before = active.stored_table(models_base_url(base_url))
        with working("Fetching the model list"):
            outcome = fetch(base_url=base_url)
    except (RefreshError, ValueError) as failure:  # the base URL's errors are ValueErrors
        error(f"The model list was not fetched: {failure}")
        return CHECK_FAILED if check else FAILED
    remark(provenance(outcome.table))
    if outcome.cache_note is not None:
        remark(f"Not kept for later: {outcome.cache_note}")
    if is_json:
        click.echo(as_json(_document(before, outcome)))
    else:
        Screen.of_stdout().write(_lines(before, outcome))
    return DRIFTED if check and outcome.has_drifted else 0


def _lines(before: ModelTable, outcome: RefreshOutcome) -> Iterator[Line]:
    """Lay out the difference: one line for each id, fact or row, what happened first."""
    catalog = outcome.table.catalog
    for model_id in outcome.added:
        model = catalog.find(model_id)
        yield _line("added", model_id, _facts(model) if model else "")
    for change in outcome.changed:
        yield _line("changed", change.id, _change(change))
    for model_id in outcome.retired:
        yield _line("retired", model_id, explain(model_id, catalog))
    for row in outcome.skipped:
        name = f"row {row.index}" if row.id is None else f"row {row.index}, {row.id}"
        yield _line("skipped", name, row.reason)
    for each in outcome.unreadable:
        yield _line("unreadable", each.id, f"{each.field}: {each.reason}")
    if not outcome.has_drifted:
        yield (f"nothing changed since {_moment(before)}",)


def _document(before: ModelTable, outcome: RefreshOutcome) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "table": table_document(outcome.table),
        "before": table_document(before),
        "not_modified": outcome.not_modified,
        "added": outcome.added,
        "changed": outcome.changed,
        "retired": outcome.retired,
        "skipped": outcome.skipped,
        "unreadable": outcome.unreadable,
    }


def _line(event: str, name: str, rest: str) -> Line:
    return ((f"{event:<12}", _STYLES.get(event, "magenta")), (name, "bold"), f"  {rest}")


def _facts(model: Model) -> str:
    prices = model.prices
    return (
        f"context {_value(model.context_window_tokens)}, USD per million tokens: "
        f"input {_value(prices.input_usd_per_token)}, output {_value(prices.output_usd_per_token)}"
    )


def _change(change: Change) -> str:
    field = change.field
    if field == "tiers":
        field = "prices of long prompts, USD per million"
    elif field.endswith(_PRICE_SUFFIX):
        field = f"{field.removesuffix(_PRICE_SUFFIX)} price, USD per million"
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
    if isinstance(value, PriceTier):
        return (
            f"from {tokens(value.min_prompt_tokens)} prompt tokens "
            f"{usd_per_million(value.input_usd_per_token)} in, "
            f"{usd_per_million(value.output_usd_per_token)} out"
        )
    return (", ".join(map(_value, value)) or UNKNOWN) if isinstance(value, tuple) else str(value)


def _moment(table: ModelTable) -> str:
    if table.fetched_at is None:
        return f"{table.catalog.observed_on} (the facts bundled with the package)"
    ago = age(table.age_seconds() or 0.0)
    return f"{table.fetched_at:%Y-%m-%d %H:%M} UTC ({ago})"
