"""Where other processes hear of a process's plans and slots; `integration` says how, if at all.

That is said before anything is loaded that knows of plans, which only a call needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.slots import Leases


class Sharing:
    """Share the state of this process, where `begin` has said how."""

    def __init__(self) -> None:
        self._tell: Callable[[Scope], None] | None = None
        self._leases: Callable[[], Leases] | None = None

    def begin(self, tell: Callable[[Scope], None], leases: Callable[[], Leases]) -> None:
        """Share from now on.

        Args:
            tell: tells of a key that begins or ends to rest; returns at once.
            leases: returns what hands out slots over all processes.
        """
        self._tell, self._leases = tell, leases

    def end(self) -> None:
        """Keep to this process what it knows."""
        self._tell = self._leases = None

    def rest_changed(self, scope: Scope) -> None:
        """Tell of a key that begins or ends to rest."""
        if self._tell is not None:
            self._tell(scope)

    def leases(self) -> Leases | None:
        """Return what hands out slots over all processes; None where each counts for itself."""
        return None if self._leases is None else self._leases()


SHARING: Final = Sharing()
"""What this process shares."""
