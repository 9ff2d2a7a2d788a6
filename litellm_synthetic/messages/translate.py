"""Translate the requests of chat completions to Anthropic's Messages API.

LiteLLM's own Anthropic transformation does the translating; this module feeds it what is true of
Synthetic and mends what is true of Anthropic only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.chat.params import OPENAI_ONLY, unstoppable
from litellm_synthetic.chat.reasoning import (
    OFF,
    SCALE,
    accepted_effort,
    is_named_effort,
    requested_effort,
    warn_if_unreliable,
)
from litellm_synthetic.chat.response import VALIDATION_ERRORS
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnsupportedOnMessagesError,
)
from litellm_synthetic.messages.protection import protect, unprotect
from litellm_synthetic.messages.tool_ids import ids_of_calls, with_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litellm_synthetic.catalog.models import Model

# The longest output of every chat model that was served in October 2026; a model that came since
# is taken to have it too. Anthropic's API needs the field, so something has to be said.
ASSUMED_MAX_OUTPUT_TOKENS: Final = 65_536
_ELSEWHERE: Final = frozenset(("stream", "stream_options"))  # the request's own


@dataclass(frozen=True, slots=True)
class Translation:
    """A request's body, and what is needed to read its reply.

    Attributes:
        body: the request without model and stream, and without what only the caller knows.
        json_mode: whether JSON was asked for, which goes as a tool call and comes back as text.
        noted: what LiteLLM's transformation noted for the reply, in a form of its own: the names
            of tools that it had to change.
    """

    body: Mapping[str, Any]
    json_mode: bool = False
    noted: Mapping[str, Any] = field(default_factory=dict)


def translate(  # noqa: PLR0913  # what a request is made of, each named
    model: str,
    messages: Iterable[Any],
    asked: Mapping[str, Any],
    reasoning: Mapping[str, Any],
    *,
    drop: bool,
    facts: Model | None,
) -> Translation:
    """Return the Messages request for a completion.

    Args:
        model: the id as it was asked for.
        messages: OpenAI's; the caller's own are left untouched.
        asked: the parameters, in OpenAI's names, but for reasoning.
        reasoning: `reasoning_effort` and `thinking` as they were said.
        drop: whether what this API lacks is dropped instead of refused.
        facts: what is known about the model.

    Raises:
        UnsupportedOnMessagesError: parameters that this API does not have.
        UnsupportedEffortError: thinking is to be off, and this model cannot stop.
        InvalidThinkingError: `reasoning_effort` or `thinking` is malformed.
        InvalidParameterError: messages that cannot be translated.
    """
    asked = _without_lacking(asked, drop=drop)
    known = {name: value for name, value in asked.items() if name not in _ELSEWHERE}
    # Which LiteLLM's Anthropic parameters do not list.
    beside = {"top_k": known.pop("top_k")} if known.get("top_k") is not None else {}
    known.setdefault("max_tokens", (facts and facts.max_output_tokens) or ASSUMED_MAX_OUTPUT_TOKENS)
    # LiteLLM looks the model up, and prints a hint where no provider stands before it.
    model_id, model = model, ROUTE_PREFIX + model
    config = litellm.AnthropicConfig()
    sheltered: list[Any] = [protect(message) for message in messages]
    try:
        parameters: dict[str, Any] = config.map_openai_params(
            non_default_params={**known, **_thinking(reasoning, facts, model_id, drop=drop)},
            optional_params=beside,
            model=model,
            drop_params=drop,
        )
        json_mode = bool(parameters.pop("json_mode", False))
        _fit_thinking(parameters)
        noted: dict[str, Any] = {}
        body: dict[str, Any] = config.transform_request(
            model=model,
            messages=sheltered,
            optional_params=parameters,
            litellm_params=noted,
            headers={},  # where LiteLLM would put `anthropic-beta`, which Synthetic does not take
        )
    except (litellm.exceptions.BadRequestError, *VALIDATION_ERRORS) as error:
        raise InvalidParameterError(_reason(error)) from error
    except Exception as error:
        # LiteLLM's AnthropicError; its text repeats the whole conversation on its second line.
        if getattr(error, "status_code", None) is None:
            raise
        raise InvalidParameterError(_reason(error)) from error
    body.pop("model")
    translated = [unprotect(message) for message in body["messages"]]
    body["messages"] = with_ids(translated, ids_of_calls(sheltered))
    return Translation(body, json_mode, noted)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    return f"the messages cannot be written for the Messages API: {text.splitlines()[0][:300]}"


def _without_lacking(parameters: Mapping[str, Any], *, drop: bool) -> dict[str, Any]:
    lacking = [
        name
        for name, value in parameters.items()
        # One choice, and no log probabilities, is what this API gives anyway.
        if name in OPENAI_ONLY and not (name == "n" and value == 1) and value is not False
    ]
    if lacking and not drop:
        raise UnsupportedOnMessagesError(
            f"Synthetic's Messages API has no {', '.join(lacking)}. Use a base URL of the "
            "OpenAI API (…/openai/v1), or pass drop_params=True to have it dropped"
        )
    return {name: value for name, value in parameters.items() if name not in OPENAI_ONLY}


def _thinking(
    reasoning: Mapping[str, Any], facts: Model | None, model_id: str, *, drop: bool
) -> Mapping[str, Any]:
    """Return what LiteLLM shall map: an effort becomes its budget, a budget stays as it was given.

    The effort is the one that would be sent over the OpenAI API, so that both lead to the same.

    Adaptive thinking, and enabled without a budget, are left out: the models think by themselves,
    and LiteLLM would make a budget of its own of them.
    """
    level = requested_effort(reasoning.get("reasoning_effort"), reasoning.get("thinking"))
    if level is None:
        return {}
    if level == OFF:
        if facts is None or facts.can_stop_thinking_on_messages is not False:
            return {"thinking": {"type": "disabled"}}
        if drop:
            return {}
        raise unstoppable(reasoning, "this model cannot stop thinking")
    if reasoning.get("reasoning_effort") is None:
        return {"thinking": dict(reasoning["thinking"])}
    if level not in SCALE:
        raise InvalidThinkingError(
            f"reasoning_effort={level!r} is not one of {', '.join((OFF, *SCALE))}"
        )
    if facts is not None:
        level = accepted_effort(
            level,
            facts.accepted_efforts,
            can_stop_reasoning=None,
            unreliable=facts.unreliable_efforts,
            is_named=is_named_effort(reasoning["reasoning_effort"]),
        )
        warn_if_unreliable(level, model_id, facts)
    return {"reasoning_effort": level}


def effort_as_thinking(
    effort: object, max_tokens: object, facts: Model | None, model: str
) -> dict[str, Any]:
    """Return the `thinking` of a Messages request for a `reasoning_effort`; {} for none.

    Raises:
        UnsupportedEffortError: thinking is to be off, and this model cannot stop.
        InvalidThinkingError: it is not an effort.
    """
    thinking = _thinking({"reasoning_effort": effort}, facts, model, drop=False)
    parameters: dict[str, Any] = litellm.AnthropicConfig().map_openai_params(
        non_default_params={**thinking, "max_tokens": max_tokens},
        optional_params={},
        model=ROUTE_PREFIX + model,
        drop_params=False,
    )
    _fit_thinking(parameters)
    return {"thinking": parameters["thinking"]} if "thinking" in parameters else {}


def _fit_thinking(parameters: dict[str, Any]) -> None:
    """Keep the budget below the output limit, which has to hold the answer as well."""
    thinking = parameters.get("thinking")
    longest = parameters.get("max_tokens")
    if isinstance(thinking, Mapping) and isinstance(longest, int):
        budget = thinking.get("budget_tokens")
        if isinstance(budget, int) and budget >= longest:
            parameters["thinking"] = {**thinking, "budget_tokens": max(longest - 1, 1)}
