"""Requests of the OpenAI API: the exact fields of each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.chat.params import check_fields, map_reasoning
from litellm_synthetic.chat.reasoning import warn_if_unreliable, with_replay_needs
from litellm_synthetic.chat.usage import count_locally
from litellm_synthetic.chat.wire_messages import wire_messages, wire_tools
from litellm_synthetic.client.request import Prepared, prepare
from litellm_synthetic.errors import local
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnsupportedEffortError,
)

if TYPE_CHECKING:
    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.client.call import Call, Resolved


def prepare_chat(resolved: Resolved, messages: Sequence[Any]) -> Prepared:
    """Return the request of a chat completion.

    Raises:
        litellm.BadRequestError: a parameter that cannot be right; see `params`.
    """
    facts = resolved.facts
    _check_kind(resolved)
    try:
        wire = wire_messages(messages)
    except InvalidParameterError as error:
        raise local.refused(f"{error}.", resolved.call.model) from error
    fields = {"messages": wire, **_fields(resolved)}
    if isinstance(tools := fields.get("tools"), list | tuple):
        fields["tools"] = wire_tools(tools)
    if facts is not None and facts.replay is not None:
        with_replay_needs(fields, facts.replay.model_dump())
    check_call_fields(resolved.call, fields)
    return prepare(
        resolved,
        "chat/completions",
        fields,
        count_prompt_tokens=lambda: count_locally(resolved.call.model, messages=wire),
    )


def prepare_text(resolved: Resolved, prompt: object) -> Prepared:
    """Return the request of a legacy completion; raises what `prepare_chat` raises."""
    fields = {"prompt": prompt, **_fields(resolved)}
    check_call_fields(resolved.call, fields)
    return prepare(resolved, "completions", fields)


def prepare_embedding(resolved: Resolved, texts: object) -> Prepared:
    """Return the request of an embedding; raises what `prepare_chat` raises."""
    fields = {"input": texts, **resolved.call.fields, **resolved.call.extra_body}
    check_call_fields(resolved.call, fields)
    return prepare(resolved, "embeddings", fields)


def _check_kind(resolved: Resolved) -> None:
    if resolved.facts is not None and resolved.facts.kind == "embedding":
        raise local.refused(
            f"{resolved.call.model} is an embedding model. Call litellm.embedding() with it.",
            resolved.call.model,
        )


def _fields(resolved: Resolved) -> dict[str, Any]:
    call, facts = resolved.call, resolved.facts
    effort = _effort(call, facts) if call.reasoning else {}
    fields = {**call.fields, **effort, **call.extra_body}
    if "reasoning_effort" in fields:
        warn_if_unreliable(fields["reasoning_effort"], call.model, facts)
    stream_options = fields.pop("stream_options", None)
    if call.fields.get("stream"):
        # Without it some backends report no usage, and the price would be a guess.
        options = dict(stream_options) if isinstance(stream_options, Mapping) else {}
        fields["stream_options"] = {**options, "include_usage": True}
    return fields


def _effort(call: Call, facts: Model | None) -> dict[str, Any]:
    try:
        return map_reasoning(
            call.reasoning,
            accepted_efforts=facts.accepted_efforts if facts else (),
            can_stop_reasoning=facts.can_stop_reasoning if facts else None,
            unreliable_efforts=facts.unreliable_efforts if facts else (),
            effort_is_from_budget=call.is_messages_call,
        )
    except UnsupportedEffortError as error:
        if not call.drop_params:
            raise local.refused(f"{error}.", call.model) from error
        return {}
    except InvalidThinkingError as error:
        raise local.refused(f"{error}.", call.model) from error


def check_call_fields(call: Call, fields: Mapping[str, Any]) -> None:
    """Check the ranges of a call's fields, `stop` before LiteLLM cut it among them.

    Raises:
        litellm.BadRequestError: naming parameter, value and range.
    """
    try:
        unlimited_stop = litellm.disable_stop_sequence_limit is True
        check_fields(fields, unlimited_stop=unlimited_stop)
        if not unlimited_stop and call.requested_stop is not None and "stop" in fields:
            check_fields({"stop": call.requested_stop})
    except InvalidParameterError as error:
        raise local.refused(f"{error}.", call.model) from error
