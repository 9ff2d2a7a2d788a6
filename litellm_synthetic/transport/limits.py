"""Limits of an exchange: time, and size of the reply.

The sizes are far above what a model sends, and far below what hurts a process: a reply with two
hundred images passes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Literal

from litellm_synthetic.transport.failures import (
    ConnectStallError,
    OversizedReplyError,
    StallError,
)

CONNECT_TIMEOUT_SECONDS: Final = 15.0
DRAIN_SECONDS: Final = 1.0
MAX_REPLY_BYTES: Final = 256 * 1024 * 1024
# Some engines echo the request, of up to 10 MiB, in what they refuse.
MAX_ERROR_BODY_BYTES: Final = 16 * 1024 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_DRAIN_BYTES: Final = 64 * 1024

Phase = Literal["connect", "send", "headers", "body"]


def min_timeout(*limits: float | None) -> float | None:
    """Return the shortest of some limits; None means unlimited."""
    return min((limit for limit in limits if limit is not None), default=None)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Bound one call, in seconds; None means unlimited.

    `total_seconds` spans a whole plain call with its retries. `silence_seconds` bounds the wait for
    the headers of a reply, each wait for more of a plain one, and on a stream the wait for the
    next progress.
    """

    connect_seconds: float | None = CONNECT_TIMEOUT_SECONDS
    silence_seconds: float | None = None
    write_seconds: float | None = None
    total_seconds: float | None = None


class Clock:
    """The deadlines of one call: that of the whole, and that of the phase it is in."""

    __slots__ = ("_phase_at", "_total_at", "limits", "phase")

    def __init__(self, limits: TimeLimits) -> None:
        self.limits = limits
        self.phase: Phase = "connect"
        total = limits.total_seconds
        self._total_at = None if total is None else time.monotonic() + total
        self._phase_at: float | None = None

    def enter(self, phase: Phase) -> None:
        """Begin a phase, and with it its limit."""
        limits = self.limits
        self.phase = phase
        if phase == "connect":
            seconds = limits.connect_seconds
        elif phase == "send":
            seconds = limits.write_seconds
        else:
            seconds = limits.silence_seconds
        self._phase_at = None if seconds is None else time.monotonic() + seconds

    def wait_at_most(self, seconds: float | None) -> None:
        """Give the present phase another limit, counted from now."""
        self._phase_at = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return the seconds until the next deadline, negative after it; None without one."""
        if self._phase_at is None:
            if self._total_at is None:
                return None
            return self._total_at - time.monotonic()
        if self._total_at is not None and self._total_at < self._phase_at:
            return self._total_at - time.monotonic()
        return self._phase_at - time.monotonic()

    def total_left(self) -> float | None:
        """Return the seconds that are left of the whole call; None without a limit."""
        return None if self._total_at is None else self._total_at - time.monotonic()

    def expired(self) -> StallError:
        """Return the error for the deadline that has passed."""
        limits = self.limits
        if self._total_at is not None and (
            self._phase_at is None or self._total_at <= self._phase_at
        ):
            return self.expired_whole()
        if self.phase == "connect":
            return ConnectStallError(f"no connection within {limits.connect_seconds or 0:g} s")
        if self.phase == "send":
            return StallError(f"the request was not taken within {limits.write_seconds or 0:g} s")
        return StallError(f"silence for {limits.silence_seconds or 0:g} s")

    def expired_whole(self) -> StallError:
        """Return the error for a call that took too long as a whole."""
        return StallError(f"no whole reply within {self.limits.total_seconds or 0:g} s")

    def check(self) -> None:
        """Raise StallError where a deadline has passed."""
        self.timeout()

    def timeout(self) -> float | None:
        """Return the seconds until the next deadline as a limit that a socket takes, above 0.

        Raises:
            StallError: it has passed.
        """
        remaining = self.left()
        if remaining is not None and remaining <= 0:
            raise self.expired()
        return remaining


class IdleTimer:
    """Bound the wait for progress, over as many reads as that takes.

    It runs from a read until progress, or until what came is handed out: a caller who reads slowly
    is not the server's silence, and the work on what brings nothing forward is. Otherwise a server
    that sends comments faster than they are read would keep a call for ever.
    """

    __slots__ = ("_has_data", "_idle_seconds", "_seconds", "_since")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._idle_seconds = 0.0
        self._since: float | None = None
        self._has_data = False

    def begin(self) -> float | None:
        """Begin to wait, or go on, and return for how long at most."""
        if self._seconds is None:
            return None
        now = time.monotonic()
        if self._since is None:
            self._since = now
        return self._seconds - self._idle_seconds - (now - self._since)

    def end(self) -> None:
        """Note that a wait ended, with bytes that may be no progress."""
        self._has_data = True

    def left(self) -> float | None:
        """Return how much longer the wait may last."""
        if self._seconds is None:
            return None
        waited = 0.0 if self._since is None else time.monotonic() - self._since
        return self._seconds - self._idle_seconds - waited

    def handed_out(self) -> None:
        """Note that the caller has what came, so that what follows is the caller's time."""
        if self._since is not None:
            self._idle_seconds += time.monotonic() - self._since
            self._since = None

    def progressed(self) -> None:
        """Note that what came was progress."""
        self._idle_seconds = 0.0
        self._since = None
        self._has_data = False

    def check(self) -> None:
        """Raise StallError where the wait has been too long."""
        remaining = self.left()
        if remaining is not None and remaining <= 0:
            raise self.expired()

    def expired(self) -> StallError:
        """Return the error for a wait that was too long."""
        what = "no progress" if self._has_data else "silence"
        return StallError(f"{what} for {self._seconds or 0:g} s in the stream")


def check_size(size: int, limit: int, what: str) -> None:
    """Raise OversizedReplyError where a size in bytes is over a limit."""
    if size > limit:
        raise OversizedReplyError(f"{what} exceeds the limit of {shown_size(limit)}")


def shown_size(size: int) -> str:
    """Return a number of bytes as people write it."""
    for unit, bytes_ in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size >= bytes_ and size % bytes_ == 0:
            return f"{size // bytes_} {unit}"
    return f"{size} bytes"
