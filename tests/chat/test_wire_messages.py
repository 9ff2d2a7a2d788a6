import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import ChatCompletionMessageToolCall, Function, Message
from pydantic import BaseModel

from litellm_synthetic.chat.wire_messages import wire_messages, wire_tools
from litellm_synthetic.errors.faults import InvalidParameterError

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
CALL = {"id": "functions.read:0", "type": "function", "function": {"name": "read", "arguments": ""}}
MARKER = {"type": "ephemeral"}


@pytest.mark.parametrize("messages", ["hi", ["hi"], [None], {"role": "user"}, None, [{}, 5]])
def test_what_holds_anything_but_messages_is_refused(messages: Any) -> None:
    with pytest.raises(InvalidParameterError, match="not a list of messages"):
        wire_messages(messages)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user", "content": "hi"}, {"role": "user", "content": "hi"}),
        (
            {"role": "user", "content": "hi", "name": "me"},
            {"role": "user", "content": "hi", "name": "me"},
        ),
        ({"role": "developer", "content": "be kind"}, {"role": "system", "content": "be kind"}),
        (
            {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
            {"role": "system", "content": [{"type": "text", "text": "be kind"}]},
        ),
        ({"role": "assistant", "content": None, "tool_calls": [CALL]},) * 2,
        ({"role": "tool", "tool_call_id": "functions.read:0", "content": "42"},) * 2,
        ({"role": "function", "name": "read", "content": "42"},) * 2,
        ({"role": "user", "content": [{"type": "text", "text": "see"}, IMAGE]},) * 2,
        (
            {
                "role": "user",
                "cache_control": MARKER,
                "content": [{"type": "text", "text": "see", "cache_control": MARKER}, IMAGE],
            },
            {"role": "user", "content": [{"type": "text", "text": "see"}, IMAGE]},
        ),
        (
            {"role": "assistant", "content": "a", "provider_specific_fields": {"x": 1}},
            {"role": "assistant", "content": "a"},
        ),
        ({"role": "user", "content": "hi", "reasoning": "x"}, {"role": "user", "content": "hi"}),
    ],
)
def test_messages_go_out_in_synthetics_dialect(
    message: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = copy.deepcopy(message)
    assert wire_messages([message]) == [expected]
    assert message == before


BLOCKS = [
    {"type": "thinking", "thinking": "one", "signature": "s"},
    {"type": "redacted_thinking", "data": "x"},
    {"type": "thinking", "thinking": "two"},
]


@pytest.mark.parametrize(
    ("rest", "thinking"),
    [
        ({"reasoning_content": "a"}, "a"),
        ({"reasoning": "a"}, "a"),
        ({"reasoning_content": "a", "reasoning": "a"}, "a"),
        ({"reasoning_content": "", "reasoning": "a"}, "a"),
        ({"reasoning_content": None, "thinking_blocks": BLOCKS}, "one\ntwo"),
        ({"thinking_blocks": BLOCKS}, "one\ntwo"),
        ({"reasoning_content": "a", "thinking_blocks": BLOCKS}, "a"),
        ({"reasoning_content": "a", "reasoning": "a", "thinking_blocks": BLOCKS}, "a"),
    ],
)
def test_thinking_is_sent_once_wherever_it_was_kept(rest: dict[str, Any], thinking: str) -> None:
    (request,) = wire_messages([{"role": "assistant", "content": "b", **rest}])
    assert request == {"role": "assistant", "content": "b", "reasoning_content": thinking}


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"reasoning": ""},
        {"reasoning": {"odd": 1}},
        {"thinking_blocks": []},
        {"thinking_blocks": "odd"},
        {"thinking_blocks": [5, {"thinking": 5}, {}]},
        {"thinking_blocks": None, "reasoning_items": [{"id": "r"}]},
    ],
)
def test_no_thinking_is_made_up(rest: dict[str, Any]) -> None:
    (request,) = wire_messages([{"role": "assistant", "content": "b", **rest}])
    assert request == {"role": "assistant", "content": "b"}


def test_an_answer_of_litellms_can_be_appended_as_it_came() -> None:
    answer = Message(
        content="b",
        reasoning_content="a",
        tool_calls=[
            ChatCompletionMessageToolCall(
                id="call_1", type="function", function=Function(name="read", arguments="{}")
            )
        ],
    )
    before = answer.model_dump()
    (request,) = wire_messages([answer])
    assert request == {
        "role": "assistant",
        "content": "b",
        "reasoning_content": "a",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        ],
    }
    assert answer.model_dump() == before


class Tool(BaseModel):
    type: str = "function"
    function: dict[str, Any] = {"name": "read", "cache_control": MARKER}  # pydantic copies it
    strict: bool | None = None


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"type": "function", "function": {"name": "read", "strict": True}},) * 2,
        (
            {"type": "function", "function": {"name": "read"}, "cache_control": MARKER},
            {"type": "function", "function": {"name": "read"}},
        ),
        (
            {"type": "function", "function": {"name": "read", "cache_control": MARKER}},
            {"type": "function", "function": {"name": "read"}},
        ),
        ({"type": "function", "function": {"parameters": {"cache_control": {"type": "string"}}}},)
        * 2,
        (Tool(), {"type": "function", "function": {"name": "read"}}),
        ("odd", "odd"),
    ],
)
def test_tools_lose_cache_markers_and_nothing_else(tool: Any, expected: Any) -> None:
    before = copy.deepcopy(tool)
    assert wire_tools([tool]) == [expected]
    assert tool == before


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
)
FIELDS = st.sampled_from(
    ["role", "content", "reasoning", "reasoning_content", "thinking_blocks", "tool_calls", "x"]
)


@given(st.lists(st.dictionaries(FIELDS, st.sampled_from(["assistant", "developer"]) | VALUES)))
def test_no_message_breaks_the_writing_or_is_changed(messages: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(messages)
    outgoing = wire_messages(messages)
    assert messages == before
    assert wire_messages(outgoing) == outgoing
