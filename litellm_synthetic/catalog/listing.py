"""Read the reply of `GET /models` row by row; a figure that is not a number stays unknown.

The shape follows the complete list of 2026-01-30 and the entries seen until 2026-10. Every field
but the id is optional. A row states a field, leaves it out (null and an empty list count as left
out: they say nothing), or states it in a form that cannot be read, which makes it unknown.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

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

from litellm_synthetic.catalog.models import EFFORT_SCALE, PriceTier
from litellm_synthetic.catalog.pricing import read_pricing
from litellm_synthetic.catalog.table import SkippedRow
from litellm_synthetic.config.ids import ALIAS_SCHEME, HUGGING_FACE_SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROWS: Final = 5_000
MAX_TOKENS_OF_A_LIMIT: Final = 100_000_000
# 2000 to 2100: milliseconds, or a number of something else, lie outside.
MIN_UNIX_TIME: Final = 946_684_800
MAX_UNIX_TIME: Final = 4_102_444_800
_MAX_DIGITS: Final = 40
_MAX_SHOWN_CHARACTERS: Final = 60
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
    """A reply has no usable list of models; the message says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class UnreadableField:
    """A field of a listed model that could not be read, so that it counts as unknown."""

    id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListedModel:
    """The facts that one row of the list states.

    Attributes:
        id: the id, spelt as Synthetic spells it.
        target: of an alias, the id that it serves; None where the row does not say.
        facts: the stated fields of `catalog.Model`, None where they could not be read.
        prices: the same for the fields of `catalog.Prices`, in USD per token, but for the tiers.
        price_tiers: the prices of long prompts; None where the row states no price.
        efforts: the efforts that the row advertises.
        states_efforts: whether the row says anything about efforts, readable or not.
        deprecated: whether the row is marked so.
        deprecation_date: from when on the model may be gone; None where the row does not say.
    """

    id: str
    target: str | None
    facts: dict[str, Any]
    prices: Mapping[str, Decimal | None]
    price_tiers: tuple[PriceTier, ...] | None
    efforts: tuple[str, ...] | None
    states_efforts: bool
    deprecated: bool
    deprecation_date: date | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of models as it was served.

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


def _hugging_face_id(value: object) -> str:
    name = value.removeprefix(HUGGING_FACE_SCHEME) if isinstance(value, str) else ""
    if _HUGGING_FACE_NAME.fullmatch(name) is None:
        raise ValueError("not a name such as owner/name")
    return HUGGING_FACE_SCHEME + name


def _date(value: object) -> date:
    """Read an ISO date or time, or a Unix time in seconds."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    try:
        if isinstance(value, str) and len(value) <= _MAX_DIGITS:
            return datetime.fromisoformat(value.strip()).date()
        if is_number and MIN_UNIX_TIME <= value <= MAX_UNIX_TIME:  # type: ignore[operator]  # is_number
            return datetime.fromtimestamp(int(value), UTC).date()  # type: ignore[call-overload]  # as above
    except ValueError:
        pass
    raise ValueError("not a date such as 2026-12-31")


_Soft = WrapValidator(_unreadable_is_unknown)
_Word = Annotated[
    str, StringConstraints(strict=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")
]
_Date = Annotated[date, BeforeValidator(_date)]
_Words = Annotated[list[_Word], Field(max_length=64)]
_SoftWords = Annotated[_Words | None, _Soft]
_SoftLimit = Annotated[
    Annotated[int, Field(strict=True, gt=0, le=MAX_TOKENS_OF_A_LIMIT)] | None, _Soft
]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Reasoning(_Wire):
    efforts: _SoftWords = None


class _Row(_Wire):
    context_length: _SoftLimit = None
    max_output_length: _SoftLimit = None
    input_modalities: _SoftWords = None
    output_modalities: _SoftWords = None
    supported_features: _SoftWords = None
    reasoning_parameters: Annotated[_Reasoning | None, _Soft] = None
    hugging_face_id: Annotated[Annotated[str, BeforeValidator(_hugging_face_id)] | None, _Soft] = (
        None
    )
    deprecated: Annotated[StrictBool | _Date | None, _Soft] = None
    deprecation_date: Annotated[_Date | None, _Soft] = None
    deprecated_at: Annotated[_Date | None, _Soft] = None
    expiration_date: Annotated[_Date | None, _Soft] = None
    retirement_date: Annotated[_Date | None, _Soft] = None
    sunset_date: Annotated[_Date | None, _Soft] = None


# The first is the name in OpenRouter's format for providers, which Synthetic's list follows; no
# date has been seen in it so far, and the others are what other lists call it.
_DEPRECATION_DATES: Final = (
    "deprecation_date",
    "deprecated_at",
    "deprecated",
    "expiration_date",
    "retirement_date",
    "sunset_date",
)


def parse_listing(body: bytes) -> Listing:
    """Read the body of a model list.

    Limits are whole numbers from 1 to 100,000,000 tokens; see `pricing.read_pricing` for prices.
    Digits of JSON numbers are taken as they are written. Of rows with the same id the first counts.

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
            shown_id = ascii(model_id[:_MAX_SHOWN_CHARACTERS])[1:-1]
            skipped.append(SkippedRow(index=index, id=shown_id, reason=reason))
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
        raise UnusableListError("the reply is not JSON") from None
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise UnusableListError("the reply has no list of models under `data`")
    if len(rows) > MAX_ROWS:
        raise UnusableListError(f"the list has more than {MAX_ROWS:,} rows")
    return rows


def _whole_number(digits: str) -> int | float:
    # Python refuses to read very long ones, which would cost the whole list for one figure.
    return int(digits) if len(digits) <= _MAX_DIGITS else math.nan


def _exact(digits: str) -> Decimal | float:
    return Decimal(digits) if len(digits) <= _MAX_DIGITS else math.nan


def _no_number(_name: str) -> float:
    # NaN and Infinity are not JSON, but Python's own writer produces them.
    return math.nan


def _listed(model_id: str, row: dict[str, Any]) -> tuple[ListedModel, dict[str, str]]:
    problems: dict[str, str] = {}
    fields = _Row.model_validate(row, context=problems)
    facts = {
        ours: value
        for ours, theirs, value in (
            ("context_window_tokens", "context_length", fields.context_length),
            ("max_output_tokens", "max_output_length", fields.max_output_length),
            ("input_modalities", "input_modalities", _distinct(fields.input_modalities)),
            ("output_modalities", "output_modalities", _distinct(fields.output_modalities)),
        )
        if value is not None or theirs in problems
    }
    if fields.supported_features or "supported_features" in problems:
        facts |= {
            field: None if fields.supported_features is None else word in fields.supported_features
            for word, field in _FEATURES.items()
        }
    reasoning = fields.reasoning_parameters or _Reasoning()
    pricing = read_pricing(row.get("pricing"))
    efforts = _distinct(reasoning.efforts)
    model = ListedModel(
        id=model_id,
        target=fields.hugging_face_id if model_id.startswith(ALIAS_SCHEME) else None,
        facts=facts,
        prices=pricing.prices,
        price_tiers=pricing.tiers,
        efforts=None if efforts is None else tuple(sorted(efforts, key=_place)),
        states_efforts=efforts is not None or bool(problems.keys() & _EFFORT_FIELDS),
        deprecated=fields.deprecated is True or isinstance(fields.deprecated, date),
        deprecation_date=_first_date(fields),
    )
    return model, {**problems, **pricing.problems}


def _first_date(fields: _Row) -> date | None:
    dates = (getattr(fields, name) for name in _DEPRECATION_DATES)
    return next((each for each in dates if isinstance(each, date)), None)


_EFFORT_FIELDS: Final = frozenset(("efforts", "reasoning_parameters"))


def _distinct(words: list[str] | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(words)) if words else None


def _place(effort: str) -> tuple[int, str]:
    return _ON_SCALE.get(effort, len(_ON_SCALE)), effort
