"""The state of a plan in words and as JSON."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.quota.buckets import buckets_of

if TYPE_CHECKING:
    from datetime import datetime

    from litellm_synthetic.quota.buckets import Bucket, Name
    from litellm_synthetic.quota.cap import Cap
    from litellm_synthetic.quota.report import Quotas

TITLES: Final[dict[Name, str]] = {
    "five_hours": "5-hour requests",
    "week": "weekly credits",
    "subscription": "subscription requests",
    "search": "searches of this hour",
    "tool_calls": "free tool calls",
}
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def amount(bucket: Bucket, figure: float | None) -> str:
    """Return a figure of a bucket with its unit's sign: "364", "$11.20", "46.7 %", or "?"."""
    if figure is None:
        return "?"
    if bucket.unit == "usd":
        return f"-${-figure:.2f}" if figure < 0 else f"${figure:.2f}"
    plain = f"{round(figure, 1):g}" if abs(figure) < 100_000 else f"{figure:.0f}"  # noqa: PLR2004  # where g turns to powers
    return f"{plain} %" if bucket.unit == "percent" else plain


def left_phrase(bucket: Bucket) -> str:
    """Return what is left of a bucket: "364 of 500", "$11.20 of $24.00", "46.7 %"."""
    left = amount(bucket, bucket.remaining)
    if bucket.unit == "percent" or bucket.limit is None:
        return left
    return f"{left} of {amount(bucket, bucket.limit)}"


def duration(seconds: float) -> str:
    """Return a time span for people: "40 s", "12 min", "3 h 22 min", "2 d 4 h"."""
    if seconds < _MINUTE:
        return f"{max(round(seconds), 1)} s"
    minutes = ceil(seconds / _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes} min"
    if seconds < _DAY:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(seconds / _HOUR), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def gain_phrase(bucket: Bucket, now: datetime) -> str:
    """Return what a bucket gains and when: "+25 in 12 min"; "" where that is unknown or past."""
    seconds = bucket.seconds_to_gain(now)
    if seconds is None:
        return ""
    gain = "more" if not bucket.next_gain else f"+{amount(bucket, bucket.next_gain)}"
    return f"{gain} in {duration(seconds)}"


def cap_sentence(cap: Cap | None) -> str:
    """Return why a key is capped and when that ends, as a sentence without its full stop."""
    if cap is None:
        return "The reply does not say when the plan resets"
    bucket, title = cap.bucket, TITLES[cap.bucket.name]
    if bucket.exhausted:
        state = f"The {title} are used up ({left_phrase(bucket)} left)"
    else:
        state = f"Of the {title} {left_phrase(bucket)} are left, which is too little for this call"
    if cap.seconds is None or cap.gains_at is None:
        return f"{state}; when they gain more is not known"
    gain = "more" if not bucket.next_gain else amount(bucket, bucket.next_gain)
    return f"{state} and gain {gain} in {duration(cap.seconds)} ({cap.gains_at:%H:%M} UTC)"


def exhausted(quotas: Quotas) -> str:
    """Return which limits are known to be used up, as the subject of a sentence; "" if none."""
    empty = [one for one in buckets_of(quotas) if one.caps_calls and one.exhausted]
    return f"The {TITLES[empty[0].name]} are" if empty else ""


def quotas_sentence(quotas: Quotas | None, now: datetime | None = None) -> str:
    """Return what is left of a plan, in a sentence or two.

    Args:
        quotas: the report; None where no subscription is reported.
        now: the present on Synthetic's clock; without it nothing is said of what comes back.
    """
    if quotas is None:
        return "No subscription is reported: prepaid, or none."
    parts = []
    for bucket in buckets_of(quotas):
        if not bucket.caps_calls or bucket.remaining is None:
            continue
        gain = "" if now is None else gain_phrase(bucket, now)
        parts.append(f"{TITLES[bucket.name]}: {left_phrase(bucket)}{gain and f' ({gain})'}")
    if not parts:
        return "The reply does not say what is left of the plan."
    return f"Left of the plan: {'; '.join(parts)}."


def quotas_document(quotas: Quotas | None) -> dict[str, Any] | None:
    """Return a plan's figures for JSON; None where no subscription is reported."""
    if quotas is None:
        return None
    rolling, week, plan = quotas.rolling_five_hours, quotas.weekly_credits, quotas.subscription
    reset = quotas.resets_at()
    return {
        "requests_left": rolling.remaining if rolling else None,
        "requests_limit": rolling.maximum if rolling else None,
        "next_requests_at": _text(rolling.next_tick_at) if rolling else None,
        "weekly_credits_left_usd": _figure(week.remaining_usd) if week else None,
        "weekly_credits_usd": _figure(week.maximum_usd) if week else None,
        "next_credits_at": _text(week.next_regeneration_at) if week else None,
        "subscription_requests": plan.used if plan else None,
        "subscription_limit": plan.limit if plan else None,
        "exhausted": bool(exhausted(quotas)),
        "resets_at": _text(reset),
    }


def _figure(usd: Any) -> float | None:
    return None if usd is None else float(usd)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
