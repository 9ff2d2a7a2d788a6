"""The cost of a call by the key that served it: 0 on a plan, list price on a prepaid account.

LiteLLM's cost map has one price per model, whoever pays. Every cost that LiteLLM tells, in replies,
callbacks, spend and budgets, whole and streamed, it takes from one method of a call's log
(litellm_logging.py:1894 in LiteLLM 1.108.7), so that one is answered here, for that log alone.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.catalog.billing import LIST_PRICE, list_price_usd
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.integration import compat
from litellm_synthetic.quota.header import HEADER, Payment, payment_of
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.client.request import Prepared

# The second alone in 1.102.4, and another name of the first in 1.108.
_CALCULATORS: Final = ("response_cost_calculator", "_response_cost_calculator")
# Warns of each call that costs nothing where the cost map names a price (since 1.108,
# litellm_logging.py:2061). On a plan that is as it should be.
_ZERO_COST_CHECK: Final = "_record_zero_cost_diagnostic"
_RATES: Final = ("input_cost_per_token", "output_cost_per_token")


def bill(logging_obj: Any, prepared: Prepared, headers: Mapping[str, str]) -> None:
    """Have the log of a call that was served bill it as its key pays.

    A key of which nothing is known is billed as `SYNTHETIC_BILLING` says, which the cost map does.
    So is every key where that is `list-price`.

    Args:
        logging_obj: LiteLLM's log of the call. A Router may use one for several attempts.
        prepared: the request.
        headers: those of its reply, with names in lower case.
    """
    for name in (*_CALCULATORS, _ZERO_COST_CHECK):
        vars(logging_obj).pop(name, None)
    mode = prepared.billing
    if mode == "list-price" or prepared.facts is None:
        return
    payment = _payment(prepared, headers)
    if payment is None or (payment == "prepaid" and mode == "metered"):
        return
    billed = functools.partial(_cost, weakref.ref(logging_obj), payment, prepared.facts)
    for name in _CALCULATORS:
        if hasattr(type(logging_obj), name):
            setattr(logging_obj, name, billed)
    if payment == "plan" and hasattr(type(logging_obj), _ZERO_COST_CHECK):
        setattr(logging_obj, _ZERO_COST_CHECK, _accept)


def _accept(*_: Any, **__: Any) -> None:
    """Take a cost of 0 for what it is."""


def _payment(prepared: Prepared, headers: Mapping[str, str]) -> Payment | None:
    text = headers.get(HEADER)
    if text is None:
        scope = prepared.origin.scope
        latest = None if scope is None else STATE.latest(scope)
        text = None if latest is None else latest.text
    return payment_of(text)


def _cost(
    log: weakref.ref[Any], payment: Payment, facts: Model, result: Any, *args: Any, **kwargs: Any
) -> float | None:
    """Return what LiteLLM is to bill; the list price is kept beside it."""
    logging_obj = log()
    if logging_obj is None:  # a copy of it outlived it
        return 0.0 if payment == "plan" else list_price_usd(facts, getattr(result, "usage", None))
    listed = _listed(logging_obj, result, *args, **kwargs)
    if compat.has_own_price(logging_obj) or _is_priced_by_user(facts):
        return listed
    price = list_price_usd(facts, getattr(result, "usage", None))
    if price is not None:
        logging_obj.model_call_details[LIST_PRICE] = price
    if payment == "plan":
        return None if listed is None and price is None else 0.0
    return price if price is not None and not _is_from_cache(logging_obj, args, kwargs) else listed


def _listed(logging_obj: Any, *args: Any, **kwargs: Any) -> float | None:
    """Return the cost that LiteLLM's own method tells."""
    kind = type(logging_obj)
    calculate = next(getattr(kind, name) for name in _CALCULATORS if hasattr(kind, name))
    cost: float | None = calculate(logging_obj, *args, **kwargs)
    return cost


def _is_from_cache(logging_obj: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    hit = kwargs.get("cache_hit", args[0] if args else None)
    return bool(logging_obj.model_call_details.get("cache_hit") if hit is None else hit)


def _is_priced_by_user(facts: Model) -> bool:
    """Tell whether somebody has set another price in the cost map; a user's fields win there."""
    row = litellm.model_cost.get(ROUTE_PREFIX + facts.id) or {}
    listed = (facts.prices.input_usd_per_token, facts.prices.output_usd_per_token)
    return any(
        row.get(name) not in {None, 0.0, None if rate is None else float(rate)}
        for name, rate in zip(_RATES, listed, strict=True)
    )
