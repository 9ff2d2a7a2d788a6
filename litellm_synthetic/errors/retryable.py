"""Failed replies after which the same request is sent again."""

from __future__ import annotations

import re
from typing import Final

from litellm_synthetic.config.lazy_pattern import LazyPattern
from litellm_synthetic.errors.overflow_texts import find_overflow
from litellm_synthetic.errors.refusal_texts import CONTENT_POLICY, backend_status, own_words
from litellm_synthetic.transport.retries import is_transient

_TOO_MANY_REQUESTS: Final = 429

# A plan's cap is not transient: a retry burns a request and gets the same answer.
# "You've exceeded your subscription rate limits. Upgrade, or try again later. …" (seen until
# 2026-08; also the answer to an exhausted weekly credit), never with a Retry-After.
PLAN_CAP: Final = LazyPattern(r"exceeded your subscription|subscription rate limits", re.IGNORECASE)


def is_retryable(status: int, text: str, retry_after_seconds: float | None) -> bool:
    """Tell whether a reply may be followed by the same request again.

    Args:
        status: the reply's own; the one of the backend, where the text names it, counts for more.
        text: the body, or how it begins.
        retry_after_seconds: what the reply tells to wait.
    """
    inside = backend_status(text)
    if _TOO_MANY_REQUESTS in (status, inside):
        # A busy backend is busy with everybody's requests: as passing as a 503, and nothing that
        # the caller's plan counts, so it need not say when.
        is_backend = inside == _TOO_MANY_REQUESTS and retry_after_seconds is None
        is_passing = is_backend or is_transient(_TOO_MANY_REQUESTS, text, retry_after_seconds)
        return is_passing and not PLAN_CAP.search(text)
    if not is_transient(status if inside is None else inside, text, retry_after_seconds):
        return False
    words = own_words(text)
    return find_overflow(words) is None and not CONTENT_POLICY.search(words)
