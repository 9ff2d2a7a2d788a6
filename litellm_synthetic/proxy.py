"""The callback that a proxy's `config.yaml` names; it loads this package in every worker.

    litellm_settings:
      callbacks: ["litellm_synthetic.proxy.route"]

The proxy imports the module and takes the attribute, in each worker and before it builds its router
(proxy_server.py:6660 in LiteLLM 1.106.2). Importing this module changes nothing; taking `route`
registers.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import litellm_synthetic

if TYPE_CHECKING:
    from litellm_synthetic.integration.compat import CustomLogger

    route: CustomLogger


def __getattr__(name: str) -> Any:
    if name == "route":
        litellm_synthetic.register()
        _watch_plans()
        return _inert_callback()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _inert_callback() -> CustomLogger:
    from litellm_synthetic.integration.compat import CustomLogger  # noqa: PLC0415  # imports LiteLLM

    # The proxy refuses what is not a callback; this one overrides no method, so it is told nothing.
    return CustomLogger()


def _watch_plans() -> None:
    from litellm_synthetic.integration.plan_watch import WATCH  # noqa: PLC0415  # imports LiteLLM

    WATCH.start()
