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

from litellm.types.utils import ChoiceLogprobs, Delta, ModelResponseStream, StreamingChoices
from pydantic_core import from_json

from litellm_synthetic.chat.backlog import Backlog
from litellm_synthetic.chat.chunks import CallPiece, Envelope, as_delta, wrap
from litellm_synthetic.chat.content import content_text
from litellm_synthetic.chat.response import GIVEN_UP, MISFITS, arguments_text, reasoning_of
from litellm_synthetic.chat.streamed_calls import StreamedCalls
from litellm_synthetic.chat.think_tags import ThinkTagSplitter
from litellm_synthetic.chat.unknown_fields import (
    are_worth_a_chunk,
    delta_fields,
    set_fields,
    unknown_fields,
)
from litellm_synthetic.chat.usage import merged_usage, to_usage
from litellm_synthetic.errors.bodies import message_of, status_of
from litellm_synthetic.errors.faults import (
    BrokenStreamError,
    ErrorEventError,
    UnreadableReplyError,
)

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from litellm.types.utils import Usage

    from litellm_synthetic.transport.sse import Event

_DONE: Final = "[DONE]"
_SUCCESS: Final = 200
_KNOWN: Final = frozenset(
    ("id", "object", "created", "model", "choices", "system_fingerprint", "usage")
)
_KNOWN_CHOICE: Final = frozenset(("index", "delta", "text", "finish_reason", "logprobs"))
_KNOWN_DELTA: Final = frozenset(
    ("role", "content", "text", "reasoning", "reasoning_content", "tool_calls")
)


class _Choice:
    """Follow one choice of the reply through the stream."""

    __slots__ = ("calls", "extras", "finish_reason", "has_reasoning", "splitter", "started")

    def __init__(self) -> None:
        # Unknown fields that no chunk has taken along yet.
        self.extras: dict[str, Any] = {}
        self.finish_reason: str | None = None
        self.has_reasoning = False
        self.splitter = ThinkTagSplitter()
        self.started = False
        self.calls = StreamedCalls()

    def role(self) -> str | None:
        """Return the role for the next chunk: only the first bears it."""
        if self.started:
            return None
        self.started = True
        return "assistant"


class ChunkDecoder:
    """Turn the events of one streamed reply into LiteLLM's chunks.

    Args:
        model: the id that was asked for; all chunks bear it.
        merges: whether deltas that wait together become one chunk, see `Backlog`.
        max_repeats: how often the model may say the same in a row; None is no limit.
    """

    def __init__(self, model: str, *, merges: bool = True, max_repeats: int | None = None) -> None:
        self.upstream_model: str | None = None
        self.done = False
        self.progress = 0
        self.last_chunk: ModelResponseStream | None = None
        self._envelope = Envelope(f"chatcmpl-{uuid4().hex}", int(time.time()), model)
        self._backlog = Backlog(self._envelope, merges=merges, max_repeats=max_repeats)
        self._usage: Mapping[str, Any] | None = None
        self._choices: dict[int, _Choice] = {}
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
            BrokenStreamError: an event is no JSON object, or not of a completion.
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
            if choice.finish_reason in GIVEN_UP:
                raise BrokenStreamError(f"ended early, with finish_reason {choice.finish_reason}")
        chunks: list[ModelResponseStream] = []
        for index, choice in self._choices.items():
            held = choice.splitter.close()
            if held.content or held.reasoning:
                delta = _delta(choice, held.content, held.reasoning)
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
            except ValueError:  # also what `json` takes: lone surrogates, deep nesting
                return self._odd_document(event)
            if type(document) is dict and not document.get("error"):
                return document
        return self._odd_document(event)

    def _odd_document(self, event: Event) -> dict[str, Any] | None:
        data = event.data.strip()
        if data == _DONE:
            self.done = True
            return None
        if not data:
            return None  # how some gateways keep a line busy
        named = event.name not in ("", "message", "error", "completion")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            if event.name == "error":
                raise ErrorEventError(data, _SUCCESS) from None
            if named:
                return None  # a ping, or what a later version of the API may send
            raise BrokenStreamError("holds an event that is not JSON") from None
        if event.name == "error" and not (isinstance(document, dict) and document.get("error")):
            raise ErrorEventError(message_of(document) or data, status_of(document) or _SUCCESS)
        if not isinstance(document, dict):
            if named:
                return None
            raise BrokenStreamError("holds an event that is no JSON object")
        if document.get("error"):
            raise ErrorEventError(message_of(document), status_of(document) or _SUCCESS)
        return document

    def _take(self, document: dict[str, Any]) -> None:
        if not self._choices:
            self._take_envelope(document)
        usage = document.get("usage")
        if usage is not None and isinstance(usage, Mapping):
            # On the finish chunk, on a last one without choices, on both, or on every one.
            merged = merged_usage(self._usage or {}, usage)
            self.progress += merged != self._usage
            self._usage = merged
        if not _KNOWN.issuperset(document):
            self._extras |= unknown_fields(document, _KNOWN, ModelResponseStream)
        choices = document.get("choices")
        if not choices:
            return
        if not isinstance(choices, list):
            raise BrokenStreamError("holds an event whose choices are no list")
        try:
            for fields in choices:
                if isinstance(fields, dict):
                    self._take_choice(fields)
        except MISFITS as error:
            raise BrokenStreamError("holds an event that is no chat completion chunk") from error

    def _take_envelope(self, document: Mapping[str, Any]) -> None:
        envelope = self._envelope
        if isinstance(identifier := document.get("id"), str) and identifier:
            envelope.id = identifier
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
            choice = self._choices[index] = _Choice()
        if reason := fields.get("finish_reason"):  # "" on every chunk is no reason
            self.progress += choice.finish_reason is None
            choice.finish_reason = str(reason)
        delta = fields.get("delta")
        if not isinstance(delta, dict):
            delta = {"content": fields.get("text")}
        content, reasoning = _content(delta), reasoning_of(delta)
        if reasoning and not choice.has_reasoning:
            choice.has_reasoning = True
            # What was held back, mostly white space, stays before the text that follows.
            held = choice.splitter.close()
            reasoning, content = held.reasoning + reasoning, held.content + content
        if content or reasoning:
            self.progress += 1
        if content and not choice.has_reasoning and not choice.splitter.settled:
            reasoning, content = choice.splitter.feed(content)
        logprobs = fields.get("logprobs") or None
        if isinstance(logprobs, dict):
            logprobs = ChoiceLogprobs(**logprobs)
        if not _KNOWN_CHOICE.issuperset(fields):
            choice.extras |= unknown_fields(fields, _KNOWN_CHOICE, StreamingChoices)
        pieces = self._pieces(choice, delta) if delta.get("tool_calls") else ()
        more = {} if _KNOWN_DELTA.issuperset(delta) else delta_fields(delta, _KNOWN_DELTA)
        parts = bool(content) + bool(reasoning) + len(pieces)
        if not parts and not logprobs and not are_worth_a_chunk(more):
            return
        extras, self._extras = self._extras, {}
        if parts != 1 or more or choice.extras:
            made = _delta(choice, content, reasoning, pieces, more)
            whole = StreamingChoices(index=index, delta=made, logprobs=logprobs)
            set_fields(whole, choice.extras)
            choice.extras = {}
            chunk = wrap(self._envelope, whole)
            set_fields(chunk, extras)
            self.progress += 1
            self._backlog.put(chunk, content)
            return
        role = choice.role()
        if content:
            self._backlog.content(index, content, role, logprobs, extras)
        elif reasoning:
            self._backlog.reasoning(index, reasoning, role, logprobs, extras)
        else:
            self._backlog.arguments(index, pieces[0], role, logprobs, extras)

    def _pieces(self, choice: _Choice, delta: Mapping[str, Any]) -> list[CallPiece]:
        calls = delta["tool_calls"]
        if not isinstance(calls, list):
            return []
        pieces = [choice.calls.piece(call) for call in calls if isinstance(call, Mapping)]
        # Some backends send empty ones to keep the line busy.
        self.progress += any(one.id or one.name or one.arguments for one in pieces)
        return pieces


def _content(delta: Mapping[str, Any]) -> str:
    content = delta.get("content")
    if type(content) is str:
        return content
    try:
        return content_text(content) or ""
    except UnreadableReplyError as error:
        raise BrokenStreamError(f"holds an event that cannot be read: {error}") from error


def _delta(
    choice: _Choice,
    content: str,
    reasoning: str,
    pieces: Iterable[CallPiece] = (),
    more: Mapping[str, Any] | None = None,
) -> Delta:
    """Return a delta by its constructor, whatever is in it."""
    fields = dict(more or {})
    named: dict[str, Any] = {}
    if calls := [as_delta(piece) for piece in pieces]:
        named["tool_calls"] = calls
    if (function := fields.pop("function_call", None)) is not None:
        arguments = arguments_text(function.get("arguments"))
        named["function_call"] = {**function, "arguments": arguments}
    if reasoning:
        named["reasoning_content"] = reasoning
    if (role := choice.role()) is not None:
        named["role"] = role
    delta = Delta(content=content or None, **named)
    set_fields(delta, fields)
    return delta
