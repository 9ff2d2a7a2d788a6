"""One request and its reply, as it goes over the wire."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
from litellm_synthetic.transport.client import Reply
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    OversizedReplyError,
    UnsendableError,
)
from tests.transport.upstream import HEAD, KEY, Upstream, Way, chunked, whole

if TYPE_CHECKING:
    from pathlib import Path

    from tests.transport.upstream import Connection


async def test_a_request_carries_our_headers_and_no_other(way: Way) -> None:
    with Upstream(whole(b"{}")) as upstream:
        await way.send(upstream.url, content=b'{"a":1}', headers={"x-trace": "1"})
        request = upstream.requests[0]
    assert request.line == "POST /v1/x HTTP/1.1"
    assert request.body == b'{"a":1}'
    own = {
        "authorization": KEY,
        "content-type": "application/json",
        "x-trace": "1",
        "accept-encoding": "gzip, deflate",
        "host": f"127.0.0.1:{upstream.port}",
        "content-length": "7",
    }
    of_client = {"accept", "connection", "user-agent"} if way.brings_client else {"user-agent"}
    extra = set(request.headers) - set(own) - {"accept"}
    assert own.items() <= request.headers.items()
    assert extra <= of_client


async def test_a_stream_is_not_asked_for_compressed(way: Way) -> None:
    with Upstream(whole(b"data: a\n\n")) as upstream:
        body = await way.open(upstream.url)
        assert isinstance(body, ByteStream | AsyncByteStream)
        assert await way.read_all(body) == b"data: a\n\n"
        await way.close(body)
    assert upstream.requests[0].headers["accept-encoding"] == "identity"


async def test_a_get_has_no_body(way: Way) -> None:
    with Upstream(whole(b"{}")) as upstream:
        out = way.outgoing(upstream.url, content=b"", method="GET")
        assert "{}" not in repr(out)
        await way.send(upstream.url, content=b"", method="GET")
    assert upstream.requests[0].line == "GET /v1/x HTTP/1.1"
    assert upstream.requests[0].body == b""
    assert upstream.requests[0].headers.get("content-length", "0") == "0"


@pytest.mark.parametrize("size", [1, 70_000, 3 * 1024 * 1024])
async def test_a_body_of_any_size_arrives_whole(way: Way, size: int) -> None:
    content = json.dumps({"image": "x" * size}).encode()
    with Upstream(whole(b"{}")) as upstream:
        for _ in range(2):
            await way.send(upstream.url, content=content)
    assert [request.body == content for request in upstream.requests] == [True, True]


async def test_headers_come_back_as_text_whatever_they_hold(way: Way) -> None:
    fields = (
        b"X-Utf: Z\xc3\xbcrich\r\nX-Latin: Z\xfcrich\r\nVary: a\r\nvary: b\r\nX-Odd: \x80\xff\r\n"
    )
    with Upstream(whole(b"{}", headers=fields)) as upstream:
        reply = await way.send(upstream.url)
    assert reply.headers["x-utf"] == "Zürich"
    assert reply.headers["x-latin"] == "Zürich"
    assert reply.headers["vary"] == "a, b"
    assert "".join(reply.headers.values()).encode()


@pytest.mark.parametrize(
    "headers",
    [{"x-a": "b\r\nx-evil: 1"}, {"x-a": "b\x00"}, {"x-a": "schlüssel"}, {"x a": "b"}, {"": "b"}],
)
async def test_a_header_that_http_cannot_carry_is_refused_unseen(
    way: Way, headers: dict[str, str]
) -> None:
    with Upstream(whole(b"{}")) as upstream, pytest.raises(UnsendableError) as excinfo:
        await way.send(upstream.url, headers=headers)
    assert not upstream.requests
    assert "evil" not in str(excinfo.value)
    assert "schl" not in str(excinfo.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "ftp://a/v1"])
async def test_an_address_that_cannot_be_called_is_refused(way: Way, url: str) -> None:
    with pytest.raises(UnsendableError):
        await way.send(url)


async def test_connections_are_used_again(way: Way) -> None:
    with Upstream(whole(b"{}")) as upstream:
        for _ in range(5):
            await way.send(upstream.url)
        upstream.answer = chunked(b"data: a\n\n", b"data: b\n\n")
        for _ in range(5):
            body = await way.open(upstream.url)
            await way.read_all(body)
            await way.close(body)
        upstream.answer = whole(b"no", "400 Bad Request")
        for _ in range(5):
            assert (await way.send(upstream.url)).status == 400
    assert (upstream.accepted, len(upstream.requests)) == (1, 15)


async def test_a_stream_that_is_drained_leaves_its_connection_to_the_next(way: Way) -> None:
    def two_writes(connection: Connection) -> bool:
        connection.write(chunked(b"data: [DONE]\n\n", end=False))
        connection.stopping.wait(0.05)
        connection.write(b"0\r\n\r\n")
        return True

    with Upstream(two_writes) as upstream:
        for _ in range(3):
            body = await way.open(upstream.url)
            await way.read(body)
            await way.drain(body)
            await way.close(body)
    assert (upstream.accepted, len(upstream.requests)) == (1, 3)


async def test_a_body_that_stays_open_is_not_drained_for_long(way: Way) -> None:
    def endless(connection: Connection) -> None:
        connection.write(chunked(b"data: [DONE]\n\n", end=False))
        while not connection.stopping.is_set():
            connection.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")

    with Upstream(endless) as upstream:
        body = await way.open(upstream.url)
        await way.read(body)
        await way.drain(body)
        await way.close(body)
        await way.let_go()
        assert await upstream.all_left()


async def test_a_read_hands_over_all_that_has_arrived(own_way: Way) -> None:
    pieces = [b"data: %d\n\n" % number for number in range(200)]
    with Upstream(chunked(*pieces)) as upstream:
        body = await own_way.open(upstream.url)
        reads = []
        while data := await own_way.read(body):
            reads.append(data)
        await own_way.close(body)
    assert b"".join(reads) == b"".join(pieces)
    assert len(reads) < 20


@pytest.mark.parametrize("cut", range(1, 40, 3))
async def test_a_chunk_that_comes_in_two_writes_holds_up_nothing(own_way: Way, cut: int) -> None:
    first = chunked(b"data: a\n\n", end=False)
    rest = b"9\r\ndata: b\n\n\r\n9\r\ndata: c\n\n\r\n0\r\n\r\n"

    def two_writes(connection: Connection) -> bool:
        connection.write(first + rest[:cut])
        log.wait(connection)
        connection.write(rest[cut:])
        return True

    class _Read:
        done = False

        def wait(self, connection: Connection) -> None:
            while not self.done and not connection.stopping.wait(0.005):
                pass

    log = _Read()
    with Upstream(two_writes) as upstream:
        body = await own_way.open(upstream.url)
        pieces = await own_way.read(body)  # while the rest has not been sent
        assert pieces.startswith(b"data: a\n\n")
        log.done = True
        pieces += await own_way.read_all(body)
        await own_way.close(body)
    assert pieces == b"data: a\n\ndata: b\n\ndata: c\n\n"


async def test_informational_answers_are_not_the_answer(way: Way) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    with Upstream(b"HTTP/1.1 100 Continue\r\n\r\n" + early + whole(b"{}")) as upstream:
        for _ in range(2):
            reply = await way.send(upstream.url)
            assert (reply.status, reply.body) == (200, b"{}")
    assert upstream.accepted == 1


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "203 Other"])
async def test_every_success_opens_a_stream(way: Way, status: str) -> None:
    with Upstream(whole(b"data: a\n\n", status)) as upstream:
        body = await way.open(upstream.url)
        assert not isinstance(body, Reply)
        assert await way.read_all(body) == b"data: a\n\n"
        await way.close(body)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Not Modified", "308 Permanent"])
async def test_a_redirect_is_handed_back_and_not_followed(way: Way, status: str) -> None:
    with Upstream(whole(b"", status, b"Location: /elsewhere\r\n")) as upstream:
        for stream in (False, True):
            reply = await (way.open if stream else way.send)(upstream.url)
            assert isinstance(reply, Reply)
            assert reply.status == int(status[:3])
    assert [request.line.split()[1] for request in upstream.requests] == ["/v1/x", "/v1/x"]
    assert not any("referer" in request.headers for request in upstream.requests)


async def test_cookies_are_not_kept(own_way: Way) -> None:
    with Upstream(whole(b"{}", headers=b"Set-Cookie: S=secret; Path=/\r\n")) as upstream:
        await own_way.send(upstream.url)
        await own_way.send(upstream.url)
    assert "cookie" not in upstream.requests[1].headers


async def test_netrc_is_not_read(
    own_way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Upstream(whole(b"{}")) as upstream:
        await own_way.send(upstream.url)
    assert upstream.requests[0].headers["authorization"] == KEY


def compressed(data: bytes, bits: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, bits)
    return compressor.compress(data) + compressor.flush()


GZIP, DEFLATE, BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
TEXT = b'{"text": "' + b"Every word of it. " * 500 + b'"}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", compressed(TEXT, GZIP)),
        (b"x-gzip", compressed(TEXT, GZIP)),
        (b"GZIP", compressed(TEXT[:99], GZIP) + compressed(TEXT[99:], GZIP)),
        (b"deflate", compressed(TEXT, DEFLATE)),
        (b"deflate", compressed(TEXT, BARE)),
        (b"identity", TEXT),
    ],
)
async def test_a_compressed_body_is_read(way: Way, encoding: bytes, body: bytes) -> None:
    headers = b"Content-Encoding: %b\r\n" % encoding
    with Upstream(whole(body, headers=headers)) as upstream:
        assert (await way.send(upstream.url)).body == TEXT
        upstream.answer = chunked(
            *(body[at : at + 7] for at in range(0, len(body), 7)), headers=headers
        )
        assert (await way.send(upstream.url)).body == TEXT
        start = await way.open(upstream.url)
        assert await way.read_all(start) == TEXT
        await way.close(start)


BAD_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello"
MALFORMED = {
    "no HTTP": b"220 mail.example ESMTP\r\n\r\n",
    "a bad chunk size": chunked(b"{}", end=False) + b"zz\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a length that is not a number": BAD_LENGTH,
    "a line that is not a header": b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}",
    "no gzip": whole(b"{}" * 50, headers=b"Content-Encoding: gzip\r\n"),
    "half a gzip": whole(compressed(TEXT, GZIP)[:-9], headers=b"Content-Encoding: gzip\r\n"),
    "an unknown encoding": whole(b"{}", headers=b"Content-Encoding: br\r\n"),
    "a long header": HEAD + b"X: " + b"a" * 120_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("name", MALFORMED)
async def test_what_would_fail_again_is_sent_once(way: Way, name: str) -> None:
    with Upstream(MALFORMED[name]) as upstream:
        with pytest.raises(MalformedReplyError):
            await way.send(upstream.url, max_retries=3)
        assert len(upstream.requests) == 1
        await way.let_go()
        assert await upstream.all_left()


CUT = {
    "before anything": b"",
    "within the headers": HEAD[:-9],
    "within a known length": whole(b"{}" * 50)[:-9],
    "within a chunk": chunked(b"{}" * 50, end=False)[:-9],
    "between two chunks": chunked(b"{}", end=False),
}


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("name", CUT)
async def test_a_connection_that_breaks_is_tried_again(way: Way, name: str) -> None:
    def cut(connection: Connection) -> bool:
        if len(upstream.requests) == 3:
            connection.write(whole(b"at last"))
            return True
        connection.write(CUT[name])
        return False

    with Upstream(cut) as upstream:
        assert (await way.send(upstream.url, max_retries=2)).body == b"at last"
        upstream.requests.clear()
        with pytest.raises(ConnectionBrokenError):
            await way.send(upstream.url, max_retries=1)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (whole(b"", "500 Error"), 3),
        (whole(b"", "408 Timeout"), 3),
        (whole(b"", "429 Slow", b"Retry-After: 0\r\n"), 3),
        (whole(b"", "429 Slow"), 1),
        (whole(b"", "429 Slow", b"Retry-After: 99\r\n"), 1),
        (whole(b"", "400 Bad"), 1),
        (whole(b"", "304 Not Modified"), 1),
        (whole(b"{}", "201 Created"), 1),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_replies_are_asked_for_again_as_their_status_says(
    way: Way, answer: bytes, expected: int, *, stream: bool
) -> None:
    with Upstream(answer) as upstream:
        reply: Any = await (way.open if stream else way.send)(upstream.url, max_retries=2)
        if not isinstance(reply, Reply):
            await way.close(reply)
        assert len(upstream.requests) == expected


async def test_an_ipv6_literal_is_a_host(way: Way) -> None:
    try:
        upstream = Upstream(whole(b"{}"), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with upstream:
        assert (await way.send(upstream.url)).body == b"{}"
    assert upstream.requests[0].headers["host"] == f"[::1]:{upstream.port}"


@pytest.mark.parametrize(
    ("limit", "answer", "message"),
    [
        ("MAX_REPLY_BYTES", whole(b"x" * 2000), "the reply exceeds the limit of 1000 bytes"),
        ("MAX_REPLY_BYTES", chunked(b"x" * 600, b"x" * 600), "the reply exceeds"),
        ("MAX_ERROR_BODY_BYTES", whole(b"x" * 2000, "500 Error"), "the body of the error exceeds"),
        (
            "MAX_REPLY_BYTES",
            whole(compressed(b"x" * 2000, GZIP), headers=b"Content-Encoding: gzip\r\n"),
            "the reply exceeds",
        ),
    ],
)
async def test_a_reply_over_a_limit_is_refused_by_the_name_of_that_limit(
    way: Way, monkeypatch: pytest.MonkeyPatch, limit: str, answer: bytes, message: str
) -> None:
    monkeypatch.setattr(f"litellm_synthetic.transport.client.{limit}", 1000)
    with Upstream(answer) as upstream:
        with pytest.raises(OversizedReplyError, match=message):
            await way.send(upstream.url, max_retries=2)
        assert len(upstream.requests) == 1
        await way.let_go()
        assert await upstream.all_left()


async def test_headers_that_are_too_many_bytes_together_are_refused(own_way: Way) -> None:
    fields = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 1000) for number in range(80))
    with Upstream(whole(b"{}", headers=fields)) as upstream:
        with pytest.raises(OversizedReplyError, match="header block"):
            await own_way.send(upstream.url, max_retries=2)
        assert len(upstream.requests) == 1
        await own_way.let_go()
        assert await upstream.all_left()
