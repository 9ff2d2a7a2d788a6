"""Keys that rest: those whose plan is known to be empty, and those that cannot pay.

A key rests until its bucket gains. One call then tries it, not a crowd. What is known here never
locks a key out for longer than it is true: a later report that shows room ends the rest, a key
that cannot pay is tried again after 1, 2, 4 and at most 10 minutes, and one whose bucket says
nothing of its next gain after a minute.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.quota.sharing import SHARING
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.quota.clock import Instant
    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.state import KnownQuotas, QuotaState

Reason = Literal["cap", "payment"]

UNKNOWN_SECONDS: Final = 60.0
FIRST_UNPAID_SECONDS: Final = 60.0
MAX_UNPAID_SECONDS: Final = 600.0
# For how long one call is the only one to try; a call that is slower than that gets company.
TRIAL_SECONDS: Final = 60.0
MAX_SCOPES: Final = 1024


@dataclass(frozen=True, slots=True)
class Rest:
    """Describe one key's rest.

    Attributes:
        reason: why it rests.
        since: when it began, by this machine's clocks.
        seconds: how long it lasts.
        refusals: how often the key has been refused in a row for lack of payment.
        remaining: what was left in each bucket when it began.
        trial: when the one call that tries it was let through.
        message: how the refusal was worded, for those that are made here.
    """

    reason: Reason
    since: Instant
    seconds: float
    refusals: int = 1
    remaining: Mapping[str, float] = field(default_factory=dict)
    trial: Instant | None = None
    message: str = ""

    def seconds_left(self, now: Instant) -> float:
        """Return the seconds until one call may try the key, never negative."""
        left = max(0.0, self.seconds - now.seconds_since(self.since))
        if left == 0 and self.trial is not None:
            return max(0.0, TRIAL_SECONDS - now.seconds_since(self.trial))
        return left


class Rests:
    """Keep which keys rest; safe to use from any thread.

    Args:
        state: the latest reports.
        on_change: is told of each key whose rest begins or ends here.
    """

    def __init__(self, state: QuotaState, on_change: Callable[[Scope], None] | None = None) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._rests: OrderedDict[Scope, Rest] = OrderedDict()
        self._on_change = on_change

    def capped(self, scope: Scope, seconds: float | None, message: str = "") -> None:
        """Note that a call was refused because the key's plan is used up."""
        known = self._state.known(scope)
        now = self._state.clock.now()
        length = UNKNOWN_SECONDS if seconds is None else seconds
        self._put(scope, Rest("cap", now, length, remaining=_remaining(known), message=message))

    def unpaid(self, scope: Scope, message: str = "") -> float:
        """Note that a call was refused for lack of payment; return for how long the key rests."""
        before = self._rests.get(scope)
        again = before is not None and before.reason == "payment"
        now = self._state.clock.now()
        if again and before is not None and before.trial is None and before.seconds_left(now) > 0:
            return before.seconds_left(now)  # one of several that were on their way at once
        refusals = before.refusals + 1 if again and before is not None else 1
        seconds = min(FIRST_UNPAID_SECONDS * 2.0 ** min(refusals - 1, 10), MAX_UNPAID_SECONDS)
        remaining = _remaining(self._state.known(scope))
        self._put(scope, Rest("payment", now, seconds, refusals, remaining, message=message))
        return seconds

    def served(self, scope: Scope) -> None:
        """Note that the key was served a call that a cap does not spare."""
        if scope in self._rests:
            self._end(scope)

    @property
    def are_any(self) -> bool:
        """Tell whether any key rests."""
        return bool(self._rests)

    def rest(self, scope: Scope) -> Rest | None:
        """Return the rest of a key, as far as it still holds; None for a key that can be used.

        A rest that is over stays until a call has been served: `seconds_left` is 0 then, and
        whoever gets `try_key` may try it.
        """
        current = self._rests.get(scope)
        known = self._state.known(scope)
        if current is not None and known is not None and self._shows_room(current, known, scope):
            self._end(scope)
            current = None
        if current is None and known is not None:
            current = self._empty_by_report(known, scope)
            if current is not None:
                self._put(scope, current)
        return current

    def try_key(self, scope: Scope) -> bool:
        """Take the one trial of a key whose rest is over; False where another call has it."""
        with self._lock:
            current = self._rests.get(scope)
            now = self._state.clock.now()
            if current is None:
                return True
            if current.seconds_left(now) > 0:
                return False
            self._rests[scope] = replace(current, trial=now)
        return True

    def give_back(self, scope: Scope) -> None:
        """Give a trial back that was taken and is not used."""
        with self._lock:
            current = self._rests.get(scope)
            if current is not None:
                self._rests[scope] = replace(current, trial=None)

    def resting(self, scope: Scope) -> Rest | None:
        """Return what is noted of a key's rest, without a look at its reports."""
        return self._rests.get(scope)

    def adopt(self, scope: Scope, rest: Rest) -> None:
        """Take over what another process has noted, unless this one knows of a rest itself."""
        if scope not in self._rests:
            self._put(scope, rest, is_own=False)

    def drop(self, scope: Scope) -> None:
        """End a rest without telling other processes, from whom it was heard."""
        with self._lock:
            self._rests.pop(scope, None)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._rests.clear()

    def after_fork(self) -> None:
        """Make a new lock: another thread may have held it when the process forked."""
        self._lock = threading.Lock()

    def _put(self, scope: Scope, rest: Rest, *, is_own: bool = True) -> None:
        with self._lock:
            self._rests[scope] = rest
            self._rests.move_to_end(scope)
            while len(self._rests) > MAX_SCOPES:
                self._rests.popitem(last=False)
        if is_own and self._on_change is not None:
            self._on_change(scope)

    def _end(self, scope: Scope) -> None:
        with self._lock:
            ended = self._rests.pop(scope, None)
        if ended is not None and self._on_change is not None:
            self._on_change(scope)

    def _shows_room(self, rest: Rest, known: KnownQuotas, scope: Scope) -> bool:
        """Tell whether a report that came after the rest began shows that it is over."""
        sighting = self._state.latest(scope)
        if sighting is None or sighting.seen.monotonic <= rest.since.monotonic:
            return False
        capping = [bucket for bucket in known.buckets if bucket.caps_calls]
        if not capping or any(bucket.exhausted for bucket in capping):
            return False
        # Little may have been left when the call was refused: only more than that is room.
        return all(
            bucket.remaining is None
            or bucket.name not in rest.remaining
            or bucket.remaining > rest.remaining[bucket.name]
            or rest.remaining[bucket.name] >= _ENOUGH
            for bucket in capping
        )

    def _empty_by_report(self, known: KnownQuotas, scope: Scope) -> Rest | None:
        """Return the rest that a report calls for by itself, before any call was refused."""
        from litellm_synthetic.quota.cap import MAX_WAIT_SECONDS  # noqa: PLC0415  # when read

        sighting = self._state.latest(scope)
        waits = [
            (bucket.next_gain_at - known.received_at).total_seconds()
            if bucket.next_gain_at is not None and bucket.next_gain_at > known.received_at
            else UNKNOWN_SECONDS
            for bucket in known.buckets
            if bucket.caps_calls and bucket.exhausted
        ]
        if not waits or sighting is None:
            return None
        seconds = min(max(waits), MAX_WAIT_SECONDS)
        if known.age_seconds > seconds + TRIAL_SECONDS:
            return None  # long over, and nobody has asked since
        return Rest("cap", sighting.seen, seconds, remaining=_remaining(known))


# More than any single call weighs, in requests, in US dollars and in percent.
_ENOUGH: Final = 20.0


def _remaining(known: KnownQuotas | None) -> dict[str, float]:
    buckets = () if known is None else known.buckets
    return {
        bucket.name: bucket.remaining
        for bucket in buckets
        if bucket.caps_calls and bucket.remaining is not None
    }


RESTS: Final = Rests(STATE, SHARING.rest_changed)
"""The keys that rest, as far as this process knows."""

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=RESTS.after_fork)
