"""The ways in which an exchange can fail below the level of a reply."""

from __future__ import annotations


class TransportError(Exception):
    """Say why a request got no whole reply."""


class StallError(TransportError):
    """Say that a time limit passed, and what was being waited for."""


class ConnectStallError(StallError):
    """Say that no connection was made in time, so that nothing was sent."""


class ConnectionBrokenError(TransportError):
    """Say that a connection could not be made, or broke."""


class UntrustedPeerError(ConnectionBrokenError):
    """Say that the other side is not who it should be, which another attempt does not change."""


class UnsendableError(TransportError):
    """Say that the request cannot be put into HTTP; the message shows no header value."""


class MalformedReplyError(TransportError):
    """Say that a reply is not valid HTTP, or cannot be decompressed."""


class OversizedReplyError(MalformedReplyError):
    """Say which limit a reply exceeds."""


class PoolClosedError(TransportError):
    """Say that the connections were closed just before the request, which was not sent."""
