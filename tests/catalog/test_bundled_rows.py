"""The bundled table is read without validation, and comes out as validation would make it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from litellm_synthetic.catalog.bundled_rows import bundled_model
from litellm_synthetic.catalog.models import (
    AliasTarget,
    DatedPrices,
    Efforts,
    Embedding,
    Fact,
    Model,
    Prices,
    PriceTier,
    Replay,
    SeedDifference,
)
from litellm_synthetic.catalog.table import Catalog, load_bundled

_RATES = {
    "input_usd_per_token": "0.000001",
    "output_usd_per_token": "0.000002",
    "cache_read_usd_per_token": "0",
    "cache_write_usd_per_token": None,
}
_TIER = {**_RATES, "min_prompt_tokens": 128_000}
_PRICES = {**_RATES, "tiers": [_TIER]}
# Every field of every record, also those that no bundled row happens to state.
FULL_ROW: dict[str, Any] = {
    "id": "hf:owner/name",
    "kind": "chat",
    "status": "current",
    "status_note": "a note",
    "deprecated": True,
    "deprecation_date": "2026-12-31",
    "context_window_tokens": 1000,
    "max_output_tokens": 100,
    "input_modalities": ["text", "image"],
    "output_modalities": ["text"],
    "tools": True,
    "reasoning": False,
    "json_mode": None,
    "structured_outputs": True,
    "prices": _PRICES,
    "price_history": [{**_PRICES, "date": "2026-01-01", "source": "one"}],
    "efforts": {
        "advertised": ["low"],
        "verified": ["high"],
        "rejected": ["max"],
        "unreliable": ["low"],
        "can_stop": True,
        "can_stop_on_messages": False,
        "note": "a note",
    },
    "replay": {"chat_template_kwargs": {"clear_thinking": False}},
    "embedding": {"dimensions": 768},
    "first_seen": "2026-01-01",
    "last_seen": "2026-01-02",
    "removed_on": "2026-01-03",
    "removal_note": "a note",
    "alias_targets": [{"from": "2026-01-01", "to": None, "target": "hf:a/b", "source": "one"}],
    "sources": ["one"],
    "seed_differences": [
        {"field": "tools", "seed": "one", "seed_value": ["a"], "value": ["b", "c"]},
        {"field": "tools", "seed": "one", "seed_value": 1, "value": None},
    ],
    "note": "a note",
    "a field that nobody knows": 1,
}


def test_the_bundled_table_is_what_validation_makes_of_it() -> None:
    path = resources.files("litellm_synthetic").joinpath("data/models.json")
    validated = Catalog.from_document(json.loads(path.read_text("utf-8")))
    bundled = load_bundled()
    assert validated.skipped == ()
    assert bundled == validated
    assert repr(bundled) == repr(validated)  # shows the types and their order too
    assert json.dumps(bundled.to_document()) == json.dumps(validated.to_document())
    assert [each.model_fields_set for each in bundled.models] == [
        each.model_fields_set for each in validated.models
    ]


@pytest.mark.parametrize(
    "absent",
    [None, *(each for each in FULL_ROW if each not in {"id", "kind", "status", "sources"})],
)
def test_every_field_is_read_as_validation_reads_it(absent: str | None) -> None:
    row = {name: value for name, value in FULL_ROW.items() if name != absent}
    made, validated = bundled_model(row), Model.model_validate(row)
    assert made == validated
    assert repr(made) == repr(validated)
    assert made.model_dump(mode="json") == validated.model_dump(mode="json")
    assert hash(made.prices) == hash(validated.prices)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (Model, FULL_ROW),
        (Prices, _PRICES),
        (PriceTier, _TIER),
        (DatedPrices, FULL_ROW["price_history"][0]),
        (Efforts, FULL_ROW["efforts"]),
        (Replay, FULL_ROW["replay"]),
        (Embedding, FULL_ROW["embedding"]),
        (AliasTarget, FULL_ROW["alias_targets"][0]),
        (SeedDifference, FULL_ROW["seed_differences"][0]),
    ],
)
def test_no_field_is_left_out_above(kind: type[Fact], row: dict[str, Any]) -> None:
    keys = {field.alias or name for name, field in kind.model_fields.items()}
    assert keys <= row.keys()
