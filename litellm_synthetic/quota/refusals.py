"""Counts of the calls that were refused here because their keys rest."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_synthetic.quota.scope import Scope


class Refusals:
    """Count local refusals by key; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Scope] = Counter()

    def note(self, scope: Scope) -> None:
        """Count one refusal."""
        with self._lock:
            self._counts[scope] += 1

    def counts(self) -> dict[Scope, int]:
        """Return the counts since the process began."""
        with self._lock:
            return dict(self._counts)

    def forget(self) -> None:
        """Count from 0 again."""
        with self._lock:
            self._counts.clear()


REFUSALS: Final = Refusals()
"""The refusals of this process."""
