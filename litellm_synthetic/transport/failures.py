"""The ways in which an exchange can fail below the level of a reply."""

from __future__ import annotations


class TransportError(Exception):
    """A request got no whole reply; the message says why."""


class StallError(TransportError):
    """A time limit passed; the message says what was being waited for."""


class ConnectStallError(StallError):
    """No connection was made in time, so nothing was sent."""


class ConnectionBrokenError(TransportError):
    """A connection could not be made, or broke."""


class UntrustedPeerError(ConnectionBrokenError):
    """The other side is not who it should be, which another attempt does not change."""


class UnsendableError(TransportError):
    """The request cannot be put into HTTP; the message shows no header value."""


class MalformedReplyError(TransportError):
    """A reply is not valid HTTP, or cannot be decompressed."""


class OversizedReplyError(MalformedReplyError):
    """A reply exceeds a limit, which the message names."""


class PoolClosedError(TransportError):
    """The connections were closed just before the request, which was not sent."""
