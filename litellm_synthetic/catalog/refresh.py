"""Fetch the model list, merge it into the known table, cache it, and make it current."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog import cache
from litellm_synthetic.catalog.active import (
    ModelTable,
    current_table,
    set_current_table,
    stored_table,
)
from litellm_synthetic.catalog.background import Schedule
from litellm_synthetic.config import settings
from litellm_synthetic.exceptions import RefreshError

if TYPE_CHECKING:
    from litellm_synthetic.catalog.fetch import Fetched
    from litellm_synthetic.catalog.listing import Listing, UnreadableField
    from litellm_synthetic.catalog.merge import Change, Merged
    from litellm_synthetic.catalog.table import SkippedRow

__all__ = [
    "RefreshError",
    "RefreshOutcome",
    "arefresh",
    "check",
    "known_table",
    "refresh",
    "refresh_in_background_if_due",
]

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_log: Final = logging.getLogger("litellm_synthetic")


@dataclass(frozen=True)
class RefreshOutcome:
    """The result of a refresh or of a check.

    Attributes:
        table: the table that is now in force; of a check, the one that a refresh would bring.
        added: ids that are new, or are back.
        changed: facts that changed about models that were and are served.
        retired: ids that have left the list.
        skipped: rows of the list that could not be used.
        unreadable: fields of usable rows that could not be read, and now count as unknown; among
            them prices that LiteLLM could not charge, which make all prices of the model unknown.
        not_modified: whether the server said that its list is still the same.
        cache_note: why the table could not be kept for other processes; None if it was.
    """

    table: ModelTable
    added: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()
    retired: tuple[str, ...] = ()
    skipped: tuple[SkippedRow, ...] = ()
    unreadable: tuple[UnreadableField, ...] = ()
    not_modified: bool = False
    cache_note: str | None = None

    @property
    def has_drifted(self) -> bool:
        """Tell whether the list differs from what was known."""
        return bool(self.added or self.changed or self.retired)


def refresh(*, base_url: str | None = None) -> RefreshOutcome:
    """Fetch the list of models and put it in force, for this process and for later ones.

    Sends one GET without a key, which ends within 5 s and 2 MiB. What the API states wins over what
    was known; what it never says stays. The table is written to the cache, and whoever listens to
    `model_table.on_change` hears of it.

    Args:
        base_url: where to ask; by default `SYNTHETIC_API_BASE`, else Synthetic.

    Raises:
        RefreshError: `SYNTHETIC_CATALOG=offline` forbids it, the base URL is refused, there was no
            answer, or the answer has no list with a usable row. The table before stays.
    """
    outcome = _renewed(base_url)
    set_current_table(outcome.table)
    return outcome


def check(*, base_url: str | None = None) -> RefreshOutcome:
    """Fetch the list as `refresh` does and compare it with what is known; change and write nothing.

    Raises:
        RefreshError: as `refresh` does.
    """
    return _fetched(base_url)


def _renewed(base_url: str | None) -> RefreshOutcome:
    outcome = _fetched(base_url)
    table = outcome.table
    now = table.fetched_at or datetime.now(UTC)
    note = cache.write_cache(
        cache.CachedTable(table.base_url, now, table.catalog, table.etag, table.last_modified)
    )
    return replace(outcome, cache_note=note)


def _fetched(base_url: str | None) -> RefreshOutcome:
    from litellm_synthetic.catalog.merge import merge, seen_again  # noqa: PLC0415  # for a refresh

    if settings.CATALOG.value() == "offline":
        raise RefreshError(f"{settings.CATALOG.name}=offline: the model list is not fetched")
    last_table = known_table(base_url)
    reply = _fetch(last_table)
    now = datetime.now(UTC)
    if reply.body is None:
        catalog = seen_again(last_table.catalog, seen_on=now.date())
        outcome = RefreshOutcome(table=replace(last_table, catalog=catalog), not_modified=True)
    else:
        listing = _parse(last_table, reply)
        merged = merge(last_table.catalog, listing, seen_on=now.date())
        _warn_of_a_collapse(last_table, merged)
        outcome = RefreshOutcome(
            table=replace(last_table, catalog=merged.catalog),
            added=merged.added,
            changed=merged.changed,
            retired=merged.retired,
            skipped=listing.skipped,
            unreadable=listing.unreadable,
        )
    table = replace(
        outcome.table,
        source="refresh",
        fetched_at=now,
        etag=reply.etag or (last_table.etag if reply.body is None else None),
        last_modified=reply.last_modified
        or (last_table.last_modified if reply.body is None else None),
    )
    return replace(outcome, table=table)


async def arefresh(*, base_url: str | None = None) -> RefreshOutcome:
    """Do what `refresh` does, in a thread, because it parses and writes files.

    A cancelled call ends at once; what it began may still come into force within 5 s.

    Raises:
        RefreshError: as `refresh` does.
    """
    return await asyncio.to_thread(refresh, base_url=base_url)


def known_table(base_url: str | None = None) -> ModelTable:
    """Return the newest table of a base URL that needs no network.

    Args:
        base_url: whose models; by default `SYNTHETIC_API_BASE`'s, else Synthetic's.

    Raises:
        RefreshError: the base URL is refused.
    """
    try:
        url = settings.models_base_url(base_url)
    except ValueError as error:
        raise RefreshError(str(error)) from error
    table, cached_table = current_table(), stored_table(url)
    if table.base_url != url:
        return cached_table
    # Another process may have seen more of the past.
    return max(table, cached_table, key=lambda each: each.fetched_at or _NEVER)


def _fetch(table: ModelTable) -> Fetched:
    from litellm_synthetic.catalog import fetch  # noqa: PLC0415  # imports the transport

    url = f"{table.base_url}/models"
    try:
        return fetch.fetch_listing(url, etag=table.etag, last_modified=table.last_modified)
    except fetch.FetchError as error:
        raise RefreshError(f"{url}: {error}") from error


def _parse(table: ModelTable, reply: Fetched) -> Listing:
    from litellm_synthetic.catalog import listing  # noqa: PLC0415  # builds its models only when needed

    try:
        return listing.parse_listing(reply.body or b"")
    except listing.UnusableListError as error:
        kind = f" (content type {reply.content_type!r})" if reply.content_type else ""
        raise RefreshError(f"{table.base_url}/models: {error}{kind}") from error


def _warn_of_a_collapse(table: ModelTable, merged: Merged) -> None:
    # The API wins all the same: refusing it would keep a table that is wrong if it is right.
    before = len(table.catalog.current())
    if 2 * len(merged.retired) > before:
        _log.warning(
            "%s/models lacks %d of the %d models that were current",
            table.base_url,
            len(merged.retired),
            before,
        )


def _renewed_table(base_url: str) -> ModelTable:
    return _renewed(base_url).table


_schedule: Final = Schedule(_renewed_table)
refresh_in_background_if_due: Final = _schedule.start_if_due
