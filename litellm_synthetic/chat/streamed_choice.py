"""One choice of a streamed reply: its state so far, and the delta of the next event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.chunks import Delta, as_delta
from litellm_synthetic.chat.response import arguments_text, content_text, reasoning_of
from litellm_synthetic.chat.streamed_calls import StreamedCalls
from litellm_synthetic.chat.think_tags import ThinkTagSplitter
from litellm_synthetic.chat.unknown_fields import are_worth_a_chunk, delta_fields, set_fields
from litellm_synthetic.errors.faults import BrokenStreamError, UnreadableReplyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.chat.chunks import CallPiece

_KNOWN: Final = frozenset(("role", "content", "reasoning", "reasoning_content", "tool_calls"))
_NOTHING: Final[Mapping[str, Any]] = {}


class EventParts:
    """The fields of one event about a choice.

    Attributes:
        content: of the answer.
        reasoning: of the thinking.
        pieces: of tool calls.
        more: further fields.
        is_progress: whether it brings the reply forward.
    """

    __slots__ = ("content", "is_progress", "more", "pieces", "reasoning")

    def __init__(
        self,
        content: str,
        reasoning: str,
        pieces: Sequence[CallPiece] = (),
        more: Mapping[str, Any] = _NOTHING,
        *,
        is_progress: bool = True,
    ) -> None:
        self.content = content
        self.reasoning = reasoning
        self.pieces = pieces
        self.more = more
        self.is_progress = is_progress

    @property
    def parts(self) -> int:
        """Return how many things it says at once."""
        return bool(self.content) + bool(self.reasoning) + len(self.pieces)


class StreamedChoice:
    """Follow one choice of the reply through the stream.

    Attributes:
        finish_reason: why it ended, once that was said.
        calls: its tool calls.
        extras: unknown fields that no chunk has taken along yet.
    """

    __slots__ = ("_has_reasoning", "_splitter", "_started", "calls", "extras", "finish_reason")

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.calls = StreamedCalls()
        self.extras: dict[str, Any] = {}
        self._has_reasoning = False
        self._splitter = ThinkTagSplitter()
        self._started = False

    @property
    def has_started(self) -> bool:
        """Tell whether a chunk has carried the role."""
        return self._started

    @property
    def is_plain(self) -> bool:
        """Tell whether text is answer and nothing else, whatever it says."""
        return self._started and (self._has_reasoning or self._splitter.settled)

    def role(self) -> str | None:
        """Return the role for the next chunk: only the first bears it."""
        if self._started:
            return None
        self._started = True
        return "assistant"

    def read(self, delta: Mapping[str, Any]) -> EventParts:
        """Return what a delta says, with thinking that leaked into the text moved.

        Raises:
            BrokenStreamError: its content is not text.
        """
        text, reasoning_text = _content(delta), reasoning_of(delta)
        content, reasoning = self._split(text, reasoning_text)
        if len(delta) == 1 and text:
            return EventParts(content, reasoning)
        pieces = self._pieces(delta.get("tool_calls"))
        more = _NOTHING if _KNOWN.issuperset(delta) else delta_fields(delta, _KNOWN)
        # Some backends send empty pieces of a call to keep the line busy.
        is_progress = bool(
            text or reasoning_text or any(any(one[1:]) for one in pieces) or are_worth_a_chunk(more)
        )
        return EventParts(content, reasoning, pieces, more, is_progress=is_progress)

    def held(self) -> EventParts:
        """Return what was held back because it might have been part of a tag."""
        rest = self._splitter.close()
        return EventParts(rest.content, rest.reasoning)

    def _split(self, content: str, reasoning: str) -> tuple[str, str]:
        if reasoning and not self._has_reasoning:
            self._has_reasoning = True
            # What was held back, mostly white space, stays before the text that follows.
            rest = self._splitter.close()
            return rest.content + content, rest.reasoning + reasoning
        if content and not self._has_reasoning and not self._splitter.settled:
            reasoning, content = self._splitter.feed(content)
            return content, reasoning
        return content, reasoning

    def _pieces(self, calls: object) -> Sequence[CallPiece]:
        if not calls or not isinstance(calls, list):
            return ()
        return [self.calls.piece(call) for call in calls if isinstance(call, Mapping)]

    def delta(self, parts: EventParts) -> Delta:
        """Return LiteLLM's delta, by its constructor, whatever is in it."""
        fields = dict(parts.more)
        keywords: dict[str, Any] = {}
        if calls := [as_delta(piece) for piece in parts.pieces]:
            keywords["tool_calls"] = calls
        if (function := fields.pop("function_call", None)) is not None:
            arguments = arguments_text(function.get("arguments"))
            keywords["function_call"] = {**function, "arguments": arguments}
        if parts.reasoning:
            keywords["reasoning_content"] = parts.reasoning
        if (role := self.role()) is not None:
            keywords["role"] = role
        delta = Delta(content=parts.content or None, **keywords)
        set_fields(delta, fields)
        return delta


def _content(delta: Mapping[str, Any]) -> str:
    content = delta.get("content")
    if type(content) is str:
        return content
    try:
        return content_text(content) or ""
    except UnreadableReplyError as error:
        raise BrokenStreamError(f"holds an event that cannot be read: {error}") from error
