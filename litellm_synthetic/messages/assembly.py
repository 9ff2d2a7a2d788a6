"""Assemble a streamed message from Anthropic's events.

Nothing is translated here. The message is for LiteLLM's callbacks, which want it whole; the caller
gets the events themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from litellm_synthetic.errors.bodies import Report, read_body, read_document, reports_error
from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError

if TYPE_CHECKING:
    from litellm_synthetic.transport.sse import Event

_PREAMBLE: Final = frozenset(("message_start", "ping"))
_DELTA_NAMES: Final = frozenset(("type", "index", "delta"))
# Which field of a block each kind of delta adds to.
_FIELD_BY_DELTA: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input_json"),
}


def plain_documents(events: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]] | None:
    """Return the JSON objects of events, given as name and data.

    None if one of them is not an object or reports an error.
    """
    names, texts = zip(*events, strict=True)
    if b"error" in names:
        return None
    try:
        documents = list(map(from_json, texts))
    except ValueError:  # `json` takes a little more: lone surrogates, deep nesting
        return None
    for document in documents:
        if type(document) is not dict:
            return None
        is_delta = document.keys() == _DELTA_NAMES and document["type"] == "content_block_delta"
        if not is_delta and reports_error(document):
            return None
    return documents


def event_document(event: Event) -> Mapping[str, Any]:
    """Return the JSON object of an event of the Messages API; {} where it holds none.

    Raises:
        ErrorEventError: the event reports an error.
        BrokenStreamError: the event is not a JSON object.
    """
    try:
        document = from_json(event.data)
    except ValueError:
        document = _lenient_document(event)
    if not isinstance(document, dict):
        raise BrokenStreamError("holds an event that is not a JSON object")
    if reports_error(document):
        raise ErrorEventError(read_document(document))
    if event.name == "error":
        raise ErrorEventError(read_body(event.data.strip()))
    return document


def _lenient_document(event: Event) -> Any:
    """Parse an event with `json`, which accepts lone surrogates and deep nesting."""
    data = event.data.strip()
    if not data or data == "[DONE]":
        return {}  # a line kept busy, or OpenAI's ending out of habit; `message_stop` decides
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        if event.name == "error":
            raise ErrorEventError(Report(data)) from None
        raise BrokenStreamError("holds an event that is not JSON") from None


class MessageAssembly:
    """Follow one streamed message.

    Attributes:
        begun: something beyond the opening has come, so there is an answer.
        done: the message has said that it is over.
        progress: how often an event brought the message forward; a ping or an empty delta does not.
    """

    def __init__(self) -> None:
        self.begun = False
        self.done = False
        self.progress = 0
        self._has_started = False
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}

    def take(self, document: Mapping[str, Any]) -> None:
        """Add one event; what it does not know it leaves out."""
        kind = document.get("type")
        if kind == "content_block_delta":
            self.begun = True
            self._add(document.get("index"), document.get("delta"))
            return
        if not isinstance(kind, str):
            return
        self.begun = self.begun or kind not in _PREAMBLE
        # The same event again brings nothing forward, however often it comes.
        if kind == "message_start":
            self.progress += not self._has_started
            self._has_started = True
            self._message = dict(_mapping(document.get("message")))
            self._usage |= _mapping(self._message.get("usage"))
        elif kind == "content_block_start":
            self.progress += _index(document) not in self._blocks
            self._blocks[_index(document)] = dict(_mapping(document.get("content_block")))
        elif kind == "message_delta":
            before = (dict(self._message), dict(self._usage))
            self._message |= _mapping(document.get("delta"))
            self._usage |= _mapping(document.get("usage"))
            self.progress += before != (self._message, self._usage)
        elif kind == "message_stop":
            self.progress += not self.done
            self.done = True

    @property
    def message(self) -> dict[str, Any]:
        """Return the message as far as it has come."""
        return {**self._message, "content": [*self._content()], "usage": dict(self._usage)}

    @property
    def text(self) -> str:
        """Return all that was generated, as text."""
        return "".join(piece for pieces in self._pieces.values() for piece in pieces)

    def _add(self, index: object, delta: object) -> None:
        if not isinstance(delta, dict):
            return
        field = _FIELD_BY_DELTA.get(str(delta.get("type")))
        piece = None if field is None else delta.get(field[0])
        # What else a delta may hold counts where its text is empty.
        self.progress += bool(piece) or any(
            value and name != "type" for name, value in delta.items()
        )
        if field is None or not isinstance(piece, str):
            return
        place = (index if isinstance(index, int) else 0, field[1])
        pieces = self._pieces.get(place)
        if pieces is None:
            self._pieces[place] = [piece]
        else:
            pieces.append(piece)

    def _content(self) -> list[dict[str, Any]]:
        content = []
        for index in sorted(self._blocks):
            block = dict(self._blocks[index])
            for _, field in _FIELD_BY_DELTA.values():
                pieces = self._pieces.get((index, field))
                if pieces is not None and field != "input_json":
                    block[field] = str(block.get(field) or "") + "".join(pieces)
            if (pieces := self._pieces.get((index, "input_json"))) is not None:
                block["input"] = _arguments("".join(pieces))
            content.append(block)
        return content


def _arguments(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text


def _index(document: Mapping[str, Any]) -> int:
    index = document.get("index")
    return index if isinstance(index, int) else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
