"""Streamed tool calls: assign each piece to its call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm_synthetic.chat.chunks import CallPiece
from litellm_synthetic.chat.response import arguments_text, escaped, new_tool_call_id


class StreamedCalls:
    """Give each streamed tool call of a choice its index, also where the upstream names none.

    A piece belongs to the call of its index. Without one, an id that is new, or a name while the
    call under way has one, begins the next call. Two ids on one index are two calls: some backends
    number every parallel call 0.
    """

    __slots__ = ("_by_upstream_index", "_ids", "_names")

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._names: list[str] = []
        self._by_upstream_index: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._ids)

    def continued(self, calls: object) -> CallPiece | None:
        """Return the piece that adds arguments to a call under way and says nothing else.

        Nearly every event of a tool call is one. None for any other: `piece` reads those.
        """
        if type(calls) is not list or len(calls) != 1 or type(fields := calls[0]) is not dict:
            return None
        function, upstream_index = fields.get("function"), fields.get("index")
        if type(function) is not dict or type(upstream_index) is not int:
            return None
        arguments = function.get("arguments")
        index = self._by_upstream_index.get(upstream_index)
        if (
            index is None
            or type(arguments) is not str
            or not arguments
            or fields.get("id")
            or function.get("name")
        ):
            return None
        return CallPiece(index, None, None, escaped(arguments))

    def piece(self, fields: Mapping[str, Any]) -> CallPiece:
        """Return a piece with its index; the id only on a call's first."""
        function = fields.get("function")
        function = function if isinstance(function, Mapping) else {}
        name = function.get("name")
        name = escaped(name) if isinstance(name, str) else ""
        identifier = fields.get("id")
        identifier = escaped(identifier) if isinstance(identifier, str) else None
        upstream_index = fields.get("index")
        if isinstance(upstream_index, bool) or not isinstance(upstream_index, int):
            upstream_index = None
        index = self._find(upstream_index, identifier, has_name=bool(name))
        is_first = index is None
        if index is None:
            index = len(self._ids)
            self._ids.append(identifier or new_tool_call_id())
            self._names.append(name)
        elif name and name != self._names[index]:
            self._names[index] += name
        else:
            name = ""  # some backends repeat it; readers of a stream put the pieces together
        if upstream_index is not None:
            self._by_upstream_index[upstream_index] = index
        return CallPiece(
            index,
            self._ids[index] if is_first else None,
            name or None,
            arguments_text(function.get("arguments")),
        )

    def _find(
        self, upstream_index: int | None, identifier: str | None, *, has_name: bool
    ) -> int | None:
        if upstream_index is not None:
            index = self._by_upstream_index.get(upstream_index)
            if index is None or not identifier or self._ids[index] == identifier:
                return index
            return self._ids.index(identifier) if identifier in self._ids else None
        if identifier:
            return self._ids.index(identifier) if identifier in self._ids else None
        if not self._ids or (has_name and self._names[-1]):
            return None
        return len(self._ids) - 1
