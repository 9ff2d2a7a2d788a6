"""The interface that every HTTP library fulfils: a reply whose body is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from litellm_synthetic.transport.deadline import Deadline
    from litellm_synthetic.transport.headers import Headers
    from litellm_synthetic.transport.limits import Clock


class Incoming(Protocol):
    """A reply that has begun. Failures are raised as `failures` names them."""

    status: int
    headers: Headers

    def read(self) -> bytes:
        """Return all that has arrived, after waiting for some; b"" at the end of the body."""

    def close(self) -> None:
        """Let go of the connection: it is used again if the body was read to its end."""

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""


class AsyncIncoming(Protocol):
    """Do what `Incoming` does, on an event loop."""

    status: int
    headers: Headers

    async def read(self) -> bytes:
        """Return all that has arrived, after waiting for some; b"" at the end of the body."""

    def abort(self) -> None:
        """End a `read` that is under way with an exception."""

    def close(self) -> None:
        """Let go of the connection, without waiting for anything: a close is never cancelled."""

    @property
    def at_end(self) -> bool:
        """Tell whether the body is known to have been read to its end."""


class BlockingWay(Protocol):
    """Send requests to one origin over a library that blocks."""

    def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, clock: Clock
    ) -> Incoming:
        """Send a request and return its reply once the headers have come."""

    def close(self) -> None:
        """Close what is idle now, and what is in use as soon as its reply has been read."""


class AsyncWay(Protocol):
    """Send requests to one origin over a library for event loops."""

    async def open(
        self, method: str, url: str, headers: dict[str, str], content: bytes, deadline: Deadline
    ) -> AsyncIncoming:
        """Send a request and return its reply once the headers have come."""

    @property
    def is_closed(self) -> bool:
        """Tell whether every connection is closed."""

    def retire(self) -> None:
        """Close what is idle, and what is in use once its reply has been read."""

    async def aclose(self) -> None:
        """Close everything."""

    def abandon(self) -> None:
        """Close everything without the event loop, which is closed."""
