"""Projections: a bucket is going to run out at its pace, or not any more; each reported once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.quota.wording import TITLES, amount, duration, gain_phrase, left_phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.quota.buckets import Bucket, Name
    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.state import KnownQuotas

# A pace moves about. So the end is only told where the bucket would last at this much more.
RECOVERY_MARGIN: Final = 1.25
# What a report says is of its own moment. Nothing is concluded from one that is older.
MAX_AGE_SECONDS: Final = 900.0
_HOUR_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Crossing:
    """Tell that a bucket is going to run out before it refills, or is not any more.

    Attributes:
        bucket: which one, as reported.
        kind: `runs_out` or `recovered`.
        text: the same for people.
    """

    bucket: Bucket
    kind: Literal["runs_out", "recovered"]
    text: str


class Projections:
    """Remember for which buckets a crossing has been told."""

    def __init__(self) -> None:
        self._told: set[tuple[Scope, Name]] = set()

    def crossings(self, scope: Scope, known: KnownQuotas, alias: str) -> Iterator[Crossing]:
        """Yield what has changed since the last look at a key's plan.

        Args:
            scope: the key.
            known: its latest report, with the pace.
            alias: what people call the key.
        """
        if known.age_seconds > MAX_AGE_SECONDS:
            return
        for bucket in known.buckets:
            if not bucket.caps_calls:
                continue
            place = (scope, bucket.name)
            rate = known.per_second.get(bucket.name)
            if place not in self._told:
                if bucket.exhausted or known.runs_out_at(bucket) is not None:
                    self._told.add(place)
                    yield Crossing(bucket, "runs_out", _warning(bucket, known, rate, alias))
            elif not bucket.exhausted and _lasts(bucket, known, rate):
                self._told.discard(place)
                yield Crossing(bucket, "recovered", _all_clear(bucket, alias))

    def forget(self) -> None:
        """Forget what has been told."""
        self._told.clear()


def _lasts(bucket: Bucket, known: KnownQuotas, rate: float | None) -> bool:
    faster = None if rate is None else rate * RECOVERY_MARGIN
    return bucket.runs_out_at(faster, known.now) is None


def _warning(bucket: Bucket, known: KnownQuotas, rate: float | None, alias: str) -> str:
    subject = f"Synthetic plan of {alias}: the {TITLES[bucket.name]}"
    left, gain = left_phrase(bucket), gain_phrase(bucket, known.now)
    more = f" They gain {gain.replace('+', '', 1)}." if gain else ""
    if bucket.exhausted:
        return f"{subject} are used up ({left} left).{more}"
    at = known.runs_out_at(bucket)
    when = "soon" if at is None else f"in {duration((at - known.now).total_seconds())}"
    used = "" if rate is None else f", and {amount(bucket, rate * _HOUR_SECONDS)} an hour are used"
    return f"{subject} will be used up {when} at this pace: {left} are left{used}.{more}"


def _all_clear(bucket: Bucket, alias: str) -> str:
    left = left_phrase(bucket)
    return f"Synthetic plan of {alias}: the {TITLES[bucket.name]} last again ({left} are left)."
