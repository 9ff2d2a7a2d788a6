"""The price of a plain call of ours, by the rates that LiteLLM was seen to apply to the one before.

LiteLLM looks up and compares some two hundred fields of a model for each price
(cost_calculator.py:1519 in 1.108.7), which takes a tenth of a call. Here the first call of each
kind is priced by LiteLLM itself, and a sum of tokens times rates is held against what came out,
the breakdown for its logs included. Only where every figure is equal are the next ones summed up
here. What a price may also hang on, such as discounts, margins, a deployment's own price, tiers,
service tiers or built-in tools, is left to LiteLLM.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.integration.seams import Seams

_CALL_TYPES: Final = frozenset(("completion", "acompletion", "anthropic_messages"))
# What may be said of a call without changing how its tokens are priced.
_WITHOUT_PRICE: Final = frozenset(
    (
        "call_type", "completion_response", "custom_llm_provider", "litellm_logging_obj", "model",
        "optional_params", "prompt", "router_model_id", "standard_built_in_tools_params",
    )
)  # fmt: skip  # one set, read as one
_RATES: Final = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
# Nothing is charged by it in a plain call: Synthetic reports no tokens that were written.
_UNUSED_RATES: Final = ("cache_creation_input_token_cost",)
# A row that says more of these than the rates is priced by LiteLLM.
_PRICE_WORDS: Final = ("cost", "pric", "multiplier", "uplift", "provider_specific")
_CACHED, _REASONING, _TEXT = "cached_tokens", "reasoning_tokens", "text_tokens"
_DETAILS: Final = ("prompt_tokens_details", "completion_tokens_details")
_USAGE_FIELDS: Final = frozenset(("prompt_tokens", "completion_tokens", "total_tokens", *_DETAILS))
# What a message may carry that LiteLLM reads as the use of a built-in tool.
_OF_TOOLS: Final = ("annotations", "images", "audio")
# Kinds of calls differ by model and by whether tokens were cached or reasoned.
_MAX_KINDS: Final = 256


class _Tokens(NamedTuple):
    """The tokens of a plain call, by rate, and which details its usage has.

    LiteLLM counts the text in the usage of a stream that it has put together.
    """

    prompt: int
    completion: int
    cached: int
    reasoning: int
    has_details: tuple[bool, ...]
    has_text: bool
    model: str | None

    @property
    def kind(self) -> tuple[Any, ...]:
        """Return what decides how LiteLLM adds them up."""
        return self.cached > 0, self.reasoning > 0, self.has_details, self.has_text, self.model

    def figures(self, rates: tuple[float, float, float]) -> dict[str, Any]:
        """Return the figures of the breakdown that hang on the tokens, in USD."""
        per_input, per_output, per_cached = rates
        cached = float(self.cached) * per_cached
        reasoning = float(self.reasoning) * per_output
        of_input = float(self.prompt - self.cached) * per_input + cached
        of_output = float(self.completion - self.reasoning) * per_output + reasoning
        total = of_input + of_output
        return {
            "input_cost": of_input,
            "output_cost": of_output,
            "total_cost": total,
            "original_cost": total,
            "cache_read_cost": cached,
            "reasoning_cost": reasoning,
        }


class _Unread(NamedTuple):
    """A stream that has just been opened: LiteLLM prices it too, before anything is known of it."""

    type: type

    @property
    def kind(self) -> tuple[Any, ...]:
        """Return what decides how LiteLLM adds up nothing."""
        return (self.type,)

    def figures(self, rates: tuple[float, float, float]) -> dict[str, Any]:
        """Return the figures of the breakdown: no tokens, so no cost, whatever the rates."""
        del rates
        return dict.fromkeys(("input_cost", "output_cost", "total_cost", "original_cost"), 0.0)


class _Known(NamedTuple):
    """What was learned of one kind of call: the rows that it hangs on, and LiteLLM's breakdown."""

    rows: tuple[Any, ...]
    rates: tuple[float, float, float]
    breakdown: Mapping[str, Any] | None


class KnownPrices:
    """Price plain calls by what was learned from LiteLLM."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], _Known] = {}

    def price(self, call: Mapping[str, Any], original: Callable[..., float]) -> float:
        """Return what LiteLLM's `completion_cost` returns for a call, and log what it logs."""
        priced = _plain(call)
        info = None if priced is None else _model_info(call["model"])
        if priced is None or info is None:
            return original(**call)
        deployment = call.get("router_model_id")
        kind = (call["model"], call["call_type"], deployment, *priced.kind)
        # LiteLLM makes another object of the first whenever it takes up other prices.
        rows = (info, litellm.model_cost.get(deployment) if deployment else None)
        known = self._known.get(kind)
        if known is None or any(a is not b for a, b in zip(known.rows, rows, strict=True)):
            return self._learn(kind, rows, priced, call, original)
        if known.breakdown is None:
            return original(**call)
        figures = priced.figures(known.rates)
        total: float = figures["total_cost"]
        call["litellm_logging_obj"].set_cost_breakdown(**{**known.breakdown, **figures})
        return total

    def _learn(
        self,
        kind: tuple[Any, ...],
        rows: tuple[Any, ...],
        priced: _Tokens | _Unread,
        call: Mapping[str, Any],
        original: Callable[..., float],
    ) -> float:
        log = call["litellm_logging_obj"]
        write, written = log.set_cost_breakdown, {}

        def listen(**figures: Any) -> None:
            written.update(figures)
            write(**figures)

        log.set_cost_breakdown = listen
        try:
            total = original(**call)
        finally:
            del log.set_cost_breakdown
        rates, breakdown = _rates(rows[0]), None
        if rates is not None:
            figures = priced.figures(rates)
            if figures["total_cost"] == total and figures.items() <= written.items():
                breakdown = written
        if len(self._known) >= _MAX_KINDS:
            self._known.clear()
        self._known[kind] = _Known(rows, rates or (0.0, 0.0, 0.0), breakdown)
        return total


def price_by_known_rates(seams: Seams) -> None:
    """Have LiteLLM price the plain calls of ours by rates that it was seen to apply."""
    prices = KnownPrices()

    def wrap(original: Callable[..., float]) -> Callable[..., float]:
        @functools.wraps(original)
        def completion_cost(*args: Any, **kwargs: Any) -> float:
            if args or not seams.active or kwargs.get("custom_llm_provider") != PROVIDER:
                return original(*args, **kwargs)
            return prices.price(kwargs, original)

        return completion_cost

    seams.wrap((compat.cost_calculator,), "completion_cost", wrap, is_watched=False)


def _plain(call: Mapping[str, Any]) -> _Tokens | _Unread | None:
    """Return what a call is priced by, where that is its tokens and nothing else; else None."""
    if not _is_plain_call(call):
        return None
    response = call.get("completion_response")
    if isinstance(response, _streams()):
        return _Unread(type(response))
    if type(response) is not litellm.ModelResponse or not _is_plain(response):
        return None
    return _tokens_of(_field(response, "usage"), response.model)


@functools.cache
def _streams() -> tuple[type, ...]:
    # Loaded at the first call that is priced, with all that reads Synthetic's replies.
    from litellm_synthetic.messages.passthrough_stream import MessageStream  # noqa: PLC0415

    return compat.CustomStreamWrapper, MessageStream


def _is_plain_call(call: Mapping[str, Any]) -> bool:
    return (
        call.get("call_type") in _CALL_TYPES
        and call.get("litellm_logging_obj") is not None
        and not any(value for name, value in call.items() if name not in _WITHOUT_PRICE)
        and not (litellm.cost_discount_config or litellm.cost_margin_config)
        and "service_tier" not in (call.get("optional_params") or ())
        and not any((call.get("standard_built_in_tools_params") or {}).values())
    )


def _is_plain(response: litellm.ModelResponse) -> bool:
    return not _field(response, "service_tier") and not any(
        vars(choice.message).get(name) for choice in response.choices for name in _OF_TOOLS
    )


def _field(response: litellm.ModelResponse, name: str) -> Any:
    """Return a field or None; a missing one costs pydantic an exception."""
    return vars(response).get(name) or (response.__pydantic_extra__ or {}).get(name)


def _tokens_of(usage: Any, model: str | None) -> _Tokens | None:
    if type(usage) is not litellm.Usage or usage.__pydantic_extra__:
        return None
    fields = vars(usage)
    if not _USAGE_FIELDS.issuperset(fields) or any((usage.__pydantic_private__ or {}).values()):
        return None
    of_prompt, of_completion = (_counts(fields[name]) for name in _DETAILS)
    cached, reasoning = of_prompt.pop(_CACHED, 0), of_completion.pop(_REASONING, 0)
    prompt, completion = fields["prompt_tokens"], fields["completion_tokens"]
    text = of_completion.pop(_TEXT, None)
    is_plain = cached <= prompt and reasoning <= completion and not (of_prompt or of_completion)
    if not is_plain or text not in {None, completion - reasoning}:
        return None
    has_details = tuple(fields[name] is not None for name in _DETAILS)
    return _Tokens(prompt, completion, cached, reasoning, has_details, text is not None, model)


def _counts(details: Any) -> dict[str, Any]:
    """Return what is counted among the details of a usage."""
    if details is None:
        return {}
    counts = {**vars(details), **(details.__pydantic_extra__ or {})}
    return {name: count for name, count in counts.items() if count is not None}


def _model_info(model: str) -> Any:
    """Return LiteLLM's facts of a model: the same object until it takes up others."""
    try:
        return litellm.get_model_info(model=model, custom_llm_provider=PROVIDER)
    except Exception:  # noqa: BLE001  # LiteLLM's own for a model without a price
        return None


def _rates(info: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return the USD per token of input, output and cached input; None if more is charged."""
    charges = {
        name
        for name, value in info.items()
        if value is not None and any(word in name for word in _PRICE_WORDS)
    }
    per_input, per_output, per_cached = (info.get(name) for name in _RATES)
    if per_input is None or per_output is None or not charges.issubset((*_RATES, *_UNUSED_RATES)):
        return None
    return per_input, per_output, per_input if per_cached is None else per_cached
