"""Time limits and retries of a call, from what its caller asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import httpx

from litellm_synthetic.errors.faults import InvalidParameterError
from litellm_synthetic.transport.limits import CONNECT_TIMEOUT_SECONDS, TimeLimits, least
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES, RetryPolicy

if TYPE_CHECKING:
    from litellm_synthetic.client.call import Call

DEFAULT_SILENCE_SECONDS: Final = 300.0
# LiteLLM's own limit of a completion.
_MIN_TOTAL_SECONDS: Final = 600.0


def time_limits(
    timeout: float | httpx.Timeout | None, stream_timeout: float | None, *, stream: bool
) -> TimeLimits:
    """Return the limits for what the caller said.

    A number bounds a whole plain call, retries included. On a stream it bounds each wait for
    progress, unless `stream_timeout` does, and never the whole; unsaid, a stream ends after 300 s
    without progress. An `httpx.Timeout` is taken phase by phase; a plain call also ends after ten
    minutes, or after the sum of the phases if that is longer, because bytes that drip never trip
    the limit of a single read.

    Raises:
        InvalidParameterError: a limit is not a number of seconds above 0.
    """
    stream_seconds = _seconds("stream_timeout", stream_timeout) if stream_timeout else None
    if isinstance(timeout, httpx.Timeout):
        if stream:
            silence = stream_seconds or least(timeout.read, DEFAULT_SILENCE_SECONDS)
            return TimeLimits(timeout.connect, silence, timeout.write)
        return TimeLimits(timeout.connect, timeout.read, timeout.write, _total(timeout))
    seconds = None if timeout is None else _seconds("timeout", timeout)
    connect = least(seconds, CONNECT_TIMEOUT_SECONDS)
    if not stream:
        return TimeLimits(connect, seconds, seconds, seconds)
    silence = stream_seconds or least(seconds, DEFAULT_SILENCE_SECONDS)
    return TimeLimits(least(connect, silence), silence, silence)


def _total(timeout: httpx.Timeout) -> float | None:
    phases = (timeout.connect, timeout.write, timeout.read)
    if any(seconds is None for seconds in phases):
        return None
    return max(_MIN_TOTAL_SECONDS, sum(seconds or 0.0 for seconds in phases))


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not math.isfinite(seconds) or seconds <= 0:
        raise InvalidParameterError(
            f"{name}={value!r} is not a number of seconds above 0; leave it out for the default"
        )
    return seconds


def retries_of(call: Call) -> RetryPolicy:
    """Return how often a call may be sent again."""
    return RetryPolicy(
        DEFAULT_MAX_RETRIES if call.max_retries is None else max(call.max_retries, 0)
    )
