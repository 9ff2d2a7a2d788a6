"""The header `x-synthetic-quotas`, which is `GET /v2/quotas` on one line, parsed.

Every key is optional, numbers come as numbers or strings and credits as "$11.20". What cannot be
read is None, which means unknown and never unlimited. Forms seen from September 2025 to August 2026
are told apart by the keys that are there, not by a version.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER: Final = "x-synthetic-quotas"
# The longest form seen is under 700 characters; a header of a megabyte is not a quota.
MAX_HEADER_CHARACTERS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Allowance:
    """Count one allowance: requests or tool calls per window; None where unknown."""

    limit: float | None
    used: float | None
    renews_at: datetime | None

    @property
    def exhausted(self) -> bool:
        """Tell whether the allowance is known to be used up; a limit of 0 means none was given."""
        if self.limit is None or self.used is None:
            return False
        return 0 < self.limit <= self.used


@dataclass(frozen=True, slots=True)
class RollingLimit:
    """Describe the five-hour limit in weighted requests, which regenerates tick by tick."""

    maximum: float | None
    remaining: float | None
    limited: bool | None
    next_tick_at: datetime | None

    @property
    def exhausted(self) -> bool:
        """Tell whether the window is known to be used up."""
        return self.limited is True or (self.remaining is not None and self.remaining <= 0)


@dataclass(frozen=True, slots=True)
class WeeklyCredits:
    """Describe the weekly credits in US dollars."""

    maximum_usd: float | None
    remaining_usd: float | None
    percent_remaining: float | None
    next_regeneration_at: datetime | None

    @property
    def exhausted(self) -> bool:
        """Tell whether the credits are known to be used up."""
        remaining = self.remaining_usd if self.remaining_usd is not None else self.percent_remaining
        return remaining is not None and remaining <= 0


@dataclass(frozen=True, slots=True)
class Quotas:
    """Hold what one reply said about the plan; None for each part that it did not mention."""

    subscription: Allowance | None
    search_hourly: Allowance | None
    free_tool_calls: Allowance | None
    rolling_five_hours: RollingLimit | None
    weekly_credits: WeeklyCredits | None

    @property
    def is_empty(self) -> bool:
        """Tell whether the reply mentioned no part of a plan that is known here."""
        return (
            self.subscription is None
            and self.search_hourly is None
            and self.free_tool_calls is None
            and self.rolling_five_hours is None
            and self.weekly_credits is None
        )

    def resets_at(self) -> datetime | None:
        """Return when a cap that is known to be reached resets, the latest of several."""
        candidates: list[datetime | None] = []
        if self.rolling_five_hours is not None and self.rolling_five_hours.exhausted:
            candidates.append(self.rolling_five_hours.next_tick_at)
        if self.weekly_credits is not None and self.weekly_credits.exhausted:
            candidates.append(self.weekly_credits.next_regeneration_at)
        # Since April 2026 `subscription.requests` stays 0 and the two limits above decide.
        if self.subscription is not None and self.subscription.exhausted:
            candidates.append(self.subscription.renews_at)
        return max((moment for moment in candidates if moment is not None), default=None)


def parse_quotas(header: str | None) -> Quotas | None:
    """Read the header; return None when it is absent, empty, too long or not an object."""
    if not header or len(header) > MAX_HEADER_CHARACTERS:
        return None
    try:
        document = json.loads(header)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not document:
        return None
    search = _mapping(document.get("search"))
    return Quotas(
        subscription=_allowance(document.get("subscription")),
        search_hourly=_allowance(search.get("hourly")) if search else None,
        free_tool_calls=_allowance(
            document.get("freeToolCalls", document.get("toolCallDiscounts"))
        ),
        rolling_five_hours=_rolling(document.get("rollingFiveHourLimit")),
        weekly_credits=_credits(document.get("weeklyTokenLimit")),
    )


def _mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, dict) else None


def _allowance(value: object) -> Allowance | None:
    if (fields := _mapping(value)) is None:
        return None
    return Allowance(
        limit=_number(fields.get("limit")),
        used=_number(fields.get("requests")),
        renews_at=_moment(fields.get("renewsAt")),
    )


def _rolling(value: object) -> RollingLimit | None:
    if (fields := _mapping(value)) is None:
        return None
    limited = fields.get("limited")
    return RollingLimit(
        maximum=_number(fields.get("max")),
        remaining=_number(fields.get("remaining")),
        limited=limited if isinstance(limited, bool) else None,
        next_tick_at=_moment(fields.get("nextTickAt")),
    )


def _credits(value: object) -> WeeklyCredits | None:
    if (fields := _mapping(value)) is None:
        return None
    return WeeklyCredits(
        maximum_usd=_number(fields.get("maxCredits")),
        remaining_usd=_number(fields.get("remainingCredits")),
        percent_remaining=_number(fields.get("percentRemaining")),
        next_regeneration_at=_moment(fields.get("nextRegenAt")),
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value.strip().removeprefix("$") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
