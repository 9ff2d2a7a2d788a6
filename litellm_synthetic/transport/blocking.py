"""Sync calls over urllib3, with deadlines that also end a reply that trickles in."""

from __future__ import annotations

import email.errors
import http.client
import io
import re
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import urllib3
from urllib3 import exceptions

# vcrpy puts its own classes into `urllib3.connection`, perhaps before this module is imported.
from urllib3.connectionpool import (  # type: ignore[attr-defined]  # imported there, not exported
    HTTPConnection,
    HTTPConnectionPool,
    HTTPSConnection,
    HTTPSConnectionPool,
)
from urllib3.util.connection import create_connection
from urllib3.util.timeout import Timeout

from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    PoolClosedError,
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.headers import Headers, incoming_headers
from litellm_synthetic.transport.limits import Clock, TimeLimits
from litellm_synthetic.transport.resolver import Addresses, resolve
from litellm_synthetic.transport.tls import Verify, tls_context
from litellm_synthetic.transport.translation import (
    itself,
    oversized_headers,
    translated,
    untrusted,
)

if TYPE_CHECKING:
    import socket

    from litellm_synthetic.transport.destination import Proxy

# What a gateway of many threads keeps open; more are opened where needed, and closed after use.
_KEPT_CONNECTIONS: Final = 100
_READ_BYTES: Final = 256 * 1024
_BUFFER_BYTES: Final = 64 * 1024
_SEND_BYTES: Final = 256 * 1024
# A socket's own limit is set once to this, and the deadline looked at whenever it passes.
_SLICE_SECONDS: Final = 5.0
# A connection that nobody used for longer may have been dropped on its way without a word.
_MAX_IDLE_SECONDS: Final = 30.0
_NO_TIMEOUT: Final = Timeout(connect=None, read=None)
_INFORMATIONAL: Final = range(102, 200)
_SIZE_LINE: Final = re.compile(rb"\n[^\n]*\n")
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DEFECTS: Final = (
    email.errors.MissingHeaderBodySeparatorDefect,
    email.errors.FirstHeaderLineIsContinuationDefect,
)


class _Current(threading.local):
    """Hold the clock of the call that a thread is opening: urllib3 has no way to hand it on."""

    clock: Clock | None = None


_current: Final = _Current()


class _Wire(io.RawIOBase):
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
        return True

    def readinto(self, buffer: Any, /) -> int | None:
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

    def close(self) -> None:
        self._reference.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Read a reply under a deadline, and hand over everything that has arrived at once."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.wire = _Wire(sock, _current.clock or Clock(TimeLimits(connect_seconds=None)))
        self.fp: io.BufferedReader = io.BufferedReader(self.wire, _BUFFER_BYTES)

    def begin(self) -> None:
        """Read the headers; what http.client lets pass, and no other library does, is refused."""
        super().begin()
        if self.wire.at_eof:  # the blank line after the headers never came
            raise http.client.RemoteDisconnected("the connection was closed within the headers")
        if any(isinstance(defect, _DEFECTS) for defect in self.headers.defects):
            raise http.client.BadStatusLine("a header")
        if not self.chunked and (lengths := self.headers.get_all("content-length")):
            first = lengths[0].strip()
            if any(one.strip() != first for one in lengths) or not _DIGITS.fullmatch(first):
                raise http.client.BadStatusLine("Content-Length")

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
        # http.client skips 100 only, and would take "103 Early Hints" for the reply.
        return version, 100 if status in _INFORMATIONAL else status, reason

    def read1(self, n: int = -1) -> bytes:
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


class _Deadlines(HTTPConnection):
    """Connect, send and wait for the headers within the clock of the call."""

    response_class = _Response
    _wire: _Wire | None = None
    _unsent: list[bytes] | None = None

    def _new_conn(self) -> socket.socket:
        clock = _current.clock
        if clock is None:
            return super()._new_conn()
        failure: OSError = OSError("the host has no address")
        for _, address in self._addresses(clock):
            clock.check()
            try:
                sock = create_connection(
                    (address, self.port), clock.left(), socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
            else:
                # The handshakes of TLS and of a proxy have what is left.
                sock.settimeout(clock.left())
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
        if self._wire is not None and time.monotonic() - self._wire.read_at > _MAX_IDLE_SECONDS:
            return False
        return super().is_connected

    def request(self, *args: Any, **kwargs: Any) -> None:
        clock = _current.clock
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

    def send(self, data: Any) -> None:
        clock = _current.clock
        if clock is None or not isinstance(data, bytes):
            super().send(data)
        elif self._unsent is not None:
            self._unsent.append(data)
        else:
            self._send_within(data, clock)

    def _send_within(self, data: bytes, clock: Clock) -> None:
        view = memoryview(data)
        while view:
            clock.check()
            self.sock.settimeout(clock.left())
            try:
                view = view[self.sock.send(view[:_SEND_BYTES]) :]
            except TimeoutError:
                raise clock.expired() from None
            if view and clock.phase == "send":
                clock.enter("send")

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        if _current.clock is not None:
            _current.clock.enter("headers")
        response = super().getresponse()
        original = response._original_response  # noqa: SLF001  # has no public name
        self._wire = original.wire if isinstance(original, _Response) else None
        return response


class _TlsDeadlines(_Deadlines, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    @property
    def ConnectionCls(self) -> type[HTTPConnection]:  # type: ignore[override]  # noqa: N802  # urllib3's
        # vcrpy records and replays by putting its own class there.
        original = HTTPConnectionPool.ConnectionCls
        return _Deadlines if original is HTTPConnection else original  # type: ignore[return-value]


class _TlsPool(HTTPSConnectionPool):
    @property
    def ConnectionCls(self) -> type[HTTPSConnection]:  # type: ignore[override]  # noqa: N802  # the same
        original = HTTPSConnectionPool.ConnectionCls
        return _TlsDeadlines if original is HTTPSConnection else original  # type: ignore[return-value]

    def _validate_conn(self, conn: Any) -> None:
        # urllib3's own warns at each request where a setting says to trust anybody.
        if conn.is_closed:
            conn.connect()


_POOLS: Final = {"http": _Pool, "https": _TlsPool}


class Blocking:
    """Send requests to one origin over urllib3, on connections that are used again.

    Args:
        origin: scheme, host and port, as a URL without a path.
        verify: whom to trust.
        proxy: an HTTP proxy, where one is named for this origin.

    Raises:
        UnsendableError: the origin is not a URL that can be called, or the TLS setting is wrong.
    """

    def __init__(self, origin: str, verify: Verify, proxy: Proxy | None) -> None:
        needs_tls = origin.startswith("https:") or (proxy is not None and proxy.scheme == "https")
        context = tls_context(verify) if needs_tls else None
        settings: dict[str, Any] = {"maxsize": _KEPT_CONNECTIONS, "ssl_context": context}
        manager: urllib3.PoolManager
        if proxy is None:
            manager = urllib3.PoolManager(**settings)
        else:
            credentials = proxy.authorization
            manager = urllib3.ProxyManager(
                proxy.url,
                proxy_headers={} if credentials is None else {"proxy-authorization": credentials},
                proxy_ssl_context=context,
                **settings,
            )
        manager.pool_classes_by_scheme = _POOLS
        try:
            self._pool = manager.connection_from_url(origin)
        except (exceptions.HTTPError, ValueError):
            raise UnsendableError("the address is not a URL that can be called") from None
        # A proxy takes the whole address of what it is to fetch without a tunnel.
        self._prefix = len(origin) if proxy is None or origin.startswith("https:") else 0

    def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, clock: Clock
    ) -> BlockingReply:
        """Send a request and return its reply once the headers have come.

        Raises:
            TransportError: there is no reply.
        """
        _current.clock = clock
        clock.enter("connect")
        try:
            response = self._pool.urlopen(
                method,
                url[self._prefix :],
                body=content or None,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=_NO_TIMEOUT,
                preload_content=False,
                decode_content=False,
            )
        except Exception as error:
            raise _translated(error, clock) from error
        finally:
            _current.clock = None
        return BlockingReply(response, clock)

    def close(self) -> None:
        """Close what is idle now, and what is in use as soon as its reply has been read."""
        self._pool.close()


class BlockingReply:
    """Hold a reply from urllib3 whose body is still open."""

    def __init__(self, response: urllib3.BaseHTTPResponse, clock: Clock) -> None:
        self._response = response
        self._clock = clock
        original = getattr(response, "_original_response", None)
        # vcrpy's is another.
        self._original = original if isinstance(original, _Response) else None
        self.status = response.status
        try:
            self.headers: Headers = incoming_headers(response.headers.iteritems(), "latin-1")
        except TransportError:
            response.close()
            raise

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""
        return self._response.closed

    def read(self) -> bytes:
        """Return all that has arrived, after waiting for some; b"" at the end of the body."""
        try:
            return self._read_chunked() or self._response.read1(_READ_BYTES) or b""
        except TransportError:
            raise
        except Exception as error:
            wire = None if self._original is None else self._original.wire
            raise _translated(error, self._clock, wire) from error

    def _read_chunked(self) -> bytes:
        """Return what has arrived of a body in HTTP chunks, b"" where urllib3 has to look.

        What urllib3 adds, it adds for other bodies: it counts bytes against the Content-Length.
        For an event that comes alone that takes as long as to read it.
        """
        original = self._original
        if original is None or not original.chunked or original.isclosed():
            return b""
        data = original.read1(_READ_BYTES)
        if data and original.isclosed():
            self._response.release_conn()
        return data

    def close(self) -> None:
        """Let go of the connection: it is used again if the body was read to its end."""
        self._response.close()


def _translated(error: Exception, clock: Clock, wire: _Wire | None = None) -> Exception:
    """Return what a failure of urllib3 or http.client means."""

    def cut(_: Any) -> TransportError:
        if wire is not None and not wire.at_eof:
            return MalformedReplyError("the body is not chunked as HTTP has it")
        return ConnectionBrokenError("the connection was closed before the end of the reply")

    return translated(
        error,
        (
            (TransportError, itself),
            (exceptions.ClosedPoolError, lambda _: PoolClosedError("they were closed just now")),
            # For urllib3 a connection that is refused is a kind of timeout.
            (exceptions.NewConnectionError, lambda one: _broken(str(one).rpartition(": ")[2])),
            ((TimeoutError, exceptions.TimeoutError), lambda _: clock.expired()),
            (ssl.SSLCertVerificationError, untrusted),
            (http.client.LineTooLong, _too_long),
            (http.client.HTTPException, _too_many),
            (ConnectionError, _told),  # http.client's RemoteDisconnected is one
            ((http.client.IncompleteRead, exceptions.IncompleteRead), cut),
            (
                (http.client.BadStatusLine, http.client.UnknownProtocol, exceptions.InvalidHeader),
                lambda _: MalformedReplyError("what came is not valid HTTP"),
            ),
            (
                (ValueError, http.client.InvalidURL),
                lambda one: UnsendableError(f"{type(one).__name__} in a header or the URL"),
            ),
            ((OSError, http.client.HTTPException, exceptions.HTTPError), _told),
        ),
    )


def _too_long(error: http.client.LineTooLong) -> TransportError:
    if "chunk" in str(error):
        return MalformedReplyError("the body is not chunked as HTTP has it")
    return oversized_headers()


def _too_many(error: http.client.HTTPException) -> TransportError | None:
    # "got more than 100 headers" has no class of its own.
    return oversized_headers() if type(error) is http.client.HTTPException else None


def _told(error: BaseException) -> TransportError | None:
    inner = [one for one in error.args if isinstance(one, BaseException)]
    return None if inner else _broken(str(error) or type(error).__name__)


def _broken(reason: str) -> TransportError:
    return ConnectionBrokenError(reason or "it was refused")
