"""The caller's messages as Synthetic takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from litellm_synthetic.errors.faults import InvalidParameterError

# LiteLLM writes these into the messages that it hands out; they come back when an agent appends an
# answer to its history, and no server knows them. `cache_control` is Anthropic's marker; the prefix
# cache here is automatic and takes no hints. What `thinking_blocks` say is kept, see below.
_LITELLM_OWN: Final = frozenset(
    ("provider_specific_fields", "cache_control", "thinking_blocks", "reasoning_items", "reasoning")
)


def wire_messages(messages: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the messages as Synthetic takes them; the caller's own are left untouched.

    Role `developer` becomes `system` (it is not accepted). Thinking of earlier turns goes out as
    `reasoning_content`, wherever it was kept: under that name, as `reasoning` (how some models
    stream it, while their templates render only `reasoning_content`), or in `thinking_blocks`.

    Raises:
        InvalidParameterError: it is not a list of messages.
    """
    check_messages(messages)
    return [_wire_message(message) for message in messages]


def check_messages(messages: object) -> None:
    """Check that `messages` is a list of messages; raises InvalidParameterError where it is not."""
    if not isinstance(messages, list | tuple) or not all(
        isinstance(message, Mapping | BaseModel) for message in messages
    ):
        raise InvalidParameterError(
            'messages is not a list of messages: it takes [{"role": "user", "content": "…"}]'
        )


def _wire_message(message: Any) -> dict[str, Any]:
    fields: Mapping[str, Any] = (
        message.model_dump(exclude_none=True) if isinstance(message, BaseModel) else message
    )
    wire = {name: value for name, value in fields.items() if name not in _LITELLM_OWN}
    if wire.get("role") == "developer":
        wire["role"] = "system"
    if wire.get("role") == "assistant" and not wire.get("reasoning_content"):
        thinking = fields.get("reasoning") or _thinking_text(fields.get("thinking_blocks"))
        if isinstance(thinking, str) and thinking:
            wire["reasoning_content"] = thinking
    if isinstance(content := wire.get("content"), list):
        wire["content"] = [_without_marker(part) for part in content]
    return wire


def _thinking_text(blocks: object) -> str:
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        return ""
    texts = (block.get("thinking") for block in blocks if isinstance(block, Mapping))
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def _without_marker(part: object) -> object:
    if isinstance(part, Mapping) and "cache_control" in part:
        return {name: value for name, value in part.items() if name != "cache_control"}
    return part


def wire_tools(tools: Iterable[Any]) -> list[Any]:
    """Return the tools without Anthropic's cache markers; nothing else is touched."""
    plain = (
        tool.model_dump(exclude_none=True) if isinstance(tool, BaseModel) else tool
        for tool in tools
    )
    return [_without_nested_marker(tool) for tool in plain]


def _without_nested_marker(tool: object) -> object:
    tool = _without_marker(tool)
    if isinstance(tool, Mapping) and isinstance(function := tool.get("function"), Mapping):
        return {**tool, "function": _without_marker(function)}
    return tool
