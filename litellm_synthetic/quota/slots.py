"""Slots for calls at a time, per key and model: whoever comes first goes first.

Synthetic refuses more than a few parallel requests per model and key ("max 4 parallel requests per
model"). Calls wait here instead, in one queue for threads and event loops alike, and a stream keeps
its slot until it ends or is left.

LiteLLM's own `max_parallel_requests` does not do it: its Router refuses the call that is one too
many instead of having it wait, counts per deployment and process instead of per key and model, and
does not count the calls that no Router makes (client_initalization_utils.py:16 in LiteLLM 1.108.7).
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from litellm_synthetic.quota.sharing import SHARING

if TYPE_CHECKING:
    from collections.abc import Callable

Place = str
"""A key's digest and a model, which have their slots for themselves."""

# What a refusal has told is believed for so long; then one refusal tells it again, if it holds.
LEARNT_SECONDS: Final = 3600.0
_MAX_LEARNT: Final = 1024


class SlotTimeoutError(Exception):
    """No slot came free in time.

    Attributes:
        limit: how many there are.
    """

    def __init__(self, limit: int | None) -> None:
        super().__init__(limit)
        self.limit = limit


class Leases(Protocol):
    """Slots over all workers and machines; see `integration.shared_slots`."""

    def take(self, place: Place, limit: int | None, deadline: float | None) -> Lease | None:
        """Wait for a lease; None where each process goes by its own count."""

    async def atake(self, place: Place, limit: int | None, deadline: float | None) -> Lease | None:
        """Do what `take` does, on the running event loop."""

    def tell(self, place: Place, limit: int) -> None:
        """Tell the others of a limit; return at once."""


class Lease(Protocol):
    """A slot that other processes know of."""

    limit: int | None

    def give_back(self) -> None:
        """Let another have it; return at once."""


@dataclass
class _Queue:
    limit: int | None = None
    taken: int = 0
    waiting: deque[Future[None]] = field(default_factory=deque)

    @property
    def has_room(self) -> bool:
        return self.limit is None or self.taken < self.limit


class Slot:
    """A slot that one call has, given back at the end of a `with`; twice does no harm."""

    def __init__(self, give_back: Callable[[], None] | None) -> None:
        self._give_back = give_back
        self._is_kept = False
        self.lease: Lease | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if not self._is_kept:
            self.give_back()

    def give_back(self) -> None:
        """Let the next one have it."""
        give_back, self._give_back = self._give_back, None
        if give_back is None:
            return
        lease, self.lease = self.lease, None
        if lease is not None:
            lease.give_back()
        give_back()

    def keep_until_closed(self, body: object) -> None:
        """Give it back when a stream's body is closed, or dropped without that."""
        if self._give_back is None:
            return
        self._is_kept = True
        body.on_close = self.give_back  # type: ignore[attr-defined]  # both kinds of bodies have it
        weakref.finalize(body, self.give_back).atexit = False


NO_SLOT: Final = Slot(None)
"""What a call has that is not counted."""


class Slots:
    """Hand out slots in the order in which they are asked for; safe to use from any thread.

    Args:
        clock: tells the time, in seconds.
        leases: returns what hands out slots over all processes, or None.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        leases: Callable[[], Leases | None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._leases = leases
        self._lock = threading.Lock()
        self._queues: dict[Place, _Queue] = {}
        self._learnt: dict[Place, tuple[int, float]] = {}

    def take(self, place: Place, limit: int | None, seconds: float | None) -> Slot:
        """Wait for a slot.

        Args:
            place: whose slots.
            limit: how many there are; None for what a refusal has told, if one has.
            seconds: for how long to wait at most; None for no limit.

        Raises:
            SlotTimeoutError: none came free in time.
        """
        deadline = None if seconds is None else self._clock() + seconds
        waiting = self._enter(place, limit)
        if waiting is not None:
            try:
                waiting.result(self._left(deadline))
            except FutureTimeoutError:
                if self._leave(place, waiting):
                    raise SlotTimeoutError(self._limit(place, limit)) from None
            except BaseException:  # Ctrl-C
                if not self._leave(place, waiting):
                    self._release(place)
                raise
        slot = Slot(lambda: self._release(place))
        if (leases := self._leases()) is not None:
            try:
                slot.lease = leases.take(place, self._limit(place, limit), deadline)
            except BaseException:
                slot.give_back()
                raise
            self._adopt(place, slot.lease)
        return slot

    async def atake(self, place: Place, limit: int | None, seconds: float | None) -> Slot:
        """Do what `take` does, on the running event loop."""
        deadline = None if seconds is None else self._clock() + seconds
        waiting = self._enter(place, limit)
        if waiting is not None:
            try:
                async with asyncio.timeout(self._left(deadline)):
                    await asyncio.wrap_future(waiting)
            except BaseException as error:
                if not self._leave(place, waiting):
                    self._release(place)
                if isinstance(error, TimeoutError):
                    raise SlotTimeoutError(self._limit(place, limit)) from None
                raise
        slot = Slot(lambda: self._release(place))
        if (leases := self._leases()) is not None:
            try:
                slot.lease = await leases.atake(place, self._limit(place, limit), deadline)
            except BaseException:
                slot.give_back()
                raise
            self._adopt(place, slot.lease)
        return slot

    def learn(self, place: Place, limit: int, *, is_own: bool = True) -> None:
        """Note how many slots there are, as a refusal has told."""
        with self._lock:
            if len(self._learnt) >= _MAX_LEARNT:
                self._learnt.clear()
            self._learnt[place] = (limit, self._clock())
            queue = self._queues.get(place)
            if queue is not None:
                queue.limit = limit
                self._hand_over(queue)
        if is_own and (leases := self._leases()) is not None:
            leases.tell(place, limit)

    def places(self) -> tuple[Place, ...]:
        """Return whose slots are taken or waited for."""
        with self._lock:
            return tuple(self._queues)

    def taken(self, place: Place) -> int:
        """Return how many calls have a slot."""
        queue = self._queues.get(place)
        return 0 if queue is None else queue.taken

    def waiting(self, place: Place) -> int:
        """Return how many calls wait for a slot."""
        queue = self._queues.get(place)
        return 0 if queue is None else len(queue.waiting)

    def forget(self) -> None:
        """Forget what was learnt; calls that have a slot keep it."""
        with self._lock:
            self._learnt.clear()

    def after_fork(self) -> None:
        """Start over: the calls of the process that forked are not this one's."""
        self._lock = threading.Lock()
        self._queues = {}

    def _limit(self, place: Place, limit: int | None) -> int | None:
        if limit is not None:
            return limit
        learnt, at = self._learnt.get(place, (None, 0.0))
        return learnt if self._clock() - at < LEARNT_SECONDS else None

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else max(deadline - self._clock(), 0.0)

    def _enter(self, place: Place, limit: int | None) -> Future[None] | None:
        """Take a slot, or a place in the queue, which is returned then."""
        limit = self._limit(place, limit)
        with self._lock:
            queue = self._queues.setdefault(place, _Queue())
            queue.limit = limit
            self._hand_over(queue)
            if not queue.waiting and queue.has_room:
                queue.taken += 1
                return None
            waiting: Future[None] = Future()
            queue.waiting.append(waiting)
            return waiting

    def _leave(self, place: Place, waiting: Future[None]) -> bool:
        """Leave the queue; False where a slot was handed over in the meantime."""
        if not (waiting.cancelled() or waiting.cancel()):
            return False
        with self._lock:
            queue = self._queues.get(place)
            if queue is not None and waiting in queue.waiting:
                queue.waiting.remove(waiting)
        return True

    def _release(self, place: Place) -> None:
        with self._lock:
            queue = self._queues.get(place)
            if queue is None:
                return  # of before a fork
            queue.taken = max(queue.taken - 1, 0)
            self._hand_over(queue)
            if not queue.taken and not queue.waiting:
                del self._queues[place]

    @staticmethod
    def _hand_over(queue: _Queue) -> None:
        """Give what is free to those who came first; the lock is held."""
        while queue.waiting and queue.has_room:
            waiting = queue.waiting.popleft()
            if waiting.set_running_or_notify_cancel():
                queue.taken += 1
                waiting.set_result(None)

    def _adopt(self, place: Place, lease: Lease | None) -> None:
        """Take over a limit that another process has learnt."""
        if lease is not None and lease.limit is not None and self._limit(place, None) is None:
            self.learn(place, lease.limit, is_own=False)


SLOTS: Final = Slots(leases=SHARING.leases)
"""The slots of this process."""

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=SLOTS.after_fork)
