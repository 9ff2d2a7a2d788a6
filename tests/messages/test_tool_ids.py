"""Ids of tool calls come through as they were written, or not at all otherwise."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.messages.tool_ids import ids_of_blocks, ids_of_calls, with_ids


def as_blocks(ids: list[str]) -> list[Any]:
    return [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": one} for one in ids]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": one} for one in ids]},
        {"role": "user", "content": [{"type": "text", "text": "x", "id": "not a call's"}]},
    ]


def as_calls(ids: list[str]) -> list[Any]:
    return [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "tool_calls": [{"id": one, "function": {}} for one in ids]},
        *({"role": "tool", "tool_call_id": one, "content": "x"} for one in ids),
    ]


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=5))
def test_rewritten_ids_are_put_back_wherever_they_stand(ids: list[str]) -> None:
    rewritten = as_blocks([f"id_{number}" for number in range(len(ids))])
    assert with_ids(rewritten, ids_of_blocks(as_blocks(ids))) == as_blocks(ids)
    assert with_ids(rewritten, ids_of_calls(as_calls(ids))) == as_blocks(ids)


def test_where_a_hook_changed_the_calls_nothing_is_put_back() -> None:
    now = as_blocks(["a", "b"])
    assert with_ids(now, ["x"]) is now
    assert with_ids(now, []) is now
    odd: list[Any] = [{"content": [{"type": "tool_use", "id": ["no text"]}]}]
    assert with_ids(odd, ["x"]) is odd


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["role", "content", "id", "tool_use_id", "type",
        "tool_calls", "tool_call_id"]), inner, max_size=4), max_leaves=12))  # fmt: skip  # any JSON
def test_whatever_is_there_is_survived(document: Any) -> None:
    assert isinstance(ids_of_blocks(document), list)
    assert isinstance(ids_of_calls(document), list)
    messages = document if isinstance(document, list) else [document]
    assert len(with_ids(messages, ids_of_calls(messages))) == len(messages)
