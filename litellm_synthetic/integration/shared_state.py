"""Knowledge of plans that workers and machines share through LiteLLM's own Redis.

Two entries per key: the latest report, and the rest. No machine's time travels: how old an entry
is, and how long a rest lasts, is told by its expiry in Redis, and a report's moments count from the
`Date` of its own reply. So clocks that differ by minutes do no harm. Without Redis, or with one
that is down, each process goes by what it knows itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.quota.clock import Instant
from litellm_synthetic.quota.header import MAX_HEADER_CHARACTERS
from litellm_synthetic.quota.rest import RESTS, TRIAL_SECONDS, Rest
from litellm_synthetic.quota.state import STATE, Sighting

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from litellm_synthetic.quota.scope import Scope

_PREFIX: Final = "litellm_synthetic:plan:"
READ_SECONDS: Final = 1.0
WRITE_SECONDS: Final = 5.0
_REPORT_SECONDS: Final = 3600
# A rest that is over is tried by one call over all workers, which the others have to hear of.
_GRACE_SECONDS: Final = 60
_MAX_REST_SECONDS: Final = 6 * 3600
_MAX_REFUSALS: Final = 100
_log: Final = logging.getLogger("litellm_synthetic")


class SharedState:
    """Read and write the state of plans where all workers see it."""

    def __init__(self) -> None:
        self._read_at: dict[Scope, float] = {}
        self._written: dict[Scope, tuple[float, Sighting]] = {}
        self._seen: dict[str, Any] = {}
        self._adopted: set[Scope] = set()
        self._is_down = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.redis: Any = None

    @property
    def pending(self) -> tuple[asyncio.Task[None], ...]:
        """Return what is being written."""
        return tuple(self._tasks)

    def forget(self) -> None:
        """Forget what was read and written."""
        self._read_at.clear()
        self._written.clear()
        self._adopted.clear()
        self._seen.clear()
        self._is_down = False
        self.redis = None

    async def pull(self, scopes: Iterable[Scope]) -> None:
        """Take over what others know, at most once a second for each key; tell what is known here.

        Never raises: a Redis that is down leaves each process with what it knows.
        """
        redis = self.cache()
        due = [] if redis is None else self._due(scopes)
        if not due:
            return
        try:
            values = await redis.async_batch_get_cache(_keys(due))
            entries = self._news(values, due)
            for key, value in entries.items():
                self._take(key, value, await redis.async_get_ttl(key))
            for scope in due:
                await self._write_report(redis, scope)
            self.note_up()
        except Exception as error:  # noqa: BLE001  # LiteLLM hands on whatever Redis raises
            self.note_down(error)

    def pull_sync(self, scopes: Iterable[Scope]) -> None:
        """Do what `pull` does from a sync call, reading only."""
        redis = self.cache()
        due = [] if redis is None else self._due(scopes)
        if not due:
            return
        try:
            values = redis.batch_get_cache(_keys(due))
            entries = self._news(values, due)
            for key, value in entries.items():
                named = redis.check_and_fix_namespace(key=key)
                self._take(key, value, redis.redis_client.ttl(named))
            self.note_up()
        except Exception as error:  # noqa: BLE001  # as above
            self.note_down(error)

    async def claim_trial(self, scope: Scope) -> bool:
        """Take the one trial of a key over all workers; False where another one has it."""
        redis = self.cache()
        if redis is None:
            return True
        try:
            # Not a key that is set if it is new: LiteLLM answers the same where Redis is down.
            count = await redis.async_increment(
                f"{_PREFIX}trial:{scope}", 1, ttl=int(TRIAL_SECONDS)
            )
            self.note_up()
        except Exception as error:  # noqa: BLE001  # as above
            self.note_down(error)
            return True
        return int(count) == 1

    def claim_trial_sync(self, scope: Scope) -> bool:
        """Do what `claim_trial` does from a sync call."""
        redis = self.cache()
        if redis is None:
            return True
        try:
            count = redis.increment_cache(f"{_PREFIX}trial:{scope}", 1, ttl=int(TRIAL_SECONDS))
            self.note_up()
        except Exception as error:  # noqa: BLE001  # as above
            self.note_down(error)
            return True
        return int(count) == 1

    def publish_soon(self, scope: Scope) -> None:
        """Tell others that a key rests now, or has stopped to; return at once."""
        redis = self.cache()
        if redis is None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            threading.Thread(
                target=self._publish_sync,
                args=(redis, scope),
                name="litellm-synthetic-share",
                daemon=True,
            ).start()
            return
        self._keep(loop.create_task(self._publish(redis, scope)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _publish(self, redis: Any, scope: Scope) -> Coroutine[Any, Any, None]:
        key, value, seconds = _rest_entry(scope)

        async def write() -> None:
            try:
                await redis.async_set_cache(key, value, ttl=seconds)
                await self._write_report(redis, scope, now=True)
                self.note_up()
            except Exception as error:  # noqa: BLE001  # as above
                self.note_down(error)

        return write()

    def _publish_sync(self, redis: Any, scope: Scope) -> None:
        key, value, seconds = _rest_entry(scope)
        try:
            redis.set_cache(key, value, ttl=seconds)
            self.note_up()
        except Exception as error:  # noqa: BLE001  # as above
            self.note_down(error)

    async def _write_report(self, redis: Any, scope: Scope, *, now: bool = False) -> None:
        latest = STATE.latest(scope)
        if latest is None:
            return
        at, written = self._written.get(scope, (-WRITE_SECONDS, None))
        moment = STATE.clock.monotonic()
        if written is latest or (moment - at < WRITE_SECONDS and not now):
            return
        self._written[scope] = (moment, latest)
        age = STATE.clock.now().seconds_since(latest.seen)
        if age >= _REPORT_SECONDS:
            return
        value = json.dumps({"text": latest.text, "date": latest.date})
        await redis.async_set_cache(
            f"{_PREFIX}report:{scope}", value, ttl=int(_REPORT_SECONDS - age)
        )

    def _due(self, scopes: Iterable[Scope]) -> list[Scope]:
        now = STATE.clock.monotonic()
        due = [s for s in scopes if now - self._read_at.get(s, -READ_SECONDS) >= READ_SECONDS]
        self._read_at |= dict.fromkeys(due, now)
        return due

    def _news(self, values: Mapping[str, Any], scopes: Iterable[Scope]) -> dict[str, Any]:
        """Return the entries that are new since the last look; end the rests that are over."""
        if not values:  # LiteLLM's answer where Redis cannot be reached
            raise ConnectionError("no answer")
        news = {}
        for scope in scopes:
            for key in _keys((scope,)):
                value = values.get(key)
                if value != self._seen.get(key):
                    self._seen[key] = value
                    news[key] = value
            if not _document(values.get(f"{_PREFIX}rest:{scope}")).get("reason"):
                news.pop(f"{_PREFIX}rest:{scope}", None)
                if scope in self._adopted:
                    self._adopted.discard(scope)
                    RESTS.drop(scope)  # whoever noted it has been served since
        return {key: value for key, value in news.items() if value is not None}

    def _take(self, key: str, value: Any, expires_in: object) -> None:
        """Take over an entry, which is as old as its expiry tells."""
        left = expires_in if isinstance(expires_in, int) and expires_in >= 0 else None
        kind, _, scope = key.removeprefix(_PREFIX).partition(":")
        now = STATE.clock.now()
        if kind == "report":
            age = 0.0 if left is None else max(0.0, float(_REPORT_SECONDS - left))
            seen = Instant(now.wall - age, now.monotonic - age)
            report = _report(value, seen)
            own = STATE.latest(scope)
            if report is not None and (own is None or own.seen.monotonic < seen.monotonic):
                STATE.keep(scope, report)
                self._written[scope] = (now.monotonic, report)
            return
        rest = _rest(value, now, left)
        if rest is not None and (RESTS.resting(scope) is None or scope in self._adopted):
            self._adopted.add(scope)
            RESTS.drop(scope)
            RESTS.adopt(scope, rest)

    def cache(self) -> Any:
        """Return LiteLLM's Redis: that of the proxy's Router, or of `litellm.cache`."""
        if self.redis is not None:
            return self.redis
        proxy: Any = sys.modules.get("litellm.proxy.proxy_server")
        router = getattr(proxy, "llm_router", None)
        redis = getattr(getattr(router, "cache", None), "redis_cache", None)
        if redis is None:
            cache = getattr(getattr(litellm, "cache", None), "cache", None)
            redis = cache if hasattr(cache, "async_batch_get_cache") else None
            redis = redis if hasattr(redis, "check_and_fix_namespace") else None
        return redis

    def note_down(self, error: Exception) -> None:
        """Warn once that Redis cannot be reached."""
        if not self._is_down:
            _log.warning(
                "Redis cannot be reached (%s): each process goes by what it knows of the plans "
                "itself until it can.",
                type(error).__name__,
            )
        self._is_down = True

    def note_up(self) -> None:
        """Tell once that Redis can be reached again."""
        if self._is_down:
            _log.info("Redis can be reached again; what is known of the plans is shared.")
        self._is_down = False


def _keys(scopes: Iterable[Scope]) -> list[str]:
    return [f"{_PREFIX}{kind}:{scope}" for scope in scopes for kind in ("report", "rest")]


def _rest_entry(scope: Scope) -> tuple[str, str, int]:
    rest, now = RESTS.resting(scope), STATE.clock.now()
    key = f"{_PREFIX}rest:{scope}"
    if rest is None:
        return key, json.dumps({"over": True}), 1
    left = rest.seconds_left(now)
    seconds = int(min(left, _MAX_REST_SECONDS)) + _GRACE_SECONDS
    value = {
        "reason": rest.reason,
        "refusals": rest.refusals,
        "remaining": dict(rest.remaining),
    }
    return key, json.dumps(value), seconds


def _document(value: object) -> dict[str, Any]:
    """Return an entry's object; empty for whatever else somebody has written there."""
    if isinstance(value, str) and len(value) <= 2 * MAX_HEADER_CHARACTERS:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _report(value: object, seen: Instant) -> Sighting | None:
    document = _document(value)
    text, date = document.get("text"), document.get("date")
    if not isinstance(text, str) or not text.startswith("{") or len(text) > MAX_HEADER_CHARACTERS:
        return None
    return Sighting(text, date if isinstance(date, str) else None, seen)


def _rest(value: object, now: Instant, expires_in: int | None) -> Rest | None:
    document = _document(value)
    reason, refusals = document.get("reason"), document.get("refusals")
    remaining = document.get("remaining")
    if reason not in {"cap", "payment"} or expires_in is None:
        return None
    return Rest(
        reason,
        now,
        float(min(max(expires_in - _GRACE_SECONDS, 0), _MAX_REST_SECONDS)),
        refusals if isinstance(refusals, int) and 0 < refusals < _MAX_REFUSALS else 1,
        {
            name: float(figure)
            for name, figure in (remaining if isinstance(remaining, dict) else {}).items()
            if isinstance(name, str) and isinstance(figure, int | float)
        },
    )


SHARED: Final = SharedState()
