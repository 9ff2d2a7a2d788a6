"""An upstream that writes raw bytes, and one face for the four ways to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx

from litellm_synthetic.transport.client import Outgoing, Reply, asend, send
from litellm_synthetic.transport.limits import TimeLimits
from litellm_synthetic.transport.pool import retire_connections
from litellm_synthetic.transport.retries import RetryPolicy

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
    from litellm_synthetic.transport.tls import Verify

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
KEY = "Bearer syn_0123456789abcdef"
# Long enough for a busy machine; what has to end is given far less.
PATIENCE_SECONDS = 30.0


def whole(body: bytes, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """Return a reply of known length."""
    start = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode()
    return start + headers + b"\r\n" + body


def chunked(*pieces: bytes, end: bool = True, headers: bytes = b"") -> bytes:
    """Return a reply in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    start = HEAD + headers + b"Transfer-Encoding: chunked\r\n\r\n"
    return start + body + (b"0\r\n\r\n" if end else b"")


@dataclass
class Request:
    """Hold what came in one request."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.partition(": ") for line in lines if line]
        return {name.lower(): value for name, _, value in pairs}


@dataclass
class Connection:
    """Hold the server's end of a connection, while it answers one request."""

    socket: socket.socket
    request: Request
    stopping: threading.Event = field(repr=False)

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """Write one byte at a time, until the client leaves."""
        for at in range(len(data)):
            self.socket.sendall(data[at : at + 1])
            if self.stopping.wait(seconds):
                return

    def stall(self) -> None:
        """Say nothing until the client leaves."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while not self.stopping.is_set() and not selector.select(0.02):
                pass


Answer = bytes | Callable[[Connection], Any]


class Upstream:
    """Answer each request with bytes, or with what a function does to the connection.

    Attributes:
        requests: what came, in order.
        accepted: how many connections were made.
    """

    def __init__(self, answer: Answer, *, host: str = "127.0.0.1", tls: Any = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.accepted = 0
        self._open = 0
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = tls
        self._stopping = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=256)
        self.port: int = self._listener.getsockname()[1]
        text = f"[{host}]" if ":" in host else host
        self.url = f"{'http' if tls is None else 'https'}://{text}:{self.port}/v1/x"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        # Closing alone would not wake up a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    @property
    def serving(self) -> int:
        """Return how many threads serve a connection."""
        return sum(thread.is_alive() for thread in self._threads)

    async def all_left(self) -> bool:
        """Wait until no client is connected any more."""
        return await self._until(lambda: self._open == 0)

    async def has_requests(self, count: int) -> bool:
        """Wait until so many requests have come."""
        return await self._until(lambda: len(self.requests) >= count)

    async def _until(self, condition: Callable[[], bool]) -> bool:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.002)
        return True

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._open += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        connection.settimeout(0.05)
        try:
            with contextlib.suppress(OSError, ConnectionError):
                if self._tls is not None:
                    connection.settimeout(PATIENCE_SECONDS)
                    connection = self._tls.wrap_socket(raw, server_side=True)
                    connection.settimeout(0.05)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while (request := self._read(connection)) is not None:
                    with self._lock:
                        self.requests.append(request)
                    if not self._reply(connection, request):
                        return
        finally:
            connection.close()
            with self._lock:
                self._open -= 1

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        """Answer one request; return whether the connection stays open."""
        connection.settimeout(PATIENCE_SECONDS)
        try:
            if isinstance(self.answer, bytes):
                connection.sendall(self.answer)
                return True
            return self.answer(Connection(connection, request, self._stopping)) is True
        finally:
            connection.settimeout(0.05)

    def _read(self, connection: socket.socket) -> Request | None:
        pieces = b""
        while b"\r\n\r\n" not in pieces:
            pieces += (data := self._receive(connection))
            if not data:
                return None
        head, _, body = pieces.partition(b"\r\n\r\n")
        length = int(Request(head, b"").headers.get("content-length", 0))
        if getattr(self.answer, "leaves_body", False):
            return Request(head, body)
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            parts.append(data := self._receive(connection))
            if not data:
                return None
            missing -= len(data)
        return Request(head, b"".join(parts))

    def _receive(self, connection: socket.socket) -> bytes:
        while not self._stopping.is_set():
            try:
                return connection.recv(1024 * 1024)
            except TimeoutError:
                continue
        return b""


LIMITS = TimeLimits(PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)


def within(seconds: float, *, stream: bool = False) -> TimeLimits:
    """Return the limits that `timeout=seconds` means."""
    return TimeLimits(seconds, seconds, seconds, None if stream else seconds)


class Way:
    """Reach an upstream over one library, plain or streamed, with one face for all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name.endswith("async")
        self._client: Any = None

    async def __aenter__(self) -> Self:
        if self.name.startswith("httpx"):
            self._client = httpx.AsyncClient() if self.is_async else httpx.Client()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.let_go()

    async def let_go(self) -> None:
        """Close the connections that no call is using."""
        retire_connections()
        if isinstance(self._client, httpx.AsyncClient):
            await self._client.aclose()
        elif self._client is not None:
            self._client.close()

    @property
    def brings_client(self) -> bool:
        """Tell whether the caller's own client is used."""
        return self.name.startswith("httpx")

    def outgoing(
        self,
        url: str,
        *,
        content: bytes = b"{}",
        headers: dict[str, str] | None = None,
        limits: TimeLimits = LIMITS,
        max_retries: int = 0,
        method: str = "POST",
        verify: Verify = True,
    ) -> Outgoing:
        request = {"authorization": KEY, "content-type": "application/json", **(headers or {})}
        policy = RetryPolicy(max_retries)
        return Outgoing(url, request, content, limits, policy, verify, self._client, method)

    async def send(self, url: str, **settings: Any) -> Reply:
        """Send a request and return the whole reply."""
        out = self.outgoing(url, **settings)
        result = await asend(out) if self.is_async else send(out)
        assert isinstance(result, Reply)
        return result

    async def open(self, url: str, **settings: Any) -> ByteStream | AsyncByteStream | Reply:
        """Send a request and return its open body, or the whole reply where there is none."""
        settings.setdefault("limits", within(PATIENCE_SECONDS, stream=True))
        out = self.outgoing(url, **settings)
        return await asend(out, stream=True) if self.is_async else send(out, stream=True)

    async def read(self, body: Any) -> bytes:
        """Return what the next read brings."""
        data: bytes = await body.read() if self.is_async else body.read()
        return data

    async def read_all(self, body: Any) -> bytes:
        """Return everything up to the end of a body, taking each read as progress."""
        pieces = []
        while data := await self.read(body):
            body.progressed()
            pieces.append(data)
        return b"".join(pieces)

    async def drain(self, body: Any) -> None:
        await body.drain() if self.is_async else body.drain()

    async def close(self, body: Any) -> None:
        await body.aclose() if self.is_async else body.close()
