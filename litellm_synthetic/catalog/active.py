"""The model table in force in this process, its source and its age."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from litellm_synthetic.catalog import cache as table_cache
from litellm_synthetic.catalog.cache import CLOCK_TOLERANCE_SECONDS
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL
from litellm_synthetic.config.settings import models_base_url

Source = Literal["bundled", "cache", "refresh"]
Listener = Callable[["ModelTable"], None]

_log: Final = logging.getLogger("litellm_synthetic")


@dataclass(frozen=True)
class ModelTable:
    """A model table with its origin.

    Attributes:
        catalog: the facts.
        source: the file that came with the package, the cache of an earlier refresh, or a refresh
            of this process.
        fetched_at: when the list was fetched, in UTC; None for the bundled file, whose age is
            `catalog.observed_on`.
        base_url: the normalised base URL whose models these are.
        etag: what the server named the list, for the next conditional request.
        last_modified: the same, as a date of the server.
    """

    catalog: Catalog
    source: Source
    fetched_at: datetime | None
    base_url: str
    etag: str | None = None
    last_modified: str | None = None

    def age_seconds(self, now: datetime | None = None) -> float | None:
        """Return how long ago the list was fetched, in seconds; None for the bundled file."""
        if self.fetched_at is None:
            return None
        return max(0.0, ((now or datetime.now(UTC)) - self.fetched_at).total_seconds())

    def is_stale(self, ttl_seconds: float, now: datetime | None = None) -> bool:
        """Tell whether the table should be fetched again; the bundled one always should.

        So should one from the future, because the clock has been set since.
        """
        if self.fetched_at is None:
            return True
        age_seconds = ((now or datetime.now(UTC)) - self.fetched_at).total_seconds()
        return not -CLOCK_TOLERANCE_SECONDS <= age_seconds < ttl_seconds


class _State:
    """Guard the table by one lock, and the order of its announcements by another.

    The second one is held while listeners run. They may take locks of their own, and whoever holds
    those may ask for the table meanwhile, which needs at most the first.
    """

    def __init__(self) -> None:
        self.table_lock = threading.RLock()
        self.announcing = threading.RLock()
        self.listeners: list[Listener] = []
        self.when_forgotten: list[Callable[[], None]] = []

    def renew_locks(self) -> None:
        """Leave behind locks that a thread of the parent held when this process was forked."""
        self.table_lock = threading.RLock()
        self.announcing = threading.RLock()


_state: Final = _State()
_table: ModelTable | None = None
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.renew_locks)


def current_table() -> ModelTable:
    """Return the table that calls go by.

    The first call reads the cache of the base URL in force (`SYNTHETIC_API_BASE`, else
    Synthetic's), or the bundled file if the cache is not usable. Never fetches, never raises.
    """
    table = _table
    return table if table is not None else _load_first()


def current_catalog() -> Catalog:
    """Return the facts of the table that calls go by; see `current_table`."""
    table = _table
    return (table if table is not None else _load_first()).catalog


def _load_first() -> ModelTable:
    global _table  # noqa: PLW0603  # one table per process, read on every request
    with _state.table_lock:
        if _table is None:
            try:
                base_url = models_base_url()
            except ValueError:  # the calls themselves say what is wrong with it
                base_url = DEFAULT_BASE_URL
            _table = stored_table(base_url)
        return _table


def stored_table(base_url: str) -> ModelTable:
    """Return the newest table of a base URL that needs no network: the cached or the bundled one.

    A cache from before the bundled file's newest look at the list is passed over.
    """
    bundled = load_bundled()
    cached = table_cache.read_cache(base_url)
    if cached is None or cached.fetched_at.date() < bundled.observed_on:
        return ModelTable(catalog=bundled, source="bundled", fetched_at=None, base_url=base_url)
    if cached.catalog.compiled_on != bundled.compiled_on:
        from litellm_synthetic.catalog.merge import rebase  # noqa: PLC0415  # once per new version

        # Without what names the list to the server: this version may read more of it.
        catalog = rebase(cached.catalog, bundled)
        return ModelTable(catalog, "cache", cached.fetched_at, base_url)
    return ModelTable(
        catalog=cached.catalog,
        source="cache",
        fetched_at=cached.fetched_at,
        base_url=base_url,
        etag=cached.etag,
        last_modified=cached.last_modified,
    )


def set_current_table(table: ModelTable) -> None:
    """Put a table in force and tell the listeners, in the order in which they were added.

    Safe from any thread, but not while holding a lock that a listener takes. A listener that raises
    is logged and does not keep the others from hearing of it.
    """
    global _table  # noqa: PLW0603  # as above
    with _state.table_lock:
        _table = table
    with _state.announcing:
        for listener in tuple(_state.listeners):
            try:
                # Of two threads the later one may be the first here; nobody hears of an old table.
                listener(current_table())
            except Exception:  # noqa: BLE001  # someone else's code, whose failure is told
                _log.exception("a listener failed on the new model table")


def on_change(listener: Listener) -> Callable[[], None]:
    """Call `listener` with each table that comes into force; return what ends that.

    The returned function may be called more than once.
    """
    with _state.table_lock:
        _state.listeners.append(listener)
    active = True

    def remove() -> None:
        nonlocal active
        with _state.table_lock:
            if active:
                active = False
                _state.listeners.remove(listener)

    return remove


def forget() -> None:
    """Drop the table and what depends on its age; the next `current_table()` loads it again.

    Listeners stay.
    """
    global _table  # noqa: PLW0603  # as above
    with _state.table_lock:
        _table = None
    for on_forget in _state.when_forgotten:
        on_forget()


def when_forgotten(action: Callable[[], None]) -> None:
    """Have `forget()` also do this; for what keeps state about the table elsewhere."""
    _state.when_forgotten.append(action)
