"""Streamed messages: Anthropic's events in, LiteLLM's chunks out, by LiteLLM's own parser.

The chunks come in the order that `chunks` explains: no empty ones, then the usage, then the finish.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from litellm import ModelResponseStream, StreamingChoices

from litellm_synthetic.chat.response import MISFITS
from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.errors.faults import BrokenStreamError
from litellm_synthetic.messages.assembly import event_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm import Usage

    from litellm_synthetic.transport.sse import Event

_PARSED: Final = frozenset(
    (
        "message_start", "content_block_start", "content_block_delta", "content_block_stop",
        "message_delta",
    )
)  # fmt: skip  # one list, read as one


class MessageChunkDecoder:
    """Turn the events of one streamed message into LiteLLM's chunks; see `chat.stream_decoder`.

    Args:
        model: the id that was asked for.
        parse: LiteLLM's parser of such events, for this stream only.
    """

    def __init__(self, model: str, parse: Callable[[dict[str, Any]], ModelResponseStream]) -> None:
        self.model = model
        self.upstream_model: str | None = None
        self.done = False
        self.progress = 0
        self.usage: Usage | None = None
        self.last_chunk: ModelResponseStream | None = None
        self._parse = parse
        self._id = f"chatcmpl-{uuid4().hex}"
        self._created = int(time.time())
        self._finish_reason: str | None = None
        self._has_role = False
        self._has_usage = False

    @property
    def complete(self) -> bool:
        """Tell whether the message has said why it ended."""
        return self._finish_reason is not None

    def decode(self, event: Event) -> list[ModelResponseStream]:
        """Return the chunks that an event brings, one or none.

        Raises:
            ErrorEventError: the event reports an error.
            BrokenStreamError: the event is no JSON object, or not of a message.
        """
        document = event_document(event)
        kind = document.get("type")
        if kind == "message_stop":
            self.done = True
        if not isinstance(kind, str) or kind not in _PARSED:
            return []  # a ping, or what a later version of the API may send
        self.progress += kind == "message_start"
        self._take_envelope(document)
        try:
            parsed = self._parse(_with_usage_once(document))
        except MISFITS as error:
            raise BrokenStreamError("holds an event that is not of a message") from error
        return self._taken(parsed, ended=_states_why_it_ended(document))

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply: the usage, and the finish reason.

        Raises:
            BrokenStreamError: the stream ended before the message did.
        """
        if not self.complete:
            raise BrokenStreamError("ended early, without a stop_reason")
        chunks: list[ModelResponseStream] = []
        if self.usage is not None:
            carrier = self._wrap(StreamingChoices(delta={"content": None}))
            carrier.usage = self.usage
            chunks.append(carrier)
        delta = {"content": None, "role": None if self._has_role else "assistant"}
        chunks.append(self._wrap(StreamingChoices(finish_reason=self._finish_reason, delta=delta)))
        self.last_chunk = chunks[-1]
        return chunks

    def _take_envelope(self, document: Mapping[str, Any]) -> None:
        message = document.get("message")
        if document.get("type") == "message_start" and isinstance(message, Mapping):
            if isinstance(identifier := message.get("id"), str) and identifier:
                self._id = identifier
            if isinstance(model := message.get("model"), str):
                self.upstream_model = model
        stated = message if isinstance(message, Mapping) else document
        self._has_usage = self._has_usage or bool(uncached_once(stated.get("usage")))

    def _taken(self, parsed: ModelResponseStream, *, ended: bool) -> list[ModelResponseStream]:
        usage = getattr(parsed, "usage", None)
        if usage is not None and self._has_usage:
            self.progress += usage != self.usage
            self.usage = usage
        [choice] = parsed.choices
        if ended:
            self.progress += self._finish_reason is None
            self._finish_reason = choice.finish_reason
        delta = choice.delta
        is_empty = not (
            delta.content
            or delta.tool_calls
            or getattr(delta, "reasoning_content", None)
            or getattr(delta, "thinking_blocks", None)
            or getattr(delta, "provider_specific_fields", None)
        )
        if is_empty:
            return []
        self.progress += 1
        if not delta.content:
            delta.content = None
        if not self._has_role:
            self._has_role = True
            delta.role = "assistant"
        return [self._wrap(StreamingChoices(delta=delta))]

    def _wrap(self, choice: StreamingChoices) -> ModelResponseStream:
        return ModelResponseStream(
            id=self._id, created=self._created, model=self.model, choices=[choice]
        )


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
