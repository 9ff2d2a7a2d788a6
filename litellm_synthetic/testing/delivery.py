"""Delivery of a reply: bytes, pauses, and connections that end badly."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Bytes the client has not read yet are lost when a connection is reset, so what was written
# before the reset is given this long to arrive.
_ARRIVAL_SECONDS = 0.05


class Act(enum.Enum):
    """Name what can be done to a connection other than writing to it."""

    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for `seconds`."""

    seconds: float


Step: TypeAlias = bytes | Pause | Act


@dataclass(frozen=True, slots=True)
class Delivery:
    """Describe one HTTP reply down to the single write.

    Attributes:
        status: The HTTP status.
        headers: All response headers as pairs, since a name may occur twice.
        steps: What happens after the headers, in order; bytes are one write each.
        before: What happens before the headers are sent.
        content_length: The announced length in bytes, which may be untrue. `None` sends the
            body chunked, as the service was recorded to do.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    before: tuple[Step, ...] = ()
    content_length: int | None = None

    def with_headers(self, changes: Mapping[str, str | None]) -> Delivery:
        """Return a copy with headers set, or removed where the value is `None`."""
        if not changes:
            return self
        changed = {name.lower() for name in changes}
        unchanged = tuple(pair for pair in self.headers if pair[0].lower() not in changed)
        added = tuple((name, value) for name, value in changes.items() if value is not None)
        return Delivery(
            self.status, unchanged + added, self.steps, self.before, self.content_length
        )


@dataclass(slots=True)
class Player:
    """Carry out one delivery on one request's connection.

    Attributes:
        request: The request to reply to.
        finishing: Called just before the bytes with which the client has the whole reply, so
            that a client which has it finds the request finished.
    """

    request: web.BaseRequest
    finishing: Callable[[], None]
    _never: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, delivery: Delivery) -> web.StreamResponse:
        """Send the delivery and return the finished response."""
        response = web.StreamResponse(status=delivery.status)
        # aiohttp would add its own name and version, which the service does not send.
        response.headers["Server"] = "synthetic-stand-in"
        for name, value in delivery.headers:
            response.headers.add(name, value)
        for step in delivery.before:
            await self._take(step, None)
        if delivery.content_length is not None:
            response.content_length = delivery.content_length
        elif self.request.version >= (1, 1):
            response.enable_chunked_encoding()
        await response.prepare(self.request)
        *steps, last = delivery.steps or (b"",)
        for step in steps:
            await self._take(step, response)
        if delivery.content_length is not None and isinstance(last, bytes):
            self.finishing()
        await self._take(last, response)
        self.finishing()
        await response.write_eof()
        return response

    async def _take(self, step: Step, response: web.StreamResponse | None) -> None:
        if isinstance(step, bytes):
            if response is not None:
                await response.write(step)
        elif isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        else:
            await self._act(step)

    async def _act(self, act: Act) -> None:
        transport = self.request.transport
        if transport is not None and act is not Act.STALL:
            await asyncio.sleep(_ARRIVAL_SECONDS)
            if act is Act.RESET:
                linger_for_zero_seconds = struct.pack("ii", 1, 0)
                raw = transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_zero_seconds)
                transport.abort()
            else:
                transport.close()
        # The server cancels this task as soon as the connection is gone.
        await self._never.wait()
