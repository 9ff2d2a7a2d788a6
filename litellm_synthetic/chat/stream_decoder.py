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

from litellm_synthetic.chat.response import (
    GIVEN_UP,
    MISFITS,
    arguments_text,
    new_tool_call_id,
    reasoning_of,
)
from litellm_synthetic.chat.think_tags import ThinkTagSplitter
from litellm_synthetic.chat.usage import to_usage
from litellm_synthetic.errors.bodies import Report, read_body, read_document, reports_error
from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError

if TYPE_CHECKING:
    from litellm import Usage

    from litellm_synthetic.transport.sse import Event

_DONE: Final = "[DONE]"


class _Choice:
    """Follow one choice of the reply through the stream."""

    __slots__ = ("calls", "finish_reason", "has_reasoning", "splitter", "started")

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.has_reasoning = False
        self.splitter = ThinkTagSplitter()
        self.started = False
        self.calls = _ToolCalls()


class _ToolCalls:
    """Give each streamed tool call its index, also where the upstream names none.

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

    def piece(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the delta of one piece, with its index; id and type only on a call's first."""
        function = fields.get("function")
        function = function if isinstance(function, Mapping) else {}
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        identifier = fields.get("id") if isinstance(fields.get("id"), str) else None
        upstream_index = fields.get("index")
        if isinstance(upstream_index, bool) or not isinstance(upstream_index, int):
            upstream_index = None
        index = self._find(upstream_index, identifier, named=bool(name))
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
        return {
            "index": index,
            "id": self._ids[index] if is_first else None,
            "type": "function",
            "function": {
                "name": name or None,
                "arguments": arguments_text(function.get("arguments")),
            },
        }

    def _find(
        self, upstream_index: int | None, identifier: str | None, *, named: bool
    ) -> int | None:
        if upstream_index is not None:
            index = self._by_upstream_index.get(upstream_index)
            if index is None or not identifier or self._ids[index] == identifier:
                return index
            return self._ids.index(identifier) if identifier in self._ids else None
        if identifier:
            return self._ids.index(identifier) if identifier in self._ids else None
        if not self._ids or (named and self._names[-1]):
            return None
        return len(self._ids) - 1


class ChunkDecoder:
    """Turn the events of one streamed reply into LiteLLM's chunks."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.upstream_model: str | None = None
        self.done = False
        self.progress = 0
        self.last_chunk: ModelResponseStream | None = None
        self._id = f"chatcmpl-{uuid4().hex}"
        self._created = int(time.time())
        self._fingerprint: str | None = None
        self._usage: Mapping[str, Any] | None = None
        self._choices: dict[int, _Choice] = {}

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

    def decode(self, event: Event) -> list[ModelResponseStream]:
        """Return the chunks that an event brings, often one, sometimes none.

        Raises:
            ErrorEventError: the event reports an error.
            BrokenStreamError: the event is no JSON object, or not of a completion.
        """
        data = event.data.strip()
        if data == _DONE:
            self.done = True
            return []
        if not data:
            return []  # how some gateways keep a line busy
        document = self._document(event, data)
        if document is None:
            return []
        if reports_error(document):
            raise ErrorEventError(read_document(document))
        self._take_envelope(document)
        choices = document.get("choices") or []
        if not isinstance(choices, list):
            raise BrokenStreamError("holds an event whose choices are no list")
        try:
            chunks = [self._chunk(choice) for choice in choices if isinstance(choice, dict)]
        except MISFITS as error:
            raise BrokenStreamError("holds an event that is no chat completion chunk") from error
        return [chunk for chunk in chunks if chunk is not None]

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
            chunk = self._build(index, choice, held.content, held.reasoning)
            if chunk is not None:
                chunks.append(chunk)
        if (usage := self.usage) is not None:
            carrier = self._wrap(StreamingChoices(delta={"content": None}))
            carrier.usage = usage
            chunks.append(carrier)
        for index, choice in self._choices.items():
            reason = choice.finish_reason
            if reason == "stop" and choice.calls:
                reason = "tool_calls"
            delta = {"content": None, "role": None if choice.started else "assistant"}
            finish = StreamingChoices(finish_reason=reason, index=index, delta=delta)
            chunks.append(self._wrap(finish))
        self.last_chunk = chunks[-1]
        return chunks

    @staticmethod
    def _document(event: Event, data: str) -> dict[str, Any] | None:
        named = event.name not in ("", "message", "error", "completion")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            if event.name == "error":
                raise ErrorEventError(Report(data)) from None
            if named:
                return None  # a ping, or what a later version of the API may send
            raise BrokenStreamError("holds an event that is not JSON") from None
        if event.name == "error":
            raise ErrorEventError(read_body(data))
        if not isinstance(document, dict):
            if named:
                return None
            raise BrokenStreamError("holds an event that is no JSON object")
        return document

    def _take_envelope(self, document: Mapping[str, Any]) -> None:
        if not self._choices:
            if isinstance(identifier := document.get("id"), str) and identifier:
                self._id = identifier
            if isinstance(created := document.get("created"), int):
                self._created = created
            if isinstance(model := document.get("model"), str):
                self.upstream_model = model
            if isinstance(fingerprint := document.get("system_fingerprint"), str):
                self._fingerprint = fingerprint
        if isinstance(document.get("usage"), Mapping):
            # On the finish chunk, on a last one without choices, or on both: the last one counts.
            self.progress += self._usage != document["usage"]
            self._usage = document["usage"]

    def _chunk(self, fields: Mapping[str, Any]) -> ModelResponseStream | None:
        index = fields.get("index")
        index = index if isinstance(index, int) and not isinstance(index, bool) else 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        if reason := fields.get("finish_reason"):  # "" on every chunk is no reason
            self.progress += choice.finish_reason is None
            choice.finish_reason = str(reason)
        delta = fields.get("delta")
        delta = delta if isinstance(delta, Mapping) else {"content": fields.get("text")}
        reasoning = reasoning_of(delta)
        content = delta.get("content")
        content = content if isinstance(content, str) else ""
        if content or reasoning:
            self.progress += 1
        if reasoning and not choice.has_reasoning:
            choice.has_reasoning = True
            # What was held back, mostly white space, stays before the text that follows.
            held = choice.splitter.close()
            reasoning, content = held.reasoning + reasoning, held.content + content
        if content and not choice.has_reasoning and not choice.splitter.settled:
            reasoning, content = choice.splitter.feed(content)
        return self._build(index, choice, content, reasoning, delta, fields.get("logprobs"))

    def _build(  # noqa: PLR0913, PLR0917  # one place that knows what makes a chunk empty
        self,
        index: int,
        choice: _Choice,
        content: str,
        reasoning: str,
        delta: Mapping[str, Any] | None = None,
        logprobs: Any = None,
    ) -> ModelResponseStream | None:
        extra: dict[str, Any] = {}
        if delta is not None:
            if isinstance(calls := delta.get("tool_calls"), list):
                pieces = [choice.calls.piece(call) for call in calls if isinstance(call, Mapping)]
                if pieces:
                    extra["tool_calls"] = pieces
                    self.progress += any(map(_says_something, pieces))
            if (function := delta.get("function_call")) and isinstance(function, Mapping):
                arguments = arguments_text(function.get("arguments"))
                extra["function_call"] = {**function, "arguments": arguments}
                self.progress += bool(arguments or function.get("name"))
            if (refusal := delta.get("refusal")) and isinstance(refusal, str):
                extra["refusal"] = refusal
                self.progress += 1
        if not (content or reasoning or extra or logprobs):
            return None
        if reasoning:
            extra["reasoning_content"] = reasoning
        if not choice.started:
            choice.started = True
            extra["role"] = "assistant"
        return self._wrap(
            StreamingChoices(
                index=index, delta={"content": content or None, **extra}, logprobs=logprobs
            )
        )

    def _wrap(self, choice: StreamingChoices) -> ModelResponseStream:
        return ModelResponseStream(
            id=self._id,
            created=self._created,
            model=self.model,
            system_fingerprint=self._fingerprint,
            choices=[choice],
        )


def _says_something(piece: Mapping[str, Any]) -> bool:
    """Tell whether a piece of a tool call adds to it; some backends send empty ones meanwhile."""
    function = piece["function"]
    return bool(piece["id"] or function["name"] or function["arguments"])
