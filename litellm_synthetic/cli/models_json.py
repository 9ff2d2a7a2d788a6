"""The models as JSON: our own document, and LiteLLM's cost map. `docs/cli.md` lists the fields."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.cost_map import cost_map
from litellm_synthetic.catalog.models import PriceTier
from litellm_synthetic.cli.formatting import plain_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Catalog, Efforts, Model, Prices

FORMAT: Final = 1
"""The version of the documents' layout; it only changes when a field goes or changes meaning."""

_BUNDLED_COST_MAP: Final = "model_prices_and_context_window_backup.json"


class NoLiteLLMCostMapError(Exception):
    """Say that LiteLLM's own cost map could not be read from where it is installed."""


def models_document(table: ModelTable, models: Sequence[Model], hidden: int) -> dict[str, Any]:
    """Return the document that `models --json` prints; `hidden` counts what the allowlist hides."""
    return {
        "format": FORMAT,
        "table": table_document(table),
        "hidden_by_allowlist": hidden,
        "models": [_model(each) for each in models],
    }


def table_document(table: ModelTable) -> dict[str, Any]:
    """Return where a table came from and how old it is; times are ISO 8601 in UTC."""
    return {
        "source": table.source,
        "base_url": table.base_url,
        "observed_on": _iso(table.catalog.observed_on),
        "fetched_at": _iso(table.fetched_at),
    }


def litellm_document(catalog: Catalog, models: Sequence[Model]) -> dict[str, Any]:
    """Return the models' rows of LiteLLM's cost map; one without a known price has none."""
    return cost_map(catalog.model_copy(update={"models": tuple(models)}))


def whole_litellm_document(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the cost map that the installed LiteLLM ships, with our rows laid over it.

    LiteLLM refuses a map from LITELLM_MODEL_COST_MAP_URL that has less than half of the models of
    the one that it ships (`validate_model_cost_map` of 1.106.2), so our rows alone won't do there.
    The file is read without importing LiteLLM, which would take seconds and fetch the map.

    Raises:
        NoLiteLLMCostMapError: LiteLLM isn't installed, or its file is missing or unreadable.
    """
    found = find_spec("litellm")
    places = (found.submodule_search_locations if found else None) or ()
    for place in places:
        try:
            whole = json.loads(Path(place, _BUNDLED_COST_MAP).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise NoLiteLLMCostMapError(f"LiteLLM's {_BUNDLED_COST_MAP}: {error}") from error
        if isinstance(whole, dict):
            return whole | rows
    raise NoLiteLLMCostMapError("LiteLLM's own cost map was not found beside this package")


def as_json(document: Any) -> str:
    """Return a document as indented JSON in ASCII: an id may hold anything."""
    return json.dumps(document, indent=2)


def json_value(value: Any) -> Any:
    """Return a fact as JSON has it; a decimal becomes a string, exact and without an exponent."""
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, PriceTier):
        return _tier(value)
    if isinstance(value, date):
        return value.isoformat()
    return [json_value(each) for each in value] if isinstance(value, tuple) else value


def _model(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "kind": model.kind,
        "status": model.status,
        "status_note": model.status_note,
        "deprecated": model.deprecated,
        "deprecation_date": _iso(model.deprecation_date),
        "serves": model.current_target,
        "context_window_tokens": model.context_window_tokens,
        "max_output_tokens": model.max_output_tokens,
        "embedding_dimensions": model.embedding.dimensions if model.embedding else None,
        "input_modalities": json_value(model.input_modalities),
        "output_modalities": json_value(model.output_modalities),
        "tools": model.tools,
        "reasoning": model.reasoning,
        "json_mode": model.json_mode,
        "structured_outputs": model.structured_outputs,
        "reasoning_efforts": _efforts(model.efforts),
        "prices": _prices(model.prices),
        "price_tiers": json_value(model.prices.tiers),
        "price_history": [
            {"date": _iso(each.observed_on), **_prices(each), "source": each.source}
            for each in model.price_history
        ],
        "alias_history": [
            {"target": each.target, "from": each.since, "to": each.until, "source": each.source}
            for each in model.alias_targets
        ],
        "first_seen": _iso(model.first_seen),
        "last_seen": _iso(model.last_seen),
        "removed_on": _iso(model.removed_on),
        "removal_note": model.removal_note,
        "sources": list(model.sources),
        "note": model.note,
    }


def _efforts(efforts: Efforts | None) -> dict[str, Any] | None:
    if efforts is None:
        return None
    return {
        "accepted": list(efforts.accepted),
        "others_are_refused": efforts.are_complete,
        "unreliable": list(efforts.unreliable or ()),
        "can_stop": efforts.can_stop,
        "note": efforts.note,
    }


def _tier(tier: PriceTier) -> dict[str, Any]:
    return {"min_prompt_tokens": tier.min_prompt_tokens, **_prices(tier)}


def _prices(prices: Prices | PriceTier) -> dict[str, str | None]:
    return {
        "input_usd_per_token": _decimal(prices.input_usd_per_token),
        "output_usd_per_token": _decimal(prices.output_usd_per_token),
        "cache_read_usd_per_token": _decimal(prices.cache_read_usd_per_token),
        "cache_write_usd_per_token": _decimal(prices.cache_write_usd_per_token),
    }


def _decimal(number: Decimal | None) -> str | None:
    return None if number is None else plain_decimal(number)


def _iso(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
