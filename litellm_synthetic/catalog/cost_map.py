"""Turn model facts into rows of LiteLLM's cost map, without importing LiteLLM.

A fact that is unknown is left out of the row. LiteLLM then says so for limits and capabilities,
but not for prices: of a row without `input_cost_per_token` and `output_cost_per_token`, its
`get_model_info` reports 0 for both and `completion_cost` returns 0.0 instead of raising
(checked on 1.102.4, 1.106.2 and 1.109.1). So a model without a known price gets no row at all:
unknown must not read as free.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from litellm_synthetic.catalog.models import EFFORT_SCALE, Model, Prices, PriceTier
from litellm_synthetic.catalog.table import Catalog
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL
from litellm_synthetic.config.ids import (
    DEFAULT_ID,
    HUGGING_FACE_SCHEME,
    PROVIDER,
    ROUTE_PREFIX,
    SEARCH,
)

SOURCE_URL = f"{DEFAULT_BASE_URL}/models"

Row = dict[str, Any]
"""One row of LiteLLM's cost map, as in its `model_prices_and_context_window.json`."""

# More than any prompt has.
_NO_END = 1_000_000_000
# The efforts that LiteLLM has a `supports_<effort>_reasoning_effort` flag for. It takes medium and
# high for granted.
_FLAGGED_EFFORTS = tuple(effort for effort in EFFORT_SCALE if effort not in {"medium", "high"})


def cost_map(catalog: Catalog) -> dict[str, Row]:
    """Return a row for each spelling of each model, for `litellm.register_model`.

    The keys are `synthetic/<id>` and, for `hf:` ids, `synthetic/owner/name` too, because the route
    accepts both and LiteLLM prices a call by the spelling that was used. A model without a known
    price is left out. Prices are in USD per token, limits in tokens. The rows of two spellings are
    equal but not the same object.
    """
    observed_on = catalog.observed_on.isoformat()
    return {
        key: cost_map_row(model, observed_on=observed_on)
        for model in catalog.models
        if model.is_priced
        for key in cost_map_keys(model.id)
    }


def default_row(catalog: Catalog) -> dict[str, Row]:
    """Return the row of `synthetic/default`, that of the model it stands for; none if unpriced."""
    model = catalog.find(DEFAULT_ID)
    if model is None or not model.is_priced:
        return {}
    row = cost_map_row(model, observed_on=catalog.observed_on.isoformat())
    return {ROUTE_PREFIX + DEFAULT_ID: row}


def search_row() -> dict[str, Row]:
    """Return the row of a search, which costs nothing.

    A subscription covers its 250 searches an hour, and nothing else pays for one. A user's own
    `input_cost_per_query` under this name wins.
    """
    row = {"litellm_provider": PROVIDER, "mode": "search", "input_cost_per_query": 0.0}
    return {ROUTE_PREFIX + SEARCH: row}


def cost_map_keys(model_id: str) -> tuple[str, ...]:
    """Return the keys under which LiteLLM looks up a model, the full id first."""
    key = ROUTE_PREFIX + model_id
    if not model_id.startswith(HUGGING_FACE_SCHEME):
        return (key,)
    return key, ROUTE_PREFIX + model_id.removeprefix(HUGGING_FACE_SCHEME)


def cost_map_row(model: Model, *, observed_on: str) -> Row:
    """Return a model's row; `observed_on` is the ISO date of the table, kept as metadata."""
    row = {
        "litellm_provider": PROVIDER,
        # Helpers are small models behind the chat endpoint, and an alias is its target.
        "mode": "embedding" if model.kind == "embedding" else "chat",
        **_limits(model),
        **_prices(model),
        **_capabilities(model),
        **_efforts(model),
        "output_vector_size": model.embedding.dimensions if model.embedding else None,
        "deprecation_date": _deprecation_date(model),
        "source": SOURCE_URL,
        "metadata": {"observed_on": observed_on, **dict(_seen(model))},
    }
    return _known(row)


def _deprecation_date(model: Model) -> str | None:
    day = model.removed_on or model.deprecation_date
    return day.isoformat() if day else None


def _limits(model: Model) -> Row:
    # LiteLLM's older field: the output limit of a chat model, the input limit of an embedding one.
    embeds = model.kind == "embedding"
    return {
        "max_tokens": model.context_window_tokens if embeds else model.max_output_tokens,
        "max_input_tokens": model.context_window_tokens,
        "max_output_tokens": model.max_output_tokens,
    }


def _prices(model: Model) -> Row:
    prices = model.prices
    if not prices.tiers:
        return _rates(prices)
    # LiteLLM's own keys for long prompts, `input_cost_per_token_above_128k_tokens` and the like,
    # exist for a few lengths only: get_model_info drops all others. A table of ranges goes through
    # for any length (checked on 1.102.4, 1.106.2 and 1.109.1). A range begins after its first
    # number, and the last range has no end in LiteLLM either.
    levels: tuple[Prices | PriceTier, ...] = (prices, *prices.tiers)
    begins = [0, *(tier.min_prompt_tokens - 1 for tier in prices.tiers)]
    ends = [*begins[1:], _NO_END]
    tiers = [
        {"range": [begin, end], **_known(_rates(each))}
        for begin, end, each in zip(begins, ends, levels, strict=True)
    ]
    return {**_rates(prices), "tiered_pricing": tiers}


def _rates(prices: Prices | PriceTier) -> Row:
    cache_read = prices.cache_read_usd_per_token
    if cache_read is None:
        # Where a row names no price for cached tokens, LiteLLM 1.102.4 charges nothing for them,
        # 1.106.2 charges the prompt price, and register_model warns. They are prompt tokens, and
        # no discount on them is known: until July 2026 the API's list gave every model's prompt
        # price as its cache-read price.
        cache_read = prices.input_usd_per_token
    return {
        "input_cost_per_token": _float(prices.input_usd_per_token),
        "output_cost_per_token": _float(prices.output_usd_per_token),
        "cache_read_input_token_cost": _float(cache_read),
        # Writes are free. LiteLLM takes this rate in place of the prompt price, not on top of it,
        # so tokens that a usage reports as written only would cost nothing.
        "cache_creation_input_token_cost": _float(prices.cache_write_usd_per_token),
    }


def _known(row: Row) -> Row:
    return {field: value for field, value in row.items() if value is not None}


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _capabilities(model: Model) -> Row:
    if model.kind == "embedding":
        return {}
    modalities = model.input_modalities
    return {
        "supports_function_calling": model.tools,
        # Documented request parameters of the chat endpoint, wherever there are tools at all.
        "supports_tool_choice": model.tools,
        "supports_parallel_function_calling": model.tools,
        "supports_vision": None if modalities is None else not model.cannot_see_images,
        "supports_reasoning": model.reasoning,
        "supports_response_schema": model.structured_outputs,
        "supports_prompt_caching": _discounts_cached_tokens(model),
        # The chat endpoint documents the system role and SSE for every model. The helpers aren't
        # in that documentation.
        "supports_system_messages": None if model.kind == "helper" else True,
        "supports_native_streaming": None if model.kind == "helper" else True,
    }


def _discounts_cached_tokens(model: Model) -> bool | None:
    """Return True where cached tokens are cheaper; a cache without a discount is not known of."""
    full, cached = model.prices.input_usd_per_token, model.prices.cache_read_usd_per_token
    return True if full is not None and cached is not None and cached < full else None


def _efforts(model: Model) -> Row:
    # Without the API's own list, the values nobody tried are unknown, so no list can be complete.
    if not model.accepted_efforts_are_complete:
        return {}
    # What LiteLLM reads here it offers to people, so only what leads to an answer.
    reliable = model.reliable_efforts
    flags = {
        f"supports_{effort}_reasoning_effort": effort in reliable for effort in _FLAGGED_EFFORTS
    }
    return {"reasoning_effort_levels": list(reliable), **flags}


def _seen(model: Model) -> Iterator[tuple[str, str]]:
    yield "status", model.status
    if model.first_seen is not None:
        yield "first_seen", model.first_seen.isoformat()
    if model.last_seen is not None:
        yield "last_seen", model.last_seen.isoformat()
    if model.current_target is not None:
        yield "serves", model.current_target
