"""Sync calls over urllib3, with deadlines that also end a reply that trickles in."""

from __future__ import annotations

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
from urllib3.util.timeout import Timeout

from litellm_synthetic.transport.failures import (
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.headers import Headers, incoming_headers
from litellm_synthetic.transport.timed_connection import (
    TimedConnection,
    TimedResponse,
    TimedTlsConnection,
    current_call,
)
from litellm_synthetic.transport.tls import Verify, tls_context
from litellm_synthetic.transport.urllib3_failures import failure_of

if TYPE_CHECKING:
    from litellm_synthetic.transport.destination import Proxy
    from litellm_synthetic.transport.limits import Clock

# What a gateway of many threads keeps open; more are opened where needed, and closed after use.
_KEPT_CONNECTIONS: Final = 100
_READ_BYTES: Final = 256 * 1024
_NO_TIMEOUT: Final = Timeout(connect=None, read=None)


class _Pool(HTTPConnectionPool):
    @property
    def ConnectionCls(self) -> type[HTTPConnection]:  # type: ignore[override]  # noqa: N802  # urllib3's
        # vcrpy records and replays by putting its own class there.
        original = HTTPConnectionPool.ConnectionCls
        return TimedConnection if original is HTTPConnection else original  # type: ignore[return-value]


class _TlsPool(HTTPSConnectionPool):
    @property
    def ConnectionCls(self) -> type[HTTPSConnection]:  # type: ignore[override]  # noqa: N802  # the same
        original = HTTPSConnectionPool.ConnectionCls
        return TimedTlsConnection if original is HTTPSConnection else original  # type: ignore[return-value]

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
            TransportError: no reply came.
        """
        current_call.clock = clock
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
            raise failure_of(error, clock) from error
        finally:
            current_call.clock = None
        return BlockingReply(response, clock)

    def close(self) -> None:
        """Close what is idle now, and what is in use as soon as its reply has been read."""
        self._pool.close()


class BlockingReply:
    """A reply from urllib3 whose body is still open."""

    def __init__(self, response: urllib3.BaseHTTPResponse, clock: Clock) -> None:
        self._response = response
        self._clock = clock
        original = getattr(response, "_original_response", None)
        # vcrpy's is another.
        self._original = original if isinstance(original, TimedResponse) else None
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
            raise failure_of(error, self._clock, wire) from error

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
