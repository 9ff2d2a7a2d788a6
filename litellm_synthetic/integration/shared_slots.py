"""Slots for calls at a time over all workers and machines, in LiteLLM's own Redis.

A slot is a lease that its process renews, so one whose process has died comes free by itself. Time
is Redis's own, so clocks that differ do no harm. With Redis down each process counts for itself.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.slots import LEARNT_SECONDS, SlotTimeoutError

if TYPE_CHECKING:
    from litellm_synthetic.quota.slots import Place

LEASE_SECONDS: Final = 30.0
# Who waits asks so often, and is forgotten if it does not for the second time.
ASK_SECONDS: Final = 0.1
_FORGOTTEN_SECONDS: Final = 3.0
# A Redis that hangs is not asked by every call.
_ANSWER_SECONDS: Final = 2.0
DOWN_SECONDS: Final = 5.0
_PREFIX: Final = "litellm_synthetic:slots:"

# Waiters get leases in the order in which they first asked. A limit of 0 is one that is not known;
# then a limit that another process has told counts, else there is none.
_TAKE: Final = """
local leases, order, heard, told = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, limit = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if limit == 0 then limit = tonumber(redis.call('GET', told) or '0') or 0 end
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', heard, '-inf', now)) do
  redis.call('ZREM', heard, silent)
  redis.call('ZREM', order, silent)
end
redis.call('ZADD', order, 'NX', now, token)
local is_free = limit == 0
if not is_free then
  is_free = redis.call('ZRANK', order, token) < limit - redis.call('ZCARD', leases)
end
if is_free then
  redis.call('ZREM', order, token)
  redis.call('ZREM', heard, token)
  redis.call('ZADD', leases, now + ARGV[3] * 1000000, token)
  redis.call('EXPIRE', leases, ARGV[5])
  return {1, limit}
end
redis.call('ZADD', heard, now + ARGV[4] * 1000000, token)
redis.call('EXPIRE', order, ARGV[5])
redis.call('EXPIRE', heard, ARGV[5])
return {0, limit}
"""
# A lease that Redis has lost, or that was late, is made again: its call is still running.
_RENEW: Final = """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000000 + time[2] + ARGV[2] * 1000000, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_KEPT_SECONDS: Final = 3600


class SharedLease:
    """A lease on a slot; see `quota.slots.Lease`."""

    def __init__(self, owner: SharedLeases, place: Place, token: str, limit: int | None) -> None:
        self.limit = limit
        self._owner, self._place, self._token = owner, place, token

    def give_back(self) -> None:
        """Let another have it; return at once."""
        self._owner.end(self._place, self._token)


class SharedLeases:
    """Take leases in Redis, and renew them for as long as their calls run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Any, Place]] = {}
        self._work: queue.SimpleQueue[tuple[Any, tuple[Any, ...]]] = queue.SimpleQueue()
        self._keeper: threading.Thread | None = None
        self._down_until = 0.0

    def take(self, place: Place, limit: int | None, deadline: float | None) -> SharedLease | None:
        """Wait for a lease; None where each process goes by its own count.

        Raises:
            SlotTimeoutError: none came free until the deadline, on the monotonic clock.
        """
        redis, token = self._redis(), uuid.uuid4().hex
        while redis is not None:
            try:
                answer = redis.redis_client.eval(*_take(redis, place, token, limit))
            except Exception as error:  # noqa: BLE001  # whatever a Redis client raises
                self._down(error)
                break
            if (lease := self._taken(redis, place, token, answer)) is not None:
                return lease
            self._check_deadline(redis, place, token, limit, deadline)
            time.sleep(ASK_SECONDS)
        return None

    async def atake(
        self, place: Place, limit: int | None, deadline: float | None
    ) -> SharedLease | None:
        """Do what `take` does, on the running event loop."""
        redis, token = self._redis(), uuid.uuid4().hex
        while redis is not None:
            try:
                answer = await _aask(redis, place, token, limit)
            except Exception as error:  # noqa: BLE001  # as above
                self._down(error)
                break
            except BaseException:  # cancelled: the lease may have been given
                self._drop(redis, place, token)
                raise
            if (lease := self._taken(redis, place, token, answer)) is not None:
                return lease
            self._check_deadline(redis, place, token, limit, deadline)
            try:
                await asyncio.sleep(ASK_SECONDS)
            except BaseException:
                self._drop(redis, place, token)
                raise
        return None

    def tell(self, place: Place, limit: int) -> None:
        """Tell the others of a limit; return at once."""
        redis = self._redis()
        if redis is not None:
            self._do(redis, ("SET", _keys(redis, place)[3], limit, "EX", int(LEARNT_SECONDS)))

    def end(self, place: Place, token: str) -> None:
        """Give a lease back; return at once."""
        with self._lock:
            redis, _ = self._held.pop(token, (None, place))
        if redis is not None:
            self._drop(redis, place, token)

    def after_fork(self) -> None:
        """Start over: the leases of the process that forked are not this one's."""
        self.__init__()  # type: ignore[misc]  # all of it

    def _redis(self) -> Any:
        redis = SHARED.cache()
        is_known = hasattr(redis, "redis_client") and hasattr(redis, "init_async_client")
        return redis if is_known and time.monotonic() >= self._down_until else None

    def _down(self, error: Exception) -> None:
        self._down_until = time.monotonic() + DOWN_SECONDS
        SHARED.note_down(error)

    def _taken(self, redis: Any, place: Place, token: str, answer: Any) -> SharedLease | None:
        is_given, limit = int(answer[0]), int(answer[1])
        SHARED.note_up()
        if not is_given:
            return None
        with self._lock:
            self._held[token] = (redis, place)
        self._keep()
        return SharedLease(self, place, token, limit or None)

    def _check_deadline(
        self, redis: Any, place: Place, token: str, limit: int | None, deadline: float | None
    ) -> None:
        if deadline is not None and time.monotonic() + ASK_SECONDS > deadline:
            self._drop(redis, place, token)
            raise SlotTimeoutError(limit)

    def _drop(self, redis: Any, place: Place, token: str) -> None:
        for key in _keys(redis, place)[:3]:
            self._do(redis, ("ZREM", key, token))

    def _do(self, redis: Any, command: tuple[Any, ...]) -> None:
        self._work.put((redis, command))
        self._keep()

    def _keep(self) -> None:
        """See that there is a thread that renews leases and gives them back."""
        with self._lock:
            if self._keeper is None or not self._keeper.is_alive():
                self._keeper = threading.Thread(
                    target=self._run, name="litellm-synthetic-slots", daemon=True
                )
                self._keeper.start()

    def _run(self) -> None:
        renewed_at = time.monotonic()
        while True:
            try:
                redis, command = self._work.get(timeout=LEASE_SECONDS / 3)
            except queue.Empty:
                with self._lock:
                    if not self._held:
                        self._keeper = None
                        return
            else:
                self._try(redis.redis_client.execute_command, *command)
            if time.monotonic() - renewed_at >= LEASE_SECONDS / 3:
                renewed_at = time.monotonic()
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            held = list(self._held.items())
        for token, (redis, place) in held:
            key = _keys(redis, place)[0]
            if not self._try(
                redis.redis_client.eval, _RENEW, 1, key, token, LEASE_SECONDS, _KEPT_SECONDS
            ):
                return

    def _try(self, call: Any, *args: Any) -> bool:
        try:
            call(*args)
        except Exception as error:  # noqa: BLE001  # as above
            self._down(error)
            return False
        return True


def _keys(redis: Any, place: Place) -> list[str]:
    # The braces keep them on one node of a cluster, which a script needs.
    names = ("leases", "order", "heard", "told")
    keys = (f"{_PREFIX}{{{place}}}:{name}" for name in names)
    return [redis.check_and_fix_namespace(key=key) for key in keys]


def _take(redis: Any, place: Place, token: str, limit: int | None) -> tuple[Any, ...]:
    keys = _keys(redis, place)
    args = (token, limit or 0, LEASE_SECONDS, _FORGOTTEN_SECONDS, _KEPT_SECONDS)
    return (_TAKE, len(keys), *keys, *args)


async def _aask(redis: Any, place: Place, token: str, limit: int | None) -> Any:
    """Ask for a lease once; a cancellation ends it also where the client returns all the same.

    redis-py sends with `asyncio.wait_for`, which in Python 3.11 may return a result in place of a
    cancellation that comes just then.
    """
    task: Any = asyncio.current_task()
    requests = task.cancelling()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await redis.init_async_client().eval(*_take(redis, place, token, limit))
    finally:
        if task.cancelling() > requests:
            raise asyncio.CancelledError


LEASES: Final = SharedLeases()
"""The leases of this process."""

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=LEASES.after_fork)
