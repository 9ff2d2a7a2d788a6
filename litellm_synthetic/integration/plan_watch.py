"""A look at every known plan, a few times a minute, in each worker of a proxy.

It sets the gauges and sends the alerts; no call waits for it. It reads what replies have told and
asks nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.cache_folder import cache_folder
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.plan_metrics import plan_gauges
from litellm_synthetic.quota.aliases import alias_of
from litellm_synthetic.quota.projection import Projections
from litellm_synthetic.quota.refusals import REFUSALS
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from litellm_synthetic.integration.plan_metrics import PlanGauges
    from litellm_synthetic.quota.projection import Crossing
    from litellm_synthetic.quota.scope import Scope

INTERVAL_SECONDS: Final = 15.0
_log: Final = logging.getLogger("litellm_synthetic")


class PlanWatch:
    """Look at the plans of a process; see the module."""

    def __init__(self) -> None:
        self._projections = Projections()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running event loop; does nothing where there is none, or once begun."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # not a proxy: a config is loaded on its loop
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._run(), name="litellm-synthetic-plan")

    def stop(self) -> None:
        """End it."""
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.look()
            except Exception:  # noqa: BLE001  # one bad look is told of, and is not the last
                _log.exception("the look at the plans failed")

    async def look(self) -> None:
        """Set the gauges and send what there is to tell."""
        gauges = _gauges()
        refusals = REFUSALS.counts()
        for scope in STATE.scopes():
            known = STATE.known_with_pace(scope)
            if known is None:
                continue
            alias = alias_of(scope)
            if gauges is not None:
                rest = RESTS.resting(scope)
                now = STATE.clock.now()
                gauges.show(alias, known, None if rest is None else rest.seconds_left(now))
            for crossing in self._projections.crossings(scope, known, alias):
                await _tell(scope, crossing)
        if gauges is not None:
            for scope, total in refusals.items():
                gauges.count_refusals(alias_of(scope), total)


def _gauges() -> PlanGauges | None:
    try:
        return plan_gauges()
    except ImportError:  # prometheus_client is not installed, so LiteLLM has no metrics either
        return None


async def _tell(scope: Scope, crossing: Crossing) -> None:
    send = compat.proxy_alert()
    if send is None or not _is_ours_to_tell(scope, crossing):
        return
    await send(crossing.text, is_urgent=crossing.bucket.exhausted)


def _is_ours_to_tell(scope: Scope, crossing: Crossing) -> bool:
    """Tell whether no other worker of this machine has told of it: a file stands for an alert."""
    try:
        path = cache_folder() / f"alert-{scope}-{crossing.bucket.name}"
        if crossing.kind == "recovered":
            path.unlink()
        else:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _drop_stale(path, crossing.bucket.period.total_seconds())
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    except FileNotFoundError:
        return crossing.kind == "runs_out"
    except OSError:  # no place for it: twice is better than not at all
        return True
    return True


def _drop_stale(path: Path, seconds: float) -> None:
    """Remove what a process has left that ended before the bucket recovered."""
    with contextlib.suppress(FileNotFoundError):
        if not 0 <= time.time() - path.stat().st_mtime <= seconds:
            path.unlink()


WATCH: Final = PlanWatch()
"""The watch of this process."""
