"""Time limits and retries of a call, from what its caller asked for."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.errors import local
from litellm_synthetic.errors.retryable import is_retryable
from litellm_synthetic.transport.limits import CONNECT_TIMEOUT_SECONDS, TimeLimits, min_timeout
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES, RetryPolicy

if TYPE_CHECKING:
    import httpx
    from typing_extensions import TypeIs

    from litellm_synthetic.client.call import Call

DEFAULT_SILENCE_SECONDS: Final = 300.0
# LiteLLM's own limit of a completion.
_MIN_TOTAL_SECONDS: Final = 600.0


def limits_of(call: Call, *, stream: bool) -> TimeLimits:
    """Return the time limits of a call; see `time_limits`.

    Raises:
        litellm.BadRequestError: a timeout that is not a positive, finite number of seconds.
    """
    stream_timeout = positive_seconds("stream_timeout", call.stream_timeout, call.model)
    if not _has_phases(call.timeout):
        timeout = positive_seconds("timeout", call.timeout, call.model)
        return time_limits(timeout, stream_timeout, stream=stream)
    for phase, value in call.timeout.as_dict().items():
        positive_seconds(f"timeout.{phase}", value, call.model)
    return time_limits(call.timeout, stream_timeout, stream=stream)


def _has_phases(timeout: object) -> TypeIs[httpx.Timeout]:
    """Tell whether a timeout is httpx's; where nobody has imported httpx, nobody has made one."""
    if timeout is None or isinstance(timeout, float | int) or "httpx" not in sys.modules:
        return False
    import httpx  # noqa: PLC0415  # takes longer than a call, which can do without

    return isinstance(timeout, httpx.Timeout)


def positive_seconds(name: str, value: Any, model: str) -> float | None:
    """Return a limit that a caller gave as a number, or as text that is one; None for no limit.

    Raises:
        litellm.BadRequestError: it is not a positive, finite number of seconds.
    """
    if value is None:
        return None
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise local.refused(
            f"{name}={value!r} is not a limit. Give a positive number of seconds, or leave it out.",
            model,
        )
    return seconds


def time_limits(
    timeout: float | httpx.Timeout | None, stream_timeout: float | None, *, stream: bool
) -> TimeLimits:
    """Return the limits for what the caller said.

    A number bounds a whole plain call, retries included. On a stream it bounds each wait for
    progress, unless `stream_timeout` does, and never the whole; unsaid, a stream ends after 300 s
    without progress. An `httpx.Timeout` is taken phase by phase; a plain call also ends after ten
    minutes, or after the sum of the phases if that is longer, because bytes that drip never trip
    the limit of a single read.
    """
    if _has_phases(timeout):
        if stream:
            silence = stream_timeout or min_timeout(timeout.read, DEFAULT_SILENCE_SECONDS)
            return TimeLimits(timeout.connect, silence, timeout.write)
        return TimeLimits(timeout.connect, timeout.read, timeout.write, _total(timeout))
    seconds = None if timeout is None else float(timeout)
    connect = min_timeout(seconds, CONNECT_TIMEOUT_SECONDS)
    if not stream:
        return TimeLimits(connect, seconds, seconds, seconds)
    silence = stream_timeout or min_timeout(seconds, DEFAULT_SILENCE_SECONDS)
    return TimeLimits(min_timeout(connect, silence), silence, silence)


def _total(timeout: httpx.Timeout) -> float | None:
    phases = (timeout.connect, timeout.write, timeout.read)
    if any(seconds is None for seconds in phases):
        return None
    return max(_MIN_TOTAL_SECONDS, sum(seconds or 0.0 for seconds in phases))


def retries_of(call: Call) -> RetryPolicy:
    """Return how often a call may be sent again.

    Raises:
        litellm.BadRequestError: `max_retries` is not a whole number.
    """
    count = DEFAULT_MAX_RETRIES if call.max_retries is None else call.max_retries
    if not isinstance(count, int) or isinstance(count, bool):
        raise local.refused(
            f"max_retries={count!r} is not a whole number. Give one, or leave it out.", call.model
        )
    return RetryPolicy(max(count, 0), is_retryable)
