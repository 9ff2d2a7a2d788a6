"""The time, as far as a plan needs it: Synthetic's, and what has passed since.

A report names moments of Synthetic's clock, which a machine's own clock may miss by minutes. So a
moment counts from the `Date` of the reply that named it, and what has passed since is measured
here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PASSED_SECONDS: Final = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Tell the time of this machine: the wall clock's, and one that never runs backwards."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> Instant:
        """Return the present."""
        return Instant(self.wall(), self.monotonic())


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks of this machine, in seconds."""

    wall: float
    monotonic: float

    def seconds_since(self, earlier: Instant) -> float:
        """Return what has passed, never less than 0.

        A wall clock that is set back shows less than has passed, and the monotonic one leaves out
        the time that a machine has slept, so the longer of the two counts.
        """
        passed = self.monotonic - earlier.monotonic
        on_the_wall = self.wall - earlier.wall
        return max(0.0, passed, on_the_wall if on_the_wall <= MAX_PASSED_SECONDS else 0.0)


REAL: Final = Clock()


def as_moment(seconds: float) -> datetime:
    """Return a time in seconds since the epoch as a moment in UTC, within what dates can say."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def later(moment: datetime, seconds: float) -> datetime:
    """Return a moment so many seconds later, or the last one that dates can say."""
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
