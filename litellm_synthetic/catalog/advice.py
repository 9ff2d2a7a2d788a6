"""Usable models, and advice on an id that is retired, misspelt or unknown."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.ids import ROUTE_PREFIX, canonical_id
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.table import Catalog

_log: Final = logging.getLogger("litellm_synthetic")
_warned_of: set[str] = set()


def warn_of_retirement(model: Model, catalog: Catalog) -> None:
    """Warn, once per id and process, that a model is not served any more; the call goes on."""
    if model.id not in _warned_of:
        _warned_of.add(model.id)
        _log.warning("%s The call is sent all the same.", explain(model.id, catalog))


def usable_models(catalog: Catalog) -> list[str]:
    """Return the current ids that `SYNTHETIC_ALLOWED_MODELS` allows, as `synthetic/<id>`."""
    allowed = ALLOWED_MODELS.value()
    return [
        ROUTE_PREFIX + model.id
        for model in catalog.current()
        if allowed is None or allowed.allows(model.id)
    ]


def cheapest_chat_model(catalog: Catalog) -> str | None:
    """Return the current chat model or alias with the lowest prices that may be used, or None.

    Input and output price are added; a model without a known price is taken only if none has one.
    """
    usable = [
        model
        for each in usable_models(catalog)
        if (model := catalog.find(each)) is not None and model.kind in ("chat", "alias")
    ]
    candidates = [model for model in usable if model.is_priced]
    cheapest = min(candidates, key=_added_prices, default=usable[0] if usable else None)
    return None if cheapest is None else cheapest.id


def _added_prices(model: Model) -> Decimal:
    prices = model.prices
    return (prices.input_usd_per_token or Decimal(0)) + (prices.output_usd_per_token or Decimal(0))


def explain(model_id: str, catalog: Catalog) -> str:
    """Return a sentence or two that help with an id that was refused; the id is never replaced."""
    wanted_id = canonical_id(model_id)
    model = catalog.find(wanted_id)
    if model is not None and model.is_retired:
        day = model.last_seen or model.removed_on
        since = f", last seen on {day}" if day is not None else ""
        return f"{wanted_id} is retired{since}.{_successor(model, catalog)}"
    if model is not None:
        return (
            f"{wanted_id} was served on {catalog.observed_on}; models change without notice. "
            "The current one is at https://api.synthetic.new/openai/v1/models."
        )
    from litellm_synthetic.catalog.query import closest_ids  # noqa: PLC0415  # for a refused id

    close = closest_ids(wanted_id, catalog.current(), max_count=2, min_similarity=0.75)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if ":" not in wanted_id:
        return 'An id is "hf:owner/name" or an alias such as "syn:large:text".'
    current = ", ".join(one.id for one in catalog.current() if one.kind == "alias")
    return f"It is not known here. Aliases that are always served: {current}."


def _successor(model: Model, catalog: Catalog) -> str:
    aliases = [one for one in catalog.current() if one.kind == "alias"]
    once = [one for one in aliases if any(t.target == model.id for t in one.alias_targets)]
    sees = model.input_modalities is not None and "image" in model.input_modalities
    fitting = [one for one in aliases if not sees or not one.cannot_see_images]
    for alias in (*once, *fitting):
        if alias.current_target is not None:
            return f" The alias {alias.id} now serves {alias.current_target}."
    return ""
