"""Tokens as the upstream counts them, in LiteLLM's type, so that prices are right to the token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import litellm
from litellm import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

# The names of OpenAI's two breakdowns; LiteLLM's types fail on some others, such as `self`.
_DETAILS: Final = (
    "cached_tokens", "audio_tokens", "text_tokens", "image_tokens", "reasoning_tokens",
    "accepted_prediction_tokens", "rejected_prediction_tokens", "cache_creation_tokens",
)  # fmt: skip  # one list, read as one
_MESSAGES_COUNTS: Final = (
    "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
)  # fmt: skip  # one list, read as one
# Beyond it a price computed in floats is not exact; no bill gets there.
_MAX_COUNT: Final = 2**53


def to_usage(fields: object) -> Usage | None:
    """Return LiteLLM's usage for an upstream `usage` object, None where there is none.

    Cached tokens keep their place in `prompt_tokens_details`. `reasoning_tokens`, which Synthetic
    puts at the top level (seen 2026-09-08) and which `completion_tokens` includes, moves to
    `completion_tokens_details`. A count that is not a whole number of at least 0 counts as absent.
    """
    if not isinstance(fields, Mapping):
        return None
    prompt = _count(fields.get("prompt_tokens"))
    completion = _count(fields.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    total = _count(fields.get("total_tokens"))
    prompt_details = _details(fields.get("prompt_tokens_details"))
    if (cached := prompt_details.get("cached_tokens")) is not None:
        # More cached than sent would make the uncached part, and so the price, negative.
        prompt_details["cached_tokens"] = min(cached, prompt or 0)
    completion_details = _details(fields.get("completion_tokens_details"))
    return Usage(
        prompt_tokens=prompt or 0,
        completion_tokens=completion or 0,
        total_tokens=total if total is not None else (prompt or 0) + (completion or 0),
        reasoning_tokens=_count(fields.get("reasoning_tokens")),
        prompt_tokens_details=prompt_details or None,
        completion_tokens_details=completion_details or None,
    )


def merged_usage(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two `usage` objects of one stream say together, field by field.

    The later one counts, but for what it leaves out, has no readable count for, or puts at 0 after
    a count was there: counts only grow while a reply comes.
    """
    merged = dict(earlier)
    for name, value in later.items():
        if isinstance(value, Mapping):
            before = earlier.get(name)
            merged[name] = merged_usage(before if isinstance(before, Mapping) else {}, value)
        elif _count(value) or (value is not None and not _count(merged.get(name))):
            merged[name] = value
    if not _count(later.get("total_tokens")) and any(
        merged.get(name) != earlier.get(name) for name in ("prompt_tokens", "completion_tokens")
    ):
        merged.pop("total_tokens", None)  # the earlier one is the sum of other counts
    return merged


def uncached_once(fields: object) -> dict[str, int]:
    """Return a Messages usage whose parts add up: uncached input, cached input, output.

    Synthetic states the uncached input twice, as `input_tokens` and again as
    `cache_creation_input_tokens` (reported 2026-09-14), and cached input beside them; LiteLLM adds
    all three up, as Anthropic means them. The greater of the two counts, once, so that a reply that
    states only one of them is right too. An unreadable count is absent.
    """
    counts_by_name = fields if isinstance(fields, Mapping) else {}
    counts = {name: _count(counts_by_name.get(name)) for name in _MESSAGES_COUNTS}
    cache_writes = counts.pop("cache_creation_input_tokens")
    if cache_writes is not None:
        counts["input_tokens"] = max(cache_writes, counts["input_tokens"] or 0)
        counts["cache_creation_input_tokens"] = 0
    return {name: count for name, count in counts.items() if count is not None}


def _details(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    counts = {name: _count(value.get(name)) for name in _DETAILS}
    return {name: count for name, count in counts.items() if count is not None}


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MAX_COUNT and value == value // 1 else None


def count_locally(
    model: str, *, messages: Sequence[Any] | None = None, text: str | None = None
) -> int | None:
    """Return LiteLLM's own estimate of how many tokens messages or a text have.

    It counts with another tokenizer than the model's. None where it cannot count.
    """
    try:
        return int(
            litellm.token_counter(
                model=model,
                messages=None if messages is None else list(messages),
                text=text,
                count_response_tokens=text is not None,
                # Without the flag LiteLLM fetches every image to see its size.
                use_default_image_token_count=True,
            )
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # content of a kind that LiteLLM cannot count
