"""The history of a plan: what `quotas` was told in the last 14 days, in a file for one key.

One line for each look, with the report as it came. The file is named by a salted digest of key and
origin, has mode 0600, is replaced at once and whole, and is bounded in days, looks and bytes.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.atomic_file import write_atomically
from litellm_synthetic.config.cache_folder import cache_folder
from litellm_synthetic.quota.buckets import buckets_of
from litellm_synthetic.quota.pace import per_second
from litellm_synthetic.quota.report import parse_quotas, read_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.report import Quotas
    from litellm_synthetic.quota.scope import Scope

KEPT: Final = timedelta(days=14)
MAX_LOOKS: Final = 4096
MAX_BYTES: Final = 8 * 1024 * 1024
# Looks that follow each other more closely replace one another, so that a status bar that asks
# every few seconds leaves room for two weeks.
MIN_APART: Final = timedelta(minutes=5)
_PACE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """A report and its time, in UTC on this machine's clock."""

    at: datetime
    text: str

    @property
    def quotas(self) -> Quotas | None:
        """Return the report, read; None where it reported no plan."""
        return parse_quotas(self.text)


class UnusableHistoryError(Exception):
    """The history can be neither read nor written; the message says why."""


class History:
    """Keep the looks at one key's plan.

    Args:
        scope: names the key and where it is for.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def path(self) -> Path:
        """Return where the file is.

        Raises:
            UnusableHistoryError: it cannot be kept anywhere.
        """
        try:
            return cache_folder() / f"quotas-{self._scope}.jsonl"
        except OSError as error:
            raise UnusableHistoryError(str(error)) from None

    def looks(self) -> tuple[Look, ...]:
        """Return the looks, oldest first; lines that are not one are passed over.

        Raises:
            UnusableHistoryError: the file is not a regular one of this user's, or too large.
        """
        return self._read()[0]

    def add(self, look: Look) -> None:
        """Add a look, and forget what is older than two weeks.

        A file with lines that cannot be read is kept beside the new one, as `….corrupt`.

        Raises:
            UnusableHistoryError: the file cannot be read or written.
        """
        looks, has_damage = self._read()
        path = self.path
        since = look.at - KEPT
        # A look from the future is of a clock that has been set back since.
        kept = [each for each in looks if since <= each.at <= look.at]
        if len(kept) > 1 and kept[-1].at - kept[-2].at < MIN_APART:
            kept.pop()
        kept = [*kept, look][-MAX_LOOKS:]
        lines = [json.dumps({"at": each.at.isoformat(), "report": each.text}) for each in kept]
        while len(lines) > 1 and sum(map(len, lines)) + len(lines) > MAX_BYTES:
            del lines[: len(lines) // 2]
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if has_damage:
                path.replace(path.with_name(f"{path.name}.corrupt"))
            write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise UnusableHistoryError(f"{path}: {error.strerror or error}") from None

    def _read(self) -> tuple[tuple[Look, ...], bool]:
        """Return the looks, and whether there is anything else in the file."""
        path = self.path
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            with os.fdopen(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)), "rb") as file:
                _check(path, os.fstat(file.fileno()))
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return (), False
        except OSError as error:
            raise UnusableHistoryError(f"{path}: {error.strerror or error}") from None
        if len(content) > MAX_BYTES:
            raise UnusableHistoryError(f"{path} is larger than {MAX_BYTES:,} bytes")
        lines = content.decode("utf-8", "replace").splitlines()
        looks = [look for line in lines if (look := _look(line)) is not None]
        return tuple(sorted(looks, key=lambda look: look.at)), len(looks) < len(lines)


def paces(looks: Sequence[Look], now: datetime) -> dict[str, float]:
    """Return what was used of each bucket per second in the last hour, in its unit."""
    series: dict[str, list[tuple[datetime, Bucket]]] = {}
    for look in looks:
        quotas = look.quotas if now - _PACE <= look.at <= now else None
        for bucket in () if quotas is None else buckets_of(quotas):
            series.setdefault(bucket.name, []).append((look.at, bucket))
    rates = {name: per_second(observed) for name, observed in series.items()}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnusableHistoryError(f"{path} is not a regular file")
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise UnusableHistoryError(f"{path} belongs to another user")
    if hasattr(os, "getuid") and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnusableHistoryError(f"{path} may be written by others")


def _look(line: str) -> Look | None:
    try:
        document = json.loads(line)
        at, text = datetime.fromisoformat(document["at"]), document["report"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if at.tzinfo is None or not isinstance(text, str) or read_report(text) is None:
        return None
    try:
        return Look(at.astimezone(UTC), text)
    except OverflowError:
        return None
