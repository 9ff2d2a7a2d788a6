"""The quota report of the service, in each form it has had."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACK_REQUESTS = 500
_TICK_SECONDS = 900.0
_WEEKLY_CREDITS_USD = 24.0


def instant(seconds: float) -> str:
    """Return a time in seconds since the epoch as the service writes it, in UTC."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def newest_form(
    now: float,
    *,
    requests_used: int = 0,
    limited: bool = False,
    resets_in_seconds: float = _TICK_SECONDS,
) -> dict[str, Any]:
    """Return the report of one $30 pack as it has been since April 2026.

    Args:
        now: The present, in seconds since the epoch.
        requests_used: How many requests of the rolling five hours are spent.
        limited: Report the five-hour limit as reached.
        resets_in_seconds: Seconds until the next part of the five-hour limit comes back.
    """
    remaining = 0 if limited else max(_PACK_REQUESTS - requests_used, 0)
    spent_usd = 0.01 * requests_used
    credits_left = max(_WEEKLY_CREDITS_USD - spent_usd, 0.0)
    return {
        "subscription": {
            "limit": _PACK_REQUESTS,
            "requests": 0,
            "renewsAt": instant(now + 5 * 3600),
        },
        "search": {"hourly": {"limit": 250, "requests": 0, "renewsAt": instant(now + 3600)}},
        "freeToolCalls": {"limit": 0, "requests": 0, "renewsAt": instant(now + 86400)},
        "weeklyTokenLimit": {
            "nextRegenAt": instant(now + 202 * 60),
            "percentRemaining": round(100 * credits_left / _WEEKLY_CREDITS_USD, 4),
            "maxCredits": f"${_WEEKLY_CREDITS_USD:.2f}",
            "remainingCredits": f"${credits_left:.2f}",
            "nextRegenCredits": "$0.48",
        },
        "rollingFiveHourLimit": {
            "nextTickAt": instant(now + resets_in_seconds),
            "tickPercent": 0.05,
            "remaining": remaining,
            "max": _PACK_REQUESTS,
            "limited": limited,
        },
    }


def form_of_2025(now: float) -> dict[str, Any]:
    """Return the report as documented in September 2025: one counter."""
    return {"subscription": {"limit": 135, "requests": 73.8, "renewsAt": instant(now + 7200)}}


def numbers_as_strings(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report with each number written as a text, which no client should fall over."""

    def restate(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: restate(inner) for key, inner in value.items()}
        return str(value) if isinstance(value, int | float) else value

    return {key: restate(value) for key, value in report.items()}


def header_value(report: Mapping[str, Any]) -> str:
    """Return the report as the `x-synthetic-quotas` header carries it."""
    return json.dumps(report, separators=(",", ":"))
