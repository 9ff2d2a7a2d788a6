"""Retries inside one call, and the delays between them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_MAX_RETRIES: Final = 2
MAX_RETRY_AFTER_SECONDS: Final = 60.0
# A longer Retry-After is not believed at all: LiteLLM's Router would cool a deployment down for it.
MAX_CREDIBLE_RETRY_AFTER_SECONDS: Final = 24 * 3600.0
_FIRST_DELAY_SECONDS: Final = 0.5
_MAX_DELAY_SECONDS: Final = 8.0
_SERVER_ERRORS: Final = range(500, 600)
_REQUEST_TIMEOUT: Final = 408
_TOO_MANY_REQUESTS: Final = 429


def parse_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read Retry-After in seconds, from delta seconds or an HTTP date.

    Junk, negative values and anything beyond 24 hours are None.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    if not math.isfinite(seconds) or not 0 <= seconds <= MAX_CREDIBLE_RETRY_AFTER_SECONDS:
        return None
    return seconds


def is_transient(status: int, text: str, retry_after_seconds: float | None) -> bool:
    """Tell whether a status alone allows the same request again.

    408 and 5xx do, and 429 does where the reply tells to wait for a minute at most.
    """
    del text
    if status == _TOO_MANY_REQUESTS:
        return retry_after_seconds is not None and retry_after_seconds <= MAX_RETRY_AFTER_SECONDS
    return status in _SERVER_ERRORS or status == _REQUEST_TIMEOUT


class IsRetryable(Protocol):
    """Tell whether a reply may be followed by the same request again."""

    def __call__(self, status: int, text: str, retry_after_seconds: float | None, /) -> bool:
        """Decide by the status, the start of the body and what the reply tells to wait."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bound the attempts of one call and space them.

    Attributes:
        is_retryable: what decides about a reply that failed.
    """

    max_retries: int = DEFAULT_MAX_RETRIES
    is_retryable: IsRetryable = is_transient

    def delay_seconds(self, retry: int, retry_after_seconds: float | None) -> float:
        """Return the pause before a retry, counted from 0: back-off with jitter, or as told."""
        backoff = min(_FIRST_DELAY_SECONDS * 2.0 ** min(retry, 16), _MAX_DELAY_SECONDS)
        delay = backoff * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, hides nothing
        if retry_after_seconds is None or retry_after_seconds > MAX_RETRY_AFTER_SECONDS:
            return delay
        return retry_after_seconds + delay * 0.1
