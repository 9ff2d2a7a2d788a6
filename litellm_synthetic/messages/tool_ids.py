"""Restore the caller's ids of tool calls, which LiteLLM rewrites.

LiteLLM rewrites ids that Anthropic would refuse (`functions.look:0`). Synthetic hands such ids out
itself, and some of its models read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_FIELDS: Final = ("id", "tool_use_id")


def ids_of_blocks(messages: object) -> list[object]:
    """Return the ids in messages of the Messages API: of tool uses and of their results."""
    return [
        block[field]
        for block in _blocks(messages)
        for field in _FIELDS
        if block.get("type") in ("tool_use", "tool_result") and field in block
    ]


def ids_of_calls(messages: object) -> list[object]:
    """Return the same ids in OpenAI's messages, in the same order."""
    ids: list[object] = []
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping):
            calls = message.get("tool_calls")
            ids += [
                _id_of(call) for call in (calls if isinstance(calls, list) else ()) if _id_of(call)
            ]
            if message.get("role") == "tool" and message.get("tool_call_id"):
                ids.append(message["tool_call_id"])
    return ids


def with_ids(messages: list[Any], originals: list[object]) -> list[Any]:
    """Return messages of the Messages API with the ids that were written.

    Unchanged where the two don't pair up, because a hook has changed which calls there are.
    """
    now = ids_of_blocks(messages)
    are_paired = len(now) == len(originals) and all(isinstance(one, str) for one in now)
    if now == originals or not are_paired:
        return messages
    ids = dict(zip(now, originals, strict=True))
    return [
        {**message, "content": [_renamed(block, ids) for block in message["content"]]}
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _blocks(messages: object) -> Iterator[Mapping[str, Any]]:
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, Mapping) else None
        for block in content if isinstance(content, list) else ():
            if isinstance(block, Mapping):
                yield block


def _id_of(call: object) -> object:
    return call.get("id") if isinstance(call, Mapping) else None


def _renamed(block: Any, ids: Mapping[object, object]) -> Any:
    if not isinstance(block, Mapping) or block.get("type") not in ("tool_use", "tool_result"):
        return block
    return {
        name: ids.get(value, value) if name in _FIELDS and isinstance(value, str) else value
        for name, value in block.items()
    }
