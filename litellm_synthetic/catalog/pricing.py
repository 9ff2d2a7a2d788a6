"""Read the `pricing` of a listed model; a price with an unreadable part stays unknown.

Synthetic's list follows OpenRouter's format for providers. Of that format's documentation (2025)
come the prices per request and per image, and prices by context length: `pricing` as a list whose
first entry is the base price and whose others begin at `min_context` prompt tokens. Synthetic has
shown neither so far. `pricing.tiers` is announced without a shape, so the plausible ones are read:
entries that begin at a number of prompt tokens, or end at one.

What a call costs beyond that, LiteLLM could not charge: it multiplies a price per request or image
with counts that no reply of Synthetic's states. A model with such a price, or with one that nobody
here knows, therefore has no known price at all, instead of one that is too low.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from litellm_synthetic.catalog.models import PriceTier

MAX_TOKENS: Final = 100_000_000
# The dearest model on the market is below $0.001 per token. A figure from here on is a price per
# million tokens, or no price.
MAX_USD_PER_TOKEN: Final = Decimal("0.01")
# One dollar for 10^12 tokens: less than that is a slip in the exponent.
MIN_USD_PER_TOKEN: Final = Decimal("1e-12")
MAX_TIERS: Final = 16

_PRICE: Final = re.compile(
    r"\$?((?:\d{1,12}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?)", re.ASCII
)
_MAX_CHARACTERS: Final = 40
_MAX_SHOWN_CHARACTERS: Final = 32
# Synthetic's own names, and OpenRouter's for the same.
_FIELDS: Final[Mapping[str, str]] = {
    "prompt": "input_usd_per_token",
    "completion": "output_usd_per_token",
    "input_cache_reads": "cache_read_usd_per_token",
    "input_cache_read": "cache_read_usd_per_token",
    "input_cache_writes": "cache_write_usd_per_token",
    "input_cache_write": "cache_write_usd_per_token",
}
PRICE_FIELDS: Final = tuple(dict.fromkeys(_FIELDS.values()))
_TIERS: Final = "tiers"
# The first prompt token count of a tier. Whether a count is meant to be part of the tier makes a
# difference of one token.
_FROM: Final = ("min_context", "min_context_length", "min_prompt_tokens", "min_tokens", "threshold")
# The last prompt token count of a tier.
_UP_TO: Final = ("max_context", "max_context_length", "max_prompt_tokens", "max_tokens", "up_to")
_NOT_CHARGED: Final = "LiteLLM cannot charge it, so the price of the model is unknown"


@dataclass(frozen=True, slots=True)
class Pricing:
    """The prices that a row states.

    Attributes:
        prices: the stated fields of `catalog.Prices` but for the tiers, in USD per token; None
            where they are unknown.
        tiers: the prices of long prompts, the shortest first; None where the row states no price.
        problems: by field of the row, why it could not be read.
    """

    prices: Mapping[str, Decimal | None] = field(default_factory=dict)
    tiers: tuple[PriceTier, ...] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


class _UnreadableError(Exception):
    """The field that makes the prices of a row unknown, and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


def read_pricing(document: object) -> Pricing:
    """Read the `pricing` of a row; null and an empty object state nothing.

    Prices are USD per token, as text with or without `$`, or as JSON numbers. One that is negative,
    infinite or unbelievable is unknown, never 0. Where the row states a price that LiteLLM cannot
    charge, or one of an unknown kind, all of its prices are unknown.
    """
    if document is None or document == {}:
        return Pricing()
    problems: dict[str, str] = {}
    try:
        base, stated_tiers = _parts(document)
        prices = _prices(base, problems)
        tiers = _tiers(prices, stated_tiers)
    except _UnreadableError as error:
        return Pricing(dict.fromkeys(PRICE_FIELDS), (), {**problems, error.name: str(error)})
    states_price = bool(prices or tiers)
    return Pricing(prices, tiers if states_price else None, problems)


def _parts(document: object) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """Return the base prices and the entries of the tiers."""
    if isinstance(document, Mapping):
        tiers = document.get(_TIERS) or ()
        if not isinstance(tiers, list | tuple):
            raise _UnreadableError(f"pricing.{_TIERS}", "not a list of prices by prompt length")
        return {name: value for name, value in document.items() if name != _TIERS}, tiers
    if isinstance(document, list) and document and isinstance(document[0], Mapping):
        return {}, document
    raise _UnreadableError("pricing", "not an object of prices")


def _prices(fields: Mapping[str, Any], problems: dict[str, str]) -> dict[str, Decimal | None]:
    prices: dict[str, Decimal | None] = {}
    for name, value in fields.items():
        field_name = _FIELDS.get(name)
        if field_name is None:
            _check_free(name, value)
        elif value is not None:
            try:
                price = _price(value)
            except ValueError as error:
                price, problems[name] = None, str(error)
            if prices.setdefault(field_name, price) != price:
                prices[field_name] = None
                problems[name] = "it contradicts another field"
    return prices


def _check_free(name: str, value: object) -> None:
    """Accept what costs nothing; anything else of an unknown kind might cost something."""
    if value in (None, False, "", [], {}):
        return
    if name == "currency" and isinstance(value, str) and value.upper() == "USD":
        return
    try:
        if _decimal(value) == 0:
            return
    except ValueError:
        pass
    what = f"a price per {name}" if name in ("request", "image") else "a price of an unknown kind"
    shown_name = ascii(name[:_MAX_SHOWN_CHARACTERS])[1:-1]
    raise _UnreadableError(f"pricing.{shown_name}", f"{what}; {_NOT_CHARGED}")


def _decimal(value: object) -> Decimal:
    is_number = isinstance(value, str | Decimal | int) and not isinstance(value, bool)
    text = str(value) if is_number else ""
    match = _PRICE.fullmatch(text.strip()) if len(text) <= _MAX_CHARACTERS else None
    if match is None:
        raise ValueError("not a price such as $0.0000006")
    return Decimal(match[1])


def _price(value: object) -> Decimal:
    price = _decimal(value)
    if price and not MIN_USD_PER_TOKEN <= price < MAX_USD_PER_TOKEN:
        raise ValueError("not a believable price in USD per token")
    return price.normalize()


# ---- prices of long prompts


def _tiers(base: dict[str, Decimal | None], entries: Sequence[Any]) -> tuple[PriceTier, ...]:
    """Return the tiers above the base prices, which an entry from 0 on may state instead.

    A tier is taken to price the whole request, answer included, as OpenRouter and LiteLLM have it.
    """
    if not entries:
        return ()
    if len(entries) > MAX_TIERS:
        raise _unreadable_tiers(f"more than {MAX_TIERS} of them")
    begins: dict[int, dict[str, Decimal | None]] = {}
    for first, prices in _from_on(entries):
        if first in begins:
            raise _unreadable_tiers("two begin at the same length")
        begins[first] = prices
    for name, price in begins.pop(0, {}).items():
        if base.setdefault(name, price) != price:
            raise _unreadable_tiers("they contradict the price of short prompts")
    return tuple(_tier(first, begins[first], base) for first in sorted(begins))


def _from_on(entries: Sequence[Any]) -> list[tuple[int, dict[str, Decimal | None]]]:
    """Return each entry's first prompt token count, 0 for short prompts, and its prices."""
    rows = [_entry(each) for each in entries]
    if all(first is not None for first, _, _ in rows):
        return [(first or 0, prices) for first, _, prices in rows]
    if any(first is not None for first, _, _ in rows):
        # One entry without a beginning is for short prompts.
        if sum(first is None for first, _, _ in rows) > 1:
            raise _unreadable_tiers("it is not said where each begins")
        return [(first or 0, prices) for first, _, prices in rows]
    # Each ends somewhere; at most one, for the longest prompts, does not.
    by_limit = sorted(rows, key=lambda each: MAX_TOKENS if each[1] is None else each[1])
    if any(last is None for _, last, _ in by_limit[:-1]):
        raise _unreadable_tiers("it is not said where each begins")
    ends = [last or 0 for _, last, _ in by_limit[:-1]]
    firsts = (0, *(end + 1 for end in ends))
    return [(first, prices) for first, (_, _, prices) in zip(firsts, by_limit, strict=True)]


def _entry(fields: object) -> tuple[int | None, int | None, dict[str, Decimal | None]]:
    if not isinstance(fields, Mapping):
        raise _unreadable_tiers("one is not an object")
    first, last = _count(fields, _FROM), _count(fields, _UP_TO)
    problems: dict[str, str] = {}
    rest = {name: each for name, each in fields.items() if name not in (*_FROM, *_UP_TO)}
    prices = _prices(rest, problems)
    if problems:
        raise _unreadable_tiers(next(iter(problems.values())))
    # A tier from the first token on is what short prompts cost.
    return (0 if first == 1 else first), last, prices


def _count(fields: Mapping[str, Any], names: Sequence[str]) -> int | None:
    counts = {fields[name] for name in names if _is_count(fields.get(name))}
    others = [name for name in names if fields.get(name) is not None]
    if len(counts) > 1 or (others and not counts):
        raise _unreadable_tiers("a length is not a number of tokens")
    return next(iter(counts), None)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS


def _tier(
    first: int, prices: Mapping[str, Decimal | None], base: Mapping[str, Decimal | None]
) -> PriceTier:
    """Return a tier; prices of input and output that it leaves out are those of short prompts."""
    input_price = prices.get("input_usd_per_token", base.get("input_usd_per_token"))
    output_price = prices.get("output_usd_per_token", base.get("output_usd_per_token"))
    if input_price is None or output_price is None:
        raise _unreadable_tiers("the price of one is unknown")
    # A discount on another price than the one it belongs to would be made up.
    base_prices = base if input_price == base.get("input_usd_per_token") else {}
    return PriceTier(
        min_prompt_tokens=first,
        input_usd_per_token=input_price,
        output_usd_per_token=output_price,
        cache_read_usd_per_token=prices.get(
            "cache_read_usd_per_token", base_prices.get("cache_read_usd_per_token")
        ),
        cache_write_usd_per_token=prices.get(
            "cache_write_usd_per_token", base_prices.get("cache_write_usd_per_token")
        ),
    )


def _unreadable_tiers(reason: str) -> _UnreadableError:
    return _UnreadableError(f"pricing.{_TIERS}", f"{reason}, so the price of the model is unknown")
