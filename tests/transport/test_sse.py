from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport import sse
from litellm_synthetic.transport.sse import Event, EventDecoder, OversizedEventError


def read(*pieces: bytes) -> list[Event]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"", []),
        (b"\n\n\n", []),
        (b"data: a\n\n", [("", "a")]),
        (b"data:a\n\n", [("", "a")]),
        (b"data:  a\n\n", [("", " a")]),
        (b"data: a\r\n\r\n", [("", "a")]),
        (b"data: a\r\r", [("", "a")]),
        (b"data: a\n\r\ndata: b\r\rdata: c\r\n\n", [("", "a"), ("", "b"), ("", "c")]),
        (b": a comment\n\ndata: a\n: another\n\n", [("", "a")]),
        (b"event: ping\n\ndata: a\n\n", [("", "a")]),
        (b"event: ping\ndata: a\n\n", [("ping", "a")]),
        (b"event:ping\ndata: a\n\ndata: b\n\n", [("ping", "a"), ("", "b")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"data\n\n", [("", "")]),
        (b"data:\n\n", [("", "")]),
        (b"data\ndata\n\n", [("", "\n")]),
        (b"id: 7\nretry: 10\nnonsense\ndatax: b\ndata: a\n\n", [("", "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"\xef\xbb\xbf", []),
        (b"data: a", [("", "a")]),
        (b"data: a\n", [("", "a")]),
        (b"data: a\n\ndata: [DONE]", [("", "a"), ("", "[DONE]")]),
        ("data: a\u2028b\u0085c\x0bd\n\n".encode(), [("", "a\u2028b\u0085c\x0bd")]),
        (b"data: \xff\n\n", [("", "\ufffd")]),
    ],
)
def test_the_grammar_is_that_of_the_standard(stream: bytes, events: list[tuple[str, str]]) -> None:
    assert read(stream) == [Event(*event) for event in events]


LINES = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(
                ["", "", "data: {}", "data: Zoë 🐟", "data:", "data", ": ping", "event: error"]
            ).map(str.encode),
            st.text(max_size=8).map(lambda text: b"data: " + text.encode("utf-8", "replace")),
            st.binary(max_size=8),
        ),
        st.sampled_from([b"\n", b"\r", b"\r\n", b""]),
    ),
    max_size=12,
)


@given(
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    LINES,
    st.lists(st.integers(0, 200), max_size=12),
)
def test_the_events_are_the_same_however_the_bytes_are_cut(
    start: bytes, lines: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    stream = start + b"".join(line + ending for line, ending in lines)
    whole = read(stream)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert read(*pieces) == whole
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == whole


@given(st.binary())
def test_no_bytes_break_the_decoder(stream: bytes) -> None:
    assert all(isinstance(event, Event) for event in read(stream))


def test_an_event_is_handed_out_as_soon_as_it_is_whole() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: a\r") == []
    assert decoder.feed(b"\n\r") == [Event("", "a")]
    assert decoder.feed(b"\n") == []


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("filler", [b"x", b"x\ndata: ", b"x\r\ndata: ", b"x\n: "])
def test_an_event_without_end_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, size: int, filler: bytes
) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    assert read(b"data: " + b"x" * 92 + b"\n\n") == [Event("", "x" * 92)]
    stream = b"data: a\n\ndata: " + filler * 95
    with pytest.raises(OversizedEventError, match="100 bytes"):
        read(*(stream[at : at + size] for at in range(0, len(stream), size)))


def test_an_event_that_comes_whole_is_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    with pytest.raises(OversizedEventError, match="100 bytes"):
        read(b"data: " + b"x" * 95 + b"\n\n")


def test_many_short_events_in_one_read_are_no_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    assert len(read(b"data: a\n\n" * 50)) == 50


@pytest.mark.parametrize("read_bytes", [1, 3, 64, 1000, 10**6])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("stream", [b"data: 0123456789\n\n" * 2000, b"data: " + b"x" * 40_000])
def test_each_byte_is_joined_once_whatever_the_size_of_a_read(
    monkeypatch: pytest.MonkeyPatch, stream: bytes, ending: bytes, read_bytes: int
) -> None:
    joined_text = 0

    def join(parts: list[bytes]) -> bytes:
        nonlocal joined_text
        whole = b"".join(parts)
        joined_text += len(whole)
        return whole

    monkeypatch.setattr(sse, "_joined", join)
    stream = stream.replace(b"\n", ending)
    decoder = EventDecoder()
    for at in range(0, len(stream), read_bytes):
        decoder.feed(stream[at : at + read_bytes])
        # Nothing of what is held is looked at again before its event ends.
        assert joined_text <= at + read_bytes
    decoder.close()
    assert joined_text <= len(stream)


@given(st.sampled_from([b"", b"\xef\xbb\xbf"]), LINES, st.lists(st.integers(0, 200), max_size=12))
def test_blocks_carry_every_byte_and_the_same_events(
    start: bytes, lines: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    stream = start + b"".join(line + ending for line, ending in lines)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder = EventDecoder()
    blocks = [block for a, b in pairwise(edges) for block in decoder.feed_blocks(stream[a:b])]
    blocks.append(decoder.close_block())
    assert b"".join(block.raw for block in blocks) == stream
    assert [block.event for block in blocks if block.event is not None] == read(stream)


@given(st.booleans(), LINES)
def test_whole_events_are_those_that_the_slow_way_finds(
    has_begun: bool,  # noqa: FBT001  # drawn
    lines: list[tuple[bytes, bytes]],
) -> None:
    stream = b"".join(line + ending for line, ending in lines)
    fast, slow = EventDecoder(), EventDecoder()
    if has_begun:
        fast.feed(b"data: first\n\n")
        slow.feed_blocks(b"data: first\n\n")
    events = fast.whole_events(stream)
    if events is None:
        return
    assert events == [each.event for each in slow.feed_blocks(stream) if each.event is not None]
    # Both stand at the start of an event, and go on alike.
    assert fast.feed(b"data: next\n") == slow.feed(b"data: next\n") == []
    assert fast.close() == slow.close() == [Event("", "next")]


NAMED_LINES = st.lists(
    st.sampled_from(
        [
            b"event: ping\ndata: {}\n\n", b"event: a_b\ndata: \n\n", b"event: error\ndata: x\n\n",
            b"data: {}\n\n", b": ping\n\n", b"xevent: ping\ndata: {}\n\n", b"\n", b"event: A\n",
            b"event: ping\ndata: 1\ndata: 2\n\n", b"event: ping\n\n", b"id: 1\n",
        ]
    ),
    max_size=8,
)  # fmt: skip  # one list, read as one


@given(NAMED_LINES)
def test_named_events_are_those_that_the_slow_way_finds(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    fast, slow = EventDecoder(), EventDecoder()
    named = fast.named_events(stream)
    if named is None:
        assert fast.feed(stream) == slow.feed(stream)
        return
    events = [Event(name.decode(), data.decode()) for name, data in named]
    assert events == [each.event for each in slow.feed_blocks(stream) if each.event is not None]
    assert fast.feed(b"data: next\n") == slow.feed(b"data: next\n") == []
    assert fast.close() == slow.close() == [Event("", "next")]


def test_a_read_of_named_events_is_split_at_once() -> None:
    read = b"event: ping\ndata: {}\n\n" * 2
    assert EventDecoder().named_events(read) == [(b"ping", b"{}")] * 2


@pytest.mark.parametrize(
    "read",
    [
        b"data: {}\n\n",
        b"event: ping\ndata: {}\n\n: comment\n\n",
        b"xevent: ping\ndata: {}\n\n",
        b"event: ping\ndata: {}\n\nevent: p",
    ],
)
def test_a_read_with_anything_else_is_not(read: bytes) -> None:
    assert EventDecoder().named_events(read) is None


@pytest.mark.parametrize(
    "data",
    [
        b"data: {}\n\n",
        b"data: {}\n\n: ping\n\ndata: {}\n\n",
        b"event: content_block_delta\ndata: {}\n\n",
    ],
)
def test_a_read_of_whole_events_is_split_at_once(data: bytes) -> None:
    assert EventDecoder().whole_events(data)


@pytest.mark.parametrize(
    "data", [b"data: {}", b"data: {}\n", b"data: {}\r\n\r\n", b"\xef\xbb\xbfdata: {}\n\n"]
)
def test_other_reads_are_not(data: bytes) -> None:
    assert EventDecoder().whole_events(data) is None
