"""The cap of a plan: which bucket it hangs on, and in how many seconds that gains.

Synthetic's own reply to a capped call has no Retry-After (seen until August 2026), and a call may
be refused while a little is left, because requests count by the price of their model.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.state import KnownQuotas

# The longest step that plans have had is five hours. Whoever waits for longer would miss an
# upgrade, and LiteLLM's Router would leave the deployment alone for all of it.
MAX_WAIT_SECONDS: Final = 6 * 3600


@dataclass(frozen=True, slots=True)
class Cap:
    """Describe why a key is capped, as far as that is known.

    Attributes:
        bucket: the bucket that has too little.
        seconds: whole seconds until it gains, from 1 to `MAX_WAIT_SECONDS`; None for unknown.
        gains_at: that moment on Synthetic's clock.
    """

    bucket: Bucket
    seconds: int | None
    gains_at: datetime | None


def cap_of(known: KnownQuotas | None) -> Cap | None:
    """Return what a capped key waits for; None where nothing is known.

    That is the last of its empty buckets to gain something, or the tightest one where none is
    known to be empty. A moment that has passed is not one to wait for.
    """
    if known is None:
        return None
    now = known.now
    capping = [bucket for bucket in known.buckets if bucket.caps_calls]
    empty = [bucket for bucket in capping if bucket.exhausted]
    waits = [(bucket.seconds_to_gain(now), bucket) for bucket in empty]
    if timed := [(seconds, bucket) for seconds, bucket in waits if seconds is not None]:
        return _cap(max(timed, key=lambda each: each[0])[1], now)
    bucket = empty[0] if empty else known.tightest
    return None if bucket is None else _cap(bucket, now)


def _cap(bucket: Bucket, now: datetime) -> Cap:
    seconds = bucket.seconds_to_gain(now)
    if seconds is None:
        return Cap(bucket, None, None)
    waited = min(max(ceil(seconds), 1), MAX_WAIT_SECONDS)
    return Cap(bucket, waited, bucket.next_gain_at)
