"""Accounts whose plan is really used up by calls, and comes back as the service's do.

For tests and simulations of what a client does with several keys. A plan has a five-hour limit and
weekly credits, both refilled step by step; a prepaid account has a balance.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.testing import quotas, refusals
from litellm_synthetic.testing.replies import RawJSON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.testing.recorded import RecordedRequest

BILLING: Final = "https://synthetic.new/billing"
_TICK_SECONDS: Final = 900.0
_TICK_PART: Final = 0.05
_REGENERATION_SECONDS: Final = 12_096.0  # 2 % of a week
_REGENERATION_PART: Final = 0.02


@dataclass
class Account:
    """One key's account.

    Attributes:
        requests: the five-hour limit of a plan, full at the start; None for a prepaid account.
        credits_usd: the weekly credits of a plan, or the balance of a prepaid account.
        requests_per_call: what one call counts.
        usd_per_call: what one call costs.
        calls: how many were served.
        refusals: how many got a 429 or a 402.
    """

    requests: float | None
    credits_usd: float
    requests_per_call: float = 1.0
    usd_per_call: float = 0.01
    calls: int = 0
    refusals: int = 0
    moments: list[float] = field(default_factory=list)
    _left: float = 0.0
    _credits: float = 0.0
    _tick_at: float = 0.0
    _regeneration_at: float = 0.0

    def open_at(self, now: float) -> None:
        """Fill the account."""
        self._left, self._credits = self.requests or 0.0, self.credits_usd
        self._tick_at = now + _TICK_SECONDS
        self._regeneration_at = now + _REGENERATION_SECONDS

    @property
    def has_room(self) -> bool:
        """Tell whether a call would be served."""
        if self._credits < self.usd_per_call:
            return False
        return self.requests is None or self._left >= self.requests_per_call

    def settle(self, now: float) -> None:
        """Give back what has come back until now."""
        if self.requests is None:
            return
        while self._tick_at <= now:
            self._left = min(self._left + _TICK_PART * self.requests, self.requests)
            self._tick_at += _TICK_SECONDS
        while self._regeneration_at <= now:
            gain = _REGENERATION_PART * self.credits_usd
            self._credits = min(self._credits + gain, self.credits_usd)
            self._regeneration_at += _REGENERATION_SECONDS

    def call(self, now: float) -> RawJSON | None:
        """Take a call; return the refusal, None where it is served."""
        self.settle(now)
        if self.has_room:
            self._left -= self.requests_per_call if self.requests is not None else 0.0
            self._credits -= self.usd_per_call
            self.calls += 1
            return None
        self.refusals += 1
        self.moments.append(now)
        if self.requests is None:
            return refusals.error(
                402,
                "Insufficient quota and token balance: consider upgrading your subscription on "
                f"{BILLING}",
            )
        text = (
            "You've exceeded your subscription rate limits. Upgrade, or try again later. "
            f"You can view your usage at {BILLING}"
        )
        header = quotas.header_value(self.report(now))
        return RawJSON(429, {"error": text}, {"x-synthetic-quotas": header})

    def report(self, now: float) -> dict[str, Any]:
        """Return the quota report; `{}` of a prepaid account."""
        self.settle(now)
        if self.requests is None:
            return {}
        return {
            "subscription": {
                "limit": self.requests,
                "requests": 0,
                "renewsAt": quotas.instant(now + 5 * 3600),
            },
            "weeklyTokenLimit": {
                "nextRegenAt": quotas.instant(self._regeneration_at),
                "percentRemaining": round(100 * self._credits / self.credits_usd, 4),
                "maxCredits": f"${self.credits_usd:.2f}",
                "remainingCredits": f"${self._credits:.2f}",
                "nextRegenCredits": f"${_REGENERATION_PART * self.credits_usd:.2f}",
            },
            "rollingFiveHourLimit": {
                "nextTickAt": quotas.instant(self._tick_at),
                "tickPercent": _TICK_PART,
                "remaining": round(self._left, 4),
                "max": self.requests,
                "limited": self._left < self.requests_per_call,
            },
        }


class Accounts:
    """Serve several keys, each with an account of its own.

    Args:
        accounts: the account of each key.
        clock: returns the present in seconds since the epoch.
    """

    def __init__(
        self, accounts: Mapping[str, Account], clock: Callable[[], float] = time.time
    ) -> None:
        """Open the accounts, full."""
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        for account in accounts.values():
            account.open_at(clock())

    def __contains__(self, key: object) -> bool:
        """Tell whether there is such a key."""
        return key in self._accounts

    def take(self, request: RecordedRequest) -> RawJSON | None:
        """Take a model call; return the refusal, None where it is served."""
        with self._lock:
            return self._accounts[request.bearer or ""].call(self._clock())

    def report(self, request: RecordedRequest) -> dict[str, Any]:
        """Return the quota report of the request's key."""
        with self._lock:
            return self._accounts[request.bearer or ""].report(self._clock())

    def have_room(self) -> bool:
        """Tell whether any key would be served a call now."""
        with self._lock:
            for account in self._accounts.values():
                account.settle(self._clock())
            return any(account.has_room for account in self._accounts.values())
