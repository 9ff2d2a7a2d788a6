"""The chunks of a stream that LiteLLM keeps, merged into as few as possible.

From them come the logged response, its cost, and what a Router does when a stream breaks. The list
is the one that LiteLLM holds, because its Router takes it over by reference (router.py:3088).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.chunk_text import copy_chunk, text_slot

if TYPE_CHECKING:
    from litellm import ModelResponseStream

    from litellm_synthetic.chat.chunk_text import TextSlot

# LiteLLM's assembling takes longer for a chunk than its share of this.
_MAX_LOOSE_CHUNKS: Final = 64


class RecordedChunks:
    """Keep a list of chunks short: those that belong together become one, every now and then.

    A chunk that was just handed out stays as it is. Until the next one is asked for its reader may
    change it, as guardrails do, and the record shows what became of it.
    """

    __slots__ = ("_chunks", "_done")

    def __init__(self, chunks: list[Any]) -> None:
        self._chunks = chunks
        self._done = 0

    def add(self, chunk: ModelResponseStream) -> None:
        """Add a chunk that its reader is about to get."""
        if len(self._chunks) - self._done >= _MAX_LOOSE_CHUNKS:
            self.compact()
        self._chunks.append(chunk)

    def compact(self) -> None:
        """Make one chunk of each run of chunks that can be one."""
        loose = self._chunks[self._done :]
        self._chunks[self._done :] = compacted(loose)
        self._done = len(self._chunks)


def compacted(chunks: list[Any]) -> list[Any]:
    """Return chunks that say the same as those given, which stay as they are."""
    result: list[Any] = []
    run: list[tuple[Any, TextSlot]] = []
    for chunk in chunks:
        slot = text_slot(chunk)
        if run and (slot is None or slot.begins or slot.place != run[0][1].place):
            result.append(_joined(run))
            run = []
        if slot is None:
            result.append(chunk)
        else:
            run.append((chunk, slot))
    if run:
        result.append(_joined(run))
    return result


def _joined(run: list[tuple[Any, TextSlot]]) -> Any:
    if len(run) == 1:
        return run[0][0]
    chunk = copy_chunk(run[0][0])
    slot = text_slot(chunk)
    if slot is not None:
        slot.holder[slot.name] = "".join(one.holder[one.name] for _, one in run)
    return chunk
