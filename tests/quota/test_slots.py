"""Slots are handed out in order, to threads and event loops alike, and none is ever lost."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING

import pytest

from litellm_synthetic.quota.slots import LEARNT_SECONDS, Slot, Slots, SlotTimeoutError
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "key:model"


def start(slots: Slots, done: list[str], name: str, limit: int | None = 1) -> threading.Thread:
    """Have a thread wait for a slot, and return once it is in the queue."""
    before = slots.waiting(PLACE)

    def take() -> None:
        slot = slots.take(PLACE, limit, None)
        done.append(name)
        slot.give_back()

    thread = threading.Thread(target=take)
    thread.start()
    wait_until(lambda: slots.waiting(PLACE) > before, lambda: "it does not wait")
    return thread


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_threads_and_tasks_go_in_the_order_in_which_they_came() -> None:
    slots = Slots()
    done: list[str] = []
    first = await slots.atake(PLACE, 1, None)

    async def task(name: str) -> None:
        slot = await slots.atake(PLACE, 1, None)
        done.append(name)
        slot.give_back()

    threads, tasks = [], []
    for number in range(6):
        if number % 2:
            tasks.append(asyncio.create_task(task(str(number))))
            await until(lambda: slots.waiting(PLACE) > number)  # noqa: B023  # awaited at once
        else:
            threads.append(start(slots, done, str(number)))
    assert done == []
    first.give_back()
    await asyncio.gather(*tasks)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert done == ["0", "1", "2", "3", "4", "5"]
    assert (slots.taken(PLACE), slots.waiting(PLACE)) == (0, 0)


@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_no_more_than_the_limit_have_a_slot_at_once(limit: int) -> None:
    slots, at_once, most = Slots(), 0, 0

    async def call() -> None:
        nonlocal at_once, most
        slot = await slots.atake(PLACE, limit, None)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        slot.give_back()

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == limit
    assert slots.taken(PLACE) == 0


def test_other_keys_and_models_do_not_wait() -> None:
    slots = Slots()
    slots.take(PLACE, 1, None)
    slots.take("other:model", 1, 0.0).give_back()
    with pytest.raises(SlotTimeoutError) as caught:
        slots.take(PLACE, 1, 0.0)
    assert caught.value.limit == 1


async def test_a_wait_in_vain_ends_and_leaves_the_queue() -> None:
    slots = Slots()
    slot = slots.take(PLACE, 1, None)
    with pytest.raises(SlotTimeoutError):
        await slots.atake(PLACE, 1, 0.001)
    with pytest.raises(SlotTimeoutError):
        await asyncio.to_thread(slots.take, PLACE, 1, 0.001)
    slot.give_back()
    slots.take(PLACE, 1, 0.0).give_back()
    assert slots.taken(PLACE) == 0


@pytest.mark.parametrize("is_handed_over", [False, True], ids=["waiting", "handed over"])
async def test_a_cancelled_wait_loses_no_slot(*, is_handed_over: bool) -> None:
    slots = Slots()
    slot = await slots.atake(PLACE, 1, None)
    task = asyncio.create_task(slots.atake(PLACE, 1, None))
    await until(lambda: slots.waiting(PLACE) == 1)
    if is_handed_over:
        slot.give_back()  # the slot is the task's, which has not run since
        task.cancel()
    else:
        task.cancel()
        await asyncio.sleep(0)
        slot.give_back()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slots.taken(PLACE) == 0
    (await slots.atake(PLACE, 1, 0.0)).give_back()


def test_a_slot_given_back_twice_comes_free_once() -> None:
    slots = Slots()
    first, second = slots.take(PLACE, 2, None), slots.take(PLACE, 2, None)
    first.give_back()
    first.give_back()
    assert slots.taken(PLACE) == 1
    second.give_back()


def test_a_stream_that_is_dropped_gives_its_slot_back() -> None:
    class Body:
        pass

    given: list[bool] = []
    body = Body()
    Slot(lambda: given.append(True)).keep_until_closed(body)
    assert not given
    del body
    gc.collect()
    assert given == [True]


def test_what_a_refusal_told_counts_for_calls_that_run_already_and_is_forgotten_in_time() -> None:
    now = 0.0
    slots = Slots(lambda: now)
    running = [slots.take(PLACE, None, None) for _ in range(3)]  # nothing is known yet
    slots.learn(PLACE, 2)
    with pytest.raises(SlotTimeoutError) as caught:
        slots.take(PLACE, None, 0.0)
    assert caught.value.limit == 2
    for slot in running[:2]:
        slot.give_back()
    slots.take(PLACE, None, 0.0)
    with pytest.raises(SlotTimeoutError):
        slots.take(PLACE, None, 0.0)
    now = LEARNT_SECONDS + 1  # the service may allow more by now
    slots.take(PLACE, None, 0.0)


def test_a_limit_that_is_raised_lets_those_who_wait_go_on() -> None:
    slots = Slots()
    done: list[str] = []
    slots.learn(PLACE, 1)
    slots.take(PLACE, None, None)
    threads = [start(slots, done, name, None) for name in "ab"]
    slots.learn(PLACE, 3)
    for thread in threads:
        thread.join()
    assert sorted(done) == ["a", "b"]
