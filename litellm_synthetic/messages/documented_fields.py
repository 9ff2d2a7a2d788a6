"""A Messages request of Claude Code, in the fields that Synthetic documents.

Anthropic's clients speak betas of Anthropic's API to every base URL. Synthetic documents none of
them (May 2026), and takes the effort of `output_config` without acting on it (seen September 2026).
What a beta changes for the model is written in documented fields, and the rest is left out.
`SYNTHETIC_MESSAGES_BETA=pass` sends everything as it came.

Source: the requests of Claude Code 2.1.332 (28 November 2026), and Anthropic's API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.reasoning import OFF, SCALE
from litellm_synthetic.errors.faults import InvalidParameterError
from litellm_synthetic.messages.translate import effort_as_thinking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from litellm_synthetic.catalog.models import Model

# Beta fields of a request without which a model answers the same. `context_management` and `speed`
# are hints on every API; see `chat.hints`.
BETA_FIELDS: Final = frozenset(("betas", "context_management", "diagnostics", "speed"))
# Beta fields whose tools or files run on Anthropic's side; without them the answer is another one.
SERVER_SIDE_FIELDS: Final = frozenset(("container", "mcp_servers"))
# Beta fields of a tool: when Anthropic's server loads it, and who else may call it.
TOOL_FIELDS: Final = frozenset(("allowed_callers", "defer_loading", "eager_input_streaming"))
# Beta fields of `output_config`; its `format` asks for JSON, on which the answer depends.
_OUTPUT_FIELDS: Final = frozenset(("effort", "task_budget", "timing"))
# How Claude Code marks the system's words in a user's turn.
_OPENING: Final = "<system-reminder>\n"
_CLOSING: Final = "\n</system-reminder>"


def in_documented_fields(
    body: Mapping[str, Any], facts: Model | None, model: str
) -> dict[str, Any]:
    """Return a Messages request without Anthropic's betas.

    - A system message among the messages goes into the system prompt where it comes first, else
      into the user's turn beside it, marked as a reminder.
    - `output_config.effort` becomes the `thinking` that the effort has on this model, unless the
      request says how much to think itself. Adaptive thinking alone is left to the model, which
      thinks by itself. How thinking is to be shown is left out.

    Args:
        body: the request as it came, which is left untouched.
        facts: what is known about the model.
        model: the id as it was asked for.

    Raises:
        InvalidParameterError: an effort that is not one, or a field for tools on Anthropic's side.
        UnsupportedEffortError: thinking is to be off, and this model cannot stop.
    """
    if server_side := sorted(name for name in SERVER_SIDE_FIELDS if body.get(name)):
        raise InvalidParameterError(
            f"Synthetic runs no tools and keeps no files: {', '.join(server_side)} cannot be "
            "served. Leave it out, or set SYNTHETIC_MESSAGES_BETA=pass to have it sent"
        )
    fields = {
        name: value
        for name, value in body.items()
        if name not in BETA_FIELDS and name not in SERVER_SIDE_FIELDS
    }
    if isinstance(fields.get("messages"), list):
        fields |= _without_system_messages(fields["messages"], fields.get("system"))
    if isinstance(fields.get("tools"), list):
        fields["tools"] = [_plain_tool(tool) for tool in fields["tools"]]
    return _with_plain_thinking(fields, facts, model)


def _plain_tool(tool: Any) -> Any:
    if not isinstance(tool, Mapping) or TOOL_FIELDS.isdisjoint(tool):
        return tool
    return {name: value for name, value in tool.items() if name not in TOOL_FIELDS}


# ---- thinking


def _with_plain_thinking(fields: dict[str, Any], facts: Model | None, model: str) -> dict[str, Any]:
    config = fields.get("output_config")
    effort = config.get("effort") if isinstance(config, Mapping) else None
    if isinstance(config, Mapping):
        kept = {name: value for name, value in config.items() if name not in _OUTPUT_FIELDS}
        fields = {**fields, "output_config": kept or None}
    thinking = fields.get("thinking")
    is_adaptive = isinstance(thinking, Mapping) and thinking.get("type") == "adaptive"
    if is_adaptive:
        fields = {**fields, "thinking": None}
    elif isinstance(thinking, Mapping) and "display" in thinking:
        plain = {name: value for name, value in thinking.items() if name != "display"}
        fields = {**fields, "thinking": plain}
    if effort is None or not (is_adaptive or thinking is None):
        return _without_none(fields)
    if effort not in (OFF, *SCALE):
        raise InvalidParameterError(
            f"output_config.effort={effort!r} is not one of {', '.join((OFF, *SCALE))}"
        )
    if facts is not None and facts.reasoning is False:
        return _without_none(fields)
    mapped = effort_as_thinking(effort, fields.get("max_tokens"), facts, model)
    return _without_none({**fields, **mapped})


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


# ---- system messages


def _without_system_messages(messages: Sequence[Any], system: Any) -> dict[str, Any]:
    if not any(_role(message) == "system" for message in messages):
        return {}
    leading: list[Any] = []
    turns: list[dict[str, Any]] = []
    waiting: list[Any] = []  # for the user's next turn
    for message in messages:
        role, blocks = _role(message), list(_blocks(message))
        if role == "system" and not turns:
            leading += blocks
        elif role == "system" and turns[-1].get("role") == "user":
            turns[-1] = {**turns[-1], "content": [*_blocks(turns[-1]), *_reminders(blocks)]}
        elif role == "system":
            waiting += _reminders(blocks)
        else:
            if waiting and role == "user":
                message = {**message, "content": _with_reminders(blocks, waiting)}  # noqa: PLW2901  # the caller's own is left untouched
                waiting = []
            turns.append(message)
    if waiting:
        turns.append({"role": "user", "content": waiting})
    if not leading:
        return {"messages": turns}
    return {"messages": turns, "system": [*_blocks({"content": system}), *leading]}


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, Mapping) else None


def _blocks(message: Any) -> Iterator[Any]:
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, str):
        if content:
            yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from content


def _reminders(blocks: Sequence[Any]) -> list[Any]:
    return [_as_reminder(block) for block in blocks]


def _as_reminder(block: Any) -> Any:
    text = block.get("text") if isinstance(block, Mapping) else None
    if not isinstance(text, str) or text.lstrip().startswith(_OPENING.strip()):
        return block
    return {**block, "text": f"{_OPENING}{text}{_CLOSING}"}


def _with_reminders(blocks: Sequence[Any], reminders: Sequence[Any]) -> list[Any]:
    """Return a user's blocks with reminders in them: behind tool results, which come first."""
    results = [block for block in blocks if _is_result(block)]
    return [*results, *reminders, *(block for block in blocks if not _is_result(block))]


def _is_result(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "tool_result"
