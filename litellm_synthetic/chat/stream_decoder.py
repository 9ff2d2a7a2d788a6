"""Streamed replies: events in, LiteLLM's chunks out.

The order that LiteLLM's stream wrapper needs (found by experiment): no empty deltas, no
finish_reason beside content, and at the end first a chunk that carries the usage, then the finish
chunk. What is empty and comes at or after the finish is thrown away there, with its usage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from litellm import ModelResponseStream, StreamingChoices
from pydantic_core import from_json

from litellm_synthetic.chat.backlog import Backlog
from litellm_synthetic.chat.chunks import ChoiceLogprobs, Delta, Envelope, wrap
from litellm_synthetic.chat.response import ABORTED_FINISH_REASONS, VALIDATION_ERRORS, escaped
from litellm_synthetic.chat.streamed_choice import StreamedChoice
from litellm_synthetic.chat.unknown_fields import (
    are_worth_a_chunk,
    set_fields,
    unknown_fields,
)
from litellm_synthetic.chat.usage import merged_usage, to_usage
from litellm_synthetic.errors.bodies import Report, read_body, read_document, reports_error
from litellm_synthetic.errors.faults import (
    BrokenStreamError,
    ErrorEventError,
)

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from litellm import Usage

    from litellm_synthetic.chat.streamed_choice import EventParts
    from litellm_synthetic.transport.sse import Event

_DONE: Final = "[DONE]"
_KNOWN: Final = frozenset(
    ("id", "object", "created", "model", "choices", "system_fingerprint", "usage")
)
_KNOWN_CHOICE: Final = frozenset(("index", "delta", "text", "finish_reason", "logprobs"))


class ChunkDecoder:
    """Turn the events of one streamed reply into LiteLLM's chunks.

    Args:
        model: the id that was asked for; all chunks bear it.
        merges: whether deltas that wait together become one chunk, see `Backlog`.
        max_repeats: how often the model may say the same in a row; None means unlimited.
    """

    def __init__(self, model: str, *, merges: bool = True, max_repeats: int | None = None) -> None:
        self.upstream_model: str | None = None
        self.done = False
        self.progress = 0
        self.last_chunk: ModelResponseStream | None = None
        self._envelope = Envelope(f"chatcmpl-{uuid4().hex}", int(time.time()), model)
        self._backlog = Backlog(self._envelope, merges=merges, max_repeats=max_repeats)
        self._usage: Mapping[str, Any] | None = None
        self._choices: dict[int, StreamedChoice] = {}
        # Unknown fields of events that brought no chunk; the next one takes them along.
        self._extras: dict[str, Any] = {}

    @property
    def ready(self) -> deque[ModelResponseStream]:
        """Return the chunks that the events so far have brought, without those handed out."""
        return self._backlog.ready

    @property
    def usage(self) -> Usage | None:
        """Return the usage that the upstream reported so far."""
        return to_usage(self._usage)

    @property
    def complete(self) -> bool:
        """Tell whether every choice has said why it ended."""
        return bool(self._choices) and all(
            choice.finish_reason is not None for choice in self._choices.values()
        )

    def take(self, events: Iterable[Event]) -> None:
        """Add what events bring to `ready`, up to the one that ends the stream.

        Raises:
            ErrorEventError: an event reports an error.
            BrokenStreamError: an event is not a JSON object, or not of a completion.
            RepeatedTextError: the model says the same again and again.
        """
        try:
            for event in events:
                document = self._document(event)
                if document is not None:
                    self._take(document)
                elif self.done:
                    return
        finally:
            self._backlog.flush()

    def finish(self) -> list[ModelResponseStream]:
        """Return what closes the reply: text held back, the usage, and each finish reason once.

        Raises:
            BrokenStreamError: the stream ended before the reply did.
        """
        if not self.complete:
            raise BrokenStreamError("ended early, without a finish_reason")
        for choice in self._choices.values():
            if choice.finish_reason in ABORTED_FINISH_REASONS:
                raise BrokenStreamError(f"ended early, with finish_reason {choice.finish_reason}")
        chunks: list[ModelResponseStream] = []
        for index, choice in self._choices.items():
            rest = choice.held()
            if rest.parts:
                delta = choice.delta(rest)
                chunks.append(wrap(self._envelope, StreamingChoices(index=index, delta=delta)))
        if (usage := self.usage) is not None:
            carrier = wrap(self._envelope, StreamingChoices(delta=Delta(content=None)))
            carrier.usage = usage
            chunks.append(carrier)
        for index, choice in self._choices.items():
            reason = choice.finish_reason
            if reason == "stop" and choice.calls:
                reason = "tool_calls"
            delta = Delta(content=None, role=choice.role())
            finish = StreamingChoices(finish_reason=reason, index=index, delta=delta)
            set_fields(finish, choice.extras)
            chunks.append(wrap(self._envelope, finish))
        self.last_chunk = chunks[-1]
        set_fields(self.last_chunk, self._extras)
        return chunks

    def _document(self, event: Event) -> dict[str, Any] | None:
        """Return the JSON object of an event; None where it has none that needs a look."""
        if not event.name:
            try:
                document = from_json(event.data)
            except ValueError:  # `json` takes a little more: lone surrogates, deep nesting
                return self._odd_document(event)
            if isinstance(document, dict):
                return document
        return self._odd_document(event)

    def _odd_document(self, event: Event) -> dict[str, Any] | None:
        data = event.data.strip()
        if data == _DONE:
            self.done = True
            return None
        if not data:
            return None  # how some gateways keep a line busy
        is_named = event.name not in ("", "message", "error", "completion")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            if event.name == "error":
                raise ErrorEventError(Report(data)) from None
            if is_named:
                return None  # a ping, or what a later version of the API may send
            raise BrokenStreamError("holds an event that is not JSON") from None
        if event.name == "error":
            raise ErrorEventError(read_body(data))
        if not isinstance(document, dict):
            if is_named:
                return None
            raise BrokenStreamError("holds an event that is not a JSON object")
        return document

    def _take(self, document: dict[str, Any]) -> None:
        if not _KNOWN.issuperset(document) or document.get("object") == "error":
            if reports_error(document):
                raise ErrorEventError(read_document(document))
            self._extras |= _unknown_fields(document)
        if not self._choices:
            self._take_envelope(document)
        usage = document.get("usage")
        if usage is not None and isinstance(usage, Mapping):
            # On the finish chunk, on a last one without choices, on both, or on every one.
            merged = merged_usage(self._usage or {}, usage)
            self.progress += merged != self._usage
            self._usage = merged
        choices = document.get("choices")
        if not choices:
            return
        if not isinstance(choices, list):
            raise BrokenStreamError("holds an event whose choices are not a list")
        try:
            for fields in choices:
                if isinstance(fields, dict):
                    self._take_choice(fields)
        except VALIDATION_ERRORS as error:
            raise BrokenStreamError("holds an event that is not a chat completion chunk") from error

    def _take_envelope(self, document: Mapping[str, Any]) -> None:
        envelope = self._envelope
        if isinstance(identifier := document.get("id"), str) and identifier:
            envelope.id = escaped(identifier)
        if type(created := document.get("created")) is int:
            envelope.created = created
        if isinstance(model := document.get("model"), str):
            self.upstream_model = model
        if isinstance(fingerprint := document.get("system_fingerprint"), str):
            envelope.fingerprint = fingerprint

    def _take_choice(self, fields: dict[str, Any]) -> None:
        index = fields.get("index")
        if type(index) is not int:
            index = 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = StreamedChoice()
        if reason := fields.get("finish_reason"):  # some backends send "" on every chunk
            self.progress += choice.finish_reason is None
            choice.finish_reason = str(reason)
        if not _KNOWN_CHOICE.issuperset(fields):
            choice.extras |= unknown_fields(fields, _KNOWN_CHOICE, StreamingChoices)
        delta = fields.get("delta")
        if not isinstance(delta, dict):
            delta = {"content": fields.get("text")}
        if len(delta) == 1 and not (fields.get("logprobs") or self._extras or choice.extras):
            # Nearly every event, and all that there is to do for it.
            text = delta.get("content")
            if type(text) is str and text and choice.is_plain:
                self.progress += 1
                self._backlog.content(index, text)
                return
            if choice.has_started and (call := choice.calls.continued(delta.get("tool_calls"))):
                self.progress += 1
                self._backlog.arguments(index, call)
                return
        piece = choice.read(delta)
        self.progress += piece.is_progress
        logprobs = fields.get("logprobs") or None
        if isinstance(logprobs, dict):
            logprobs = ChoiceLogprobs(**logprobs)
        self._put(index, choice, piece, logprobs)

    def _put(self, index: int, choice: StreamedChoice, piece: EventParts, logprobs: Any) -> None:
        parts = piece.parts
        if not parts and not logprobs and not are_worth_a_chunk(piece.more):
            return
        extras, self._extras = self._extras, {}
        if parts != 1 or piece.more or choice.extras:
            delta = choice.delta(piece)
            whole = StreamingChoices(index=index, delta=delta, logprobs=logprobs)
            set_fields(whole, choice.extras)
            choice.extras = {}
            chunk = wrap(self._envelope, whole)
            set_fields(chunk, extras)
            self._backlog.put(chunk, piece.content)
        elif piece.content:
            self._backlog.content(index, piece.content, choice.role(), logprobs, extras)
        elif piece.reasoning:
            self._backlog.reasoning(index, piece.reasoning, choice.role(), logprobs, extras)
        else:
            self._backlog.arguments(index, piece.pieces[0], choice.role(), logprobs, extras)


def _unknown_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    if "choices" not in document:  # a ping, which is not part of the reply
        return {}
    return unknown_fields(document, _KNOWN, ModelResponseStream)
