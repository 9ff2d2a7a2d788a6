"""Prometheus gauges of plans, beside LiteLLM's own, where prometheus_client is installed.

With several workers each writes what it knows last (`mostrecent`), because the plan is the key's
and not the worker's; refusals add up.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.quota.cap import cap_of

if TYPE_CHECKING:
    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.state import KnownQuotas

_PREFIX: Final = "litellm_synthetic_plan"
_OF_BUCKET: Final = ("key_alias", "bucket", "unit")
_OF_KEY: Final = ("key_alias",)
_MODE: Final = "mostrecent"


class PlanGauges:
    """The gauges."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge  # noqa: PLC0415  # may not be installed

        def gauge(name: str, help_text: str, labels: tuple[str, ...]) -> Any:
            return Gauge(f"{_PREFIX}_{name}", help_text, labels, multiprocess_mode=_MODE)

        self._remaining = gauge("remaining", "What is left of a bucket, in its unit.", _OF_BUCKET)
        self._limit = gauge("limit", "What a full bucket holds, in its unit.", _OF_BUCKET)
        self._gain = gauge("next_gain", "What a bucket gains next, in its unit.", _OF_BUCKET)
        self._gain_at = gauge(
            "next_gain_timestamp_seconds", "When a bucket gains next, in Unix time.", _OF_BUCKET
        )
        self._capped = gauge(
            "capped_seconds",
            "Seconds until a plan that is used up gains more; 0 while it is not.",
            _OF_KEY,
        )
        self._age = gauge("age_seconds", "How old the latest report of a plan is.", _OF_KEY)
        self._refused = Counter(
            f"{_PREFIX}_refused_locally", "Calls refused without being sent.", _OF_KEY
        )
        self._counted: dict[str, int] = {}

    def show(self, alias: str, known: KnownQuotas, rest_seconds: float | None = None) -> None:
        """Set the gauges of one key; what is not known has none.

        Args:
            alias: what the key is called.
            known: its latest report.
            rest_seconds: for how long it rests, where calls are steered around it.
        """
        for bucket in known.buckets:
            labels = (alias, bucket.name, bucket.unit)
            _set(self._remaining, labels, 0.0 if bucket.exhausted else bucket.remaining)
            _set(self._limit, labels, bucket.limit)
            _set(self._gain, labels, bucket.next_gain)
            at = bucket.next_gain_at
            _set(self._gain_at, labels, None if at is None else at.timestamp())
        capped = _capped_seconds(known, known.buckets) if rest_seconds is None else rest_seconds
        self._capped.labels(alias).set(capped)
        self._age.labels(alias).set(known.age_seconds)
        self._refused.labels(alias)  # a series that begins at 0 shows its first refusal

    def count_refusals(self, alias: str, total: int) -> None:
        """Raise the counter of refusals to a total of this process."""
        new = total - self._counted.get(alias, 0)
        if new > 0:
            self._refused.labels(alias).inc(new)
            self._counted[alias] = total


@cache
def plan_gauges() -> PlanGauges:
    """Return the gauges, which are the process's, as their names are.

    Raises:
        ImportError: prometheus_client is not installed.
    """
    return PlanGauges()


def _set(gauge: Any, labels: tuple[str, ...], value: float | None) -> None:
    if value is not None:
        gauge.labels(*labels).set(value)


def _capped_seconds(known: KnownQuotas, buckets: tuple[Bucket, ...]) -> float:
    if not any(each.caps_calls and each.exhausted for each in buckets):
        return 0.0
    cap = cap_of(known)
    return 0.0 if cap is None or cap.seconds is None else float(cap.seconds)
