"""The state of a plan in words and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from litellm_synthetic.quota.header import Quotas


def exhausted(quotas: Quotas) -> str:
    """Return which limits are known to be used up, as the subject of a sentence; "" if none."""
    parts = (
        ("The requests of the 5-hour window are", quotas.rolling_five_hours),
        ("This week's credits are", quotas.weekly_credits),
        ("The subscription's requests are", quotas.subscription),
    )
    return next((name for name, part in parts if part is not None and part.exhausted), "")


def quotas_sentence(quotas: Quotas | None) -> str:
    """Return what is left of a plan, in a sentence or two."""
    if quotas is None:
        return "No subscription is reported: prepaid, or none."
    parts = []
    rolling, week, plan = quotas.rolling_five_hours, quotas.weekly_credits, quotas.subscription
    if rolling is not None and rolling.remaining is not None:
        parts.append(
            f"{_of(rolling.remaining, rolling.maximum)} requests left in the 5-hour window"
        )
    elif plan is not None and plan.limit is not None and plan.used is not None:
        parts.append(f"{_of(max(plan.limit - plan.used, 0), plan.limit)} requests left")
    if week is not None and week.remaining_usd is not None:
        whole = "" if week.maximum_usd is None else f" of ${week.maximum_usd:.2f}"
        parts.append(f"${week.remaining_usd:.2f}{whole} credits left this week")
    elif week is not None and week.percent_remaining is not None:
        parts.append(f"{week.percent_remaining:g} % of the credits left this week")
    if not parts:
        return "The reply does not say what is left of the plan."
    next_at = rolling.next_tick_at if rolling is not None else plan.renews_at if plan else None
    more = "" if next_at is None else f"; more requests at {next_at:%Y-%m-%d %H:%M} UTC"
    return f"{', '.join(parts)}{more}."


def _of(remaining: float, whole: float | None) -> str:
    return f"{remaining:g}" if whole is None else f"{remaining:g} of {whole:g}"


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
        "weekly_credits_left_usd": week.remaining_usd if week else None,
        "weekly_credits_usd": week.maximum_usd if week else None,
        "next_credits_at": _text(week.next_regeneration_at) if week else None,
        "subscription_requests": plan.used if plan else None,
        "subscription_limit": plan.limit if plan else None,
        "exhausted": bool(exhausted(quotas)),
        "resets_at": _text(reset),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
