"""An attempt on an event loop that ends when its clock says so."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from litellm_synthetic.transport.limits import Clock, Phase


class Deadline:
    """End an attempt when its clock says so, whatever it is waiting for."""

    __slots__ = ("_loop", "_scope", "clock")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._loop = asyncio.get_running_loop()
        self._scope = asyncio.timeout(None)

    def enter(self, phase: Phase) -> None:
        """Begin a phase of the attempt."""
        self.clock.enter(phase)
        self.follow()

    def follow(self) -> None:
        """Take over what the clock says now."""
        remaining = self.clock.left()
        with contextlib.suppress(RuntimeError):  # it is over, or about to be
            self._scope.reschedule(
                None if remaining is None else self._loop.time() + max(remaining, 0.0)
            )

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:  # noqa: PYI036  # handed on
        try:
            await self._scope.__aexit__(*exc_info)
        except TimeoutError:
            raise self.clock.expired() from None
