"""What the upstream does to a framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import Text, ToolCall, ToolCalls, Usage, fault
from tests.frameworks.kinds import CITY, LAST_WORDS, Framework

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing import RecordedRequest, Reply

# Deltas that arrive together are handed on as one.
PAUSE_SECONDS = 0.05
USAGE = Usage(prompt_tokens=1200, completion_tokens=80)
# GLM-5.3 by the bundled facts: 1.40 and 4.40 dollars for a million tokens.
USD_PER_CALL = 1200 * 1.4e-6 + 80 * 4.4e-6


def loop(framework: Framework) -> Callable[[RecordedRequest], Reply]:
    """Return an upstream that calls the framework's tool once, and then answers."""

    def reply(request: RecordedRequest) -> Reply:
        body = request.json or {}
        if (fields := _dspy_fields(body)) is not None:
            return Text(fields, usage=USAGE, delay_seconds=PAUSE_SECONDS)
        offered = [tool["function"]["name"] for tool in body.get("tools") or ()]
        has_result = _has_result(body)
        if not has_result and framework.tool in offered:
            return ToolCalls([ToolCall(framework.tool, framework.arguments)], usage=USAGE)
        if framework.last_tool is not None and framework.last_tool[0] in offered:
            return ToolCalls([ToolCall(*framework.last_tool)], usage=USAGE)
        return Text(LAST_WORDS, usage=USAGE, delay_seconds=PAUSE_SECONDS)

    return reply


def overflowing(framework: Framework) -> Callable[[RecordedRequest], Reply]:
    """Return an upstream that refuses the first call after the tool as too long."""
    answer = loop(framework)
    refused: list[bool] = []

    def reply(request: RecordedRequest) -> Reply:
        body = request.json or {}
        if (_has_result(body) or not framework.has_loop) and not refused:
            refused.append(True)
            return fault("context_overflow")
        return answer(request)

    return reply


def _has_result(body: dict[str, Any]) -> bool:
    """Tell whether the tool was called; some frameworks put its result into a user's message."""
    messages = body["messages"]
    return "18 degrees" in json.dumps(messages) or any(
        one.get("role") == "tool" for one in messages
    )


def _dspy_fields(body: dict[str, Any]) -> str | None:
    """Return an answer in the fields that a prompt of DSPy's names; None for another's prompt."""
    prompt = "\n".join(str(message.get("content")) for message in body["messages"])
    if "[[ ## completed ## ]]" not in prompt:
        return None
    fields = {"reasoning": "by the tool", "answer": LAST_WORDS}
    if "next_tool_name" in prompt:
        is_done = "18 degrees" in prompt
        fields = {
            "next_thought": "ask the tool",
            "next_tool_name": "finish" if is_done else "weather",
            "next_tool_args": "{}" if is_done else json.dumps({"city": CITY}),
        }
    elif "[[ ## reasoning ## ]]" not in prompt:
        del fields["reasoning"]
    lines = (f"[[ ## {name} ## ]]\n{text}\n" for name, text in fields.items())
    return "\n".join([*lines, "[[ ## completed ## ]]"])
