"""Pieces of streamed tool calls: the fast way reads what the thorough one reads."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.chunks import CallPiece
from litellm_synthetic.chat.streamed_calls import StreamedCalls

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "a", "call_1", "call_2", "\ud83d", 0, 1, True, 1.0, {}, []]
)
FUNCTIONS: st.SearchStrategy[Any] = VALUES | st.fixed_dictionaries(
    {}, optional={"arguments": VALUES, "name": VALUES}
)
CALLS: st.SearchStrategy[Any] = VALUES | st.fixed_dictionaries(
    {}, optional={"index": VALUES, "id": VALUES, "type": VALUES, "function": FUNCTIONS}
)
BEGUN = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ""}}


@given(st.lists(CALLS, max_size=4), st.lists(CALLS, max_size=2) | VALUES)
def test_a_continued_call_is_read_as_any_other(earlier: list[Any], calls: Any) -> None:
    fast = StreamedCalls()
    fast.piece(BEGUN)
    for call in earlier:
        if isinstance(call, dict) and not isinstance(call.get("function"), list):
            fast.piece(call)
    thorough = deepcopy(fast)
    piece = fast.continued(calls)
    if piece is not None:
        assert [thorough.piece(call) for call in calls] == [piece]
        assert fast.piece(BEGUN) == thorough.piece(BEGUN)


@pytest.mark.parametrize(
    "piece",
    [
        {"index": 0, "function": {"arguments": "{"}},
        {"index": 0, "id": None, "type": None, "function": {"name": None, "arguments": "{"}},
    ],
)
def test_nearly_every_piece_is_read_the_fast_way(piece: dict[str, Any]) -> None:
    calls = StreamedCalls()
    assert calls.continued([BEGUN]) is None
    calls.piece(BEGUN)
    assert calls.continued([piece]) == CallPiece(0, None, None, "{")
