"""A model list is read row by row, and no figure in it is believed that isn't one."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.catalog.listing import (
    MAX_ROWS,
    MAX_TOKENS_OF_A_LIMIT,
    ListedModel,
    Listing,
    UnusableListError,
    parse_listing,
)
from litellm_synthetic.catalog.pricing import MAX_USD_PER_TOKEN
from litellm_synthetic.testing.served_models import listed_models

DATA = Path(__file__).parents[1] / "data"
JANUARY = (DATA / "models_2026-01-30.json").read_bytes()
LATER = json.loads((DATA / "model_entries_later.json").read_text("utf-8"))["entries"]
PRICE = "input_usd_per_token"


def listing_of(*rows: object) -> Listing:
    return parse_listing(json.dumps({"data": rows}).encode())


def read(**fields: Any) -> tuple[ListedModel, dict[str, str]]:
    listing = listing_of({"id": "hf:a/b", **fields})
    (model,) = listing.models
    return model, {each.field: each.reason for each in listing.unreadable}


def test_the_complete_list_of_january_is_read_without_a_remark() -> None:
    listing = parse_listing(JANUARY)
    assert len(listing.models) == 19
    assert (listing.skipped, listing.unreadable, listing.is_whole) == ((), (), True)
    glm = next(each for each in listing.models if each.id == "hf:zai-org/GLM-4.7")
    assert glm.facts == {
        "context_window_tokens": 202_752,
        "max_output_tokens": 65_536,
        "input_modalities": ("text",),
        "output_modalities": ("text",),
        "tools": True,
        "json_mode": True,
        "structured_outputs": True,
        "reasoning": True,
    }
    assert glm.prices == {
        "input_usd_per_token": Decimal("0.00000055"),
        "output_usd_per_token": Decimal("0.00000219"),
        "cache_read_usd_per_token": Decimal("0.00000055"),
        "cache_write_usd_per_token": Decimal(0),
    }


def test_what_a_proxied_model_of_january_does_not_say_is_not_stated() -> None:
    llama = next(each for each in parse_listing(JANUARY).models if "Llama-3.3" in each.id)
    assert set(llama.facts) == {"context_window_tokens", "input_modalities", "output_modalities"}
    assert not llama.states_efforts


def test_the_later_entries_are_read_with_efforts_and_targets() -> None:
    august, kimi, october = (listing_of(each["entry"]).models[0] for each in LATER)
    assert (august.id, august.target) == ("syn:large:text", "hf:zai-org/GLM-5.2")
    assert august.efforts == ("none", "high", "max")
    assert august.prices == {}
    assert "tools" not in august.facts
    assert (kimi.target, kimi.efforts) == (None, ("low", "high", "max"))
    assert kimi.prices["cache_read_usd_per_token"] == Decimal("0.00000045")
    assert october.target is None
    assert october.facts["input_modalities"] == ("text", "image")
    assert "cache_write_usd_per_token" not in october.prices


@pytest.mark.parametrize(
    ("value", "price"),
    [
        ("$0.0000006", "0.0000006"),
        ("0.0000006", "0.0000006"),
        (" $0.0000006 ", "0.0000006"),
        ("$1e-6", "0.000001"),
        ("1.5E-7", "0.00000015"),
        (".0000006", "0.0000006"),
        ("$0.00000060000", "0.0000006"),
        ("0", "0"),
        ("$0", "0"),
        (0, "0"),
        (6e-07, "0.0000006"),
    ],
)
def test_a_price_is_exact(value: object, price: str) -> None:
    model, problems = read(pricing={"prompt": value})
    assert model.prices == {PRICE: Decimal(price)}
    assert problems == {}


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "$", "free", "Free", "-0.1", "-0", "$-1e-6", "NaN", "inf", "Infinity", "1e999",
        "1e-99", "1e-13", "$0,0000006", "€0.0000006", "0.01", "0.6", "1", "2", 0.5, 1, -1, 10**30,
        float("nan"), float("inf"), float("-inf"), True, False, [], {}, ["0"], "0x1p-20", "1_0e-8",
        "\u0660.\u0660", "0" * 50, "1e-6 USD",
    ],
)  # fmt: skip  # one table
def test_what_is_no_price_is_unknown_and_never_zero(value: object) -> None:
    model, problems = read(pricing={"prompt": value, "completion": "$0.000001"})
    assert model.prices == {PRICE: None, "output_usd_per_token": Decimal("0.000001")}
    assert list(problems) == ["prompt"]


@pytest.mark.parametrize("pricing", [[], "free", 0, ["0"], [[]]])
def test_prices_in_no_readable_form_are_all_unknown(pricing: object) -> None:
    model, problems = read(pricing=pricing)
    assert set(model.prices.values()) == {None}
    assert len(model.prices) == 4
    assert list(problems) == ["pricing"]


@pytest.mark.parametrize("field", ["context_length", "max_output_length"])
@pytest.mark.parametrize(
    "value",
    [
        -1, 0, True, False, "524288", "", 196_608.5, 196_608.0, 1e5, [1], {}, 10**9, 10**400,
        MAX_TOKENS_OF_A_LIMIT + 1, float("inf"), float("nan"),
    ],
)  # fmt: skip  # one table
def test_what_is_no_limit_is_unknown(field: str, value: object) -> None:
    model, problems = read(**{field: value})
    assert list(model.facts.values()) == [None]
    assert list(problems) == [field]


def test_a_number_too_long_for_python_costs_its_field_only() -> None:
    body = b'{"data":[{"id":"hf:a/b","context_length":1' + b"0" * 9_999 + b"}]}"
    assert parse_listing(body).models[0].facts == {"context_window_tokens": None}


@pytest.mark.parametrize(
    "field",
    [
        "context_length", "max_output_length", "input_modalities", "output_modalities",
        "supported_features", "pricing", "reasoning_parameters", "hugging_face_id", "deprecated",
    ],
)  # fmt: skip  # one table
def test_null_states_nothing(field: str) -> None:
    assert read(**{field: None}) == read()


@pytest.mark.parametrize("field", ["input_modalities", "output_modalities", "supported_features"])
def test_an_empty_list_states_nothing(field: str) -> None:
    assert read(**{field: []}) == read()
    assert read(reasoning_parameters={"efforts": []}) == read()


def test_features_are_known_only_from_a_list_that_can_be_read() -> None:
    model, _ = read(supported_features=["tools", "video"])
    assert model.facts == {
        "tools": True,
        "reasoning": False,
        "json_mode": False,
        "structured_outputs": False,
    }
    model, problems = read(supported_features="tools")
    assert set(model.facts.values()) == {None}
    assert list(problems) == ["supported_features"]


def test_efforts_come_in_order_and_each_once() -> None:
    model, _ = read(reasoning_parameters={"efforts": ["max", "ultra", "LOW", "none", "low"]})
    assert model.efforts == ("none", "low", "max", "ultra")


@pytest.mark.parametrize("value", [["low", 7], "low", {"low": 1}, ["<b>"], ["low"] * 65])
def test_efforts_that_cannot_be_read_are_unknown_and_not_none(value: object) -> None:
    model, problems = read(reasoning_parameters={"efforts": value})
    assert (model.efforts, model.states_efforts) == (None, True)
    assert list(problems) == ["efforts"]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ({"deprecation_date": "2026-12-31"}, "2026-12-31"),
        ({"deprecation_date": "2026-12-31T23:00:00Z"}, "2026-12-31"),
        ({"deprecation_date": 1_798_675_200}, "2026-12-31"),
        ({"expiration_date": " 2026-12-31 "}, "2026-12-31"),
        ({"deprecated": "2026-12-31"}, "2026-12-31"),
        ({"sunset_date": "2027-01-01", "deprecation_date": "2026-12-31"}, "2026-12-31"),
        ({"deprecated": True}, None),
        ({"deprecated": False, "deprecation_date": None}, None),
    ],
)
def test_a_date_of_deprecation_is_read(value: dict[str, object], day: str | None) -> None:
    model, problems = read(**value)
    assert model.deprecation_date == (None if day is None else date.fromisoformat(day))
    assert problems == {}


@pytest.mark.parametrize("value", ["soon", "", 12, 1e30, True, -1, 1_798_675_200_000, [], "x" * 99])
def test_what_is_no_date_is_unknown(value: object) -> None:
    model, problems = read(deprecation_date=value)
    assert model.deprecation_date is None
    assert list(problems) == ["deprecation_date"]


@pytest.mark.parametrize(("value", "deprecated"), [(True, True), (False, False), ("yes", False)])
def test_only_true_marks_a_model_as_deprecated(value: object, deprecated: bool) -> None:  # noqa: FBT001  # a column of the table
    assert read(deprecated=value)[0].deprecated is deprecated


@pytest.mark.parametrize("name", ["zai-org/GLM-5.2", "hf:zai-org/GLM-5.2"])
def test_an_alias_names_what_it_serves(name: str) -> None:
    (alias,) = listing_of({"id": "syn:x:y", "hugging_face_id": name}).models
    assert alias.target == "hf:zai-org/GLM-5.2"
    assert read(hugging_face_id=name)[0].target is None


@pytest.mark.parametrize("name", ["", "GLM", "a/b/c", 7, "https://example.com/a"])
def test_a_target_that_is_no_name_is_unknown(name: object) -> None:
    listing = listing_of({"id": "syn:x:y", "hugging_face_id": name})
    assert listing.models[0].target is None
    assert [each.field for each in listing.unreadable] == ["hugging_face_id"]


def test_a_row_without_an_id_costs_that_row_only_and_is_said() -> None:
    listing = listing_of({"id": 17}, {"id": "hf:a/b"}, "no", None, [], {"name": "x"})
    assert [each.id for each in listing.models] == ["hf:a/b"]
    assert [(each.index, each.reason) for each in listing.skipped] == [
        (0, "the row has no id"),
        (2, "not an object"),
        (3, "not an object"),
        (4, "not an object"),
        (5, "the row has no id"),
    ]
    assert not listing.is_whole


@pytest.mark.parametrize(
    "bad", ["", "GLM-5", "zai-org/GLM-5", "synthetic/hf:a/b", "hf:", "hf:a b", "hf:a\n/b", "hf:ü/b",
            "hf:" + "x" * 300, "[red]hf:a/b"]
)  # fmt: skip  # one table
def test_an_id_that_nobody_could_call_is_skipped_and_shown_safely(bad: str) -> None:
    listing = listing_of({"id": bad}, {"id": "hf:a/b"})
    (skipped,) = listing.skipped
    assert skipped.id is not None
    assert skipped.id.isascii()
    assert skipped.id.isprintable() or not skipped.id
    assert len(skipped.id) < 300
    assert listing.is_whole


def test_of_rows_with_the_same_id_the_first_counts() -> None:
    listing = listing_of({"id": "hf:a/b", "context_length": 5}, {"id": "hf:a/b"})
    assert [each.facts for each in listing.models] == [{"context_window_tokens": 5}]
    assert [each.id for each in listing.skipped] == ["hf:a/b"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": []}',
        b'{"data": [{"id": 1}, null]}',
        b"<!DOCTYPE html>",
        b"\xff\xfe\x00",
        JANUARY[: len(JANUARY) // 2],
        b"[" * 500_000,
        b'{"data":' * 50_000,
        json.dumps({"data": [{"id": f"hf:a/{n}"} for n in range(MAX_ROWS + 1)]}).encode(),
    ],
    ids=range(14),
)
def test_what_is_no_usable_list_raises_one_error(body: bytes) -> None:
    with pytest.raises(UnusableListError):
        parse_listing(body)


def test_a_list_as_long_as_allowed_is_read() -> None:
    assert len(listing_of(*({"id": f"hf:a/{n}"} for n in range(MAX_ROWS))).models) == MAX_ROWS


def check(listing: Listing) -> None:
    assert listing.models
    for model in listing.models:
        for limit in ("context_window_tokens", "max_output_tokens"):
            figure = model.facts.get(limit)
            assert figure is None or (type(figure) is int and 0 < figure <= MAX_TOKENS_OF_A_LIMIT)
        for price in model.prices.values():
            assert price is None or (price.is_finite() and 0 <= price < MAX_USD_PER_TOKEN)
            assert price is None or not price.is_signed()
        for feature in ("tools", "reasoning", "json_mode", "structured_outputs"):
            assert model.facts.get(feature) in (None, True, False)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["free", "$1e-6", "-1", "hf:a/b", "syn:x", "1e99999", "none", "text"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
FIELDS = sorted({field for row in listed_models() for field in row})


@given(st.binary() | st.binary().map(lambda noise: b'{"data":[{"id":"hf:a/b",' + noise))
def test_arbitrary_bytes_are_read_or_raise_the_one_error(body: bytes) -> None:
    with contextlib.suppress(UnusableListError):
        check(parse_listing(body))


@given(anything | st.fixed_dictionaries({"data": st.lists(anything, max_size=5) | anything}))
def test_arbitrary_json_is_read_or_raises_the_one_error(document: object) -> None:
    with contextlib.suppress(UnusableListError):
        check(parse_listing(json.dumps(document).encode()))


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6), max_size=6))
def test_real_rows_with_arbitrary_fields_keep_what_can_be_read(
    changes: list[dict[str, Any]],
) -> None:
    rows = listed_models()
    for row, change in zip(rows, changes, strict=False):
        row.update(change)
    listing = parse_listing(json.dumps({"data": rows}).encode())
    check(listing)
    untouched = parse_listing(json.dumps({"data": listed_models()}).encode()).models
    assert listing.models[-(12 - len(changes)) :] == untouched[len(changes) :]


@given(
    st.data(),
    st.lists(st.tuples(st.integers(0, len(JANUARY) - 1), st.integers(0, 255)), max_size=5),
)
def test_a_damaged_copy_of_a_real_list_is_read_or_raises_the_one_error(
    data: st.DataObject, damage: list[tuple[int, int]]
) -> None:
    body = bytearray(JANUARY)
    for place, value in damage:
        body[place] = value
    cut = data.draw(st.integers(0, len(body)) | st.just(len(body)))
    with contextlib.suppress(UnusableListError):
        check(parse_listing(bytes(body[:cut])))
