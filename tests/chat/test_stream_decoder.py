import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.backlog import MAX_MERGED_CHARACTERS
from litellm_synthetic.chat.stream_decoder import ChunkDecoder
from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError
from litellm_synthetic.transport.sse import Event
from tests.chat.test_response import DOCUMENTS, VALUES, objects

MODEL = "synthetic/hf:zai-org/GLM-5.3"


def piece(delta: Any, finish_reason: Any = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason, **more}
    return {"id": "chatcmpl-1", "model": "zai-org/GLM-5.3", "created": 7, "choices": [choice]}


STOP = piece({}, "stop")


def decode(decoder: ChunkDecoder, *events: Event) -> list[Any]:
    """Return the chunks that events bring which come in one read."""
    decoder.take(events)
    result = list(decoder.ready)
    decoder.ready.clear()
    return result


def chunks(*documents: Any) -> list[Any]:
    """Return the chunks of events of which each comes alone."""
    decoder = ChunkDecoder(MODEL)
    result = [one for each in documents for one in decode(decoder, Event("", json.dumps(each)))]
    return result + decoder.finish()


def text(result: list[Any], name: str = "content", index: int = 0) -> str:
    deltas = [one.choices[0].delta for one in result if one.choices[0].index == index]
    return "".join(getattr(delta, name, None) or "" for delta in deltas)


def finishes(result: list[Any]) -> list[tuple[int, str]]:
    choices = [one.choices[0] for one in result]
    return [(one.index, one.finish_reason) for one in choices if one.finish_reason]


def calls(result: list[Any]) -> dict[int, list[str]]:
    joined_text: dict[int, list[str]] = {}
    for one in result:
        for call in one.choices[0].delta.tool_calls or ():
            whole = joined_text.setdefault(call.index, ["", "", ""])
            for at, part in enumerate((call.id, call.function.name, call.function.arguments)):
                whole[at] += part or ""
    return joined_text


def test_text_comes_in_pieces_and_the_finish_comes_last_and_once() -> None:
    result = chunks(piece({"role": "assistant", "content": "a"}), piece({"content": "b"}, "stop"))
    assert text(result) == "ab"
    assert finishes(result) == [(0, "stop")]
    assert result[-1].choices[0].finish_reason == "stop"
    assert result[-1].choices[0].delta.content is None
    assert {(one.id, one.created, one.model) for one in result} == {("chatcmpl-1", 7, MODEL)}


def test_the_role_is_on_the_first_chunk_only() -> None:
    result = chunks(
        piece({"role": "assistant"}), piece({"role": "assistant", "content": "a"}),
        piece({"role": "assistant", "content": "b"}), STOP,
    )  # fmt: skip  # one stream, read as one
    assert [one.choices[0].delta.role for one in result] == ["assistant", None, None]


def test_an_answer_without_content_still_has_its_role() -> None:
    result = chunks(STOP)
    assert [one.choices[0].delta.role for one in result] == ["assistant"]


def test_the_upstreams_own_name_is_kept() -> None:
    decoder = ChunkDecoder(MODEL)
    decode(decoder, Event("", json.dumps(piece({"content": "a"}))))
    assert decoder.upstream_model == "zai-org/GLM-5.3"


def test_an_empty_id_does_not_take_the_place_of_litellms() -> None:
    (first, *_) = chunks({**piece({"content": "a"}), "id": ""}, STOP)
    assert first.id


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "a"},
        {"reasoning": "a"},
        {"reasoning": "a", "reasoning_content": "a"},
        {"reasoning": "a", "reasoning_content": ""},
    ],
)
def test_reasoning_is_streamed_once(fields: dict[str, Any]) -> None:
    result = chunks(piece(fields), piece(fields), piece({"content": "b"}), STOP)
    assert (text(result, "reasoning_content"), text(result)) == ("aa", "b")
    assert all(getattr(one.choices[0].delta, "reasoning", None) is None for one in result)


@pytest.mark.parametrize(
    "pieces", [["<think>a</think>b"], list("<think>a</think>b"), ["<thi", "nk>a</th", "ink>\n\nb"]]
)
def test_think_tags_are_found_across_chunks(pieces: list[str]) -> None:
    result = chunks(*(piece({"content": one}) for one in pieces), STOP)
    assert (text(result, "reasoning_content"), text(result)) == ("a", "b")


def test_text_that_was_held_back_is_not_lost_at_the_end() -> None:
    assert text(chunks(piece({"content": "<thi"}), STOP)) == "<thi"


def test_white_space_before_reasoning_stays_before_the_answer() -> None:
    result = chunks(
        piece({"content": " "}), piece({"reasoning": "a"}), piece({"content": "b"}), STOP
    )
    assert (text(result, "reasoning_content"), text(result)) == ("a", " b")


def test_a_tag_is_left_alone_after_a_reasoning_field() -> None:
    result = chunks(piece({"reasoning": "a"}), piece({"content": "<think>is a tag"}), STOP)
    assert text(result) == "<think>is a tag"


@pytest.mark.parametrize("name", ["content", "reasoning_content"])
def test_what_waits_becomes_few_chunks_of_bounded_length(name: str) -> None:
    pieces = [f"{number:099} " for number in range(100)]
    events = [Event("", json.dumps(piece({name: each}))) for each in pieces]
    result = decode(ChunkDecoder(MODEL), *events, Event("", json.dumps(STOP)))
    assert text(result, name) == "".join(pieces)
    assert len(result) < 5
    assert all(len(text([one], name)) <= MAX_MERGED_CHARACTERS for one in result)
    alone = decode(ChunkDecoder(MODEL, merges=False), *events)
    assert [text([one], name) for one in alone] == pieces


def test_text_joins_what_has_more_fields_but_takes_none_of_them() -> None:
    events = [
        Event("", json.dumps(piece({"content": "a", "of_tomorrow": 1}))),
        Event("", json.dumps(piece({"content": "b"}))),
        Event("", json.dumps(piece({"content": "c", "of_tomorrow": 2}))),
    ]
    result = decode(ChunkDecoder(MODEL), *events, Event("", json.dumps(STOP)))
    assert text(result) == "abc"
    fields = [getattr(one.choices[0].delta, "of_tomorrow", None) for one in result]
    assert [each for each in fields if each is not None] == [1, 2]


def test_several_choices_are_kept_apart() -> None:
    result = chunks(
        piece({"content": "a"}, index=0),
        piece({"content": "x"}, index=1),
        piece({"content": "b"}, "stop", index=0),
        piece({"content": "y"}, "length", index=1),
    )
    assert (text(result, index=0), text(result, index=1)) == ("ab", "xy")
    assert finishes(result) == [(0, "stop"), (1, "length")]
    firsts = [one.choices[0].delta.role for one in result[:2]]
    assert firsts == ["assistant", "assistant"]


def test_a_choice_without_a_finish_leaves_the_reply_incomplete() -> None:
    with pytest.raises(BrokenStreamError, match="without a finish_reason"):
        chunks(piece({"content": "a"}, "stop", index=0), piece({"content": "x"}, index=1))


@pytest.mark.parametrize("reason", ["", None, False])
def test_an_empty_finish_reason_is_none(reason: Any) -> None:
    with pytest.raises(BrokenStreamError, match="without a finish_reason"):
        chunks(piece({"content": "a"}, reason))


def test_refusals_and_log_probabilities_are_kept() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    result = chunks(piece({"refusal": "no"}), piece({"content": "a"}, logprobs=logprobs), STOP)
    assert text(result, "refusal") == "no"
    assert result[1].choices[0].logprobs.content[0].logprob == -0.5


@pytest.mark.parametrize(
    ("deltas", "arguments"),
    [
        ([{"name": "read", "arguments": ""}, {"arguments": "{}"}], "{}"),
        ([{"name": "read"}, {"arguments": "{}"}], "{}"),
        ([{"name": "read"}], ""),
    ],
)
def test_the_deprecated_function_call_is_streamed(deltas: list[Any], arguments: str) -> None:
    result = chunks(*(piece({"function_call": one}) for one in deltas), piece({}, "function_call"))
    functions = [one.choices[0].delta.function_call for one in result]
    assert functions[0].name == "read"
    assert "".join(one.arguments for one in functions if one) == arguments


# ---- tool calls


def call(
    name: str | None = None, arguments: Any = None, identifier: Any = None, index: Any = None
) -> dict[str, Any]:
    fields: dict[str, Any] = {"function": {"name": name, "arguments": arguments}}
    if identifier is not None:
        fields["id"] = identifier
    if index is not None:
        fields["index"] = index
    return fields


TWO = {0: ["a", "f", "{1}"], 1: ["b", "g", "{2}"]}


@pytest.mark.parametrize(
    ("deltas", "whole"),
    [
        ([[call("f", "{1}", "a", 0)]], {0: TWO[0]}),
        (
            [[call("f", "", "a", 0)], [call(None, "{", None, 0)], [call(None, "1}", None, 0)]],
            {0: TWO[0]},
        ),
        ([[call("f", None, "a")], [call(None, "{1")], [call(None, "}")]], {0: TWO[0]}),
        ([[call("f", "", "a", 0)]], {0: ["a", "f", ""]}),
        ([[call("f", None, "a", 0)]], {0: ["a", "f", ""]}),
        ([[call("f", {"x": 1}, "a", 0)]], {0: ["a", "f", '{"x": 1}']}),
        ([[call("f", "{1}", "a", 0), call("g", "{2}", "b", 1)]], TWO),
        ([[call("f", "{1}", "a"), call("g", "{2}", "b")]], TWO),
        (
            [
                [call("f", "{", "a", 0)],
                [call("g", "{", "b", 1)],
                [call(None, "1}", None, 0)],
                [call(None, "2}", None, 1)],
            ],
            TWO,
        ),
        (
            [
                [call("f", "{", "a")],
                [call("g", "{", "b")],
                [call(None, "1}", "a")],
                [call(None, "2}", "b")],
            ],
            TWO,
        ),
        ([[call("f", "{", "a", 0)], [call(None, "1}", None, 0)], [call("g", "{2}", "b", 0)]], TWO),
        (
            [[call("f", "{1}", "a", 0)], [call("g", "{", "b", 0)], [call(None, "2}", None, 0)]],
            TWO,
        ),
        ([[call("f", "{", "a", 0)], [call("f", "1}", "a", 0)]], {0: TWO[0]}),
        ([[call("f", "{1}", "a", 3)], [call("g", "{2}", "b", 7)]], TWO),
        ([[call("f", "{1}", "a", None)], [call("g", "{2}", "b", index=True)]], TWO),
    ],
)
def test_tool_calls_come_whole_however_they_are_numbered(
    deltas: list[list[dict[str, Any]]], whole: dict[int, list[str]]
) -> None:
    result = chunks(*(piece({"tool_calls": one}) for one in deltas), STOP)
    assert calls(result) == whole
    assert finishes(result) == [(0, "tool_calls")]


def test_calls_without_ids_get_different_ones_on_their_first_pieces() -> None:
    result = chunks(piece({"tool_calls": [call("f", "{1}"), call("g", "{2}")]}), STOP)
    whole = calls(result)
    assert [one[1:] for one in whole.values()] == [["f", "{1}"], ["g", "{2}"]]
    assert whole[0][0] != whole[1][0]
    assert all(one[0].startswith("call_") for one in whole.values())


def test_a_reply_cut_off_in_a_call_still_says_length() -> None:
    result = chunks(piece({"tool_calls": [call("f", "{", "a", 0)]}), piece({}, "length"))
    assert finishes(result) == [(0, "length")]


# ---- usage

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
EARLIER = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


@pytest.mark.parametrize(
    ("documents", "total"),
    [
        ([{**STOP, "usage": USAGE}], 7),
        ([STOP, {"choices": [], "usage": USAGE}], 7),
        ([{**STOP, "usage": USAGE}, {"choices": [], "usage": USAGE}], 7),
        ([{**STOP, "usage": EARLIER}, {"choices": [], "usage": USAGE}], 7),
        ([{**STOP, "usage": None}, {"choices": None, "usage": USAGE}, {"usage": None}], 7),
        ([STOP], None),
        ([{**STOP, "usage": {}}], None),
    ],
)
def test_usage_is_counted_once_and_comes_before_the_finish(
    documents: list[Any], total: int | None
) -> None:
    result = chunks(piece({"content": "a"}), *documents)
    carried = [at for at, one in enumerate(result) if getattr(one, "usage", None) is not None]
    if total is None:
        assert carried == []
        return
    assert [result[at].usage.total_tokens for at in carried] == [total]
    assert carried == [len(result) - 2]
    assert finishes(result) == [(0, "stop")]


# ---- errors


@pytest.mark.parametrize(
    ("event", "wording", "status"),
    [
        (
            Event("", '{"object":"error","message":"boom","type":"B","param":null,"code":400}'),
            "boom",
            400,
        ),
        (Event("", '{"message":"boom","type":"BadRequestError","code":400}'), "boom", 400),
        (Event("", '{"object":"error","id":"x"}'), "", None),
        (Event("", '{"detail":"boom"}'), "boom", None),
        (
            Event("", '{"detail":[{"loc":["body","top_p"],"msg":"boom","input":"9"}]}'),
            "body.top_p: boom",
            None,
        ),
        (Event("", '{"error":""}'), "", None),
        (Event("", '{"error":null}'), "", None),
        (Event("", '{"error":"boom"}'), "boom", None),
        (Event("", '{"error":{"message":"boom","code":429}}'), "boom", 429),
        (Event("", '{"error":{"message":"boom","code":"503"}}'), "boom", 503),
        (Event("", '{"error":{"message":"boom"},"choices":[]}'), "boom", None),
        (Event("error", "boom"), "boom", None),
        (Event("error", '{"message":"boom","status":502}'), "boom", 502),
        (Event("error", '{"error":{"message":"boom"}}'), "boom", None),
        (Event("error", '["boom"]'), '["boom"]', None),
        (Event("ping", '{"error":"boom"}'), "boom", None),
    ],
)
def test_an_error_event_is_an_error(event: Event, wording: str, status: int | None) -> None:
    with pytest.raises(ErrorEventError) as excinfo:
        decode(ChunkDecoder(MODEL), event)
    assert (excinfo.value.report.text, excinfo.value.report.status) == (wording, status)


@pytest.mark.parametrize(
    "event",
    [
        Event("ping", ""),
        Event("ping", "12:00"),
        Event("ping", "[1]"),
        Event("ping", '{"type":"ping"}'),
        Event("", "{}"),
        Event("", '{"error":null,"choices":[]}'),
        Event("", '{"choices":[null,5]}'),
    ],
)
def test_what_brings_nothing_is_ignored(event: Event) -> None:
    assert decode(ChunkDecoder(MODEL), event) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{"choices":[{"delta":{"content":"a', "not JSON"),
        ("odd", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"choices":{"a":1}}', "not a list"),
        ('{"choices":[{"delta":{"function_call":{"name":5}}}]}', "not a chat completion chunk"),
    ],
)
def test_what_is_no_chunk_breaks_the_stream(data: str, message: str) -> None:
    with pytest.raises(BrokenStreamError, match=message):
        decode(ChunkDecoder(MODEL), Event("", data))


def test_a_pings_fields_are_not_the_replys() -> None:
    events = [Event("ping", '{"type": "ping"}'), Event("", json.dumps(piece({"content": "a"})))]
    (made,) = decode(ChunkDecoder(MODEL), *events)
    assert "type" not in made.model_dump()


def test_done_ends_the_stream_and_brings_nothing() -> None:
    decoder = ChunkDecoder(MODEL)
    assert decode(decoder, Event("", " [DONE] ")) == []
    assert decoder.done
    with pytest.raises(BrokenStreamError, match="ended early, without a finish_reason"):
        decoder.finish()


CALLS = st.lists(objects("id", "type", "index", function=objects("name", "arguments")), max_size=2)
DELTAS = objects(
    "role", "reasoning", "reasoning_content", "refusal",
    content=st.text(), tool_calls=CALLS, function_call=objects("name", "arguments"),
)  # fmt: skip  # one list, read as one
STREAMED = objects(
    "id", "created", "model", "system_fingerprint", "usage", "error",
    choices=st.lists(
        objects("index", "finish_reason", delta=DELTAS, logprobs=objects("content")), max_size=2
    ),
)  # fmt: skip  # the same


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "error", "ping", "message"]),
            (STREAMED | DOCUMENTS | VALUES).map(json.dumps) | st.text(),
        ),
        max_size=4,
    )
)
def test_any_events_are_chunks_or_one_of_two_errors(events: list[tuple[str, str]]) -> None:
    decoder = ChunkDecoder(MODEL)
    try:
        result: list[Any] = [one for event in events for one in decode(decoder, Event(*event))]
        result += decoder.finish()
    except (ErrorEventError, BrokenStreamError):
        return
    assert all(len(one.choices) == 1 and isinstance(one.model_dump_json(), str) for one in result)
