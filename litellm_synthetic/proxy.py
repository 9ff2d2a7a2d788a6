"""The callback that a proxy's `config.yaml` names; it loads this package in every worker.

    litellm_settings:
      callbacks: ["litellm_synthetic.proxy.route"]

The proxy imports the module and takes the attribute, in each worker and before it builds its router
(proxy_server.py:6660 in LiteLLM 1.106.2). Importing this module changes nothing; taking `route`
registers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm_synthetic

if TYPE_CHECKING:
    from litellm_synthetic.integration.compat import CustomLogger

    route: CustomLogger


def __getattr__(name: str) -> Any:
    if name == "route":
        litellm_synthetic.register()
        _watch_plans()
        return _callback()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _callback() -> CustomLogger:
    from litellm_synthetic.integration import registration  # noqa: PLC0415  # imports LiteLLM

    # Beside loading the package it steers the proxy's router around plans that are used up.
    return registration.callback()


def _watch_plans() -> None:
    from litellm_synthetic.integration.plan_watch import WATCH  # noqa: PLC0415  # imports LiteLLM

    WATCH.start()
