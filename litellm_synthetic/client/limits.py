"""Time limits and retries of a call, from what its caller asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from litellm_synthetic.transport.client import CONNECT_TIMEOUT_SECONDS, TimeLimits, least
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES, RetryPolicy

if TYPE_CHECKING:
    from litellm_synthetic.client.call import Call

DEFAULT_SILENCE_SECONDS: Final = 300.0


def time_limits(
    timeout: float | httpx.Timeout | None, stream_timeout: float | None, *, stream: bool
) -> TimeLimits:
    """Return the limits for what the caller said.

    A number bounds a whole plain call, retries included. On a stream it bounds each silence, unless
    `stream_timeout` does, and never the whole; unsaid, silence ends a stream after 300 s. An
    `httpx.Timeout` is taken phase by phase.
    """
    if isinstance(timeout, httpx.Timeout):
        silence = timeout.read
        if stream:
            silence = stream_timeout or least(timeout.read, DEFAULT_SILENCE_SECONDS)
        return TimeLimits(timeout.connect, silence, timeout.write)
    seconds = None if timeout is None else float(timeout)
    connect = least(seconds, CONNECT_TIMEOUT_SECONDS)
    if not stream:
        return TimeLimits(connect, seconds, seconds, seconds)
    silence = stream_timeout or least(seconds, DEFAULT_SILENCE_SECONDS)
    return TimeLimits(least(connect, silence), silence, silence)


def retries_of(call: Call) -> RetryPolicy:
    """Return how often a call may be sent again."""
    return RetryPolicy(
        DEFAULT_MAX_RETRIES if call.max_retries is None else max(call.max_retries, 0)
    )
