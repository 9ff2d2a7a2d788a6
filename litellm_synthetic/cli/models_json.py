"""The models as JSON: our own document, and LiteLLM's cost map. `docs/cli.md` lists the fields."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.cost_map import cost_map
from litellm_synthetic.cli.json_document import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Efforts, Model
    from litellm_synthetic.catalog.table import Catalog

_FIELDS: Final = (
    "id", "kind", "status", "status_note", "deprecated", "deprecation_date", "serves",
    "context_window_tokens",
    "max_output_tokens", "embedding_dimensions", "input_modalities", "output_modalities", "tools",
    "reasoning", "json_mode", "structured_outputs", "reasoning_efforts", "prices", "price_tiers",
    "price_history",
    "alias_history", "first_seen", "last_seen", "removed_on", "removal_note", "sources", "note",
)  # fmt: skip  # one list, read as one
_BUNDLED_COST_MAP: Final = "model_prices_and_context_window_backup.json"


class NoLiteLLMCostMapError(Exception):
    """LiteLLM's own cost map could not be read from where it is installed."""


def models_document(table: ModelTable, models: Sequence[Model], hidden: int) -> dict[str, Any]:
    """Return the document that `models --json` prints; `hidden` counts what the allowlist hides."""
    return {
        "format": FORMAT,
        "table": table_document(table),
        "hidden_by_allowlist": hidden,
        "models": [_model(each) for each in models],
    }


def table_document(table: ModelTable) -> dict[str, Any]:
    """Return where a table came from and how old it is; times are in UTC."""
    return {
        "source": table.source,
        "base_url": table.base_url,
        "observed_on": table.catalog.observed_on,
        "fetched_at": table.fetched_at,
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
        NoLiteLLMCostMapError: LiteLLM is not installed, or its file is missing or unreadable.
    """
    package = find_spec("litellm")
    for folder in (package.submodule_search_locations if package else None) or ():
        try:
            whole = json.loads(Path(folder, _BUNDLED_COST_MAP).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise NoLiteLLMCostMapError(
                f"LiteLLM's {_BUNDLED_COST_MAP} cannot be read ({error}). Reinstall LiteLLM."
            ) from error
        if isinstance(whole, dict):
            return whole | rows
    raise NoLiteLLMCostMapError("LiteLLM's own cost map was not found. Reinstall LiteLLM.")


def _model(model: Model) -> dict[str, Any]:
    facts = model.model_dump(mode="json", by_alias=True)
    for each in facts["price_history"]:
        del each["tiers"]
    facts |= {
        "price_tiers": facts["prices"].pop("tiers"),
        "serves": model.current_target,
        "embedding_dimensions": model.embedding.dimensions if model.embedding else None,
        "reasoning_efforts": None if model.efforts is None else _efforts(model.efforts),
        "alias_history": facts["alias_targets"],
    }
    return {name: facts[name] for name in _FIELDS}


def _efforts(efforts: Efforts) -> dict[str, Any]:
    return {
        "accepted": efforts.accepted,
        "others_are_refused": efforts.are_complete,
        "unreliable": efforts.unreliable or (),
        "can_stop": efforts.can_stop,
        "note": efforts.note,
    }
