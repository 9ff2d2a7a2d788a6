"""Reasoning levels: requested, accepted, and thinking that is replayed.

Which levels a model accepts, whether it can stop reasoning, and what it needs so that replayed
thinking is kept, are facts of the catalog (`catalog.Model`); nothing here knows a model by name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.errors.faults import InvalidThinkingError

if TYPE_CHECKING:
    from litellm_synthetic.catalog.models import Model

# `none` switches reasoning off; it is not a level and never the nearest one to a level.
OFF: Final = "none"
SCALE: Final = ("minimal", "low", "medium", "high", "xhigh", "max")

# Anthropic-style budgets, in tokens, and the level that each begins at: the thresholds that
# LiteLLM's own Anthropic adapter uses, so that both APIs lead to the same level.
_LEVEL_BY_BUDGET_TOKENS: Final = (
    (4_096, "high"),
    (2_048, "medium"),
    (1_024, "low"),
    (0, "minimal"),
)

_log: Final = logging.getLogger("litellm_synthetic")
_warned: dict[tuple[str, str], object] = {}


class CannotStopReasoningError(ValueError):
    """The model reasons and cannot be told not to."""


def requested_effort(reasoning_effort: object, thinking: object) -> str | None:
    """Return the level that a caller asks for, or None to leave it to the model.

    Args:
        reasoning_effort: a level, or `{"effort": level, …}` as the Responses API says it; `default`
            asks for nothing. It wins over `thinking`.
        thinking: `{"type": "enabled" | "disabled" | "adaptive", "budget_tokens": n}`. Enabled
            without a budget, and adaptive, leave the level to the model.

    Raises:
        InvalidThinkingError: neither of these forms.
    """
    if isinstance(reasoning_effort, Mapping):
        reasoning_effort = reasoning_effort.get("effort")
    if reasoning_effort is not None:
        if not isinstance(reasoning_effort, str) or not reasoning_effort.strip():
            raise InvalidThinkingError(
                f"reasoning_effort={reasoning_effort!r} is not one of {', '.join((OFF, *SCALE))}"
            )
        level = reasoning_effort.strip().lower()
        return None if level == "default" else level
    if thinking is None:
        return None
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if kind == "disabled":
        return OFF
    if kind not in ("enabled", "adaptive") or not isinstance(thinking, Mapping):
        raise InvalidThinkingError(
            f"thinking={thinking!r} needs a type of enabled, disabled or adaptive"
        )
    budget = thinking.get("budget_tokens")
    if budget is None:
        return None
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < 0:
        raise InvalidThinkingError(f"thinking.budget_tokens={budget!r} is not a number of tokens")
    return next(level for min_budget, level in _LEVEL_BY_BUDGET_TOKENS if budget >= min_budget)


def is_named_effort(reasoning_effort: object) -> bool:
    """Tell whether a caller's `reasoning_effort` names a level; `thinking` then doesn't count."""
    return requested_effort(reasoning_effort, None) is not None


def accepted_effort(
    level: str,
    accepted: Sequence[str],
    *,
    can_stop_reasoning: bool | None,
    unreliable: Sequence[str] = (),
    is_named: bool = True,
) -> str:
    """Return the level to send: the requested one where it is accepted, else the nearest.

    The nearest is one of the reliable levels, where there are any; ties go to the lower level. An
    unreliable level is sent only where the caller named it. A level passes as it is where nothing
    is known about the model, or where the level itself is unknown (the server decides). So does
    `none`, unless the model is known to reason regardless.

    Args:
        level: the requested level.
        accepted: the levels that the model accepts.
        can_stop_reasoning: whether `none` stops the reasoning; None where unknown.
        unreliable: accepted levels that were reported not to lead to an answer.
        is_named: whether the caller named the level, instead of a budget that comes to it.

    Raises:
        CannotStopReasoningError: `none` for a model that cannot stop reasoning.
    """
    levels = [one for one in SCALE if one in accepted]
    reliable = [one for one in levels if one not in unreliable]
    if level == OFF:
        if can_stop_reasoning is False:
            choices = f"; its levels are {', '.join(reliable or levels)}" if levels else ""
            raise CannotStopReasoningError(f"this model cannot stop reasoning{choices}")
        return level
    if not levels or level not in SCALE or level in (levels if is_named else reliable):
        return level
    rank = SCALE.index(level)
    return min(reliable or levels, key=lambda one: (abs(SCALE.index(one) - rank), SCALE.index(one)))


def warn_if_unreliable(level: object, model_id: str, facts: Model | None) -> None:
    """Warn, once per process, model and level, that a level is known not to lead to an answer."""
    if facts is None or level not in facts.unreliable_efforts:
        return
    token = object()
    if _warned.setdefault((facts.id, str(level)), token) is token:
        others = ", ".join(facts.reliable_efforts)
        _log.warning(
            "reasoning_effort=%s is accepted by %s, but was reported to end without an answer. "
            "Use %s.",
            level,
            model_id,
            f"one of {others}" if others else "none at all",
        )


def replays_thinking(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether an earlier turn's thinking is sent along."""
    return any(
        message.get("role") == "assistant" and message.get("reasoning_content")
        for message in messages
    )


def with_replay_needs(
    body: dict[str, Any], needs: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Add to a request body what its model needs to keep replayed thinking.

    Only where thinking is replayed, and only what the caller did not say himself.
    """
    if not needs or not replays_thinking(body.get("messages") or ()):
        return body
    for name, values in needs.items():
        value = body.get(name)
        if value is None:
            body[name] = dict(values)
        elif isinstance(value, Mapping):
            body[name] = {**values, **value}
    return body
