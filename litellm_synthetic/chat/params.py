"""Request parameters: one table of names and ranges, checked before anything is sent.

Sources: Synthetic's documented request parameters (September 2025 to May 2026) for the names and
for the ranges of temperature, top_p, the penalties and logit_bias; OpenAI's API, which Synthetic's
copies, for top_logprobs and the number of stop sequences, where Synthetic documents none.
`docs/parameters.md` is this table for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_synthetic.chat.reasoning import (
    CannotStopReasoningError,
    accepted_effort,
    is_named_effort,
    requested_effort,
)
from litellm_synthetic.errors.faults import InvalidParameterError, UnsupportedEffortError

MAX_STOP_SEQUENCES: Final = 4
MAX_LOGIT_BIAS: Final = 100
Check = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe one request parameter: its wire name, its check, and the capability it needs."""

    name: str
    check: Check | None = None
    wire_name: str | None = None
    needs: str | None = None
    meaning: str = ""


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of more than 4,300 digits
        return "…"
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004  # a line of terminal


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InvalidParameterError(
                f"{name}={_shown(value)} is not a number: it takes a number from {low:g} to "
                f"{high:g}"
            )
        if not low <= value <= high:
            raise InvalidParameterError(
                f"{name}={_shown(value)} is out of range: it takes a number from {low:g} "
                f"to {high:g}"
            )

    return check


def _whole_number(low: int, high: int | None = None) -> Check:
    span = f"from {low} to {high}" if high is not None else f"of at least {low}"

    def check(name: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidParameterError(
                f"{name}={_shown(value)} is not a whole number: it takes a whole number {span}"
            )
        if value < low or (high is not None and value > high):
            raise InvalidParameterError(
                f"{name}={_shown(value)} is out of range: it takes a whole number {span}"
            )

    return check


def _logprobs(name: str, value: Any) -> None:
    # A switch for chat, a number for the legacy completions.
    if not isinstance(value, bool):
        _whole_number(0, 20)(name, value)


def _stop(name: str, value: Any) -> None:
    sequences = [value] if isinstance(value, str) else value
    if (
        not isinstance(sequences, list | tuple)
        or not all(isinstance(one, str) and one for one in sequences)
        or len(sequences) > MAX_STOP_SEQUENCES
    ):
        count = f" ({len(sequences)} given)" if isinstance(sequences, list | tuple) else ""
        raise InvalidParameterError(
            f"{name}={_shown(value)} is out of range: it takes a text or up to "
            f"{MAX_STOP_SEQUENCES} non-empty texts{count}"
        )


def _logit_bias(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidParameterError(f"{name}={_shown(value)} must map token ids to biases")
    for token, bias in value.items():
        _number(-MAX_LOGIT_BIAS, MAX_LOGIT_BIAS)(f"{name}[{token!r}]", bias)


PARAMETERS: Final[tuple[Parameter, ...]] = (
    Parameter("temperature", _number(0, 2), meaning="randomness"),
    Parameter("top_p", _number(0, 1), meaning="nucleus sampling"),
    Parameter("frequency_penalty", _number(-2, 2), meaning="against repetition by frequency"),
    Parameter("presence_penalty", _number(-2, 2), meaning="against repetition at all"),
    Parameter("max_tokens", _whole_number(1), meaning="output limit, reasoning included"),
    Parameter(
        "max_completion_tokens", _whole_number(1), "max_tokens", meaning="wins over max_tokens"
    ),
    Parameter("top_k", meaning="sampling from the k likeliest tokens"),
    Parameter("min_p", _number(0, 1), meaning="least share of the likeliest token"),
    Parameter("n", _whole_number(1), meaning="number of choices"),
    Parameter("stop", _stop, meaning="stop sequences"),
    Parameter("seed", meaning="for repeatable sampling"),
    Parameter("logprobs", _logprobs, meaning="log probabilities of the output tokens"),
    Parameter("top_logprobs", _whole_number(0, 20), meaning="alternatives per token"),
    Parameter("logit_bias", _logit_bias, meaning="bias per token id"),
    Parameter("response_format", meaning="JSON object or schema; a dict or a pydantic class"),
    Parameter("tools", needs="tools", meaning="functions that the model may call"),
    Parameter("tool_choice", needs="tools", meaning="auto, none, required or a named function"),
    Parameter("parallel_tool_calls", needs="tools", meaning="several calls in one turn"),
    Parameter("functions", needs="tools", meaning="deprecated form of tools"),
    Parameter("function_call", needs="tools", meaning="deprecated form of tool_choice"),
    Parameter("reasoning_effort", needs="reasoning", meaning="mapped to an accepted level"),
    Parameter(
        "thinking", wire_name="reasoning_effort", needs="reasoning", meaning="Anthropic's form"
    ),
    Parameter("user", meaning="the end user's id"),
    Parameter("stream", meaning="stream the answer"),
    Parameter("stream_options", meaning="include_usage decides what the caller sees"),
)
BY_NAME: Final[Mapping[str, Parameter]] = {one.name: one for one in PARAMETERS}
# What the Messages API has under no name. (Documented there, May 2026: max_tokens, messages,
# stream, system, stop_sequences, temperature, tool_choice, tools, top_k, top_p.)
OPENAI_ONLY: Final = frozenset(
    (
        "frequency_penalty", "presence_penalty", "min_p", "n", "seed", "logprobs", "top_logprobs",
        "logit_bias", "functions", "function_call",
    )
)  # fmt: skip  # one set, read as one
# Read by this package and never sent.
_LOCAL: Final = ("max_retries", "extra_headers")
REASONING: Final = ("reasoning_effort", "thinking")


def supported_parameters(*, tools: bool | None, reasoning: bool | None) -> list[str]:
    """Return the names that LiteLLM lets through, a new list each time.

    A parameter is left out only for a model that is known to lack what it needs: False, not None.
    """
    lacking = {name for name, has in (("tools", tools), ("reasoning", reasoning)) if has is False}
    return [one.name for one in PARAMETERS if one.needs not in lacking] + list(_LOCAL)


def map_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request fields for what a caller asked for in OpenAI's names, but for reasoning.

    See `map_reasoning` for that.
    """
    fields: dict[str, Any] = {}
    for name, value in parameters.items():
        parameter = BY_NAME.get(name)
        if parameter is not None and value is not None and name not in REASONING:
            fields[parameter.wire_name or name] = value
    if (longest := parameters.get("max_completion_tokens")) is not None:
        fields["max_tokens"] = longest
    return fields


def map_reasoning(
    parameters: Mapping[str, Any],
    *,
    accepted_efforts: tuple[str, ...],
    can_stop_reasoning: bool | None,
    unreliable_efforts: tuple[str, ...] = (),
    effort_is_from_budget: bool = False,
) -> dict[str, Any]:
    """Return `reasoning_effort` as the OpenAI API takes it, or nothing where none is asked for.

    See `reasoning.accepted_effort` for the level that is chosen.

    Raises:
        UnsupportedEffortError: reasoning is to be off, and this model cannot stop reasoning.
        InvalidThinkingError: `reasoning_effort` or `thinking` is malformed.
    """
    level = requested_effort(parameters.get("reasoning_effort"), parameters.get("thinking"))
    if level is None:
        return {}
    try:
        effort = accepted_effort(
            level,
            accepted_efforts,
            can_stop_reasoning=can_stop_reasoning,
            unreliable=unreliable_efforts,
            is_named=not effort_is_from_budget
            and is_named_effort(parameters.get("reasoning_effort")),
        )
    except CannotStopReasoningError as error:
        raise unstoppable(parameters, str(error)) from error
    return {"reasoning_effort": effort}


def unstoppable(parameters: Mapping[str, Any], reason: str) -> UnsupportedEffortError:
    """Return the error for reasoning that is to be off and cannot be, in the caller's words."""
    name = "reasoning_effort" if parameters.get("reasoning_effort") is not None else "thinking"
    return UnsupportedEffortError(
        f"{name}={_shown(parameters[name])} asks for no reasoning, but {reason}. Leave it out, or "
        "pass drop_params=True to have it dropped"
    )


def check_fields(fields: Mapping[str, Any], *, unlimited_stop: bool = False) -> None:
    """Check the ranges of the fields that are about to be sent.

    Args:
        fields: the request body, or part of it. None values are not sent and not checked.
        unlimited_stop: skip the limit on stop sequences, as LiteLLM's
            `disable_stop_sequence_limit` asks.

    Raises:
        InvalidParameterError: naming parameter, value and range.
    """
    for name, value in fields.items():
        parameter = BY_NAME.get(name)
        if parameter is None or parameter.check is None or value is None:
            continue
        if name == "stop" and unlimited_stop:
            continue
        parameter.check(name, value)
