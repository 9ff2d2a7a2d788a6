"""Figures written for people: prices per million tokens, counts, ages, sparklines."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from litellm_synthetic.catalog.active import ModelTable

UNKNOWN: Final = "-"
"""The sign for an unknown fact, so that no cell of a table is empty."""

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
ASCII: Final = " .:-=+*#"

_MILLION_EXPONENT: Final = 6
_MIN_DECIMALS: Final = 2
_KIBI: Final = 1024
_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 86400
# Prices and aliases moved about once a week in 2026; see docs/models.md.
OLD_SECONDS: Final = 7 * _DAY_SECONDS
_MAX_IN_MINUTES: Final = 90 * _MINUTE_SECONDS
_MAX_IN_HOURS: Final = 2 * _DAY_SECONDS


def plain_decimal(number: Decimal) -> str:
    """Return an exact decimal without an exponent: 6E-7 is `0.0000006`."""
    return format(number, "f")


def usd_per_million(usd_per_token: Decimal | None) -> str:
    """Return a price per token as USD per million tokens: exact, with two decimals or more."""
    if usd_per_token is None:
        return UNKNOWN
    sign, digits, exponent = usd_per_token.as_tuple()
    if not isinstance(exponent, int):  # infinite or not a number: the models refuse both
        return UNKNOWN
    # Multiplying would round to the precision of the decimal context.
    shifted = plain_decimal(Decimal((sign, digits, exponent + _MILLION_EXPONENT)))
    whole, _, decimals = shifted.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(_MIN_DECIMALS, '0')}"


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
    if seconds < _MAX_IN_MINUTES:
        return f"{round(seconds / _MINUTE_SECONDS)} min ago"
    if seconds < _MAX_IN_HOURS:
        return f"{round(seconds / _HOUR_SECONDS)} h ago"
    return f"{round(seconds / _DAY_SECONDS)} days ago"


def provenance(table: ModelTable) -> str:
    """Return where a table is from and how old it is: `fetched 3 h ago from https://…`."""
    age_seconds = table.age_seconds()
    if age_seconds is None:
        return f"facts of {table.catalog.observed_on}, bundled with the package"
    return f"fetched {age(age_seconds)} from {table.base_url}"


def age_of_facts(table: ModelTable, now: datetime) -> float:
    """Return how long ago anybody looked at the model list, in seconds."""
    age_seconds = table.age_seconds(now)
    if age_seconds is not None:
        return age_seconds
    observed_on = datetime.combine(table.catalog.observed_on, datetime.min.time(), UTC)
    return max(0.0, (now - observed_on).total_seconds())


def remedy_for_age(table: ModelTable) -> str | None:
    """Return what renews facts that are old; None where they are not."""
    age_seconds = age_of_facts(table, datetime.now(UTC))
    if age_seconds < OLD_SECONDS:
        return None
    days = round(age_seconds / _DAY_SECONDS)
    return f"These facts are {days} days old; litellm-synthetic refresh renews them."


def sparkline(
    prices: Mapping[date, Decimal], start: date, end: date, columns: int, ramp: str
) -> str:
    """Draw a price over time in one row, in proportion from zero.

    A price lasts until the next one. Of several in one column the highest is drawn, so that a short
    rise is not lost; before the first the row is empty.

    Args:
        prices: USD per token by date, at least one.
        start: the date of the first column.
        end: that of the last.
        columns: characters of the row.
        ramp: the characters from empty to full: `BLOCKS` or `ASCII`.
    """
    shown = [Decimal(0)] * columns
    scale = (columns - 1) / max((end - start).days, 1)
    for day, following in pairwise([*sorted(prices), end]):
        first, last = (round((each - start).days * scale) for each in (day, following))
        for column in range(first, last + 1):
            shown[column] = max(shown[column], prices[day])
    top = max(prices.values()) or 1
    # Rounded up: a price that is not zero is never drawn as if it were.
    return "".join(ramp[ceil(price / top * (len(ramp) - 1))] for price in shown)


def without_class_names(message: str) -> str:
    """Return an exception's message without the names of classes that LiteLLM puts in front."""
    name, colon, rest = message.partition(": ")
    while colon and (name.isidentifier() or name.startswith("litellm.")):
        message = rest
        name, colon, rest = message.partition(": ")
    return message


def split_message(message: str) -> tuple[str, str]:
    """Split one of this package's error messages into what happened and what fixes it.

    What happened is the first sentence, which may quote an upstream with sentences of its own.
    """
    message = without_class_names(message)
    after_quote = message.find('". ')
    end = after_quote + 1 if after_quote >= 0 else message.find(". ")
    if end < 0:
        return message, "Try again; if it stays, see the service's status at https://synthetic.new."
    return message[: end + 1], message[end + 2 :]
