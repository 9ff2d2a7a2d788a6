"""Usage that comes in parts: the later count wins unless it cannot be one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.usage import merged_usage, to_usage

COUNTED = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
WITHOUT_TOTAL = {"prompt_tokens": 5, "completion_tokens": 3}
CACHED = {"prompt_tokens_details": {"cached_tokens": 4}}


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ({}, COUNTED, COUNTED),
        (COUNTED, {}, COUNTED),
        ({"prompt_tokens": 5}, {"completion_tokens": 3}, WITHOUT_TOTAL),
        ({"completion_tokens": 3}, {"completion_tokens": 7}, {"completion_tokens": 7}),
        # Counts only grow.
        ({"completion_tokens": 3}, {"completion_tokens": 0}, {"completion_tokens": 3}),
        ({"completion_tokens": 3}, {"completion_tokens": None}, {"completion_tokens": 3}),
        ({"completion_tokens": 3}, {"completion_tokens": "many"}, {"completion_tokens": 3}),
        ({}, {"completion_tokens": 0}, {"completion_tokens": 0}),
        ({"completion_tokens": 0}, {"completion_tokens": 3}, {"completion_tokens": 3}),
        # The parts of a count, too.
        (COUNTED, CACHED, {**COUNTED, **CACHED}),
        (CACHED, {"prompt_tokens_details": {"audio_tokens": 1}}, {
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 1}
        }),
        (CACHED, {"prompt_tokens_details": {"cached_tokens": 0}}, CACHED),
        ({"prompt_tokens_details": None}, CACHED, CACHED),
        (CACHED, {"prompt_tokens_details": None}, CACHED),
        # A total is the sum of the counts that came with it.
        (COUNTED, {"completion_tokens": 7}, {"prompt_tokens": 5, "completion_tokens": 7}),
        (COUNTED, {"prompt_tokens": 6, "total_tokens": 0}, {
            "prompt_tokens": 6, "completion_tokens": 3
        }),
        (COUNTED, {"completion_tokens": 7, "total_tokens": 12}, {
            "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12
        }),
        (COUNTED, COUNTED, COUNTED),
    ],
)  # fmt: skip  # one table, read as one
def test_the_later_count_wins_where_it_is_one(earlier: Any, later: Any, expected: Any) -> None:
    before = (dict(earlier), dict(later))
    assert merged_usage(earlier, later) == expected
    assert (earlier, later) == before


@given(st.lists(st.integers(0, 50), min_size=1, max_size=5))
def test_however_often_usage_comes_the_last_count_is_told(counts: list[int]) -> None:
    merged: dict[str, Any] = {}
    for count in sorted(counts):
        merged = merged_usage(merged, {"prompt_tokens": 9, "completion_tokens": count})
    usage: Any = to_usage(merged)
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, max(counts))
    assert usage.total_tokens == 9 + max(counts)


def test_a_count_of_0_is_a_count() -> None:
    usage: Any = to_usage({"prompt_tokens": 0, "completion_tokens": 0})
    assert usage is not None
    assert usage.total_tokens == 0
    usage = to_usage({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}})
    assert usage.prompt_tokens_details.cached_tokens == 0
