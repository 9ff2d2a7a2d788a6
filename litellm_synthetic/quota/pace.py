"""The pace of a plan: what is used per second, from the reports of the last hours."""

from __future__ import annotations

from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from litellm_synthetic.quota.buckets import Bucket


def used_between(earlier: tuple[datetime, Bucket], later: tuple[datetime, Bucket]) -> float | None:
    """Return what was taken out of a bucket between two reports; None where that is unknown."""
    (_, before), (then, after) = earlier, later
    if before.remaining is None or after.remaining is None or before.unit != after.unit:
        return None
    gained = _gained(before, then)
    if before.limit is not None:
        # A full bucket gains nothing, so at most the room in it has come back. What was used before
        # that makes more room; it is missed here, by less than one gain.
        gained = min(gained, max(before.limit - before.remaining, 0.0))
    return max(0.0, before.remaining + gained - after.remaining)


def _gained(bucket: Bucket, until: datetime) -> float:
    if bucket.next_gain_at is None or bucket.next_gain is None or until < bucket.next_gain_at:
        return 0.0
    step = bucket.step
    if not bucket.is_stepwise or step is None:
        return bucket.next_gain
    return bucket.next_gain * (1 + floor((until - bucket.next_gain_at) / step))


def per_second(observed: Sequence[tuple[datetime, Bucket]]) -> float | None:
    """Return what is used per second over a series of reports of one bucket, oldest first.

    None for fewer than two reports, or for no time between them.
    """
    used, seconds = 0.0, 0.0
    for earlier, later in pairwise(observed):
        taken = used_between(earlier, later)
        passed = (later[0] - earlier[0]).total_seconds()
        if taken is not None and passed > 0:
            used, seconds = used + taken, seconds + passed
    return used / seconds if seconds > 0 else None
