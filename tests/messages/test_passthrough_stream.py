"""Messages streams piece by piece: cut anywhere, the same bytes and the same message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError
from litellm_synthetic.integration.compat import anthropic_chunk_parser
from litellm_synthetic.messages import assembly as assembly_module
from litellm_synthetic.messages import passthrough_stream
from litellm_synthetic.messages.assembly import MessageAssembly, event_document
from litellm_synthetic.messages.stream_decoder import MessageChunkDecoder
from litellm_synthetic.transport.sse import Event, EventDecoder


def told(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def arguments(piece: str) -> dict[str, str]:
    return {"type": "input_json_delta", "partial_json": piece}


LOOK = {"name": "look"}
STORY = [
    told("message_start", message={"id": "m", "role": "assistant", "usage": {"input_tokens": 5}}),
    told("ping"),
    told("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
    told("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm"}),
    told("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "s"}),
    told("content_block_stop", index=0),
    told("content_block_start", index=1, content_block={"type": "text", "text": ""}),
    told("content_block_delta", index=1, delta={"type": "text_delta", "text": "Hé"}),
    told("content_block_delta", index=1, delta={"type": "text_delta", "text": "llo"}),
    told("content_block_start", index=2, content_block={"type": "tool_use", "id": "t", **LOOK}),
    told("content_block_delta", index=2, delta=arguments('{"a"')),
    told("content_block_delta", index=2, delta=arguments(":1}")),
    told("content_block_delta", index=2, delta={"type": "of_tomorrow", "x": 1}),
    told("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}),
    told("message_stop"),
]
WHOLE = {
    "id": "m",
    "role": "assistant",
    "stop_reason": "tool_use",
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "text", "text": "Héllo"},
        {"type": "tool_use", "id": "t", **LOOK, "input": {"a": 1}},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 9},
}


def written(ending: str) -> bytes:
    return "".join(
        f"event: {one['type']}{ending}data: {json.dumps(one, ensure_ascii=False)}{ending}{ending}"
        for one in STORY
    ).encode()


@given(
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=200),
)
def test_however_the_bytes_are_cut_each_piece_is_whole_events(
    ending: str, sizes: list[int]
) -> None:
    raw, pieces, start = written(ending), [], 0
    decoder, assembly = EventDecoder(), MessageAssembly()
    for size in [*sizes, len(raw)]:
        for piece, event in decoder.feed_blocks(raw[start : start + size]):
            pieces.append(piece)
            assert event is not None
            assembly.take(event_document(event))
        start += size
    assert b"".join(pieces) + decoder.close_block().raw == raw
    assert len(pieces) == len(STORY)
    # The line feed of the last CR LF may come with the next event.
    assert all(piece.count(b"data: ") == 1 for piece in pieces)
    assert all(piece.endswith((b"\n\n", b"\r\n\r", b"\r\n\r\n")) for piece in pieces)
    assert assembly.message == WHOLE
    assert assembly.done
    assert assembly.text == 'HmsHéllo{"a":1}'


ODD_EVENTS = (
    b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Busy"}}\n\n',
    b'data: {"error":{"message":"Busy"}}\n\n',
    b"event: content_block_delta\ndata: {\n\n",
    b"data: []\n\n",
    b": ping\n\n",
    b"data: [DONE]\n\n",
    b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\\ud800"}}\n\n',
)
WRITTEN_EVENTS = [piece + b"\n\n" for piece in written("\n").split(b"\n\n") if piece]


class SilentBody:
    """Count how often progress was told of."""

    def __init__(self) -> None:
        self.progress = 0

    def progressed(self) -> None:
        self.progress += 1


def passed_on(reads: list[bytes]) -> tuple[bytes, str, dict[str, Any], int, bool]:
    """Return what a reader passes on, the error, the message, and how far it has come."""
    assembly = MessageAssembly()
    reader = passthrough_stream._Reader(assembly, SilentBody())  # type: ignore[arg-type]  # noqa: SLF001
    out, shown = b"", ""
    for data in reads:
        piece, error = reader.take(data)
        out += piece
        if error is not None:
            shown = repr(error)
            break
    return out, shown, assembly.message, assembly.progress, assembly.done


@given(
    st.lists(st.sampled_from([*WRITTEN_EVENTS, *ODD_EVENTS]), max_size=20),
    st.lists(st.integers(1, 400), max_size=20),
)
def test_reads_of_whole_events_end_as_those_that_are_fed(
    events: list[bytes], sizes: list[int]
) -> None:
    raw, start = b"".join(events), 0
    reads = [b"".join(events[:7]), b"".join(events[7:])]
    fast = passed_on([read for read in reads if read])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventDecoder, "named_events", lambda _, __: None)
        pieces = []
        for size in [*sizes, len(raw) + 1]:
            pieces.append(raw[start : start + size])
            start += size
        slow = passed_on([piece for piece in pieces if piece])
    assert fast == slow


def test_an_event_of_a_native_message_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def from_json(data: bytes) -> Any:
        parsed.append(data)
        return json.loads(data)

    monkeypatch.setattr(assembly_module, "from_json", from_json)
    out, error, message, _, is_done = passed_on([written("\n")])
    assert (out, error, message, is_done) == (written("\n"), "", WHOLE, True)
    assert len(parsed) == len(STORY)


PIECES = st.binary(max_size=20) | st.sampled_from(
    [b"data: a\n\n", b"data: a\r\n\r\n", b"data: a\r\r", b": ping\n\n", b"\n", b"\r", b"\r\n"]
)


@given(st.booleans(), st.lists(PIECES, max_size=20), st.lists(st.integers(1, 20), max_size=40))
def test_passing_through_loses_no_byte_of_anything(
    has_bom: bool,  # noqa: FBT001  # drawn
    pieces: list[bytes],
    sizes: list[int],
) -> None:
    raw = (b"\xef\xbb\xbf" if has_bom else b"") + b"".join(pieces)
    decoder, out, start = EventDecoder(), b"", 0
    for size in [*sizes, len(raw) + 1]:
        out += b"".join(block.raw for block in decoder.feed_blocks(raw[start : start + size]))
        start += size
    assert out + decoder.close_block().raw == raw


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "index", "delta", "message", "content_block", "usage", "text",
                         "partial_json", "thinking", "stop_reason"]), inner, max_size=5),
    max_leaves=12))  # fmt: skip  # any JSON that looks a little like an event
def test_any_event_is_taken_or_refused(document: Any) -> None:
    assembly = MessageAssembly()
    try:
        assembly.take(event_document(Event("", json.dumps(document))))
    except (BrokenStreamError, ErrorEventError):
        return
    assert isinstance(assembly.message["content"], list)


def test_every_delta_kind_of_a_known_event_is_survived() -> None:
    assembly = MessageAssembly()
    for kind in ("content_block_start", "content_block_delta", "message_delta", "message_start"):
        values: tuple[Any, ...] = (None, 1, "x", [], {}, {"type": "text_delta", "text": 1})
        for value in values:
            assembly.take({"type": kind, "delta": value, "content_block": value, "message": value})
    assert assembly.message["content"] == [{"type": "text_delta", "text": 1}]


@pytest.mark.parametrize(
    ("event", "text", "status"),
    [
        (Event("error", '{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}'),
         "Busy", 529),
        (Event("error", "plain words"), "plain words", None),
        (Event("", '{"error":"Context limit exceeded"}'), "Context limit exceeded", None),
        (Event("", '{"type":"error","error":{"type":"rate_limit_error","message":"Slow"}}'),
         "Slow", 429),
        (Event("", '{"type":"error","error":{"type":"of_tomorrow","message":"?"}}'), "?", None),
        (Event("", '{"object":"error","message":"Long","code":400}'), "Long", 400),
        (Event("", '{"detail":"Long"}'), "Long", None),
        (Event("", '{"error":null}'), "", None),
    ],
)  # fmt: skip  # a table
def test_error_events_tell_their_text_and_status(
    event: Event, text: str, status: int | None
) -> None:
    with pytest.raises(ErrorEventError) as excinfo:
        event_document(event)
    assert (excinfo.value.report.text, excinfo.value.report.status) == (text, status)


@pytest.mark.parametrize("data", ["{", "[1]", '"x"', "1"])
def test_what_is_no_json_object_breaks_the_stream(data: str) -> None:
    with pytest.raises(BrokenStreamError):
        event_document(Event("content_block_delta", data))


def test_an_event_of_no_readable_kind_brings_nothing() -> None:
    decoder = MessageChunkDecoder(
        "synthetic/m", anthropic_chunk_parser(json_mode=False, tool_names={})
    )
    kinds: tuple[Any, ...] = (None, 1, [], {}, "of_tomorrow", "ping")
    for kind in kinds:
        decoder.take([Event("", json.dumps({"type": kind}))])
        assert not decoder.ready
    with pytest.raises(BrokenStreamError, match="ended early"):
        decoder.finish()


def test_a_stop_reason_is_never_invented() -> None:
    decoder = MessageChunkDecoder(
        "synthetic/m", anthropic_chunk_parser(json_mode=False, tool_names={})
    )
    for document in STORY[:-2]:
        decoder.take([Event("", json.dumps(document))])
    decoder.take([Event("", json.dumps(told("message_delta", delta={"stop_reason": None})))])
    decoder.take([Event("", json.dumps(told("message_stop")))])
    assert decoder.done
    with pytest.raises(BrokenStreamError, match="stop_reason"):
        decoder.finish()


REPEATED = [
    told("message_start", message={}),
    told("message_start", message={"id": "m", "usage": {"input_tokens": 5}}),
    told("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    told("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
    told("content_block_delta", index=0, delta={"type": "text_delta", "text": ""}),
    told("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": ""}),
    told("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": ""}),
    told("content_block_stop", index=0),
    told("message_delta", delta={}, usage={"output_tokens": 1}),
    told("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 0}),
    told("ping"),
    told("of_tomorrow", x=1),
]


@pytest.mark.parametrize("document", REPEATED, ids=str)
def test_the_same_event_again_is_not_progress(document: dict[str, Any]) -> None:
    assembly = MessageAssembly()
    decoder = MessageChunkDecoder("m", anthropic_chunk_parser(json_mode=False, tool_names={}))
    assembly.take(document)
    decoder.take([Event("", json.dumps(document))])
    before = assembly.progress, decoder.progress
    for _ in range(3):
        assembly.take(document)
        decoder.take([Event("", json.dumps(document))])
    assert (assembly.progress, decoder.progress) == before
