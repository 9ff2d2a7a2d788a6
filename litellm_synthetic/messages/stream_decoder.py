"""Streamed messages: Anthropic's events in, LiteLLM's chunks out, by LiteLLM's own parser.

The chunks come in the order that `chunks` explains: no empty ones, then the usage, then the finish.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from litellm import StreamingChoices

from litellm_synthetic.chat.backlog import MAX_MERGED_CHARACTERS, Backlog
from litellm_synthetic.chat.chunks import Delta, Envelope, wrap
from litellm_synthetic.chat.response import VALIDATION_ERRORS, escaped
from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.errors.faults import BrokenStreamError
from litellm_synthetic.messages.assembly import event_document

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Iterable

    from litellm import ModelResponseStream, Usage

    from litellm_synthetic.transport.sse import Event

_PARSED: Final = frozenset(
    (
        "message_start", "content_block_start", "content_block_delta", "content_block_stop",
        "message_delta",
    )
)  # fmt: skip  # one list, read as one
# The deltas of which several make one, and the field that they add to.
_FIELD_BY_DELTA: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}
_JOINED_FIELDS: Final = 2  # the type, and the text


class MessageChunkDecoder:
    """Turn the events of one streamed message into LiteLLM's chunks; see `chat.stream_decoder`.

    Args:
        model: the id that was asked for.
        parse: LiteLLM's parser of such events, for this stream only.
        merges: whether deltas that wait together become one, before the parser sees them.
        max_repeats: how often the model may say the same in a row; None means unlimited.
    """

    def __init__(
        self,
        model: str,
        parse: Callable[[dict[str, Any]], ModelResponseStream],
        *,
        merges: bool = True,
        max_repeats: int | None = None,
    ) -> None:
        self.upstream_model: str | None = None
        self.done = False
        self.progress = 0
        self.usage: Usage | None = None
        self.last_chunk: ModelResponseStream | None = None
        self._parse = parse
        self._merges = merges
        self._envelope = Envelope(f"chatcmpl-{uuid4().hex}", int(time.time()), model)
        self._backlog = Backlog(self._envelope, merges=merges, max_repeats=max_repeats)
        self._joined = _JoinedDeltas()
        self._finish_reason: str | None = None
        self._has_begun = False
        self._has_role = False
        self._has_usage = False

    @property
    def ready(self) -> deque[ModelResponseStream]:
        """Return the chunks that the events so far have brought, without those handed out."""
        return self._backlog.ready

    @property
    def complete(self) -> bool:
        """Tell whether the message has said why it ended."""
        return self._finish_reason is not None

    def take(self, events: Iterable[Event]) -> None:
        """Add what events bring to `ready`, up to the one that ends the stream.

        Raises:
            ErrorEventError: an event reports an error.
            BrokenStreamError: an event is not a JSON object, or not of a message.
            RepeatedTextError: the model says the same again and again.
        """
        try:
            for event in events:
                self._take(event_document(event))
                if self.done:
                    return
        finally:
            self._end_joined()
            self._backlog.flush()

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply: the usage, and the finish reason.

        Raises:
            BrokenStreamError: the stream ended before the message did.
        """
        if not self.complete:
            raise BrokenStreamError("ended early, without a stop_reason")
        chunks: list[ModelResponseStream] = []
        if self.usage is not None:
            carrier = wrap(self._envelope, StreamingChoices(delta=Delta(content=None)))
            carrier.usage = self.usage
            chunks.append(carrier)
        delta = Delta(content=None, role=self._role())
        finish = StreamingChoices(finish_reason=self._finish_reason, delta=delta)
        chunks.append(wrap(self._envelope, finish))
        self.last_chunk = chunks[-1]
        return chunks

    def _role(self) -> str | None:
        if self._has_role:
            return None
        self._has_role = True
        return "assistant"

    def _take(self, document: Mapping[str, Any]) -> None:
        kind = document.get("type")
        if kind == "content_block_delta" and self._take_delta(document):
            return
        if kind == "message_stop":
            self.done = True
        if not isinstance(kind, str) or kind not in _PARSED:
            return  # a ping, or what a later version of the API may send
        self._end_joined()
        self.progress += kind == "message_start" and not self._has_begun
        self._has_begun = True
        self._take_envelope(document)
        self._take_parsed(document)

    def _take_delta(self, document: Mapping[str, Any]) -> bool:
        """Take a delta that others like it make one with, or that needs no parser."""
        delta = document.get("delta")
        if not isinstance(delta, dict) or len(delta) != _JOINED_FIELDS:
            return False
        kind = delta.get("type")
        field = _FIELD_BY_DELTA.get(kind, "") if isinstance(kind, str) else ""
        text = delta.get(field)
        if not isinstance(text, str):
            return False
        if field == "text":
            self._end_joined()
            if text:
                self.progress += 1
                self._backlog.content(0, text, self._role())
            return True
        if not self._merges:
            return False
        if not self._joined.add(document, field, text):
            self._end_joined()
            self._joined.add(document, field, text)
        return True

    def _end_joined(self) -> None:
        document = self._joined.pop()
        if document is not None:
            self._take_parsed(document)

    def _take_envelope(self, document: Mapping[str, Any]) -> None:
        message = document.get("message")
        if document.get("type") == "message_start" and isinstance(message, Mapping):
            if isinstance(identifier := message.get("id"), str) and identifier:
                self._envelope.id = escaped(identifier)
            if isinstance(model := message.get("model"), str):
                self.upstream_model = model
        envelope = message if isinstance(message, Mapping) else document
        self._has_usage = self._has_usage or bool(uncached_once(envelope.get("usage")))

    def _take_parsed(self, document: Mapping[str, Any]) -> None:
        raw = document.get("delta")
        # LiteLLM's parser drops a thought that is not a text.
        if isinstance(raw, Mapping) and not isinstance(raw.get("thinking"), str | None):
            raise BrokenStreamError("holds a text that is not text")
        try:
            parsed = self._parse(_with_usage_once(document))
        except VALIDATION_ERRORS as error:
            raise BrokenStreamError("holds an event that is not of a message") from error
        usage = getattr(parsed, "usage", None)
        if usage is not None and self._has_usage:
            self.progress += usage != self.usage
            self.usage = usage
        [choice] = parsed.choices
        if _states_why_it_ended(document):
            self.progress += self._finish_reason is None
            self._finish_reason = choice.finish_reason
        delta = choice.delta
        if not _is_text(delta):
            raise BrokenStreamError("holds a text that is not text")
        is_empty = not (
            delta.content
            or delta.tool_calls
            or getattr(delta, "reasoning_content", None)
            or getattr(delta, "thinking_blocks", None)
            or getattr(delta, "provider_specific_fields", None)
        )
        if is_empty:
            return
        self.progress += 1
        text = delta.content or ""
        if not text:
            delta.content = None
        if (role := self._role()) is not None:
            delta.role = role
        self._backlog.put(wrap(self._envelope, StreamingChoices(delta=delta)), text)


class _JoinedDeltas:
    """Make one delta of several of the same block, as if it had come in one."""

    __slots__ = ("_document", "_field", "_room", "_texts")

    def __init__(self) -> None:
        self._document: Mapping[str, Any] | None = None
        self._field = ""
        self._room = 0
        self._texts: list[str] = []

    def add(self, document: Mapping[str, Any], field: str, text: str) -> bool:
        """Take a delta, unless another has to be popped first."""
        first = self._document
        if first is None:
            self._document, self._field, self._texts = document, field, [text]
            self._room = MAX_MERGED_CHARACTERS - len(text)
            return True
        fits = field == self._field and len(text) <= self._room
        if not fits or document.get("index") != first.get("index"):
            return False
        self._texts.append(text)
        self._room -= len(text)
        return True

    def pop(self) -> Mapping[str, Any] | None:
        """Return the delta under way, None where there is none."""
        document, self._document = self._document, None
        if document is None or len(self._texts) == 1:
            return document
        return {**document, "delta": {**document["delta"], self._field: "".join(self._texts)}}


def _is_text(delta: Delta) -> bool:
    """Tell whether the texts of a delta are texts, as whoever joins them takes for given."""
    texts = [delta.content, getattr(delta, "reasoning_content", None)]
    texts += [call.function.arguments for call in delta.tool_calls or ()]
    return all(text is None or isinstance(text, str) for text in texts)


def _states_why_it_ended(document: Mapping[str, Any]) -> bool:
    # Where no reason is stated, LiteLLM's parser says "stop".
    delta = document.get("delta")
    return (
        document.get("type") == "message_delta"
        and isinstance(delta, Mapping)
        and bool(delta.get("stop_reason"))
    )


def _with_usage_once(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event whose usage adds up, as LiteLLM reads it."""
    changed = dict(document)
    if "usage" in changed or changed.get("type") == "message_delta":
        # LiteLLM 1.102.4 takes it for given there.
        changed["usage"] = uncached_once(changed.get("usage"))
    message = changed.get("message")
    if isinstance(message, Mapping) and "usage" in message:
        changed["message"] = {**message, "usage": uncached_once(message["usage"])}
    return changed
