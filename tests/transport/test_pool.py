"""Connections that are shared: taken, given back whatever happens, closed when unused."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.transport import on_loop, pool
from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
from litellm_synthetic.transport.failures import ConnectStallError
from litellm_synthetic.transport.limits import TimeLimits
from litellm_synthetic.transport.pool import retire_connections
from tests.transport.upstream import PATIENCE_SECONDS, Upstream, Way, chunked, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from litellm_synthetic.transport.client import Reply
    from tests.transport.upstream import Connection

DESCRIPTORS = Path("/proc/self/fd")
needs_proc = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="counts descriptors in /proc")


def descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir()))


def ways_of_this_loop() -> list[Any]:
    of_loop = pool._loops.get(asyncio.get_running_loop())  # noqa: SLF001  # what a leak would show in
    return [] if of_loop is None else [*of_loop.ways.values()]


async def settle(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.002)


def events(connection: Connection) -> bool:
    connection.write(chunked(b"data: 0\n\n", end=False))
    for number in range(1, 4):
        connection.stopping.wait(0.0005)
        connection.write(b"9\r\ndata: %d\n\n\r\n" % number)
    connection.write(b"0\r\n\r\n")
    return True


async def plain_call(way: Way, url: str) -> None:
    await way.send(url)


async def read_stream(way: Way, url: str) -> None:
    body: Any = await way.open(url)
    try:
        await way.read_all(body)
        await way.drain(body)
    finally:
        await way.close(body)


async def leave_stream(way: Way, url: str) -> None:
    body: Any = await way.open(url)
    try:
        await way.read(body)
    finally:
        await way.close(body)


async def large_call(way: Way, url: str) -> None:
    await way.send(url, content=b"x" * 300_000)


@needs_proc
@pytest.mark.parametrize("name", ["async", "httpx-async"])
@pytest.mark.parametrize("call", [plain_call, read_stream, leave_stream, large_call])
async def test_cancelling_at_any_await_gives_everything_back(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: Callable[[Way, str], Coroutine[Any, Any, None]],
) -> None:
    monkeypatch.setattr(on_loop, "MAX_CONNECTIONS", 3)
    with Upstream(events if "stream" in call.__name__ else whole(b"{}")) as upstream:
        async with Way(name) as way:
            await call(way, upstream.url)
            await settle(lambda: len(asyncio.all_tasks()) == 1)
            threads, before = threading.active_count() - upstream.serving, descriptors()
            cancelled = 0
            for steps in range(60):
                for _ in range(5 if name == "async" else 2):
                    tasks = [asyncio.create_task(call(way, upstream.url)) for _ in range(2)]
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    for task in tasks:
                        cancelled += task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
            assert cancelled > (100 if name == "async" else 40)
            # The loop still lives, and so does every place in the pool.
            await asyncio.gather(*(call(way, upstream.url) for _ in range(9)))
            await settle(lambda: len(asyncio.all_tasks()) == 1)
            assert all(one._in_use == 0 for one in ways_of_this_loop())  # noqa: SLF001  # as above
            await way.let_go()
            assert await upstream.all_left()
            await settle(lambda: descriptors() <= before)
            assert threading.active_count() - upstream.serving <= threads


async def test_a_second_cancellation_while_closing_changes_nothing() -> None:
    with Upstream(events) as upstream:
        async with Way("async") as way:
            for _ in range(20):
                task = asyncio.create_task(leave_stream(way, upstream.url))
                await upstream.has_requests(1)
                for _ in range(6):
                    task.cancel()
                    await asyncio.sleep(0)
                await asyncio.gather(task, return_exceptions=True)
            assert all(one._in_use == 0 for one in ways_of_this_loop())  # noqa: SLF001  # as above
            await way.let_go()
            assert await upstream.all_left()


async def test_a_call_waits_for_a_place_no_longer_than_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_loop, "MAX_CONNECTIONS", 1)
    with Upstream(lambda connection: connection.stall()) as upstream:
        async with Way("async") as way:
            first = asyncio.create_task(way.send(upstream.url))
            await upstream.has_requests(1)
            limits = TimeLimits(0.1, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)
            with pytest.raises(ConnectStallError):
                await way.send(upstream.url, limits=limits)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            upstream.answer = whole(b"{}")
            assert (await way.send(upstream.url)).body == b"{}"


async def test_a_stream_that_nobody_closed_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_loop, "MAX_CONNECTIONS", 2)

    def endless(connection: Connection) -> None:
        connection.write(chunked(b"data: a\n\n", end=False))
        connection.stall()

    with Upstream(endless) as upstream:
        async with Way("async") as way:
            for _ in range(6):
                body: Any = await way.open(upstream.url)
                await way.read(body)
                del body
                gc.collect()
            [one] = ways_of_this_loop()
            await settle(lambda: one._in_use == 0)  # noqa: SLF001  # as above
            assert await upstream.all_left()


@needs_proc
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_loops_that_were_closed_without_a_word_leave_nothing() -> None:
    with Upstream(whole(b"{}")) as upstream:
        way = Way("async")
        before = 0
        for number in range(30):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(way.send(upstream.url)).status == 200
            loop.close()
            if number == 2:
                before = descriptors()
        assert descriptors() <= before
        assert len(pool._loops) == 1  # noqa: SLF001  # what would grow
        retire_connections()
        assert not pool._loops  # noqa: SLF001  # the same
        asyncio.run(_all_left(upstream))
    # asyncio's transports of a closed loop cannot be told that their sockets are closed. They warn
    # when they are collected, which is here and not in whatever test comes next.
    del loop
    gc.collect()


async def _all_left(upstream: Upstream) -> None:
    assert await upstream.all_left()


@needs_proc
def test_asyncio_run_leaves_nothing() -> None:
    with Upstream(whole(b"{}")) as upstream:
        way = Way("async")
        for _ in range(3):
            asyncio.run(_twice(way, upstream.url))
        assert not pool._loops  # noqa: SLF001  # what would grow
        asyncio.run(_all_left(upstream))
    assert upstream.accepted == 3


async def _twice(way: Way, url: str) -> None:
    await way.send(url)
    await way.send(url)


async def test_retiring_lets_running_calls_finish(own_way: Way) -> None:
    def in_two(connection: Connection) -> bool:
        connection.write(chunked(b"data: a\n\n", end=False))
        while not go_on.is_set() and not connection.stopping.wait(0.005):
            pass
        connection.write(b"9\r\ndata: b\n\n\r\n0\r\n\r\n")
        return True

    go_on = threading.Event()
    with Upstream(in_two) as upstream:
        body = await own_way.open(upstream.url)
        pieces = await own_way.read(body)
        retire_connections()
        if own_way.is_async:
            await asyncio.sleep(0.01)  # what was idle is closed meanwhile
        go_on.set()
        pieces += await own_way.read_all(body)
        assert pieces == b"data: a\n\ndata: b\n\n"
        assert isinstance(body, ByteStream | AsyncByteStream)
        await own_way.close(body)
        assert await upstream.all_left()
        # Later calls open new connections.
        upstream.answer = whole(b"{}")
        assert (await own_way.send(upstream.url)).body == b"{}"
    assert upstream.accepted == 2


def test_threads_that_call_while_others_retire_all_get_their_reply() -> None:
    replies: list[Reply] = []
    failures: list[BaseException] = []

    def call() -> None:
        way = Way("sync")
        try:
            replies.extend(asyncio.run(_some(way, upstream.url, 25)))
        except BaseException as error:  # noqa: BLE001  # it is what is looked at
            failures.append(error)

    with Upstream(whole(b"{}")) as upstream:
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            retire_connections()
            threading.Event().wait(0.001)
        for thread in threads:
            thread.join()
    assert not failures
    assert len(replies) == 100


async def _some(way: Way, url: str, count: int) -> list[Reply]:
    return [await way.send(url) for _ in range(count)]


def test_loops_in_threads_have_connections_of_their_own() -> None:
    def call() -> None:
        asyncio.run(_some(Way("async"), upstream.url, 5))

    with Upstream(whole(b"{}")) as upstream:
        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asyncio.run(_all_left(upstream))
    assert (upstream.accepted, len(upstream.requests)) == (3, 15)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_does_not_write_into_its_parents_connections() -> None:
    with Upstream(whole(b"{}")) as upstream:
        way = Way("sync")
        asyncio.run(_some(way, upstream.url, 1))
        child = os.fork()
        if not child:  # pragma: no cover  # in another process
            reply = asyncio.run(_some(way, upstream.url, 1))
            os._exit(0 if reply[0].status == 200 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        asyncio.run(_some(way, upstream.url, 1))
    assert (upstream.accepted, len(upstream.requests)) == (2, 3)


async def test_many_origins_do_not_pile_up(own_way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_ORIGINS", 2)
    with (
        Upstream(whole(b"{}")) as one,
        Upstream(whole(b"{}")) as two,
        Upstream(whole(b"{}")) as three,
    ):
        for upstream in (one, two, three):
            await own_way.send(upstream.url)
        assert await one.all_left()
        for upstream in (two, three):
            await own_way.send(upstream.url)
        assert [upstream.accepted for upstream in (one, two, three)] == [1, 1, 1]
