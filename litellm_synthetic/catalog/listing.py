"""Read what `GET /models` answers: row by row, believing no figure that isn't one.

The shape follows the complete list of 2026-01-30 and the entries seen until 2026-10. Every field
but the id is optional. A row states a field, leaves it out (null and an empty list count as left
out: they say nothing), or states it in a form that cannot be read, which makes it unknown.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from litellm_synthetic.catalog.models import EFFORT_SCALE, SkippedRow
from litellm_synthetic.config.ids import ALIAS_SCHEME, HUGGING_FACE_SCHEME

MAX_ROWS: Final = 5_000
MAX_TOKENS_OF_A_LIMIT: Final = 100_000_000
# The dearest model on the market is below $0.001 per token. A figure from here on is a price per
# million tokens, or no price.
MAX_USD_PER_TOKEN: Final = Decimal("0.01")
# One dollar for 10^12 tokens: less than that is a slip in the exponent.
MIN_USD_PER_TOKEN: Final = Decimal("1e-12")

_PRICE: Final = re.compile(
    r"\$?((?:\d{1,12}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?)", re.ASCII
)
_LONGEST_NUMBER: Final = 40
_LONGEST_SHOWN: Final = 60
_ID: Final = re.compile(r"[a-z][a-z0-9]{0,15}:[A-Za-z0-9_.:/@+~-]{1,240}")
_HUGGING_FACE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}/[A-Za-z0-9_.-]{1,120}")
_ON_SCALE: Final = {effort: place for place, effort in enumerate(EFFORT_SCALE)}
# What each word in `supported_features` says about a model.
_FEATURES: Final = {
    "tools": "tools",
    "reasoning": "reasoning",
    "json_mode": "json_mode",
    "structured_outputs": "structured_outputs",
}


class UnusableListError(ValueError):
    """Say why a reply holds no list of models that could be used; it repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class UnreadableField:
    """Say which field of a listed model could not be read, so that it counts as unknown."""

    id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListedModel:
    """Hold what one row of the list states.

    Attributes:
        id: the id, spelt as Synthetic spells it.
        target: of an alias, the id that it serves; None where the row does not say.
        facts: the stated fields of `catalog.Model`, None where they could not be read.
        prices: the same for the fields of `catalog.Prices`, in USD per token.
        efforts: the efforts that the row advertises.
        states_efforts: whether the row says anything about efforts, readable or not.
        deprecated: whether the row is marked so.
    """

    id: str
    target: str | None
    facts: dict[str, Any]
    prices: dict[str, Decimal | None]
    efforts: tuple[str, ...] | None
    states_efforts: bool
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Hold a list of models as it was served.

    Attributes:
        models: the usable rows, in the order of the list, each id once.
        skipped: the rows that were left out.
        unreadable: the fields of usable rows that count as unknown.
        is_whole: whether each row told its id. If not, an id that seems to be missing may be in a
            row that could not be read.
    """

    models: tuple[ListedModel, ...]
    skipped: tuple[SkippedRow, ...]
    unreadable: tuple[UnreadableField, ...]
    is_whole: bool


def _unreadable_is_unknown(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object:
    if value is None:
        return None
    try:
        return handler(value)
    except ValidationError as error:
        (reason, *_) = error.errors(include_url=False, include_context=False, include_input=False)
        problems: dict[str | None, str] = info.context  # type: ignore[assignment]  # given below
        problems[info.field_name] = reason["msg"].removeprefix("Value error, ")
        return None


def _price(value: object) -> Decimal:
    is_number = isinstance(value, str | Decimal | int) and not isinstance(value, bool)
    text = str(value) if is_number else ""
    found = _PRICE.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    if found is None:
        raise ValueError("not a price such as $0.0000006")
    price = Decimal(found[1])
    if price and not MIN_USD_PER_TOKEN <= price < MAX_USD_PER_TOKEN:
        raise ValueError("not a believable price in USD per token")
    return price.normalize()


def _hugging_face_id(value: object) -> str:
    name = value.removeprefix(HUGGING_FACE_SCHEME) if isinstance(value, str) else ""
    if _HUGGING_FACE_NAME.fullmatch(name) is None:
        raise ValueError("not a name such as owner/name")
    return HUGGING_FACE_SCHEME + name


_Soft = WrapValidator(_unreadable_is_unknown)
_Word = Annotated[
    str, StringConstraints(strict=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")
]
_Words = Annotated[list[_Word], Field(max_length=64)]
_SoftWords = Annotated[_Words | None, _Soft]
_SoftLimit = Annotated[
    Annotated[int, Field(strict=True, gt=0, le=MAX_TOKENS_OF_A_LIMIT)] | None, _Soft
]
_SoftPrice = Annotated[Annotated[Decimal, BeforeValidator(_price)] | None, _Soft]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Pricing(_Wire):
    prompt: _SoftPrice = None
    completion: _SoftPrice = None
    input_cache_reads: _SoftPrice = None
    input_cache_writes: _SoftPrice = None


class _Reasoning(_Wire):
    efforts: _SoftWords = None


class _Row(_Wire):
    context_length: _SoftLimit = None
    max_output_length: _SoftLimit = None
    input_modalities: _SoftWords = None
    output_modalities: _SoftWords = None
    supported_features: _SoftWords = None
    pricing: Annotated[_Pricing | None, _Soft] = None
    reasoning_parameters: Annotated[_Reasoning | None, _Soft] = None
    hugging_face_id: Annotated[Annotated[str, BeforeValidator(_hugging_face_id)] | None, _Soft] = (
        None
    )
    deprecated: Annotated[StrictBool | None, _Soft] = None


_PRICES: Final = {
    "prompt": "input_usd_per_token",
    "completion": "output_usd_per_token",
    "input_cache_reads": "cache_read_usd_per_token",
    "input_cache_writes": "cache_write_usd_per_token",
}


def parse_listing(body: bytes) -> Listing:
    """Read the body of a model list.

    Limits are whole numbers from 1 to 100,000,000 tokens. Prices are USD per token, as text with or
    without `$`, or as JSON numbers, whose digits are taken as they are written; what is negative,
    infinite or unbelievable is unknown, never 0. Of rows with the same id the first counts.

    Raises:
        UnusableListError: no JSON, no list of models, more than 5,000 rows, or none that is usable.
    """
    models: dict[str, ListedModel] = {}
    skipped: list[SkippedRow] = []
    unreadable: list[UnreadableField] = []
    is_whole = True
    for index, row in enumerate(_rows(body)):
        model_id = row.get("id") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(model_id, str):
            is_whole = False
            reason = "the row has no id" if isinstance(row, dict) else "not an object"
            skipped.append(SkippedRow(index=index, id=None, reason=reason))
        elif _ID.fullmatch(model_id) is None:
            reason = "the id is none that could be called, such as hf:owner/name"
            shown = ascii(model_id[:_LONGEST_SHOWN])[1:-1]
            skipped.append(SkippedRow(index=index, id=shown, reason=reason))
        elif model_id in models:
            reason = "the id is there already"
            skipped.append(SkippedRow(index=index, id=model_id, reason=reason))
        else:
            models[model_id], problems = _listed(model_id, row)
            unreadable += [UnreadableField(model_id, *problem) for problem in problems.items()]
    if not models:
        raise UnusableListError("the list has no usable row")
    return Listing(tuple(models.values()), tuple(skipped), tuple(unreadable), is_whole)


def _rows(body: bytes) -> list[object]:
    try:
        document = json.loads(
            body, parse_int=_whole_number, parse_float=_exact, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise UnusableListError("the reply is no JSON") from None
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise UnusableListError("the reply has no list of models under `data`")
    if len(rows) > MAX_ROWS:
        raise UnusableListError(f"the list has more than {MAX_ROWS:,} rows")
    return rows


def _whole_number(digits: str) -> int | float:
    # Python refuses to read very long ones, which would cost the whole list for one figure.
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.nan


def _exact(digits: str) -> Decimal | float:
    return Decimal(digits) if len(digits) <= _LONGEST_NUMBER else math.nan


def _no_number(_name: str) -> float:
    # NaN and Infinity are no JSON, but Python's own writer produces them.
    return math.nan


def _listed(model_id: str, row: dict[str, Any]) -> tuple[ListedModel, dict[str, str]]:
    problems: dict[str, str] = {}
    read = _Row.model_validate(row, context=problems)
    facts = {
        ours: value
        for ours, theirs, value in (
            ("context_window_tokens", "context_length", read.context_length),
            ("max_output_tokens", "max_output_length", read.max_output_length),
            ("input_modalities", "input_modalities", _distinct(read.input_modalities)),
            ("output_modalities", "output_modalities", _distinct(read.output_modalities)),
        )
        if value is not None or theirs in problems
    }
    if read.supported_features or "supported_features" in problems:
        facts |= {
            field: None if read.supported_features is None else word in read.supported_features
            for word, field in _FEATURES.items()
        }
    pricing, reasoning = read.pricing or _Pricing(), read.reasoning_parameters or _Reasoning()
    prices = {
        ours: getattr(pricing, theirs)
        for theirs, ours in _PRICES.items()
        if getattr(pricing, theirs) is not None or theirs in problems or "pricing" in problems
    }
    efforts = _distinct(reasoning.efforts)
    listed = ListedModel(
        id=model_id,
        target=read.hugging_face_id if model_id.startswith(ALIAS_SCHEME) else None,
        facts=facts,
        prices=prices,
        efforts=None if efforts is None else tuple(sorted(efforts, key=_place)),
        states_efforts=efforts is not None or bool(problems.keys() & _EFFORT_FIELDS),
        deprecated=read.deprecated is True,
    )
    return listed, problems


_EFFORT_FIELDS: Final = frozenset(("efforts", "reasoning_parameters"))


def _distinct(words: list[str] | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(words)) if words else None


def _place(effort: str) -> tuple[int, str]:
    return _ON_SCALE.get(effort, len(_ON_SCALE)), effort
