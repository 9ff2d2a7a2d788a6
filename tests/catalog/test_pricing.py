"""A price is read whole or not at all: what LiteLLM could not charge leaves the price unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import PromptTokensDetailsWrapper

from litellm_synthetic.catalog.billing import as_billed, list_price_usd
from litellm_synthetic.catalog.cost_map import cost_map
from litellm_synthetic.catalog.listing import parse_listing
from litellm_synthetic.catalog.merge import merge
from litellm_synthetic.catalog.models import Model, Prices
from litellm_synthetic.catalog.pricing import PRICE_FIELDS, Pricing, read_pricing
from litellm_synthetic.catalog.table import Catalog, load_bundled

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE: dict[str, Any] = {"prompt": "$0.000002", "completion": "$0.000012"}
CACHED: dict[str, Any] = {**BASE, "input_cache_reads": "$0.0000002"}
LONG: dict[str, Any] = {"prompt": "$0.000004", "completion": "$0.000018"}
IN, OUT, READ = "input_usd_per_token", "output_usd_per_token", "cache_read_usd_per_token"
UNKNOWN: dict[str, None] = dict.fromkeys(PRICE_FIELDS)
SEEN_ON = load_bundled().observed_on


def tiers(value: object) -> list[tuple[int, str, str, str | None]]:
    result = read_pricing(value)
    assert result.problems == {}
    assert result.prices[IN] == Decimal("0.000002")
    return [
        (
            each.min_prompt_tokens,
            str(each.input_usd_per_token * 1_000_000),
            str(each.output_usd_per_token * 1_000_000),
            None
            if each.cache_read_usd_per_token is None
            else str(each.cache_read_usd_per_token * 1_000_000),
        )
        for each in result.tiers or ()
    ]


@pytest.mark.parametrize(
    "value",
    [
        # OpenRouter's documented form, with the base price first.
        [BASE, {**LONG, "min_context": 200_000}],
        [{**BASE, "min_context": 0}, {**LONG, "min_context": 200_000}],
        # `tiers`, in every form that is plausible.
        {**BASE, "tiers": [{**LONG, "min_context": 200_000}]},
        {**BASE, "tiers": [{**LONG, "min_prompt_tokens": 200_000}]},
        {**BASE, "tiers": [{**BASE, "min_tokens": 0}, {**LONG, "min_tokens": 200_000}]},
        {"tiers": [{**BASE, "threshold": 0}, {**LONG, "threshold": 200_000}]},
        {"tiers": [{**LONG, "threshold": 200_000}, BASE]},
        {**BASE, "tiers": [{**BASE, "up_to": 199_999}, LONG]},
        {"tiers": [LONG, {**BASE, "max_context": 199_999}]},
        {"tiers": [{**BASE, "up_to": 199_999}, {**LONG, "up_to": 1_000_000}]},
        {
            **BASE,
            "tiers": [
                {**BASE, "min_context": 1, "max_context": 199_999},
                {**LONG, "min_context": 200_000, "max_context": 1_000_000},
            ],
        },
    ],
    ids=range(11),
)
def test_prices_of_long_prompts_are_read(value: object) -> None:
    assert tiers(value) == [(200_000, "4.000000", "18.000000", None)]


def test_tiers_are_ordered_and_inherit_what_they_leave_out() -> None:
    value = {
        **CACHED,
        "tiers": [
            {"prompt": "$0.000008", "completion": "$0.00003", "min_context": 500_000},
            {"completion": "$0.000018", "min_context": 100_000},
            {**LONG, "input_cache_read": "$0.0000004", "min_context": 200_000},
        ],
    }
    # A discount belongs to the price that it is on.
    assert tiers(value) == [
        (100_000, "2.000000", "18.000000", "0.2000000"),
        (200_000, "4.000000", "18.000000", "0.4000000"),
        (500_000, "8.000000", "30.00000", None),
    ]


@pytest.mark.parametrize(
    "costs",
    [
        {"request": "$0.01"},
        {"request": 0.001},
        {"request": "free"},
        {"image": "$0.005"},
        {"web_search": "$0.01"},
        {"internal_reasoning": "$0.000003"},
        {"surcharge": {"weekends": "2x"}},
        {"currency": "EUR"},
        {"unit": "1M tokens"},
        {"discount": 0.5},
        {"prompt_above_128k": "$0.000004"},
    ],
    ids=str,
)
def test_what_litellm_could_not_charge_leaves_the_price_unknown(costs: dict[str, Any]) -> None:
    (name,) = costs
    for value in ({**BASE, **costs}, {**BASE, "tiers": [{**LONG, "min_context": 9, **costs}]}):
        result = read_pricing(value)
        assert result.prices == UNKNOWN
        assert result.tiers == ()
        assert list(result.problems) == [f"pricing.{name}"]
        assert "the price of the model is unknown" in result.problems[f"pricing.{name}"]


@pytest.mark.parametrize(
    "free",
    [
        {"request": "0", "image": "0"},
        {"request": 0, "image": "$0"},
        {"web_search": None, "discount": 0, "note": "", "extra": [], "more": {}, "batch": False},
        {"currency": "usd"},
        {"tiers": []},
        {"tiers": None},
    ],
    ids=str,
)
def test_what_costs_nothing_changes_nothing(free: dict[str, Any]) -> None:
    assert read_pricing({**CACHED, **free}) == read_pricing(CACHED)


@pytest.mark.parametrize(
    "value",
    [
        "long prompts cost more",
        {"200000": LONG},
        [LONG, LONG],
        ["x"],
        [{**LONG, "min_context": "200k"}],
        [{**LONG, "min_context": -1}],
        [{**LONG, "min_context": True}],
        [{**LONG, "min_context": 10**12}],
        [{**LONG, "min_context": 5, "threshold": 6}],
        [{**LONG, "min_context": 5}, {**LONG, "min_context": 5}],
        [{**LONG, "min_context": 5, "prompt": "free"}],
        [{**LONG, "min_context": 0}],
        [{**LONG, "min_context": n} for n in range(2, 30)],
    ],
    ids=range(13),
)
def test_tiers_that_cannot_be_read_leave_the_price_unknown(value: object) -> None:
    result = read_pricing({**BASE, "tiers": value})
    assert (result.prices, result.tiers) == (UNKNOWN, ())
    assert list(result.problems) == ["pricing.tiers"]


def test_a_tier_without_a_known_price_for_short_prompts_is_unknown() -> None:
    assert read_pricing({"tiers": [{**LONG, "min_context": 9}]}).prices == {}
    result = read_pricing({"prompt": "free", "tiers": [{"prompt": "1e-6", "min_context": 9}]})
    assert result.prices == UNKNOWN


def test_openrouters_names_for_the_cache_are_known_and_a_contradiction_is_unknown() -> None:
    result = read_pricing({**BASE, "input_cache_read": "2e-7", "input_cache_write": "0"})
    assert result.prices[READ] == Decimal("2E-7")
    result = read_pricing({**BASE, "input_cache_read": "1e-7", "input_cache_reads": "2e-7"})
    assert result.prices[READ] is None
    assert list(result.problems) == ["input_cache_reads"]


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_states_nothing(value: object) -> None:
    assert read_pricing(value) == Pricing()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["$1e-6", "0", "2e-6", 200_000, 0, 1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "prompt",
                    "completion",
                    "input_cache_reads",
                    "request",
                    "tiers",
                    "min_context",
                    "up_to",
                    "threshold",
                    "odd",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_any_pricing_is_read_or_unknown(value: object) -> None:
    result = read_pricing(value)
    for price in result.prices.values():
        assert price is None or 0 <= price < Decimal("0.01")
    begins = [each.min_prompt_tokens for each in result.tiers or ()]
    assert begins == sorted(set(begins))
    if "tiers" in str(result.problems) or "odd" in str(result.problems):
        assert set(result.prices.values()) == {None}


# ---- in the table, and in what LiteLLM charges


def row_of(pricing: object, base: Catalog | None = None) -> tuple[Model, tuple[str, ...]]:
    listing = parse_listing(json.dumps({"data": [{"id": "hf:a/b", "pricing": pricing}]}).encode())
    merged = merge(base or load_bundled(), listing, seen_on=SEEN_ON)
    return merged.catalog.by_id["hf:a/b"], tuple(each.field for each in listing.unreadable)


def test_a_price_that_is_not_understood_takes_the_row_out_of_the_cost_map_and_says_so() -> None:
    model, unreadable = row_of({**BASE, "request": "$0.01"})
    assert not model.is_priced
    assert unreadable == ("pricing.request",)
    assert (
        cost_map(load_bundled().with_models([model], observed_on=SEEN_ON)).get("synthetic/hf:a/b")
        is None
    )


def test_tiers_come_and_go_with_the_prices_that_a_row_states() -> None:
    long = {**BASE, "tiers": [{**LONG, "min_context": 200_000}]}
    first, _ = row_of(long)
    base = load_bundled().with_models([first], observed_on=SEEN_ON)
    unsaid, _ = row_of(None, base)
    assert unsaid.prices == first.prices
    without, _ = row_of(BASE, base)
    assert without.prices.tiers == ()
    assert Model.model_validate_json(first.model_dump_json(by_alias=True)) == first
    assert first.price_history[-1].tiers == first.prices.tiers


TIERED = {
    **CACHED,
    "tiers": [
        {**LONG, "input_cache_reads": "$0.0000004", "min_context": 128_000},
        {"prompt": "$0.000008", "completion": "$0.00003", "min_context": 300_000},
    ],
}


@pytest.fixture
def tiered() -> Iterator[Model]:
    """Put a model with tiers into LiteLLM's cost map for one test."""
    model, _ = row_of(TIERED)
    rows = cost_map(load_bundled().with_models([model], observed_on=SEEN_ON))
    litellm.model_cost["synthetic/hf:a/b"] = rows["synthetic/hf:a/b"]
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # LiteLLM caches look-ups
    yield model
    del litellm.model_cost["synthetic/hf:a/b"]
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # as above


def usage(prompt: int, output: int, cached: int) -> litellm.Usage:
    return litellm.Usage(
        prompt_tokens=prompt,
        completion_tokens=output,
        total_tokens=prompt + output,
        prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=cached) if cached else None,
    )


@pytest.mark.parametrize("cached", [0, 50_000])
@pytest.mark.parametrize(
    ("prompt", "per_input", "per_cached", "per_output"),
    [
        (60_000, "2e-6", "2e-7", "12e-6"),
        (127_999, "2e-6", "2e-7", "12e-6"),
        (128_000, "4e-6", "4e-7", "18e-6"),
        (299_999, "4e-6", "4e-7", "18e-6"),
        (300_000, "8e-6", "8e-6", "30e-6"),
        (2_000_000, "8e-6", "8e-6", "30e-6"),
    ],
)
def test_litellm_charges_what_the_tier_says(
    tiered: Model, prompt: int, per_input: str, per_cached: str, per_output: str, cached: int
) -> None:
    expected = float(
        (prompt - cached) * Decimal(per_input)
        + cached * Decimal(per_cached)
        + 1_000 * Decimal(per_output)
    )
    count = usage(prompt, 1_000, cached)
    answer = litellm.ModelResponse(model="synthetic/hf:a/b", usage=count)
    assert litellm.completion_cost(answer) == pytest.approx(expected, rel=1e-12)
    assert list_price_usd(tiered, count) == pytest.approx(expected, rel=1e-12)


def test_a_subscription_pays_nothing_for_long_prompts_either(tiered: Model) -> None:
    rows = cost_map(load_bundled().with_models([tiered], observed_on=SEEN_ON))
    billed = as_billed(rows, "subscription")["synthetic/hf:a/b"]
    assert "tiered_pricing" not in billed
    assert billed["metadata"]["list_price"]["tiered_pricing"][1]["input_cost_per_token"] == 4e-6
    litellm.model_cost["synthetic/hf:a/b"] = billed
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # as above
    answer = litellm.ModelResponse(model="synthetic/hf:a/b", usage=usage(400_000, 1_000, 0))
    assert litellm.completion_cost(answer) == 0


def test_litellm_still_charges_no_request_and_no_image_of_such_a_usage(tiered: Model) -> None:
    # Why these prices make the price unknown; a LiteLLM that charges them would be worth a row.
    del tiered
    row = litellm.model_cost["synthetic/hf:a/b"]
    litellm.model_cost["synthetic/hf:a/b"] = {
        **row,
        "input_cost_per_query": 1.0,
        "input_cost_per_image": 1.0,
        "input_cost_per_request": 1.0,
    }
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # as above
    answer = litellm.ModelResponse(model="synthetic/hf:a/b", usage=usage(1_000, 0, 0))
    assert litellm.completion_cost(answer) == pytest.approx(0.002)


def test_prices_without_tiers_are_the_same_at_any_length() -> None:
    prices = Prices(input_usd_per_token=Decimal("1e-6"))
    assert prices.at(1) is prices
    assert prices.at(10**7) is prices
