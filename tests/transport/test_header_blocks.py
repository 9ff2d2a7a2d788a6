"""Header blocks of sync replies are read as http.client reads them, only faster."""

from __future__ import annotations

import http.client
import io
import socket
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport.timed_connection import TimedResponse, _header_lines, _message

_PIECES: Final = st.sampled_from(
    [
        "content-type", "content-length", "X-Quota", "set-cookie", "transfer-encoding", ":", ": ",
        ":\t", " ", "\t", "a", "12", "chunked", "é", "\x00", "\r", "\n", "\r\n", "\r\n", "From ",
    ]
)  # fmt: skip  # one list, read as one
_BLOCKS: Final = st.lists(_PIECES, max_size=40).map("".join)


def _read(block: bytes) -> list[tuple[str, str]] | type[Exception]:
    try:
        return _message(_header_lines(io.BufferedReader(io.BytesIO(block)))).items()
    except Exception as error:  # noqa: BLE001  # which one it is has to be equal
        return type(error)


def _read_by_http_client(block: bytes) -> list[tuple[str, str]] | type[Exception]:
    try:
        return http.client.parse_headers(io.BytesIO(block)).items()
    except Exception as error:  # noqa: BLE001  # as above
        return type(error)


@given(_BLOCKS)
def test_any_block_reads_as_http_client_reads_it(text: str) -> None:
    block = text.encode("latin-1")
    assert _read(block) == _read_by_http_client(block)
    assert _read(block + b"\r\n\r\n") == _read_by_http_client(block + b"\r\n\r\n")


@pytest.mark.parametrize("count", [99, 100, 101, 1000])
def test_as_many_headers_are_taken_as_http_client_takes(count: int) -> None:
    block = b"".join(b"x-%d: y\r\n" % number for number in range(count)) + b"\r\n"
    assert _read(block) == _read_by_http_client(block)


@pytest.mark.parametrize("size", [65_525, 65_530, 65_540, 200_000])
def test_lines_may_be_as_long_as_http_client_lets_them(size: int) -> None:
    block = b"x-long: " + b"y" * size + b"\r\n\r\n"
    assert _read(block) == _read_by_http_client(block)


_STATUS_LINES: Final = (
    "HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/0.9 200", "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 ", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "HTTP/2 200", "HTTP/1.1 20",
    "HTTP/1.7 200 OK", "ICY 200 OK", "",
)  # fmt: skip  # one list, read as one
_FRAMES: Final = (
    "", "content-length: 3", "content-length: 0", "transfer-encoding: chunked",
    "Transfer-Encoding: Chunked\r\ncontent-length: 3", "connection: close\r\ncontent-length: 3",
    "connection: keep-alive\r\ncontent-length: 3", "keep-alive: timeout=5\r\ncontent-length: 3",
    "proxy-connection: keep-alive\r\ncontent-length: 3",
)  # fmt: skip  # the same


def _begun(kind: type[http.client.HTTPResponse], wire: bytes, method: str) -> object:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(wire)
        theirs.shutdown(socket.SHUT_WR)
        reply = kind(ours, method=method)
        try:
            reply.begin()
            facts = (reply.status, reply.reason, reply.version, reply.chunked, reply.length)
            return (*facts, reply.will_close, reply.headers.items(), reply.read())
        except Exception as error:  # noqa: BLE001  # as above
            return type(error)
        finally:
            reply.close()


@pytest.mark.parametrize("method", ["POST", "HEAD"])
@pytest.mark.parametrize("frame", _FRAMES)
@pytest.mark.parametrize("status", _STATUS_LINES)
def test_a_reply_begins_as_http_client_begins_it(status: str, frame: str, method: str) -> None:
    end = "\r\n\r\n" if frame else "\r\n"
    wire = f"{status}\r\n{frame}{end}3\r\nabc\r\n0\r\n\r\n".encode()
    plain = _begun(http.client.HTTPResponse, wire, method)
    assert _begun(TimedResponse, wire, method) == plain
