"""What LiteLLM's gauges read of a plan: `x-ratelimit-*`, filled where they look, after the call.

LiteLLM's Prometheus logger takes `litellm_remaining_requests_metric` from the log of a call, not
from the reply (prometheus.py:3366 in LiteLLM 1.108.7), and leaves it where it was at 0 (:3389).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.request_limits import LIMIT, REMAINING, request_limit

PREFIXED: Final = f"llm_provider-{HEADER}"
_GAUGES: Final = "litellm.integrations.prometheus"


def fill_request_limits(details: Mapping[str, Any]) -> None:
    """Put the plan's tightest bucket into the log of a call, as the limits that gauges read.

    Does nothing where LiteLLM's gauges are not loaded, for a call of another provider, and where
    the upstream has told such limits itself.

    Args:
        details: LiteLLM's log of the call, as it gives it to callbacks.
    """
    if _GAUGES not in sys.modules or details.get("custom_llm_provider") != PROVIDER:
        return
    log = details.get("standard_logging_object")
    hidden = log.get("hidden_params") if isinstance(log, dict) else None
    if not isinstance(hidden, dict):
        return
    headers = hidden.get("additional_headers")
    headers = headers if isinstance(headers, dict) else {}
    limits = request_limit(_report(headers, details.get("response_headers")))
    names = {name.replace("-", "_"): name for name in (LIMIT, REMAINING)}
    if limits is None or any(headers.get(name) is not None for name in names):
        return
    # Another dictionary: what callbacks are told is not what the caller's reply has.
    filled = dict(zip(names, limits, strict=True))
    hidden["additional_headers"] = {**headers, **filled}


def _report(headers: Mapping[str, Any], response_headers: object) -> str | None:
    """Return the reply's report, which the log of a stream has in another place."""
    told = headers.get(PREFIXED)
    if told is None and isinstance(response_headers, Mapping):
        told = response_headers.get(HEADER, response_headers.get(PREFIXED))
    return told if isinstance(told, str) else None
