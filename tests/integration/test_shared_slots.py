"""Slots for calls at a time over several workers, on a real Redis.

A worker is played by `Slots` and `SharedLeases` of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from litellm.caching.redis_cache import RedisCache

from litellm_synthetic.integration import shared_slots
from litellm_synthetic.integration.shared_slots import SharedLeases
from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.slots import Slots, SlotTimeoutError
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.waiting import MAX_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = needs_redis
PLACE = "digest:model"


_OWNERS: list[SharedLeases] = []
_NO_REDIS = SimpleNamespace(redis_client=SimpleNamespace(execute_command=lambda: None))


@pytest.fixture
def redis(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """Share over it, through LiteLLM's own cache object."""
    SHARED.redis = RedisCache(host="127.0.0.1", port=redis.port, socket_timeout=5)
    yield redis
    # Else their threads go on asking it during other tests, for leases that were not given back.
    monkeypatch.setattr(shared_slots, "LEASE_SECONDS", 0.01)
    while _OWNERS:
        end(_OWNERS.pop())
    SHARED.forget()


def end(owner: SharedLeases) -> None:
    """Wait until its thread has done its work, and has ended because it holds nothing."""
    owner._held.clear()  # noqa: SLF001
    owner._do(_NO_REDIS, ())  # noqa: SLF001  # it may be waiting for work
    if (thread := owner._keeper) is not None:  # noqa: SLF001
        thread.join()


def new_owner() -> SharedLeases:
    _OWNERS.append(SharedLeases())
    return _OWNERS[-1]


def worker() -> Slots:
    return worker_with(new_owner())


def worker_with(leases: SharedLeases) -> Slots:
    return Slots(leases=lambda: leases)


def leases(redis: RedisServer) -> int:
    reply = redis.ask(f"ZCARD litellm_synthetic:slots:{{{PLACE}}}:leases")
    return int(reply.strip(b":\r\n"))


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, lambda: "it never comes to that")


async def test_two_workers_have_no_more_slots_than_one(redis: RedisServer) -> None:
    first, second = worker(), worker()
    one = await first.atake(PLACE, 2, MAX_SECONDS)
    two = await asyncio.to_thread(second.take, PLACE, 2, MAX_SECONDS)
    for slots in (first, second):
        with pytest.raises(SlotTimeoutError) as caught:
            await slots.atake(PLACE, 2, 0.01)
        assert caught.value.limit == 2
        with pytest.raises(SlotTimeoutError):
            await asyncio.to_thread(slots.take, PLACE, 2, 0.01)
    waiting = asyncio.create_task(second.atake(PLACE, 2, MAX_SECONDS))
    one.give_back()
    three = await waiting
    two.give_back()
    three.give_back()
    await until(lambda: leases(redis) == 0)


async def test_who_came_first_to_either_worker_goes_first(redis: RedisServer) -> None:
    workers = [worker() for _ in range(4)]
    held = await workers[0].atake(PLACE, 1, MAX_SECONDS)
    order: list[int] = []

    async def call(number: int) -> None:
        slot = await workers[number].atake(PLACE, 1, MAX_SECONDS)
        order.append(number)
        slot.give_back()

    def waiting() -> int:
        reply = redis.ask(f"ZCARD litellm_synthetic:slots:{{{PLACE}}}:order")
        return int(reply.strip(b":\r\n"))

    calls = []
    for number in (1, 3, 2):
        calls.append(asyncio.create_task(call(number)))
        await until(lambda: waiting() == len(calls))  # awaited at once
    held.give_back()
    await asyncio.gather(*calls)
    assert order == [1, 3, 2]


async def test_a_cancelled_wait_leaves_no_lease(redis: RedisServer) -> None:
    first, second = worker(), worker()
    held = await first.atake(PLACE, 1, MAX_SECONDS)
    waiting = asyncio.create_task(second.atake(PLACE, 1, MAX_SECONDS))
    await until(lambda: second.taken(PLACE) == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.give_back()
    (await first.atake(PLACE, 1, MAX_SECONDS)).give_back()
    await until(lambda: leases(redis) == 0)
    assert second.taken(PLACE) == 0


@pytest.mark.parametrize("is_given", [True, False], ids=["given", "not given"])
async def test_a_cancellation_that_the_client_swallows_ends_the_wait(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, *, is_given: bool
) -> None:
    client = SHARED.redis.init_async_client()
    has_answer = asyncio.Event()

    class Swallowing:
        """A client of redis-py on Python 3.11, whose `asyncio.wait_for` may do this."""

        async def eval(self, *args: Any) -> Any:
            assert not has_answer.is_set(), "asked again"
            answer = await client.eval(*args)
            has_answer.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return answer

    slots = worker()
    held = None if is_given else await slots.atake(PLACE, 1, MAX_SECONDS)
    monkeypatch.setattr(SHARED.redis, "init_async_client", Swallowing)
    waiting = asyncio.create_task(worker().atake(PLACE, 1, MAX_SECONDS))
    await has_answer.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if held is not None:
        held.give_back()
    await until(lambda: leases(redis) == 0)


async def test_the_lease_of_a_worker_that_died_comes_free(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_slots, "LEASE_SECONDS", 0.2)
    dead = new_owner()
    monkeypatch.setattr(dead, "_renew", lambda: None)  # as of a process that has ended
    await worker_with(dead).atake(PLACE, 1, MAX_SECONDS)
    (await worker().atake(PLACE, 1, MAX_SECONDS)).give_back()
    await until(lambda: leases(redis) == 0)


async def test_a_lease_is_renewed_for_as_long_as_its_call_runs(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_slots, "LEASE_SECONDS", 30.0)
    owner = new_owner()
    lease = await owner.atake(PLACE, 1, None)
    assert lease is not None
    redis.forget()  # as if it had run out
    assert leases(redis) == 0
    owner._renew()  # noqa: SLF001  # what its thread does three times per lease
    assert leases(redis) == 1
    lease.give_back()
    await until(lambda: leases(redis) == 0)


async def test_what_one_worker_learnt_the_other_keeps_to(redis: RedisServer) -> None:
    first, second = worker(), worker()
    running = [await first.atake(PLACE, None, MAX_SECONDS) for _ in range(2)]
    first.learn(PLACE, 2)
    await until(lambda: b"2" in redis.ask(f"GET litellm_synthetic:slots:{{{PLACE}}}:told"))
    with pytest.raises(SlotTimeoutError):
        await second.atake(PLACE, None, 0.01)
    for slot in running:
        slot.give_back()
    await until(lambda: leases(redis) == 0)
    (await second.atake(PLACE, None, MAX_SECONDS)).give_back()
    assert second._limit(PLACE, None) == 2  # noqa: SLF001  # it has heard of it


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_with_redis_down_each_worker_counts_for_itself(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    slots = worker()
    redis.kill()
    with caplog.at_level(logging.WARNING, "litellm_synthetic"):
        for _ in range(2):
            if is_async:
                slot = await slots.atake(PLACE, 1, MAX_SECONDS)
            else:
                slot = await asyncio.to_thread(slots.take, PLACE, 1, MAX_SECONDS)
            with pytest.raises(SlotTimeoutError):
                await slots.atake(PLACE, 1, 0.01)
            slot.give_back()
    told = [each for each in caplog.records if "Redis cannot be reached" in each.message]
    assert len(told) == 1
