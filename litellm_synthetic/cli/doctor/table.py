"""How old the model table is, where it is from, and whether a fetched one can be kept."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog import cache as table_cache
from litellm_synthetic.cli.doctor.check import Check
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.config.endpoint import is_on_this_machine
from litellm_synthetic.config.settings import CACHE_DIR, CATALOG, CATALOG_TTL

if TYPE_CHECKING:
    from pathlib import Path

    from litellm_synthetic.catalog.active import ModelTable

# Prices and aliases moved about once a week in 2026; see docs/models.md.
OLD_SECONDS: Final = 7 * 86_400.0


def check_table(table: ModelTable, now: datetime | None = None) -> Check:
    """Look at the age of the table in force, and at whether it will be renewed by itself."""
    now = now or datetime.now(UTC)
    age_seconds = table.age_seconds(now)
    if age_seconds is None:
        observed_on = datetime.combine(table.catalog.observed_on, datetime.min.time(), UTC)
        age_seconds = max(0.0, (now - observed_on).total_seconds())
    is_stale = table.is_stale(CATALOG_TTL.value(), now)
    current = len(table.catalog.current())
    details: dict[str, Any] = {
        "source": table.source,
        "base_url": table.base_url,
        "observed_on": table.catalog.observed_on.isoformat(),
        "fetched_at": None if table.fetched_at is None else table.fetched_at.isoformat(),
        "age_seconds": round(age_seconds),
        "stale": is_stale,
        "current_models": current,
    }
    found = f"{current} models, {provenance(table)}."
    if not is_stale:
        return Check("table", "ok", found, details=details)
    if CATALOG.value() == "offline":
        if age_seconds < OLD_SECONDS:
            found = f"{found} {CATALOG.name}=offline keeps it as it is."
            return Check("table", "ok", found, details=details)
        found = f"{found} {CATALOG.name}=offline keeps it from being renewed."
        remedy = f"Run: {CATALOG.name}=auto litellm-synthetic refresh"
        return Check("table", "warning", found, remedy, details)
    if is_on_this_machine(table.base_url) and CATALOG.stated() != "auto":
        found = f"{found} It isn't renewed by itself from an address of this machine."
        return Check("table", "ok", found, details=details)
    found = f"{found} The next call renews it; litellm-synthetic refresh does so now."
    return Check("table", "ok", found, details=details)


def check_cache(base_url: str) -> Check:
    """Look at whether a fetched table can be kept for other processes, and whether one is ignored.

    Args:
        base_url: the one whose models are listed.
    """
    elsewhere = f"Set {CACHE_DIR.name} to a folder that you may write."
    try:
        folder = table_cache.cache_folder()
        file = table_cache.cache_file(base_url)
    except OSError as error:
        found = f"Fetched tables can't be kept: {error.strerror or error}."
        return Check("cache", "warning", found, elsewhere, {"folder": None})
    details = {"folder": str(folder)}
    if (reason := _unwritable(folder)) is not None:
        found = f"Fetched tables can't be kept in {folder}: {reason}. Each process fetches its own."
        return Check("cache", "warning", found, elsewhere, details)
    if (ignored := table_cache.why_ignored(base_url)) is not None:
        found = f"{file} is ignored: {ignored}."
        return Check("cache", "warning", found, f"Delete {file}.", details)
    made = "" if folder.exists() else ", made when it is needed"
    return Check("cache", "ok", f"{folder}{made}.", details=details)


def _unwritable(folder: Path) -> str | None:
    """Return why no file can be made in a folder, or None; a missing folder is not made."""
    try:
        if folder.exists():
            with tempfile.TemporaryFile(dir=folder):
                return None
        above = next(each for each in folder.parents if each.exists())
        if not above.is_dir():
            return f"{above} is no folder"
        effective = os.access in os.supports_effective_ids
        is_writable = os.access(above, os.W_OK | os.X_OK, effective_ids=effective)
    except OSError as error:
        return error.strerror or str(error)
    return None if is_writable else f"{above} is write-protected"
