"""LiteLLM's work after a call has returned, and ways to wait for the end of it.

LiteLLM tells callbacks of a call from a pool of threads, from a worker task of the event loop, and
of a sync stream's failure from a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.litellm_core_utils.thread_pool_executor import executor

from tests.waiting import MAX_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import pytest


class BackgroundWork:
    """Follow LiteLLM's background work from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._jobs: set[Future[Any]] = set()
        submit = executor.submit

        def followed(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            job = submit(work, *args, **kwargs)
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)
            return job

        monkeypatch.setattr(executor, "submit", followed)

    async def end(self) -> None:
        """Return when nothing is left to do."""
        async with asyncio.timeout(MAX_SECONDS):
            while self._is_under_way():
                await self._progress()

    def _is_under_way(self) -> bool:
        return bool(self._jobs or _failure_threads() or _tasks() or _is_queued())

    async def _progress(self) -> None:
        for thread in _failure_threads():
            await asyncio.to_thread(thread.join)
        # A copy, because jobs that end take themselves out.
        jobs = self._jobs.copy()
        waited_for: list[asyncio.Future[Any]] = [asyncio.wrap_future(job) for job in jobs]
        waited_for += _tasks()
        if waited_for:
            await asyncio.wait(waited_for)
        else:
            await asyncio.sleep(0)


def _is_queued() -> bool:
    """Return whether this event loop's worker has yet to begin with something."""
    worker = GLOBAL_LOGGING_WORKER
    if worker._queue is None or worker._bound_loop is not asyncio.get_running_loop():  # noqa: SLF001  # no public way
        return False
    return not worker._queue.empty()  # noqa: SLF001  # as above


def _failure_threads() -> list[threading.Thread]:
    """Return the threads in which LiteLLM tells of failed sync streams."""
    return [one for one in threading.enumerate() if "failure_handler" in one.name]


def _tasks() -> list[asyncio.Task[Any]]:
    """Return this event loop's other tasks that come to an end."""
    endless = GLOBAL_LOGGING_WORKER._worker_task  # noqa: SLF001  # no public way
    return [one for one in asyncio.all_tasks() if one not in {asyncio.current_task(), endless}]


def end_of_refreshes() -> None:
    """Wait for the refreshes of the model table that calls have started."""
    for thread in threading.enumerate():
        if thread.name == "litellm-synthetic-refresh":
            thread.join(MAX_SECONDS)
            assert not thread.is_alive()
