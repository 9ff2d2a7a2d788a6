"""The stand-in's default answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from litellm_synthetic.testing.exchange import count_tokens
from litellm_synthetic.testing.replies import Text, ToolCall, ToolCalls
from litellm_synthetic.testing.schema_values import value_for

if TYPE_CHECKING:
    from litellm_synthetic.testing.calls import Call, Tool
    from litellm_synthetic.testing.served_models import ServedModel

_QUOTED_CHARACTERS = 200
_CHARACTERS_PER_TOKEN = 4


def default_answer(call: Call, model: ServedModel) -> Text | ToolCalls:
    """Return a believable answer that only depends on the call.

    The first tool, or the one that `tool_choice` names, is called with arguments that fit its
    schema unless a tool result is already there; a JSON answer fits its schema; otherwise the
    last user message is said back. A model that reasons does so first, out of the same
    `max_tokens`. Texts start with a space, as every recorded one does.
    """
    reasoning = _reasoning(call, model)
    tool = _tool_to_call(call)
    if tool is not None:
        tool_call = ToolCall(tool.name, json.dumps(value_for(tool.schema)))
        return _capped_calls(call, reasoning, tool_call)
    return _capped_text(call, reasoning, _content(call))


def _reasoning(call: Call, model: ServedModel) -> str | None:
    is_forced = call.operation in model.always_reasons_on
    if not model.reasons or call.operation == "completion" or not (call.may_reason or is_forced):
        return None
    return f' The user says: "{_quoted(call.last_user_text)}". I should answer that briefly. '


def _tool_to_call(call: Call) -> Tool | None:
    if not call.tools or call.tool_choice == "none" or call.tool_result is not None:
        return None
    name = call.tool_choice.removeprefix("=")
    return next((tool for tool in call.tools if tool.name == name), call.tools[0])


def _content(call: Call) -> str:
    if call.json_schema is not None:
        value = value_for(call.json_schema) if call.json_schema else {"status": "ok"}
        return f" {json.dumps(value)}"
    if call.tool_result is not None:
        return f" The tool answered: {_quoted(call.tool_result)}"
    return f' You said: "{_quoted(call.last_user_text)}"'


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED_CHARACTERS else f"{line[:_QUOTED_CHARACTERS]}…"


def _capped_text(call: Call, reasoning: str | None, content: str) -> Text:
    for stop in call.stop:
        content = content.partition(stop)[0]
    if call.max_tokens is None:
        return Text(content, reasoning=reasoning)
    remaining = call.max_tokens - count_tokens(reasoning or "")
    if remaining <= 0:
        return _spent_on_reasoning(call.max_tokens, reasoning or "")
    if count_tokens(content) <= remaining:
        return Text(content, reasoning=reasoning)
    text = content[: remaining * _CHARACTERS_PER_TOKEN]
    return Text(text, reasoning=reasoning, finish_reason="length")


def _capped_calls(call: Call, reasoning: str | None, tool_call: ToolCall) -> Text | ToolCalls:
    if call.max_tokens is not None and count_tokens(reasoning or "") >= call.max_tokens:
        return _spent_on_reasoning(call.max_tokens, reasoning or "")
    return ToolCalls([tool_call], reasoning=reasoning)


def _spent_on_reasoning(max_tokens: int, reasoning: str) -> Text:
    text = reasoning[: max_tokens * _CHARACTERS_PER_TOKEN]
    return Text(None, reasoning=text, finish_reason="length")
