"""The chunks of a stream in LiteLLM's types: by its constructors, or from templates of those.

A constructor takes ten times as long as a copy of what it once made: pydantic checks each field,
and LiteLLM's own part sets and deletes a dozen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from litellm import ModelResponseStream, StreamingChoices

# The parts of a chunk that LiteLLM does not export.
_CHOICE: Final = StreamingChoices(logprobs={"content": []})
Delta: Final[Any] = type(_CHOICE.delta)
ChoiceLogprobs: Final[Any] = type(_CHOICE.logprobs)
_log: Final = logging.getLogger("litellm_synthetic")


class Envelope:
    """The fields that all chunks of one reply share."""

    __slots__ = ("created", "fingerprint", "id", "model")

    def __init__(
        self, identifier: str, created: int, model: str, fingerprint: str | None = None
    ) -> None:
        self.id = identifier
        self.created = created
        self.model = model
        self.fingerprint = fingerprint


class CallPiece(NamedTuple):
    """A piece of a streamed tool call; id and name come on a call's first."""

    call_index: int
    id: str | None
    name: str | None
    arguments: str


class Piece(NamedTuple):
    """The content of one chunk: text, reasoning, or a piece of a tool call."""

    choice_index: int = 0
    role: str | None = None
    content: str | None = None
    reasoning: str | None = None
    call: CallPiece | None = None
    logprobs: Any = None


Build = Callable[[Envelope, Piece], ModelResponseStream]
"""Make a chunk of one piece."""


def wrap(envelope: Envelope, choice: StreamingChoices) -> ModelResponseStream:
    """Return the chunk of one choice, by the constructor."""
    return ModelResponseStream(
        id=envelope.id,
        created=envelope.created,
        model=envelope.model,
        system_fingerprint=envelope.fingerprint,
        choices=[choice],
    )


def constructed(envelope: Envelope, piece: Piece) -> ModelResponseStream:
    """Make a chunk by LiteLLM's constructors."""
    fields: dict[str, Any] = {}
    if piece.role is not None:
        fields["role"] = piece.role
    if piece.reasoning is not None:
        fields["reasoning_content"] = piece.reasoning
    if piece.call is not None:
        fields["tool_calls"] = [as_delta(piece.call)]
    delta = Delta(content=piece.content, **fields)
    return wrap(
        envelope, StreamingChoices(index=piece.choice_index, delta=delta, logprobs=piece.logprobs)
    )


def as_delta(call: CallPiece) -> dict[str, Any]:
    """Return a piece of a tool call in OpenAI's form."""
    return {
        "index": call.call_index,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


@cache
def builder() -> Build:
    """Return the fastest way to make chunks that makes the same as the constructors."""
    try:
        build = _from_templates()
        same = all(_is_same(build(_SAMPLE, one), constructed(_SAMPLE, one)) for one in _SAMPLES)
    except (AttributeError, TypeError, KeyError, IndexError):
        same = False
    if same:
        return build
    _log.warning(
        "The chunk types of the installed LiteLLM or pydantic are not as expected: streams work, "
        "but take more CPU. Update litellm-synthetic."
    )
    return constructed


_SAMPLE: Final = Envelope("chatcmpl-1", 1, "model", "fp")
_SAMPLES: Final = (
    Piece(content="a", role="assistant"),
    Piece(choice_index=1, content="a"),
    Piece(reasoning="a"),
    Piece(call=CallPiece(0, "call_1", "f", ""), role="assistant"),
    Piece(call=CallPiece(1, None, None, "{}")),
    Piece(content="a", logprobs=ChoiceLogprobs(content=[])),
)


def _is_same(one: Any, other: Any) -> bool:
    return all(
        (
            one == other,
            one.model_dump() == other.model_dump(),
            one.model_dump_json(exclude_unset=True) == other.model_dump_json(exclude_unset=True),
            one.model_fields_set == other.model_fields_set,
        )
    )


class _Template:
    """Keep what a constructor filled an object with, to fill others the same way."""

    __slots__ = ("extra", "fields", "fields_set", "kind")

    def __init__(self, model: Any) -> None:  # Any, because the slots have no public names
        self.kind = type(model)
        self.fields: dict[str, Any] = dict(model.__dict__)
        self.extra: dict[str, Any] = dict(model.__pydantic_extra__ or {})
        self.fields_set: frozenset[str] = frozenset(model.__pydantic_fields_set__)


def _from_templates() -> Build:  # one closure, so that nothing is looked up per chunk
    text: Any = constructed(_SAMPLE, Piece(content="a"))
    reasoning: Any = constructed(_SAMPLE, Piece(reasoning="a"))
    calling: Any = constructed(_SAMPLE, Piece(call=CallPiece(0, "call_1", "f", "")))
    call = calling.choices[0].delta.tool_calls[0]
    of_chunk, of_choice = _Template(text), _Template(text.choices[0])
    of_text, of_reasoning = _Template(text.choices[0].delta), _Template(reasoning.choices[0].delta)
    of_call, of_function = _Template(call), _Template(call.function)
    private: dict[str, Any] = dict(text.__pydantic_private__ or {})
    private.pop("_hidden_params")
    new, fill = object.__new__, object.__setattr__

    def make(template: _Template, fields: dict[str, Any], extra: dict[str, Any]) -> Any:
        chunk = new(template.kind)
        fill(chunk, "__dict__", fields)
        fill(chunk, "__pydantic_extra__", extra)
        fill(chunk, "__pydantic_fields_set__", set(template.fields_set))
        fill(chunk, "__pydantic_private__", None)
        return chunk

    def make_call(piece: CallPiece) -> Any:
        fields = of_function.fields.copy()
        fields["arguments"], fields["name"] = piece.arguments, piece.name
        function = make(of_function, fields, of_function.extra.copy())
        fields = of_call.fields.copy()
        fields["id"], fields["index"], fields["function"] = piece.id, piece.call_index, function
        return make(of_call, fields, of_call.extra.copy())

    def build(envelope: Envelope, piece: Piece) -> ModelResponseStream:
        index, role, content, reasoning, call, logprobs = piece
        if reasoning is None:
            template = of_text
            fields = template.fields.copy()
        else:
            template = of_reasoning
            fields = template.fields.copy()
            fields["reasoning_content"] = reasoning
        extra = template.extra.copy()
        extra["content"], extra["role"] = content, role
        if call is not None:
            extra["tool_calls"] = [make_call(call)]
        delta = make(template, fields, extra)
        extra = of_choice.extra.copy()
        extra["index"], extra["delta"] = index, delta
        extra["logprobs"] = logprobs
        choice = make(of_choice, of_choice.fields.copy(), extra)
        fields = of_chunk.fields.copy()
        fields["id"], fields["created"] = envelope.id, envelope.created
        fields["model"], fields["system_fingerprint"] = envelope.model, envelope.fingerprint
        fields["choices"] = [choice]
        chunk: ModelResponseStream = make(of_chunk, fields, of_chunk.extra.copy())
        fill(chunk, "__pydantic_private__", {"_hidden_params": {}, **private})
        return chunk

    return build
