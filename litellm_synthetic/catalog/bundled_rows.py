"""The rows of the bundled table as records, without the validation that foreign rows need.

The bundled file is the package's own, and a test holds what is made here against what validation
makes of it. Pydantic needs longer to build its validators than everything else that the start does.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar

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

FactT = TypeVar("FactT", bound=Fact)
_Readers = Mapping[str, Callable[[Any], Any]]


def record(kind: type[FactT], row: Mapping[str, Any], readers: _Readers) -> FactT:
    """Return the record of a row that is known to be right.

    Args:
        kind: the class of the record.
        row: the row as JSON has it; fields that the class does not have are left out.
        readers: what turns a value that is not null into the field's own type, by the field's name;
            a field without one takes the value as it is.
    """
    names, values = _fields(kind)
    values, given = values.copy(), set()
    for key, value in row.items():
        name = names.get(key)
        if name is not None:
            read = readers.get(name)
            values[name] = value if read is None or value is None else read(value)
            given.add(name)
    made = kind.__new__(kind)
    # What a record consists of to pydantic; its own `model_construct` takes ten times as long.
    fill = object.__setattr__
    fill(made, "__dict__", values)
    fill(made, "__pydantic_fields_set__", given)
    fill(made, "__pydantic_extra__", None)
    fill(made, "__pydantic_private__", None)
    return made


def bundled_model(row: Mapping[str, Any]) -> Model:
    """Return the facts in one row of the bundled table."""
    return record(Model, row, _MODEL)


@cache
def _fields(kind: type[Fact]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return a class's field names by key, and its defaults in the order of the fields."""
    fields = kind.model_fields
    names = {key: name for name, field in fields.items() for key in (name, field.alias or name)}
    return names, {name: field.default for name, field in fields.items()}


def _one(kind: type[Fact], readers: _Readers) -> Callable[[Any], Fact]:
    return lambda row: record(kind, row, readers)


def _each(kind: type[Fact], readers: _Readers) -> Callable[[Any], tuple[Fact, ...]]:
    return lambda rows: tuple([record(kind, row, readers) for row in rows])


def _tuple_if_list(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


_RATES: Final[_Readers] = dict.fromkeys(
    (
        "input_usd_per_token", "output_usd_per_token",
        "cache_read_usd_per_token", "cache_write_usd_per_token",
    ),
    Decimal,
)  # fmt: skip  # one set of names, read as one
_PRICES: Final[_Readers] = {**_RATES, "tiers": _each(PriceTier, _RATES)}
_EFFORTS: Final[_Readers] = dict.fromkeys(
    ("advertised", "verified", "rejected", "unreliable"), tuple
)
_MODEL: Final[_Readers] = {
    **dict.fromkeys(("input_modalities", "output_modalities", "sources"), tuple),
    **dict.fromkeys(
        ("deprecation_date", "first_seen", "last_seen", "removed_on"), date.fromisoformat
    ),
    "prices": _one(Prices, _PRICES),
    "price_history": _each(DatedPrices, {**_PRICES, "observed_on": date.fromisoformat}),
    "efforts": _one(Efforts, _EFFORTS),
    "replay": _one(Replay, {}),
    "embedding": _one(Embedding, {}),
    "alias_targets": _each(AliasTarget, {}),
    "seed_differences": _each(
        SeedDifference, dict.fromkeys(("seed_value", "value"), _tuple_if_list)
    ),
}
