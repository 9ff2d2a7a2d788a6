"""The key and the base URL of the environment, through LiteLLM's secret manager."""

from __future__ import annotations

import os

from litellm_synthetic.client import litellm_globals


def read_secret(name: str) -> str | None:
    """Return a variable as LiteLLM reads it for its own providers, or None.

    That is from its secret manager where one is set up, else from the environment. It reads `true`
    and `false` as booleans, which no key or base URL is.
    """
    if not litellm_globals.is_imported():  # so nobody has set a secret manager up
        return os.environ.get(name)
    import litellm  # noqa: PLC0415  # waits where another thread is still importing it

    value = litellm.get_secret(name)
    return value if isinstance(value, str) else None
