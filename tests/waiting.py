"""Waiting for what gives no sign, for as long as a busy machine may need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.01


def wait_until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Return once a condition holds; where it never does, fail with a complaint."""
    deadline = time.monotonic() + MAX_SECONDS
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(_POLL_SECONDS)
