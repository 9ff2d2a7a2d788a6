"""The background refresh of the model table, by one thread of one process.

Every call asks whether it is time, so a process that runs for months stays fresh.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog import active, cache
from litellm_synthetic.config import settings
from litellm_synthetic.config.endpoint import is_on_this_machine, is_same_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_BACK_OFF_SECONDS: Final = 60.0
MAX_BACK_OFF_SECONDS: Final = 3_600.0
# How long an answer of "not now" holds. The clock that is compared with stands still while a
# machine sleeps, and the environment may change.
RECONSIDER_SECONDS: Final = 300.0
# Longer than a refresh can take, here or in another process.
UNDER_WAY_SECONDS: Final = 10.0
_MAX_BASE_URLS: Final = 1_000

_log: Final = logging.getLogger("litellm_synthetic")


class Schedule:
    """Decide for one process when to refresh, and do it in a thread.

    Args:
        renew: fetches and returns the table of a base URL; raises if it can't.
    """

    def __init__(self, renew: Callable[[str], active.ModelTable]) -> None:
        self._renew = renew
        self._lock = threading.Lock()
        self._due: dict[str, float] = {}
        self._not_before = 0.0
        self._failures = 0
        self._generation = 0
        self._thread: threading.Thread | None = None
        active.when_forgotten(self.forget)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def start_if_due(self, base_url: str) -> None:
        """Start a refresh in the background if the table is due for one; return at once.

        Called with the base URL of each request. Refreshes the table in force, and only if the
        request goes to its host. Nothing is fetched with `SYNTHETIC_CATALOG=offline`, nor from a
        loopback address unless `SYNTHETIC_CATALOG=auto` is set. Never raises.
        """
        if monotonic() >= self._due.get(base_url, 0.0):
            self._consider(base_url)

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the refresh that is under way, if any; return whether none is left."""
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_seconds)
        return not thread.is_alive()

    def forget(self) -> None:
        """Start over: everything is due, nothing has failed."""
        with self._lock:
            self._due.clear()
            self._not_before = 0.0
            self._failures = 0
            self._generation += 1

    def _renew_lock(self) -> None:
        # The parent's thread does not exist in a forked child, nor does what held its lock.
        self._lock = threading.Lock()
        self._thread = None

    def _consider(self, base_url: str) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another request is deciding
        try:
            if len(self._due) >= _MAX_BASE_URLS:
                self._due.clear()
            now = monotonic()
            self._due[base_url] = now + RECONSIDER_SECONDS
            if now < self._not_before:
                self._due[base_url] = min(self._not_before, now + RECONSIDER_SECONDS)
                return
            wait = self._wait_seconds(base_url)
            if wait > 0:
                self._due[base_url] = now + min(wait, RECONSIDER_SECONDS)
                return
            self._not_before = self._due[base_url] = now + UNDER_WAY_SECONDS
            self._start()
        except Exception:  # noqa: BLE001  # told below, and no request's business
            _log.warning("the age of the model table could not be checked", exc_info=True)
        finally:
            self._lock.release()

    def _wait_seconds(self, base_url: str) -> float:
        """Return how long to leave the table alone, in seconds; 0 if it is due now."""
        if settings.CATALOG.value() == "offline":
            return RECONSIDER_SECONDS
        try:
            endpoint_url = settings.models_base_url(base_url)
        except ValueError:  # the request itself says what is wrong with it
            return RECONSIDER_SECONDS
        table = active.current_table()
        if not is_same_host(endpoint_url, table.base_url):
            return RECONSIDER_SECONDS
        if is_on_this_machine(endpoint_url) and settings.CATALOG.stated() != "auto":
            return RECONSIDER_SECONDS
        ttl, age = settings.CATALOG_TTL.value(), table.age_seconds()
        return 0.0 if age is None or table.is_stale(ttl) else ttl - age

    def _start(self) -> None:
        base_url = active.current_table().base_url
        thread = threading.Thread(
            target=self._run,
            args=(base_url, self._generation),
            name="litellm-synthetic-refresh",
            daemon=True,
        )
        self._thread = thread
        thread.start()

    def _run(self, base_url: str, generation: int) -> None:
        try:
            with _only_process(base_url) as is_ours:
                # Whoever held the lock before may have left a table behind.
                if is_ours and not _take_from_cache(base_url):
                    table = self._renew(base_url)
                    if generation == self._generation:
                        active.set_current_table(table)
            if is_ours:
                self._finish(generation, 0.0, failures=0)
            else:
                self._finish(generation, UNDER_WAY_SECONDS, failures=self._failures)
        except Exception as error:  # noqa: BLE001  # a thread has nobody else to tell
            failures = self._failures + 1
            wait = min(FIRST_BACK_OFF_SECONDS * 2 ** (failures - 1), MAX_BACK_OFF_SECONDS)
            level = logging.WARNING if failures == 1 else logging.DEBUG
            _log.log(
                level,
                "no new model table (%s); the one in force stays (%s, observed on %s), and the "
                "next attempt is in %g s at the earliest",
                str(error) or type(error).__name__,
                active.current_table().source,
                active.current_table().catalog.observed_on,
                wait,
            )
            self._finish(generation, wait, failures=failures)

    def _finish(self, generation: int, wait_seconds: float, *, failures: int) -> None:
        with self._lock:
            if generation != self._generation:
                return
            self._failures = failures
            self._not_before = monotonic() + wait_seconds
            self._due.clear()


def _take_from_cache(base_url: str) -> bool:
    """Put the cached table in force if it is newer; tell whether it saves a fetch."""
    cached_table = active.stored_table(base_url)
    if cached_table.is_stale(settings.CATALOG_TTL.value()):
        return False
    table = active.current_table()
    if table.base_url == base_url and (
        table.fetched_at is None
        or (cached_table.fetched_at is not None and cached_table.fetched_at > table.fetched_at)
    ):
        active.set_current_table(cached_table)
    return True


@contextlib.contextmanager
def _only_process(base_url: str) -> Iterator[bool]:
    """Hold the lock file of a base URL; yield whether this process got it.

    Where no lock file can be made, each process fetches for itself.
    """
    import filelock  # noqa: PLC0415  # in the background, where no request waits for it

    try:
        path = cache.cache_file(base_url, ".lock")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=0, mode=0o600)
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except (OSError, NotImplementedError):
        yield True
        return
    try:
        yield True
    finally:
        lock.release()
