"""The load: one process that holds all connections, so that its CPU is nobody's.

Orders and samples are lines of JSON on standard input and output. While time is taken a reply is
only collected; that it is whole is checked afterwards.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import Final, cast

import uvloop

from benchmarks.gateway.cases import CASE_BY_NAME

_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_TIMEOUT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Order:
    """Say what to send, and to which port of 127.0.0.1."""

    case: str
    port: int
    key: str
    calls: int
    clients: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what a batch took: the wall time of all, and each call's own, in seconds.

    Attributes:
        writes: how many HTTP chunks a streamed reply had, on average.
    """

    wall_seconds: float
    call_seconds: list[float]
    writes: float


class LostDataError(AssertionError):
    """Say that a proxy did not hand over what the upstream had sent."""


class Client(asyncio.Protocol):
    """Hold one connection that lasts, and one call at a time on it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._length: int | None = None
        self._is_chunked = False
        self._done: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_closed(self) -> bool:
        """Tell whether a call would find the connection closed."""
        return self._transport is None or self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the call under way."""
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the proxy closed a connection"))

    async def call(self, request: bytes) -> bytes:
        """Send a request and return the reply as it came, head and framing included."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._read.clear()
        self._length, self._is_chunked = None, False
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._done, _TIMEOUT_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Collect, and see whether that was all."""
        self._read += data
        if self._length is None and not self._is_chunked:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._read[:end]).lower()
            if b"\r\ntransfer-encoding: chunked" in head:
                self._is_chunked = True
            else:
                lines = [line.partition(b":") for line in head.split(b"\r\n")]
                lengths = [int(value) for name, _, value in lines if name == b"content-length"]
                self._length = end + 4 + lengths[0]
        is_whole = (
            self._read.endswith(_LAST_CHUNK)
            if self._is_chunked
            else len(self._read) == self._length
        )
        if is_whole and self._done is not None:
            self._done.set_result(bytes(self._read))

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


async def fire(order: Order) -> Sample:
    """Make the calls over connections that last, and return what they took.

    Raises:
        LostDataError: a reply is not a success, or lacks something.
    """
    case = CASE_BY_NAME[order.case]
    # One by one: a worker takes all connections that wait when it looks.
    clients = [await _connected(order.port) for _ in range(order.clients)]
    numbers = count()
    replies: list[tuple[float, bytes]] = []
    request = _request(b"POST", case.path, order.key, case.body())

    async def run(client: Client) -> None:
        while next(numbers) < order.calls:
            if client.is_closed:  # the proxy closes one that was idle for five seconds
                client = await _connected(order.port)  # the client's next one
            started_at = time.perf_counter()
            reply = await client.call(request)
            replies.append((time.perf_counter() - started_at, reply))

    start = time.perf_counter()
    await asyncio.gather(*(run(client) for client in clients))
    wall = time.perf_counter() - start
    for client in clients:
        client.close()
    writes = 0
    for _, reply in replies:
        head, _, body = reply.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1] != b"200":
            raise LostDataError(f"the proxy answered {reply[:800]!r}")
        chunks = _unframed(body) if case.is_stream else [body]
        writes += len(chunks)
        if complaint := case.complaint(b"".join(chunks)):
            raise LostDataError(complaint)
    return Sample(wall, [seconds for seconds, _ in replies], writes / len(replies))


async def _connected(port: int) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(Client, "127.0.0.1", port)
    await client.call(_request(b"GET", "/health/liveliness", "", b""))
    return client


def _request(method: bytes, path: str, key: str, body: bytes) -> bytes:
    head = (
        f"{method.decode()} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _unframed(body: bytes) -> list[bytes]:
    chunks: list[bytes] = []
    position = 0
    while True:
        end = body.index(b"\r\n", position)
        size = int(body[position:end], 16)
        if size == 0:
            return chunks
        chunks.append(body[end + 2 : end + 2 + size])
        position = end + 2 + size + 2


def main() -> None:
    """Say `ready`, then answer each order until standard input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        sample = uvloop.run(fire(Order(**json.loads(line))))
        print(json.dumps(asdict(sample)), flush=True)


if __name__ == "__main__":
    main()
