import contextlib
import json
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm import exceptions

from litellm_synthetic.chat.stream_decoder import ChunkDecoder
from litellm_synthetic.client.stream import AsyncChunkStream, ChunkStream
from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.errors.failure import Origin
from litellm_synthetic.transport.failures import ConnectionBrokenError, StallError

LITELLMS: Any = tuple(exceptions.LITELLM_EXCEPTION_TYPES)
KEY = "syn_0123456789abcdef"
ORIGIN = Origin("hf:a/b", "https://api.synthetic.new/openai/v1", Secret(KEY))


class Body:
    """A reply's bytes in pieces; an exception among them is raised."""

    headers: ClassVar = {"content-type": "text/event-stream"}

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = [piece for piece in pieces if piece != b""]
        self.drained = 0
        self.closed = 0
        self.progress = 0

    def read(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def handed_out(self) -> None:
        pass

    def progressed(self) -> None:
        self.progress += 1

    def drain(self) -> None:
        self.drained += 1

    def close(self) -> None:
        self.closed += 1


class AsyncBody:
    """The same for an event loop."""

    headers = Body.headers

    def __init__(self, body: Body) -> None:
        self.body = body

    async def read(self) -> bytes:
        return self.body.read()

    def close(self) -> None:
        self.body.close()

    def handed_out(self) -> None:
        pass

    def progressed(self) -> None:
        self.body.progressed()

    async def drain(self) -> None:
        self.body.drain()

    async def aclose(self) -> None:
        self.body.close()


def open_stream(body: Any, *, merges: bool = True) -> ChunkStream:
    decoder = ChunkDecoder("synthetic/hf:a/b", merges=merges)
    return ChunkStream(body, decoder, ORIGIN)


def open_async(body: Any) -> AsyncChunkStream:
    return AsyncChunkStream(
        AsyncBody(body),  # type: ignore[arg-type]  # stands in for a connection
        ChunkDecoder("synthetic/hf:a/b"),
        ORIGIN,
    )


async def read(body: Body, *, is_async: bool) -> tuple[list[Any], Any]:
    """Return the chunks and the error that ended them, if any."""
    made: list[Any] = []
    try:
        if is_async:
            async for chunk in open_async(body):
                made.append(chunk)  # noqa: PERF401  # what came before an error counts
        else:
            for chunk in open_stream(body):
                made.append(chunk)  # noqa: PERF402  # the same
    except Exception as error:  # noqa: BLE001  # it is what is looked at
        return made, error
    return made, None


def line(document: Any, name: str = "") -> bytes:
    data = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": fields, "finish_reason": finish_reason}
    return line({"id": "chatcmpl-1", "created": 7, "choices": [choice]})


DONE = line("[DONE]")
HELLO, STOP = delta(content="hello"), delta("stop")
USAGE = line({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def contents(made: list[Any]) -> str:
    return "".join(one.choices[0].delta.content or "" for one in made)


@BOTH
@pytest.mark.parametrize(
    "pieces",
    [
        [HELLO, STOP, USAGE, DONE],
        [HELLO + STOP + USAGE + DONE],
        [HELLO + STOP + USAGE],
        [HELLO + STOP + USAGE + b"data: [DONE]"],
        [HELLO + STOP + USAGE.rstrip()],
        [b": ping\n\n", HELLO, b": ping\n\n", line("", "ping"), STOP, USAGE, DONE],
        [HELLO + STOP + USAGE + DONE + b"data: odd\n\n"],
        [HELLO, STOP, USAGE, ConnectionBrokenError("reset")],
        [HELLO, STOP, USAGE, StallError("silence")],
    ],
)
async def test_a_whole_reply_ends_once_whatever_comes_after(
    pieces: list[bytes | Exception], *, is_async: bool
) -> None:
    body = Body(*pieces)
    made, error = await read(body, is_async=is_async)
    assert error is None
    assert contents(made) == "hello"
    assert [one.choices[0].finish_reason for one in made] == [None, None, "stop"]
    assert made[1].usage.total_tokens == 7
    assert body.closed >= 1


@BOTH
async def test_after_done_the_body_is_read_to_its_end_so_the_connection_is_reused(
    *, is_async: bool
) -> None:
    body = Body(HELLO, STOP, DONE)
    await read(body, is_async=is_async)
    assert body.drained == 1
    assert body.closed >= 1


@BOTH
@pytest.mark.parametrize(
    ("ending", "kind", "said"),
    [
        ([], exceptions.APIConnectionError, "ended early"),
        ([DONE], exceptions.APIConnectionError, "ended early"),
        ([b'data: {"choices":[{"del'], exceptions.APIConnectionError, "ended early"),
        ([b"data: odd\n\n"], exceptions.APIConnectionError, "not JSON"),
        ([line([1])], exceptions.APIConnectionError, "not a JSON object"),
        ([ConnectionBrokenError("reset")], exceptions.APIConnectionError, "broke off (reset)"),
        ([StallError("silence for 3 s")], exceptions.Timeout, "silence for 3 s"),
        ([line({"error": "boom"})], exceptions.InternalServerError, '"boom"'),
        ([line({"error": {"message": "boom"}})], exceptions.InternalServerError, '"boom"'),
        ([line("boom", "error")], exceptions.InternalServerError, '"boom"'),
        ([STOP, line({"error": "boom"})], exceptions.InternalServerError, '"boom"'),
        ([line({"error": {"message": "x", "code": 503}})], exceptions.ServiceUnavailableError, "x"),
        (
            [line({"error": "Context limit exceeded"})],
            exceptions.ContextWindowExceededError,
            "in the stream",
        ),
        ([line({"error": f"bad key {KEY}"})], exceptions.InternalServerError, "[redacted]"),
    ],
)
@pytest.mark.parametrize("start", [[], [HELLO]], ids=["at once", "after text"])
@pytest.mark.parametrize("joined", [False, True], ids=["apart", "in one read"])
async def test_a_stream_that_fails_raises_after_what_was_received(  # a table
    start: list[bytes],
    ending: list[bytes | Exception],
    kind: type[Exception],
    said: str,
    *,
    joined: bool,
    is_async: bool,
) -> None:
    pieces: list[bytes | Exception] = [*start, *ending]
    if joined:
        data = b"".join(one for one in pieces if isinstance(one, bytes))
        pieces = [data, *(one for one in pieces if isinstance(one, Exception))]
    body = Body(*pieces)
    made, error = await read(body, is_async=is_async)
    assert type(error).__name__ == kind.__name__
    assert said in str(error)
    assert KEY not in str(error)
    assert error.llm_provider == "synthetic"
    assert contents(made) == ("hello" if start else "")
    assert all(one.choices[0].finish_reason is None for one in made)
    assert body.closed >= 1


EMPTY_CALL = {"index": 0, "id": "", "function": {"name": "", "arguments": ""}}


@BOTH
@pytest.mark.parametrize(
    ("piece", "is_progress"),
    [
        (b": ping\n\n", False),
        (line("", "ping"), False),
        (line({"choices": []}), False),
        (delta(), False),
        (delta(content=""), False),
        (delta(role="assistant"), False),
        (delta(tool_calls=[EMPTY_CALL]), False),
        (delta(tool_calls=[]), False),
        (delta(content="more"), True),
        (delta(content="<"), True),
        (delta(reasoning="hm"), True),
        (delta(reasoning_content="hm"), True),
        (delta(refusal="no"), True),
        (delta(tool_calls=[{**EMPTY_CALL, "function": {"arguments": "{"}}]), True),
        (delta(tool_calls=[{**EMPTY_CALL, "function": {"name": "f"}}]), True),
        (delta("stop"), True),
        (USAGE, True),
    ],
)
async def test_only_what_brings_the_reply_forward_is_progress(
    piece: bytes, *, is_progress: bool, is_async: bool
) -> None:
    opened = delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "g"}}])
    before = Body(opened)
    await read(before, is_async=is_async)
    body = Body(opened, piece)
    await read(body, is_async=is_async)
    assert body.progress - before.progress == is_progress


@BOTH
async def test_what_was_said_before_is_no_progress(*, is_async: bool) -> None:
    once, again = Body(HELLO, STOP, USAGE), Body(HELLO, STOP, USAGE, STOP, USAGE, STOP, USAGE)
    await read(once, is_async=is_async)
    await read(again, is_async=is_async)
    assert once.progress == again.progress == 3


def test_an_error_before_the_first_content_is_the_calls_own() -> None:
    stream = open_stream(Body(line({"error": "Context limit exceeded"})))
    with pytest.raises(exceptions.ContextWindowExceededError):
        stream.wait_for_first()


async def test_an_error_before_the_first_content_is_the_calls_own_async() -> None:
    stream = open_async(Body(line({"error": "Context limit exceeded"})))
    with pytest.raises(exceptions.ContextWindowExceededError):
        await stream.wait_for_first()


def test_the_chunk_waited_for_is_not_lost() -> None:
    stream = open_stream(Body(HELLO, STOP))
    stream.wait_for_first()
    assert contents(list(stream)) == "hello"


@pytest.mark.parametrize("taken", [0, 1])
def test_closing_a_stream_closes_the_connection(taken: int) -> None:
    body = Body(HELLO, HELLO, STOP)
    stream = open_stream(body)
    for _ in range(taken):
        next(stream)
    stream.close()
    assert body.closed >= 1
    assert list(stream) == []


@pytest.mark.parametrize("taken", [0, 1])
async def test_closing_an_async_stream_closes_the_connection(taken: int) -> None:
    body = Body(HELLO, HELLO, STOP)
    stream = open_async(body)
    for _ in range(taken):
        await anext(stream)
    await stream.aclose()
    assert body.closed >= 1
    assert [one async for one in stream] == []


CALL = {"id": "a", "index": 0, "function": {"name": "f", "arguments": ""}}
MORE = {"index": 0, "function": {"arguments": '{"ö":1}'}}
STREAMS = {
    "text": [HELLO, delta(content="Zoë 🐟"), STOP, USAGE, DONE],
    "thinking": [delta(reasoning="hm"), delta(reasoning="ö"), HELLO, STOP, DONE],
    "tags": [delta(content="<thi"), delta(content="nk>a</think>b"), STOP, DONE],
    "call": [delta(tool_calls=[CALL]), delta(tool_calls=[MORE]), delta("tool_calls"), USAGE, DONE],
    "cut": [HELLO, delta(content="Zoë")],
    "error": [HELLO, line({"error": "boom"})],
    "broken": [HELLO, b"data: odd\n\n"],
    "no newline": [HELLO, STOP, b"data: [DONE]"],
}


def outcome(*pieces: bytes) -> tuple[list[Any], str]:
    made: list[Any] = []
    chunk: Any
    try:
        for chunk in open_stream(Body(*pieces), merges=False):
            made.append(chunk.model_dump())  # noqa: PERF401  # what came before an error counts
    except Exception as error:  # noqa: BLE001  # it is what is looked at
        return made, repr(error)
    return made, ""


@given(
    name=st.sampled_from(sorted(STREAMS)),
    ending=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    bom=st.booleans(),
    cuts=st.lists(st.integers(0, 900), max_size=12),
)
def test_any_fragmentation_gives_the_same_chunks(
    *, name: str, ending: bytes, bom: bool, cuts: list[int]
) -> None:
    whole = b"".join(STREAMS[name])
    data = (b"\xef\xbb\xbf" if bom else b"") + whole.replace(b"\n", ending)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    expected = outcome(whole)
    assert outcome(*(data[a:b] for a, b in pairwise(edges))) == expected
    assert outcome(*(data[at : at + 1] for at in range(len(data)))) == expected


@given(st.lists(st.binary() | st.sampled_from([HELLO, STOP, USAGE, DONE]), max_size=5))
def test_any_bytes_are_a_reply_or_one_of_litellms_exceptions(pieces: list[bytes]) -> None:
    with contextlib.suppress(LITELLMS):
        list(open_stream(Body(*pieces)))
