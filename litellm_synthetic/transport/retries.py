"""Retries inside one call, and the delays between them."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from litellm_synthetic.transport.backend_texts import CONTENT_POLICY, backend_status, own_words
from litellm_synthetic.transport.lazy_pattern import LazyPattern
from litellm_synthetic.transport.overflow_texts import find_overflow

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

# A plan's cap is not transient: a retry burns a request and gets the same answer.
# "You've exceeded your subscription rate limits. Upgrade, or try again later. …" (seen until
# 2026-08; also the answer to an exhausted weekly credit), never with a Retry-After.
PLAN_CAP: Final = LazyPattern(r"exceeded your subscription|subscription rate limits", re.IGNORECASE)


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


def is_retryable(status: int, text: str, retry_after_seconds: float | None) -> bool:
    """Tell whether a reply may be followed by the same request again.

    Args:
        status: the reply's own; the one of the backend, where the text names it, counts for more.
        text: the body, or how it begins.
        retry_after_seconds: what the reply tells to wait.
    """
    told_to_wait = retry_after_seconds is not None
    is_short_wait = (
        retry_after_seconds is not None and retry_after_seconds <= MAX_RETRY_AFTER_SECONDS
    )
    inside = backend_status(text)
    if inside == _TOO_MANY_REQUESTS:
        # The backend is busy with everybody's requests: as passing as a 503, and nothing that the
        # caller's plan counts, so it need not say when.
        return (is_short_wait or not told_to_wait) and not PLAN_CAP.search(text)
    if status == _TOO_MANY_REQUESTS:
        return is_short_wait and not PLAN_CAP.search(text)
    decisive = status if inside is None else inside
    if decisive not in _SERVER_ERRORS and decisive != _REQUEST_TIMEOUT:
        return False
    words = own_words(text)
    return find_overflow(words) is None and not CONTENT_POLICY.search(words)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bound the attempts of one call and space them."""

    max_retries: int = DEFAULT_MAX_RETRIES

    def delay_seconds(self, retry: int, retry_after_seconds: float | None) -> float:
        """Return the pause before a retry, counted from 0: back-off with jitter, or as told."""
        backoff = min(_FIRST_DELAY_SECONDS * 2.0 ** min(retry, 16), _MAX_DELAY_SECONDS)
        delay = backoff * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, hides nothing
        if retry_after_seconds is None or retry_after_seconds > MAX_RETRY_AFTER_SECONDS:
            return delay
        return retry_after_seconds + delay * 0.1
