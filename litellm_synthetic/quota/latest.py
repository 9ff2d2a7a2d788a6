"""The latest known state of a plan, for whoever names its key."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import parse_key
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.state import KnownQuotas


def known_quotas(api_key: str | None = None, api_base: str | None = None) -> KnownQuotas | None:
    """Return the latest report of a key; see `litellm_synthetic.known_quotas`."""
    return STATE.known_with_pace(named_scope(api_key, api_base))


def named_scope(api_key: str | None, api_base: str | None) -> Scope:
    """Return the name of a key at the origin of a base URL, both as a caller gives them.

    Raises:
        ValueError: no key is set, or one of them cannot be right.
    """
    key = parse_key(api_key) or parse_key(settings.API_KEY.text(_look_up))
    if key is None:
        raise ValueError(
            f"No key is set, so no plan is known. Set {settings.API_KEY.name} or pass api_key=."
        )
    return scope_of(key, settings.endpoint(api_base, look_up=_look_up).base_url)


def _look_up(name: str) -> str | None:
    """Read a variable as calls do: through LiteLLM's secret manager, if LiteLLM is there at all."""
    litellm: Any = sys.modules.get("litellm")
    if litellm is None or not hasattr(litellm, "get_secret"):
        return os.environ.get(name)
    value = litellm.get_secret(name)
    return value if isinstance(value, str) else None
