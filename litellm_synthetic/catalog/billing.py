"""The cost of a call to the account: the list price, or nothing on top of a subscription.

`SYNTHETIC_BILLING` says what LiteLLM's cost map tells: list prices (`metered`, `list-price`) or 0
(`subscription`), with the list price beside it. A key that reports how it pays is billed by that;
see `integration.key_billing`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.config.settings import Billing

# Where `_hidden_params` keeps what the call costs at list price, in USD.
LIST_PRICE: Final = "list_price_usd"
_COSTS: Final = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)
_TIERS: Final = "tiered_pricing"


def as_billed(rows: Mapping[str, dict[str, Any]], billing: Billing) -> dict[str, dict[str, Any]]:
    """Return LiteLLM's cost-map rows for a cost mode.

    On a subscription each known price becomes 0, and the list prices, in USD per token, move to
    `metadata["list_price"]`, those of long prompts included.
    """
    if billing != "subscription":
        return dict(rows)
    return {name: _included(row) for name, row in rows.items()}


def _included(row: Mapping[str, Any]) -> dict[str, Any]:
    list_prices = {field: row[field] for field in (*_COSTS, _TIERS) if field in row}
    return {
        **{field: value for field, value in row.items() if field != _TIERS},
        **{field: 0.0 for field in list_prices if field != _TIERS},
        "metadata": {**row.get("metadata", {}), "list_price": list_prices},
    }


def list_price_usd(model: Model | None, usage: Any) -> float | None:
    """Return what a call costs at list price, in USD, whatever the cost mode; None if unknown.

    Args:
        model: the facts of the model that was called.
        usage: LiteLLM's usage of a completion or of a response; cached tokens are part of the
            prompt tokens, at their own price.
    """
    if model is None or not model.is_priced or usage is None:
        return None
    if hasattr(usage, "prompt_tokens"):
        names = ("prompt_tokens", "completion_tokens", "prompt_tokens_details")
    else:  # of `responses`
        names = ("input_tokens", "output_tokens", "input_tokens_details")
    prompt, completion, details = (getattr(usage, name, None) or 0 for name in names)
    prices = model.prices.at(prompt)
    cached = getattr(details, "cached_tokens", None) or 0
    per_input = prices.input_usd_per_token or Decimal(0)
    per_cached = (
        prices.cache_read_usd_per_token
        if prices.cache_read_usd_per_token is not None
        else per_input
    )
    per_output = prices.output_usd_per_token or Decimal(0)
    total = (prompt - cached) * per_input + cached * per_cached + completion * per_output
    return float(total)
