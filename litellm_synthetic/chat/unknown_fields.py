"""Unknown fields of a streamed reply: passed through, as LiteLLM does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.chunks import Delta

if TYPE_CHECKING:
    from collections.abc import Mapping

# What LiteLLM reads in a delta, beside text, reasoning and tool calls, and what it has to be.
_KINDS: Final[Mapping[str, type]] = {
    "function_call": dict,
    "refusal": str,
    "annotations": list,
    "images": list,
    "audio": dict,
    "thinking_blocks": list,
    "provider_specific_fields": dict,
}


def unknown_fields(fields: Mapping[str, Any], known: frozenset[str], kind: type) -> dict[str, Any]:
    """Return the fields that are not known and say something.

    Args:
        fields: of the reply, or of one of its choices.
        known: the names that are read elsewhere.
        kind: LiteLLM's type that they go into; a field named like one of its methods is left out,
            because it would take the method's place.
    """
    return {
        name: value
        for name, value in fields.items()
        if value is not None
        and name not in known
        and not name.startswith("_")
        and not hasattr(kind, name)
    }


def delta_fields(delta: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return what a delta says beyond what is known."""
    return {
        name: value
        for name, value in unknown_fields(delta, known, Delta).items()
        if value and isinstance(value, _KINDS.get(name, object))
    }


def are_worth_a_chunk(fields: Mapping[str, Any]) -> bool:
    """Tell whether LiteLLM reads one of these fields of a delta; others need another's company."""
    return not _KINDS.keys().isdisjoint(fields)


def set_fields(target: Any, fields: Mapping[str, Any]) -> None:
    """Give one of LiteLLM's objects fields that it has no parameters for."""
    for name, value in fields.items():
        setattr(target, name, value)
