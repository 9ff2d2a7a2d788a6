"""Failures of urllib3 and http.client, as the failures of this wing."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Any

from urllib3 import exceptions

# vcrpy puts its own classes into `urllib3.connection`, perhaps before this module is imported.
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    PoolClosedError,
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.translation import (
    itself,
    oversized_headers,
    translated,
    untrusted,
)

if TYPE_CHECKING:
    from litellm_synthetic.transport.limits import Clock
    from litellm_synthetic.transport.timed_connection import TimedSocket


def failure_of(error: Exception, clock: Clock, wire: TimedSocket | None = None) -> Exception:
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
