"""The cache file of a fetched model table.

One file per base URL, so that the list of a stand-in or a private gateway is never taken for
Synthetic's. A file that isn't plainly ours is ignored with a warning; the next refresh replaces it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from litellm_synthetic.catalog.table import Catalog
from litellm_synthetic.config.atomic_file import write_atomically
from litellm_synthetic.config.cache_folder import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

CACHE_FORMAT: Final = 2
MAX_BYTES: Final = 4 * 1024 * 1024
# Clocks of machines that share a home directory differ by as much.
CLOCK_TOLERANCE_SECONDS: Final = 300.0
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

_log: Final = logging.getLogger("litellm_synthetic")
_warned: set[tuple[str, str]] = set()


class CachedTable(NamedTuple):
    """A fetched table, its time (UTC), and the validators for a conditional request."""

    base_url: str
    fetched_at: datetime
    catalog: Catalog
    etag: str | None = None
    last_modified: str | None = None


class _UnusableError(Exception):
    """A cache file is not used; the message says why."""


def cache_file(base_url: str, suffix: str = ".json") -> Path:
    """Return the file for a normalised base URL.

    Raises:
        OSError: as `cache_folder` does.
    """
    digest = hashlib.sha256(base_url.encode()).hexdigest()[:16]
    return cache_folder() / f"models-{digest}{suffix}"


def read_cache(base_url: str, *, now: datetime | None = None) -> CachedTable | None:
    """Return the cached table of a base URL, or None if there is none that can be trusted.

    Ignored, with one warning per process, is what isn't a regular file (a symlink, say), belongs to
    someone else, may be written by others, is larger than 4 MiB, cannot be parsed, is of another
    format or base URL, or was written in the future.
    """
    path, content = _look(base_url, now or datetime.now(UTC))
    if isinstance(content, CachedTable) or content is None:
        return content
    if (path, content) not in _warned:
        _warned.add((path, content))
        _log.warning("%s is ignored: %s", path, content)
    return None


def why_ignored(base_url: str) -> str | None:
    """Return why the cached table of a base URL isn't used; None if it is, or there is none."""
    content = _look(base_url, datetime.now(UTC))[1]
    return content if isinstance(content, str) else None


def _look(base_url: str, now: datetime) -> tuple[str, CachedTable | str | None]:
    path = "the model cache"
    try:
        file = cache_file(base_url)
        path = str(file)
        return path, _parse(_read(file), base_url, now)
    except FileNotFoundError:
        return path, None
    except (_UnusableError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return path, reason or str(error)


def _read(path: Path) -> bytes:
    if path.is_symlink():  # where the system has no O_NOFOLLOW
        raise _UnusableError("it is a symbolic link")
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)), "rb") as file:
        _check(os.fstat(file.fileno()))
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _UnusableError("it is too large")
    return content


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _UnusableError("it is not a regular file")
    if status.st_size > MAX_BYTES:
        raise _UnusableError("it is too large")
    if os.name == "posix":
        if status.st_uid != os.geteuid():
            raise _UnusableError("it belongs to another user")
        if status.st_mode & _OTHERS_MAY_WRITE:
            raise _UnusableError("other users may write it")


def _parse(content: bytes, base_url: str, now: datetime) -> CachedTable:
    try:
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("cache_format") != CACHE_FORMAT:
            raise _UnusableError("it is of another format")
        catalog = Catalog.from_document(document)
        fetched_at = datetime.fromisoformat(document["fetched_at"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise _UnusableError("it is damaged") from None
    if document.get("base_url") != base_url:
        raise _UnusableError("it is of another base URL")
    if fetched_at > now + timedelta(seconds=CLOCK_TOLERANCE_SECONDS):
        raise _UnusableError("it is from the future")
    if catalog.skipped or not catalog.current():
        raise _UnusableError("it is damaged")
    return CachedTable(
        base_url=base_url,
        fetched_at=fetched_at,
        catalog=catalog,
        etag=_text(document.get("etag")),
        last_modified=_text(document.get("last_modified")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def write_cache(table: CachedTable) -> str | None:
    """Replace the cached table of a base URL at once, readable and writable by the user only.

    Never raises on account of the file system: a table that cannot be kept can still be used.

    Returns:
        Why it could not be written, or None.
    """
    document: dict[str, Any] = {
        "cache_format": CACHE_FORMAT,
        "base_url": table.base_url,
        "fetched_at": table.fetched_at.isoformat(),
        "etag": table.etag,
        "last_modified": table.last_modified,
        **table.catalog.to_document(),
    }
    content = json.dumps(document, separators=(",", ":")).encode()
    if len(content) > MAX_BYTES:
        return "the table is too large to be cached"
    try:
        path = cache_file(table.base_url)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        return f"the cache could not be written: {error.strerror or error}"
    return None
