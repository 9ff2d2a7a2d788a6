"""How figures are written for people: prices per million tokens, counts, ages."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_synthetic.catalog.active import ModelTable

UNKNOWN: Final = "-"
"""What stands for a fact that is not known, so that no cell of a table is empty."""

_MILLION_EXPONENT: Final = 6
_FEWEST_DECIMALS: Final = 2
_KIBI: Final = 1024
_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 86400
_LONGEST_IN_MINUTES: Final = 90 * _MINUTE_SECONDS
_LONGEST_IN_HOURS: Final = 2 * _DAY_SECONDS


def plain_decimal(number: Decimal) -> str:
    """Return an exact decimal without an exponent: 6E-7 is `0.0000006`."""
    return format(number, "f")


def usd_per_million(usd_per_token: Decimal | None) -> str:
    """Return a price per token as USD per million tokens: exact, with two decimals or more."""
    if usd_per_token is None:
        return UNKNOWN
    sign, digits, exponent = usd_per_token.as_tuple()
    if not isinstance(exponent, int):  # infinite or no number at all: the models refuse both
        return UNKNOWN
    # Multiplying would round to the precision of the decimal context.
    shifted = plain_decimal(Decimal((sign, digits, exponent + _MILLION_EXPONENT)))
    whole, _, decimals = shifted.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(_FEWEST_DECIMALS, '0')}"


def tokens(count: int | None) -> str:
    """Return a count of tokens with thousands separated: `524,288`."""
    return UNKNOWN if count is None else f"{count:,}"


def short_tokens(count: int | None) -> str:
    """Return a count in Ki (1024) where that is exact, else in digits: `512Ki`, `128000`."""
    if count is None:
        return UNKNOWN
    return f"{count // _KIBI}Ki" if count % _KIBI == 0 else str(count)


def age(seconds: float) -> str:
    """Return how long ago something was: `just now`, `12 min ago`, `3 h ago`, `5 days ago`."""
    if seconds < _MINUTE_SECONDS:
        return "just now"
    if seconds < _LONGEST_IN_MINUTES:
        return f"{round(seconds / _MINUTE_SECONDS)} min ago"
    if seconds < _LONGEST_IN_HOURS:
        return f"{round(seconds / _HOUR_SECONDS)} h ago"
    return f"{round(seconds / _DAY_SECONDS)} days ago"


def provenance(table: ModelTable) -> str:
    """Return where a table is from and how old it is: `fetched 3 h ago from https://…`."""
    age_seconds = table.age_seconds()
    if age_seconds is None:
        return f"facts of {table.catalog.observed_on}, bundled with the package"
    return f"fetched {age(age_seconds)} from {table.base_url}"
