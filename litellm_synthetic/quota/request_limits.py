"""A plan's tightest bucket as a limit of requests, which is what common gauges and clients read."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple

from litellm_synthetic.quota.buckets import buckets_of, tightest
from litellm_synthetic.quota.report import parse_quotas

if TYPE_CHECKING:
    from litellm_synthetic.quota.buckets import Bucket

LIMIT: Final = "x-ratelimit-limit-requests"
REMAINING: Final = "x-ratelimit-remaining-requests"
_WHOLE: Final = 100.0


class RequestLimit(NamedTuple):
    """A limit of requests and what is left of it, both whole and never negative."""

    limit: int
    remaining: int

    @property
    def headers(self) -> dict[str, str]:
        """Return it as the headers that OpenAI's clients know."""
        return {LIMIT: str(self.limit), REMAINING: str(self.remaining)}


def request_limit(text: str | None) -> RequestLimit | None:
    """Return the tightest bucket of a report as requests; None where none is known.

    A bucket of credits has no count of requests. Then the part that is left of it is taken of the
    plan's limit of requests, or of 100 where the report names no such limit.

    Args:
        text: the report as it was sent.
    """
    quotas = parse_quotas(text)
    if quotas is None:
        return None
    buckets = buckets_of(quotas)
    bucket = tightest(buckets)
    part = None if bucket is None else bucket.fraction_left
    if bucket is None or part is None:
        return None
    limit = next((each.limit for each in (bucket, *buckets) if _counts_requests(each)), _WHOLE)
    whole = floor(limit or 0.0)
    return RequestLimit(whole, min(floor((limit or 0.0) * part + _ROUNDING), whole))


# What binary fractions may lack of a whole: 364 / 500 * 500 is 363.99….
_ROUNDING: Final = 1e-6


def _counts_requests(bucket: Bucket) -> bool:
    return bucket.unit == "requests" and bucket.limit is not None and bucket.limit > 0
