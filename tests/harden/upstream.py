"""An upstream that decides about every byte: raw sockets that play scripts.

A script is a sequence of steps: bytes are sent as they are, and a function gets the wire and does
something else with it. What is left of a connection at the end of a script takes the next request,
as HTTP/1.1 has it; a script that wants another end says so.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

THREAD_PREFIX: Final = "raw-upstream"
_SEND_BYTES: Final = 64 * 1024
_RECEIVE_BYTES: Final = 256 * 1024


class GoneError(Exception):
    """The client has closed the connection."""


class OverError(Exception):
    """The script has closed the connection."""


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    @property
    def token(self) -> str:
        return self.path.split("/", 2)[1]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Wire:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self._socket = sock
        self._stopped = stopped
        self._rest = b""
        self.settle: Callable[[], None] = lambda: None
        """Called where a script brings nothing new until its client leaves."""

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                self._check_stopped()
                # A client that reads nothing must not keep this thread for ever.
                _, writable, _ = select.select([], [self._socket], [], 0.5)
                if not writable:
                    continue
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    view = view[self._socket.send(view[:_SEND_BYTES]) :]
        except (OSError, ValueError) as error:
            raise GoneError from error

    def sleep(self, seconds: float) -> None:
        """Wait; a client that leaves meanwhile ends the script."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check_stopped()
            try:
                readable, _, _ = select.select([self._socket], [], [], min(left, 0.25))
                if readable and not self._peek():
                    raise GoneError
            except (OSError, ValueError) as error:
                raise GoneError from error

    def _peek(self) -> bytes:
        if not isinstance(self._socket, ssl.SSLSocket):
            return self._socket.recv(1, socket.MSG_PEEK)
        try:
            data = self._socket.recv(1)
        except ssl.SSLWantReadError:
            return b"not of the application"
        self._rest += data
        return data

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise GoneError

    def reset(self) -> None:
        """Close with an RST, as a crashed process or a firewall does."""
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def end(self) -> None:
        """Close with a FIN, in TLS after its own goodbye."""
        with contextlib.suppress(OSError):
            if isinstance(self._socket, ssl.SSLSocket):
                with contextlib.suppress(ssl.SSLError):
                    self._socket.unwrap()  # does not wait for the answer
        self.close()

    def half_close(self) -> None:
        """Say that nothing more comes, and go on to read."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def receive(self, number: int) -> Request | None:
        """Read the next request; None where the client has closed."""
        data = self._rest
        while b"\r\n\r\n" not in data:
            more = self._receive()
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ", 2)
        headers = []
        for one in fields:
            name, _, value = one.partition(":")
            headers.append((name.strip(), value.strip()))
        length = next(
            (int(value) for name, value in headers if name.lower() == "content-length"), 0
        )
        pieces = [body]
        size = len(body)
        while size < length:
            more = self._receive()
            if not more:
                return None
            pieces.append(more)
            size += len(more)
        whole = b"".join(pieces)
        self._rest = whole[length:]
        return Request(method, path, tuple(headers), whole[:length], number)

    def _receive(self) -> bytes:
        while not self._stopped.is_set():
            try:
                pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
                readable = pending or select.select([self._socket], [], [], 0.25)[0]
                if readable:
                    return self._socket.recv(_RECEIVE_BYTES)
            except ssl.SSLWantReadError:
                continue
            except (OSError, ValueError):
                return b""
        return b""


Step = bytes | Callable[[Wire], None]
Script = Iterable[Step]
Respond = Callable[[Request], Script]


def pause(seconds: float) -> Step:
    return lambda wire: wire.sleep(seconds)


def _reset(wire: Wire) -> None:
    wire.reset()
    raise OverError


def _fin(wire: Wire) -> None:
    wire.end()
    raise OverError


def _cut(wire: Wire) -> None:
    wire.close()
    raise OverError


def _half_close(wire: Wire) -> None:
    wire.half_close()
    wire.settle()
    wire.sleep(3600)


def _stall(wire: Wire) -> None:
    wire.settle()
    wire.sleep(3600)


RESET: Final = _reset
FIN: Final = _fin
CUT: Final = _cut
"""FIN, in TLS without its goodbye."""
HALF_CLOSE: Final = _half_close
STALL: Final = _stall
"""Silence until the client leaves."""


def forever(data: bytes, gap_seconds: float = 0.0) -> Step:
    """Send the same again and again until the client leaves."""

    def play(wire: Wire) -> None:
        while True:
            wire.send(data)
            wire.settle()
            if gap_seconds:
                wire.sleep(gap_seconds)

    return play


def repeat(data: bytes, size: int) -> Step:
    """Send the same until so many bytes are sent."""

    def play(wire: Wire) -> None:
        left = size
        while left > 0:
            wire.send(data[:left])
            left -= len(data)

    return play


def drip(data: bytes, gap_seconds: float, size: int = 1) -> Step:
    """Send a few bytes at a time."""

    def play(wire: Wire) -> None:
        for at in range(0, len(data), size):
            wire.send(data[at : at + size])
            wire.sleep(gap_seconds)

    return play


def signal(event: threading.Event) -> Step:
    return lambda _: event.set()


def await_event(event: threading.Event) -> Step:
    def play(wire: Wire) -> None:
        while not event.is_set():
            wire.sleep(0.02)

    return play


@dataclass
class _Counts:
    opened: int = 0
    live: int = 0
    handshakes_failed: int = 0


@dataclass
class RawUpstream:
    """Listen on loopback, and answer each path's first segment with what is registered for it.

    Attributes:
        tls: the context for TLS, None for plain TCP.
        greeting: played on each new connection instead of anything else, before TLS.
    """

    tls: ssl.SSLContext | None = None
    greeting: tuple[Step, ...] = ()
    _responders: dict[str, Respond] = field(default_factory=dict)
    _requests: dict[str, list[Request]] = field(default_factory=lambda: defaultdict(list))
    _playing: Counter[str] = field(default_factory=Counter)
    _played: threading.Condition = field(default_factory=threading.Condition)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _serving: list[threading.Thread] = field(default_factory=list)
    counts: _Counts = field(default_factory=_Counts)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._accept, name=f"{THREAD_PREFIX}-accept", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        # Not those of other servers, whose clients may keep their connections.
        for one in self._serving:
            one.join()

    def base(self, token: str, path: str = "openai/v1") -> str:
        """Return a base URL whose calls a token's script answers."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/{token}/{path}"

    def register(self, token: str, respond: Respond) -> None:
        self._responders[token] = respond

    def requests(self, token: str) -> list[Request]:
        return list(self._requests.get(token, ()))

    def wait_until_played(self, token: str, seconds: float) -> None:
        """Wait until all that a token's scripts have to send or to close is sent and closed."""
        with self._played:
            self._played.wait_for(lambda: not self._playing[token], seconds)

    @contextlib.contextmanager
    def _turn(self, token: str) -> Iterator[Callable[[], None]]:
        """Count a script as playing, until it settles or ends."""
        is_over = False

        def settle() -> None:
            nonlocal is_over
            with self._played:
                self._playing[token] -= not is_over
                is_over = True
                self._played.notify_all()

        with self._played:
            self._playing[token] += 1
        try:
            yield settle
        finally:
            settle()

    def forget(self, token: str) -> None:
        self._responders.pop(token, None)
        self._requests.pop(token, None)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.counts.opened += 1
                self.counts.live += 1
                number = self.counts.opened
            thread = threading.Thread(
                target=self._serve,
                args=(sock, number),
                name=f"{THREAD_PREFIX}-{number}",
                daemon=True,
            )
            self._serving = [one for one in self._serving if one.is_alive()]
            self._serving.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._speak(sock, number)
        except (GoneError, OverError, OSError):
            pass
        finally:
            with contextlib.suppress(OSError):
                sock.close()
            with self._lock:
                self.counts.live -= 1

    def _speak(self, sock: socket.socket, number: int) -> None:
        if self.greeting:
            sock.settimeout(0)
            _play(Wire(sock, self._stopped), self.greeting)
            return
        if self.tls is not None:
            sock.settimeout(30)
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                with self._lock:
                    self.counts.handshakes_failed += 1
                return
        sock.settimeout(0)
        wire = Wire(sock, self._stopped)
        while not self._stopped.is_set():
            request = wire.receive(number)
            if request is None:
                wire.end()
                return
            with self._lock:
                self._requests[request.token].append(request)
            respond = self._responders.get(request.token)
            if respond is None:
                wire.send(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                continue
            with self._turn(request.token) as wire.settle:
                _play(wire, respond(request))


def _play(wire: Wire, script: Script) -> None:
    for step in script:
        if isinstance(step, bytes):
            wire.send(step)
        else:
            step(wire)
