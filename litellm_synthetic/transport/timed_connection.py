"""Connections of urllib3 whose every phase ends by the clock of the call."""

from __future__ import annotations

import email.errors
import http.client
import io
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import urllib3
from urllib3 import exceptions

# vcrpy puts its own classes into `urllib3.connection`, perhaps before this module is imported.
from urllib3.connectionpool import (  # type: ignore[attr-defined]  # imported there, not exported
    HTTPConnection,
    HTTPSConnection,
)
from urllib3.util.connection import create_connection

from litellm_synthetic.transport.limits import Clock, TimeLimits
from litellm_synthetic.transport.resolver import Addresses, resolve

if TYPE_CHECKING:
    import socket


_BUFFER_BYTES: Final = 64 * 1024
_SEND_BYTES: Final = 256 * 1024
# A socket's own limit is set once to this, and the deadline looked at whenever it passes.
_SLICE_SECONDS: Final = 5.0
# A connection that nobody used for longer may have been dropped on its way without a word.
_MAX_IDLE_SECONDS: Final = 30.0
_MAX_CHUNK_BYTES: Final = 1 << 62
_INFORMATIONAL: Final = range(102, 200)
_SIZE_LINE: Final = re.compile(rb"\n[^\n]*\n")
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_OLD_VERSIONS: Final = ("HTTP/1.0", "HTTP/0.9")
_WITHOUT_BODY: Final = (http.client.NO_CONTENT, http.client.NOT_MODIFIED)
_MAX_LINE_BYTES: Final = 64 * 1024
_MAX_HEADERS: Final = 100
_BLANK: Final = (b"\r\n", b"\n", b"")
# One field on one line, and nothing but such lines up to the blank one.
_FIELD: Final = re.compile(r"([!-9;-~]+):[ \t]*([^\r\n]*)\r?\n")
_FIELDS: Final = re.compile(r"(?:[!-9;-~]+:[^\r\n]*\r?\n)*\r?\n")
_DEFECTS: Final = (
    email.errors.MissingHeaderBodySeparatorDefect,
    email.errors.FirstHeaderLineIsContinuationDefect,
)


class _Current(threading.local):
    """The clock of the call that a thread is opening: urllib3 has no way to hand it on."""

    clock: Clock | None = None


current_call: Final = _Current()


class TimedSocket(io.RawIOBase):
    """Read from a socket until a deadline, however little comes at a time."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self._socket = sock
        # Keeps the socket open for a reply that outlives its connection, as http.client has it.
        self._reference = sock.makefile("rb", buffering=0)
        self._clock = clock
        self._set: float | None = -1.0
        self.at_eof = False
        self.may_wait = True
        self.read_at = 0.0

    def readable(self) -> bool:
        """Return True, as `io` asks."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what has arrived, after waiting for some; None where nothing may be waited for."""
        if not self.may_wait:
            return None
        while True:
            remaining = self._clock.left()
            if remaining is not None and remaining <= 0:
                raise self._clock.expired()
            self._limit(remaining)
            try:
                count = self._socket.recv_into(buffer)
            except TimeoutError:
                continue
            self.at_eof = count == 0
            self.read_at = time.monotonic()
            return count

    def _limit(self, remaining: float | None) -> None:
        timeout = remaining if remaining is None or remaining < _SLICE_SECONDS else _SLICE_SECONDS
        if timeout != self._set:
            self._socket.settimeout(timeout)
            self._set = timeout

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the file that http.client reads from, as it asks a socket for it."""
        return io.BufferedReader(self, _BUFFER_BYTES)

    def close(self) -> None:
        """Let go of the socket."""
        self._reference.close()
        super().close()


def _header_lines(file: io.BufferedReader) -> list[bytes]:
    """Return the lines of a header block with the blank one, within http.client's own limits."""
    lines = []
    while True:
        line = file.readline(_MAX_LINE_BYTES + 1)
        if len(line) > _MAX_LINE_BYTES:
            raise http.client.LineTooLong("header line")
        lines.append(line)
        if len(lines) > _MAX_HEADERS:
            raise http.client.HTTPException(f"got more than {_MAX_HEADERS} headers")
        if line in _BLANK:
            return lines


def _message(lines: list[bytes]) -> http.client.HTTPMessage:
    """Return what `http.client.parse_headers` makes of a header block."""
    block = b"".join(lines)
    text = block.decode("latin-1")
    if not _FIELDS.fullmatch(text):
        return http.client.parse_headers(io.BytesIO(block))
    message = http.client.HTTPMessage()
    for name, value in _FIELD.findall(text):
        message.set_raw(name, value)
    return message


class TimedResponse(http.client.HTTPResponse):
    """Read a reply under a deadline, and hand over everything that has arrived at once."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self.wire = TimedSocket(sock, current_call.clock or Clock(TimeLimits(connect_seconds=None)))
        super().__init__(self.wire, *args, **kwargs)  # type: ignore[arg-type]  # it wants `makefile`

    def begin(self) -> None:
        """Read the headers; what http.client lets pass, and no other library does, is refused.

        http.client reads them with the parser for e-mails, which takes a third of the time of a
        whole exchange; a header block without surprises is read here.
        """
        if self.headers is not None:
            return
        version, status, reason = self._read_status()
        while status == http.client.CONTINUE:
            _header_lines(self.fp)
            version, status, reason = self._read_status()
        if not version.startswith("HTTP/1.") and version != "HTTP/0.9":
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in _OLD_VERSIONS else 11
        self.code = self.status = status
        self.reason = reason.strip()
        self.headers = self.msg = _message(_header_lines(self.fp))
        if self.wire.at_eof:  # the blank line after the headers never came
            raise http.client.RemoteDisconnected("the connection was closed within the headers")
        if any(isinstance(defect, _DEFECTS) for defect in self.headers.defects):
            raise http.client.BadStatusLine("a header")
        self._frame()

    def _frame(self) -> None:
        """Note how the body ends: by its chunks, by its length, or with the connection."""
        headers = self.headers
        self.chunked = (headers.get("transfer-encoding") or "").lower() == "chunked"
        self.chunk_left = None
        self.length = None
        if not self.chunked and (lengths := headers.get_all("content-length")):
            first = lengths[0].strip()
            if any(one.strip() != first for one in lengths) or not _DIGITS.fullmatch(first):
                raise http.client.BadStatusLine("Content-Length")
            self.length = int(first)
        if self.status in _WITHOUT_BODY or self._method == "HEAD":  # type: ignore[attr-defined]  # http.client's
            self.length = 0
        closes: bool = self._check_close()  # type: ignore[attr-defined]  # http.client's
        self.will_close = closes or not (self.chunked or self.length is not None)

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
        # http.client skips 100 only, and would take "103 Early Hints" for the reply.
        return version, 100 if status in _INFORMATIONAL else status, reason

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]  # not in the stubs
        if not 0 <= size <= _MAX_CHUNK_BYTES:
            raise ValueError("a chunk's size")  # http.client makes IncompleteRead of it
        return size

    def read1(self, n: int = -1) -> bytes:
        """Return all that has arrived of the body, at most `n` bytes."""
        first = super().read1(n)
        if not first or n < 0:
            return first
        pieces = [first]
        size = len(first)
        while size < n and self._has_more():
            piece = super().read1(n - size)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces) if len(pieces) > 1 else first

    def _has_more(self) -> bool:
        """Tell whether more of the body is in the buffer, without waiting for the network."""
        if self.isclosed():
            return False
        self.wire.may_wait = False
        try:
            waiting = self.fp.peek(1)
        finally:
            self.wire.may_wait = True
        if not self.chunked or self.chunk_left:
            return bool(waiting)
        # Between two chunks: what is there has to hold the whole size line, and a byte after it.
        line = _SIZE_LINE.search(waiting)
        return line is not None and line.end() < len(waiting)


class TimedConnection(HTTPConnection):
    """Connect, send and wait for the headers within the clock of the call."""

    response_class = TimedResponse
    _wire: TimedSocket | None = None
    _unsent: list[bytes] | None = None

    def _new_conn(self) -> socket.socket:
        clock = current_call.clock
        if clock is None:
            return super()._new_conn()
        failure: OSError = OSError("the host has no address")
        for _, address in self._addresses(clock):
            timeout = clock.timeout()
            try:
                sock = create_connection(
                    (address, self.port), timeout, socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
                continue
            try:
                # The handshakes of TLS and of a proxy have what is left.
                sock.settimeout(clock.timeout())
            except BaseException:
                sock.close()
                raise
            return sock
        clock.check()
        raise exceptions.NewConnectionError(self, str(failure) or type(failure).__name__)

    def _addresses(self, clock: Clock) -> Addresses:
        try:
            return resolve(self._dns_host, clock.left())
        except TimeoutError:
            raise clock.expired() from None
        except OSError as error:
            raise exceptions.NewConnectionError(self, str(error)) from error

    @property
    def is_connected(self) -> bool:
        """Tell whether the connection is open and was used a short while ago."""
        if self._wire is not None and time.monotonic() - self._wire.read_at > _MAX_IDLE_SECONDS:
            return False
        return super().is_connected

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send headers and body, in one write where they are small."""
        clock = current_call.clock
        if clock is None:
            super().request(*args, **kwargs)
            return
        if self.sock is None:
            self.connect()
        clock.enter("send")
        # Headers and body in one write: the server wakes up once, and so do we.
        unsent: list[bytes] = []
        self._unsent = unsent
        try:
            super().request(*args, **kwargs)
        finally:
            self._unsent = None
        if sum(len(data) for data in unsent) <= _SEND_BYTES:
            unsent = [b"".join(unsent)]
        for data in unsent:
            self._send_within(data, clock)

    def putheader(self, header: str, *values: Any) -> None:  # type: ignore[override]  # as urllib3's own
        """Add a header; those of a call were checked already (`outgoing_headers`)."""
        if self._unsent is None or len(values) != 1 or not isinstance(values[0], str):
            super().putheader(header, *values)
        else:
            self._output(f"{header}: {values[0]}".encode("latin-1"))  # type: ignore[attr-defined]  # http.client's

    def send(self, data: Any) -> None:
        """Send bytes within the clock of the call."""
        clock = current_call.clock
        if clock is None or not isinstance(data, bytes):
            super().send(data)
        elif self._unsent is not None:
            self._unsent.append(data)
        else:
            self._send_within(data, clock)

    def _send_within(self, data: bytes, clock: Clock) -> None:
        view = memoryview(data)
        while view:
            self.sock.settimeout(clock.timeout())
            try:
                view = view[self.sock.send(view[:_SEND_BYTES]) :]
            except TimeoutError:
                raise clock.expired() from None
            if view and clock.phase == "send":
                clock.enter("send")

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        """Wait for the headers within the clock of the call."""
        if current_call.clock is not None:
            current_call.clock.enter("headers")
        response = super().getresponse()
        original = response._original_response  # noqa: SLF001  # has no public name
        self._wire = original.wire if isinstance(original, TimedResponse) else None
        return response


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    """Do what `TimedConnection` does, over TLS."""
