"""The buckets of a plan: how full each is, what it gains and when, and when it will be empty.

A bucket either comes back step by step (the five hours, the week: "+25 in 12 min") or as a whole
at the end of its window (what plans had before April 2026, searches). One that is empty is not
"reset": it gains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import floor
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.quota.clock import later

if TYPE_CHECKING:
    from litellm_synthetic.quota.report import Allowance, Quotas

Name = Literal["five_hours", "week", "subscription", "search", "tool_calls"]
Unit = Literal["requests", "usd", "percent", "searches", "tool calls"]

# What a cap of Synthetic's hangs on; searches and free tool calls run out on their own.
CAPPING: Final[frozenset[Name]] = frozenset(("five_hours", "week", "subscription"))
_FIVE_HOURS: Final = timedelta(hours=5)
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
# A moment that is further away was not meant: the longest window seen is a month.
_MAX_AHEAD: Final = timedelta(days=40)
_MAX_STEPS: Final = 400
_WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Describe one bucket as of one moment; None where unknown.

    Attributes:
        name: which one.
        unit: what its figures count; `usd` is credits in US dollars.
        limit: the figure of a full bucket.
        remaining: what is left.
        next_gain: how much comes back at the next step, or at the end of the window.
        next_gain_at: when.
        period: in what time an empty bucket is full again.
        is_stepwise: whether it comes back step by step.
        exhausted: whether it is known to be empty; it may be with a little left, too little for
            the next call.
    """

    name: Name
    unit: Unit
    limit: float | None
    remaining: float | None
    next_gain: float | None
    next_gain_at: datetime | None
    period: timedelta
    is_stepwise: bool
    exhausted: bool

    @property
    def caps_calls(self) -> bool:
        """Tell whether calls of models are refused when it is empty."""
        return self.name in CAPPING

    @property
    def fraction_left(self) -> float | None:
        """Return what is left, from 0 to 1."""
        if self.exhausted:
            return 0.0
        if self.limit is None or self.remaining is None or self.limit <= 0:
            return None
        return min(max(self.remaining / self.limit, 0.0), 1.0)

    @property
    def step(self) -> timedelta | None:
        """Return the time between two gains: 5 % of five hours are 15 minutes."""
        if not self.is_stepwise:
            return self.period
        if not self.limit or not self.next_gain or not 0 < self.next_gain <= self.limit:
            return None
        return self.period * (self.next_gain / self.limit)

    def seconds_to_gain(self, now: datetime) -> float | None:
        """Return the seconds until it gains, never negative; None where that is unknown."""
        if self.next_gain_at is None or not now < self.next_gain_at < later(now, _AHEAD_SECONDS):
            return None
        return (self.next_gain_at - now).total_seconds()

    def elapsed_fraction(self, now: datetime) -> float | None:
        """Return how much of the window, or of the step, has passed, from 0 to 1."""
        left, step = self.seconds_to_gain(now), self.step
        if left is None or step is None:
            return None
        return min(max(1.0 - left / step.total_seconds(), 0.0), 1.0)

    def at(self, now: datetime) -> Bucket:
        """Return the bucket as it has to be later, if nobody took anything in between."""
        step, gain = self.step, self.next_gain
        if self.next_gain_at is None or now < self.next_gain_at or step is None or gain is None:
            return self
        steps = 1 if not self.is_stepwise else 1 + floor((now - self.next_gain_at) / step)
        remaining = None if self.remaining is None else max(self.remaining, 0.0) + steps * gain
        if remaining is not None and self.limit is not None:
            remaining = min(remaining, self.limit)
        try:
            next_gain_at: datetime | None = self.next_gain_at + steps * step
        except OverflowError:
            next_gain_at = None
        exhausted = self.exhausted and not gain > 0
        return replace(self, remaining=remaining, next_gain_at=next_gain_at, exhausted=exhausted)

    def runs_out_at(self, per_second: float | None, now: datetime) -> datetime | None:
        """Return when it will be empty if it is used at this rate; None for not within a period.

        Args:
            per_second: what is used per second, in the bucket's unit; see `pace`.
            now: the present on Synthetic's clock.
        """
        if self.exhausted:
            return now
        if not per_second or per_second <= 0 or self.remaining is None:
            return None
        left, moment, end = max(self.remaining, 0.0), now, later(now, self.period.total_seconds())
        gain_at, step, gain = self.next_gain_at, self.step, self.next_gain or 0.0
        for _ in range(_MAX_STEPS):
            empty_at = later(moment, left / per_second)
            if gain_at is None or gain_at <= moment or empty_at <= gain_at:
                return empty_at if empty_at <= end else None
            left -= per_second * (gain_at - moment).total_seconds()
            left = left + gain if self.limit is None else min(left + gain, self.limit)
            moment = gain_at
            gain_at = None if step is None else later(gain_at, step.total_seconds())
            if moment >= end:
                break
        return None


_AHEAD_SECONDS: Final = _MAX_AHEAD.total_seconds()


def buckets_of(quotas: Quotas) -> tuple[Bucket, ...]:
    """Return the buckets that a report names, those that cap calls first."""
    found: list[Bucket | None] = [_five_hours(quotas), _week(quotas), _subscription(quotas)]
    found.append(_window("search", "searches", quotas.search_hourly, _HOUR))
    found.append(_window("tool_calls", "tool calls", quotas.free_tool_calls, _DAY))
    return tuple(bucket for bucket in found if bucket is not None)


def tightest(buckets: tuple[Bucket, ...]) -> Bucket | None:
    """Return the bucket with the smallest part left of those that cap calls; None for none."""
    known = [
        (bucket.fraction_left, bucket)
        for bucket in buckets
        if bucket.caps_calls and bucket.fraction_left is not None
    ]
    return min(known, key=lambda each: each[0] or 0.0)[1] if known else None


def _five_hours(quotas: Quotas) -> Bucket | None:
    rolling = quotas.rolling_five_hours
    if rolling is None:
        return None
    part = rolling.tick_percent
    gain = None if part is None or rolling.maximum is None else part * rolling.maximum
    return Bucket(
        name="five_hours",
        unit="requests",
        limit=rolling.maximum,
        remaining=rolling.remaining,
        next_gain=gain if gain is not None and 0 < gain <= (rolling.maximum or 0) else None,
        next_gain_at=rolling.next_tick_at,
        period=_FIVE_HOURS,
        is_stepwise=True,
        exhausted=rolling.exhausted,
    )


def _week(quotas: Quotas) -> Bucket | None:
    week = quotas.weekly_credits
    if week is None:
        return None
    gain = week.next_regeneration_usd
    bucket = Bucket(
        name="week",
        unit="percent",
        limit=_WHOLE,
        remaining=week.percent_remaining,
        next_gain=None,
        next_gain_at=week.next_regeneration_at,
        period=_WEEK,
        is_stepwise=True,
        exhausted=week.exhausted,
    )
    if week.remaining_usd is None:
        return bucket
    return replace(
        bucket,
        unit="usd",
        limit=None if week.maximum_usd is None else float(week.maximum_usd),
        remaining=float(week.remaining_usd),
        next_gain=None if gain is None or gain <= 0 else float(gain),
    )


def _subscription(quotas: Quotas) -> Bucket | None:
    plan = quotas.subscription
    # Since April 2026 its count stays 0 beside the two limits that decide.
    if plan is None or (quotas.rolling_five_hours is not None and not plan.used):
        return None
    return _window("subscription", "requests", plan, _FIVE_HOURS)


def _window(name: Name, unit: Unit, part: Allowance | None, period: timedelta) -> Bucket | None:
    # A limit of 0 means that the plan has no such allowance.
    if part is None or (part.limit is not None and part.limit <= 0):
        return None
    remaining = None if part.limit is None or part.used is None else part.limit - part.used
    return Bucket(
        name=name,
        unit=unit,
        limit=part.limit,
        remaining=None if remaining is None else max(remaining, 0.0),
        next_gain=part.used if part.used is None else max(part.used, 0.0),
        next_gain_at=part.renews_at,
        period=period,
        is_stepwise=False,
        exhausted=part.exhausted,
    )
