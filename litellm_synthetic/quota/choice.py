"""The choice among keys: those that rest are passed over, the one with most left goes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.rest import Rests
    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.state import KnownQuotas, QuotaState

Account = Literal["plan", "unknown", "prepaid"]
# Keys that are as good as the best one share the calls: a limit of calls at a time is per key.
_AS_GOOD: Final = 0.05
_MAX_SCORE: Final = 2.0
_MIN_TIME_LEFT: Final = 0.05
_ORDER: Final[dict[Account, int]] = {"plan": 0, "unknown": 1, "prepaid": 2}


@dataclass(frozen=True, slots=True)
class Choice:
    """The keys that a call may go to.

    Attributes:
        scopes: those that go first; empty where all of them rest.
        unknown: those of which nothing is known yet.
        resting: those that rest.
        trial: the one key, if it is one whose rest is over, and which this call tries.
    """

    scopes: frozenset[Scope]
    unknown: frozenset[Scope] = frozenset()
    resting: frozenset[Scope] = frozenset()
    trial: Scope | None = None


def account_of(known: KnownQuotas | None) -> Account:
    """Return how a key pays: a prepaid account's replies report `{}`, a plan's report the plan."""
    if known is None:
        return "unknown"
    return "prepaid" if known.quotas is None else "plan"


def score(known: KnownQuotas | None) -> float:
    """Return how much is left of a plan relative to time: below 1, less than the time allows.

    A bucket that comes back step by step counts as it is; one that comes back as a whole counts
    against the time until then.
    """
    if known is None:
        return 1.0
    scores = [_score(bucket, known) for bucket in known.buckets if bucket.caps_calls]
    return min((each for each in scores if each is not None), default=1.0)


def _score(bucket: Bucket, known: KnownQuotas) -> float | None:
    current = bucket.at(known.now)
    left = current.fraction_left
    if left is None or current.is_stepwise:
        return left
    elapsed = current.elapsed_fraction(known.now)
    time_left = 1.0 if elapsed is None else max(1.0 - elapsed, _MIN_TIME_LEFT)
    return min(left / time_left, _MAX_SCORE)


def choose(scopes: Iterable[Scope], state: QuotaState, rests: Rests, *, plan_first: bool) -> Choice:
    """Return the keys that a call goes to.

    Args:
        scopes: the keys that there are.
        state: the latest reports.
        rests: the keys that rest. A key whose rest is over is tried by one call.
        plan_first: whether prepaid keys are only for when no plan has room.
    """
    known = {scope: state.known(scope) for scope in scopes}
    rest = {scope: rests.rest(scope) for scope in known}
    awake = [scope for scope in known if rest[scope] is None]
    unknown = frozenset(scope for scope in awake if known[scope] is None)
    now = state.clock.now()
    resting = frozenset(scope for scope, each in rest.items() if each is not None)
    for scope in sorted(resting):
        current = rest[scope]
        if current is None or current.seconds_left(now) > 0:
            continue
        # A key that could not pay is not tried while another one can.
        if current.reason == "payment" and awake:
            continue
        if rests.try_key(scope):
            return Choice(frozenset((scope,)), unknown, resting - {scope}, scope)
    if not awake:
        return Choice(frozenset(), unknown, resting)
    if plan_first:
        order = min(_ORDER[account_of(known[scope])] for scope in awake)
        awake = [scope for scope in awake if _ORDER[account_of(known[scope])] == order]
    scores = {scope: score(known[scope]) for scope in awake}
    best = max(scores.values())
    chosen = frozenset(scope for scope in awake if scores[scope] >= best - _AS_GOOD)
    return Choice(chosen, unknown, resting)
