"""Events that wait, merged into as few chunks as possible.

Deltas that wait together and belong together become one chunk: adjacent text of one choice,
adjacent reasoning, adjacent arguments of one tool call. Nothing ever waits for more.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.chunks import CallPiece, ChoiceLogprobs, Envelope, Piece, builder
from litellm_synthetic.chat.unknown_fields import set_fields
from litellm_synthetic.errors.faults import RepeatedTextError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm import ModelResponseStream

# Every character may take 12 bytes of JSON (an escaped surrogate pair), and some readers of events
# take no line above 64 KiB.
MAX_MERGED_CHARACTERS: Final = 4096
# What the logprobs of one event count as, because they are much longer than its text.
_LOGPROBS_CHARACTERS: Final = 64
# LiteLLM's guard passes over repeated white space and punctuation.
_MIN_REPEATED_CHARACTERS: Final = 3

Place = tuple[str, int, int]
"""The place of a delta: its kind, its choice, and for a tool call the call's index."""


class Backlog:
    """Collect the deltas of one reply in order, and hand them out as chunks.

    Args:
        envelope: what all chunks of the reply share.
        merges: whether deltas that belong together become one chunk.
        max_repeats: after how many deltas in a row with the same text the reply is given up; None
            for never. LiteLLM's guard against a model in a loop counts chunks, of which there are
            fewer here.

    Attributes:
        ready: the chunks that may go out.
    """

    __slots__ = (
        "_build", "_call", "_envelope", "_extras", "_last_text", "_logprobs", "_max_repeats",
        "_merges", "_place", "_repeats", "_role", "_room", "_texts", "ready",
    )  # fmt: skip  # one list, read as one

    def __init__(
        self, envelope: Envelope, *, merges: bool = True, max_repeats: int | None = None
    ) -> None:
        self.ready: deque[ModelResponseStream] = deque()
        self._envelope = envelope
        self._merges = merges
        self._max_repeats = max_repeats
        self._repeats = 0
        self._last_text = ""
        self._build = builder()
        self._place: Place | None = None
        self._texts: list[str] = []
        self._room = 0
        self._role: str | None = None
        self._call: CallPiece | None = None
        self._logprobs: Any = None
        self._extras: Mapping[str, Any] | None = None

    def content(
        self,
        index: int,
        text: str,
        role: str | None = None,
        logprobs: Any = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add text of a choice's answer."""
        self._note(text)
        self._add(("content", index, 0), text, role, logprobs, extras)

    def reasoning(
        self,
        index: int,
        text: str,
        role: str | None = None,
        logprobs: Any = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add text of a choice's reasoning."""
        self._note("")
        self._add(("reasoning", index, 0), text, role, logprobs, extras)

    def arguments(
        self,
        index: int,
        call: CallPiece,
        role: str | None = None,
        logprobs: Any = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a piece of a tool call; one with an id or a name begins a chunk."""
        self._note("")
        if call.id is not None or call.name is not None:
            self.flush()
        place = ("arguments", index, call.call_index)
        is_new = self._add(place, call.arguments, role, logprobs, extras)
        if is_new:
            self._call = call

    def put(self, chunk: ModelResponseStream, text: str = "") -> None:
        """Add a chunk that stays as it is; `text` is the answer in it."""
        self._note(text)
        self.flush()
        self.ready.append(chunk)

    def _note(self, text: str) -> None:
        """Count repetitions as LiteLLM's guard does (streaming_handler.py:447).

        Raises:
            RepeatedTextError: the model says the same again and again.
        """
        if self._max_repeats is not None and self._repeats >= self._max_repeats:
            raise RepeatedTextError(self._last_text)
        if len(text) < _MIN_REPEATED_CHARACTERS:
            self._repeats = 0
        elif text == self._last_text:
            self._repeats += 1
        else:
            self._repeats = 1
        self._last_text = text

    def _add(
        self,
        place: Place,
        text: str,
        role: str | None,
        logprobs: Any,
        extras: Mapping[str, Any] | None,
    ) -> bool:
        """Add a delta to the chunk under way, or begin one; return whether it begins one."""
        size = len(text)
        if logprobs is not None:
            size += _LOGPROBS_CHARACTERS
        if (
            place == self._place
            and size <= self._room
            and role is None
            and (not extras or extras == self._extras)
            and (logprobs is None or _join(self._logprobs, logprobs))
        ):
            self._texts.append(text)
            self._room -= size
            if self._logprobs is None:
                self._logprobs = logprobs
            return False
        self.flush()
        self._place = place
        self._texts = [text]
        self._role = role
        self._call = None
        self._logprobs = logprobs
        self._extras = extras
        self._room = MAX_MERGED_CHARACTERS - size if self._merges else -1
        return True

    def flush(self) -> None:
        """End the chunk under way; it waits for nothing more."""
        place = self._place
        if place is None:
            return
        self._place = None
        text = self._texts[0] if len(self._texts) == 1 else "".join(self._texts)
        kind, index, _ = place
        call = None
        if self._call is not None:
            call = self._call._replace(arguments=text)
        piece = Piece(
            index,
            self._role,
            text if kind == "content" else None,
            text if kind == "reasoning" else None,
            call,
            self._logprobs,
        )
        chunk = self._build(self._envelope, piece)
        if self._extras:
            set_fields(chunk, self._extras)
        self.ready.append(chunk)


def _join(joined: Any, logprobs: Any) -> bool:
    """Put the logprobs of further tokens behind those of earlier ones, where both are lists."""
    if joined is None:
        return True
    if not isinstance(joined, ChoiceLogprobs) or not isinstance(logprobs, ChoiceLogprobs):
        return False
    if joined.content is None or logprobs.content is None:
        return False
    if any(
        value is not None
        for one in (joined, logprobs)
        for value in (one.model_extra or {}).values()
    ):
        return False
    joined.content += logprobs.content
    return True
