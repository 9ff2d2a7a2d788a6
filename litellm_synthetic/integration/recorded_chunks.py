"""The chunks that LiteLLM keeps of a stream, as few as it takes to say the same.

From them come the logged response, its cost, and what a Router does when a stream breaks. The list
is the one that LiteLLM holds, because its Router takes it over by reference (router.py:3088).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litellm_synthetic.chat.backlog import MAX_MERGED_CHARACTERS
from litellm_synthetic.chat.chunk_text import copy_chunk, text_slot

if TYPE_CHECKING:
    from litellm.types.utils import ModelResponseStream

    from litellm_synthetic.chat.chunk_text import TextSlot


@dataclass(slots=True)
class _Sum:
    """Describe the last chunk but one, which the last one may become a part of."""

    chunk: ModelResponseStream
    slot: TextSlot
    size: int
    is_ours: bool


class RecordedChunks:
    """Add chunks to a list; those that belong together become one.

    A chunk becomes part of another when the next one is added. Until then its reader may change it,
    as guardrails do, and the record shows what became of it.
    """

    __slots__ = ("_chunks", "_last", "_sum")

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = chunks
        self._last: ModelResponseStream | None = None
        self._sum: _Sum | None = None

    def add(self, chunk: ModelResponseStream) -> None:
        """Add a chunk that its reader is about to get."""
        if self._last is not None and self._chunks[-1] is self._last:
            self._fold(self._last)
        self._chunks.append(chunk)
        self._last = chunk

    def _fold(self, last: ModelResponseStream) -> None:
        slot = text_slot(last)
        text = None if slot is None else slot.holder[slot.name]
        if slot is None or not isinstance(text, str):
            self._sum = None
            return
        total = self._sum
        if (
            total is None
            or slot.begins
            or slot.place != total.slot.place
            or total.size + len(text) > MAX_MERGED_CHARACTERS
            or self._chunks[-2:-1] != [total.chunk]
        ):
            self._sum = _Sum(last, slot, len(text), is_ours=False)
            return
        if not total.is_ours:
            self._own(total)
        total.slot.holder[total.slot.name] += text
        total.size += len(text)
        self._chunks.pop()

    def _own(self, total: _Sum) -> None:
        """Put a copy in place of the chunk that somebody else has."""
        total.chunk = copy_chunk(total.chunk)
        slot = text_slot(total.chunk)
        if slot is not None:
            total.slot = slot
        total.is_ours = True
        self._chunks[-2] = total.chunk
