"""Failures of httpx and httpcore, as the failures of this wing."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import httpx

from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    ConnectStallError,
    MalformedReplyError,
    OversizedReplyError,
    StallError,
    TransportError,
    UnsendableError,
)
from litellm_synthetic.transport.translation import itself, translated, untrusted

if TYPE_CHECKING:
    from litellm_synthetic.transport.limits import Clock

_OVERSIZED_HINT: Final = 431  # how h11 says that a header block is too long
# What asyncio and anyio say of connections and locks that another event loop made.
_OTHER_LOOP_SIGNS: Final = (
    "Event loop is closed",
    "attached to a different loop",
    "bound to a different event loop",
)


def failure_of(error: Exception, clock: Clock) -> Exception:
    """Return what a failure of httpx means."""
    return translated(
        error,
        (
            (TransportError, itself),
            (httpx.TimeoutException, lambda one: _stall(one, clock)),
            (ssl.SSLCertVerificationError, untrusted),
            (Exception, _hinted),
            (
                # httpx puts the header's value into its message.
                (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL),
                lambda _: UnsendableError("a header or the URL cannot be put into HTTP"),
            ),
            (httpx.RemoteProtocolError, _protocol),
            ((httpx.HTTPError, OSError), lambda one: ConnectionBrokenError(str(one) or "it broke")),
            (RuntimeError, _unusable_client),
        ),
    )


def _hinted(error: BaseException) -> TransportError | None:
    is_oversized = getattr(error, "error_status_hint", None) == _OVERSIZED_HINT
    return OversizedReplyError("the header block exceeds httpx's limit") if is_oversized else None


def _protocol(error: httpx.RemoteProtocolError) -> TransportError:
    text = str(error)
    if text.startswith(("peer closed", "Server disconnected")):
        return ConnectionBrokenError(text)
    return MalformedReplyError("what came is not valid HTTP")


def _unusable_client(error: RuntimeError) -> TransportError | None:
    text = str(error)
    if "client has been closed" in text:
        return UnsendableError("the client that was passed is closed; pass an open one")
    # asyncio writes to the socket before it notices, so the request may have been received. httpx
    # then drops the connection, and another attempt makes one in the running loop.
    if any(sign in text for sign in _OTHER_LOOP_SIGNS):
        return ConnectionBrokenError(
            "the httpx.AsyncClient that was passed has connections of another event loop; "
            "make one client in each event loop"
        )
    return None


def _stall(error: httpx.TimeoutException, clock: Clock) -> StallError:
    remaining = clock.total_left()
    if remaining is not None and remaining <= 0.002:  # noqa: PLR2004  # the two clocks differ a little
        return clock.expired_whole()
    limits = clock.limits
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return ConnectStallError(f"no connection within {limits.connect_seconds or 0:g} s")
    return StallError(f"silence for {limits.silence_seconds or 0:g} s")
