"""A report of quotas, parsed: the header `x-synthetic-quotas`, or the body of `GET /v2/quotas`.

Every key is optional, numbers come as numbers or strings and credits as "$11.20". What cannot be
read is None, which means unknown and never unlimited. Forms seen from September 2025 to August 2026
are told apart by the keys that are there, not by a version.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime  # pydantic reads annotations at run time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from litellm_synthetic.quota.header import MAX_HEADER_CHARACTERS

# A figure beyond this is a mistake, and would make arithmetic with it one.
_MAX_FIGURE: Final = 10**12
_MAX_FIGURE_CHARACTERS: Final = 64


def _number(value: object) -> float | None:
    if isinstance(value, str):
        value = _plain_figure(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= _MAX_FIGURE else None


def _usd(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        # By way of its text, so that 11.2 is $11.20 and not what binary fractions make of it.
        amount = Decimal(_plain_figure(str(value)))
    except (InvalidOperation, ValueError):  # str() refuses integers of thousands of digits
        return None
    return amount if amount.is_finite() and abs(amount) <= _MAX_FIGURE else None


def _plain_figure(text: str) -> str:
    """Return "11.20" for "$11.20"; "$-0.12" was seen too."""
    figure = text.strip().replace("$", "", 1)
    return figure if len(figure) <= _MAX_FIGURE_CHARACTERS else ""


def _switch(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    else:
        return None
    try:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _part(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else None


_Number = Annotated[float | None, BeforeValidator(_number)]
_Usd = Annotated[Decimal | None, BeforeValidator(_usd)]
_Switch = Annotated[bool | None, BeforeValidator(_switch)]
_Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Part(BaseModel):
    # Frozen, because one report is shared by all who ask. What else the service says is left out:
    # a report that is kept must not grow with it.
    # Nobody reads a report before the first call, so registering does not wait for the schemas.
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class Allowance(_Part):
    """Count one allowance: requests or tool calls per window; None where unknown."""

    limit: _Number = None
    used: _Number = Field(default=None, validation_alias="requests")
    renews_at: _Moment = Field(default=None, validation_alias="renewsAt")

    @property
    def exhausted(self) -> bool:
        """Tell whether the allowance is known to be used up; a limit of 0 means none was given."""
        if self.limit is None or self.used is None:
            return False
        return 0 < self.limit <= self.used


class RollingLimit(_Part):
    """Describe the five-hour limit in weighted requests, which comes back tick by tick.

    Attributes:
        maximum: the limit.
        remaining: what is left of it; a request may count less than one, or more.
        limited: whether Synthetic says that it is reached.
        next_tick_at: when the next part of it comes back.
        tick_percent: that part, as a fraction of the limit: 0.05 is 5 %.
    """

    maximum: _Number = Field(default=None, validation_alias="max")
    remaining: _Number = None
    limited: _Switch = None
    next_tick_at: _Moment = Field(default=None, validation_alias="nextTickAt")
    tick_percent: _Number = Field(default=None, validation_alias="tickPercent")

    @property
    def exhausted(self) -> bool:
        """Tell whether the window is known to be used up."""
        return self.limited is True or (self.remaining is not None and self.remaining <= 0)


class WeeklyCredits(_Part):
    """Describe the weekly credits in US dollars, which come back step by step.

    Attributes:
        maximum_usd: the credits of a week.
        remaining_usd: what is left of them.
        percent_remaining: the same in percent.
        next_regeneration_at: when the next part of them comes back.
        next_regeneration_usd: how much that is; not every reply says it.
    """

    maximum_usd: _Usd = Field(default=None, validation_alias="maxCredits")
    remaining_usd: _Usd = Field(default=None, validation_alias="remainingCredits")
    percent_remaining: _Number = Field(default=None, validation_alias="percentRemaining")
    next_regeneration_at: _Moment = Field(default=None, validation_alias="nextRegenAt")
    next_regeneration_usd: _Usd = Field(default=None, validation_alias="nextRegenCredits")

    @property
    def exhausted(self) -> bool:
        """Tell whether the credits are known to be used up."""
        known = self.remaining_usd if self.remaining_usd is not None else self.percent_remaining
        return known is not None and known <= 0


class Quotas(_Part):
    """One reply's report on the plan; None for each part that it did not mention."""

    subscription: Annotated[Allowance | None, BeforeValidator(_part)] = None
    search_hourly: Annotated[Allowance | None, BeforeValidator(_part)] = None
    free_tool_calls: Annotated[Allowance | None, BeforeValidator(_part)] = None
    rolling_five_hours: Annotated[RollingLimit | None, BeforeValidator(_part)] = None
    weekly_credits: Annotated[WeeklyCredits | None, BeforeValidator(_part)] = None

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


def read_report(text: str | None) -> Quotas | None:
    """Read a report as it was sent.

    Returns:
        What it says, with every part None where it is `{}`, which tells nothing of a plan. None
        where it is absent, too long, not JSON, or not an object.
    """
    document = _document(text)
    if document is None:
        return None
    search = document.get("search")
    return Quotas(
        subscription=document.get("subscription"),
        search_hourly=search.get("hourly") if isinstance(search, dict) else None,
        # One source of early 2026 has the second name.
        free_tool_calls=document.get("freeToolCalls", document.get("toolCallDiscounts")),
        rolling_five_hours=document.get("rollingFiveHourLimit"),
        weekly_credits=document.get("weeklyTokenLimit"),
    )


def parse_quotas(text: str | None) -> Quotas | None:
    """Read a report; None also where it is `{}`, as of accounts without a subscription."""
    return read_report(text) if _document(text) else None


def _document(text: str | None) -> dict[str, Any] | None:
    if not text or len(text) > MAX_HEADER_CHARACTERS:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
