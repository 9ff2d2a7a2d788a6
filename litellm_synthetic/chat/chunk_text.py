"""The text of a chunk of a stream, and its place in the chunk.

A chunk is read as it is now: whoever was given it may have changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from litellm import ModelResponseStream

# index, delta, finish_reason, logprobs
_CHOICE_NAMES: Final = 4


class TextSlot(NamedTuple):
    """The place of a chunk's one text.

    Attributes:
        place: the kind of text, the choice, and for a tool call the call's index.
        holder: what `holder[name]` is the text in.
        name: as above.
        begins: the chunk also has what only a beginning has: a role, an id, a name.
    """

    place: tuple[str, int, int]
    holder: dict[str, Any]
    name: str
    begins: bool


def text_slot(chunk: Any) -> TextSlot | None:
    """Return where a chunk keeps its text, None where it says anything else or more."""
    try:
        slot = _text_slot(chunk)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # somebody changed it
    return slot if slot is not None and isinstance(slot.holder[slot.name], str) else None


def _text_slot(chunk: Any) -> TextSlot | None:
    [choice] = chunk.choices
    of_choice = choice.__pydantic_extra__
    delta = of_choice["delta"]
    of_delta, fields = delta.__pydantic_extra__, delta.__dict__
    if chunk.__pydantic_extra__ or chunk.provider_specific_fields is not None:
        return None
    if len(of_choice) > _CHOICE_NAMES or of_choice["logprobs"] or of_choice["finish_reason"]:
        return None
    # Exactly one thing, but for the role.
    [name] = [
        name
        for fields_of in (of_delta, fields)
        for name, value in fields_of.items()
        if value is not None and name != "role"
    ]
    begins = of_delta["role"] is not None
    if name == "tool_calls":
        [call] = of_delta[name]
        fields = call.function.__dict__
        begins = begins or call.id is not None or fields["name"] is not None
        return TextSlot((name, of_choice["index"], call.index), fields, "arguments", begins)
    if name not in ("content", "reasoning_content"):
        return None
    holder = of_delta if name == "content" else fields
    return TextSlot((name, of_choice["index"], 0), holder, name, begins)


def copy_chunk(chunk: ModelResponseStream) -> ModelResponseStream:
    """Return a copy of a chunk with one choice, so far down that its text is its own."""
    copy, choice = chunk.model_copy(), chunk.choices[0].model_copy()
    delta = choice.delta.model_copy()
    if delta.tool_calls:
        call: Any = delta.tool_calls[0].model_copy()
        call.function = call.function.model_copy()
        delta.tool_calls = [call]
    choice.delta = delta
    copy.choices = [choice]
    copy._hidden_params = dict(chunk._hidden_params)  # noqa: SLF001  # where LiteLLM keeps a chunk's metadata
    return copy
