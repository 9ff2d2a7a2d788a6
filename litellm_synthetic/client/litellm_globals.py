"""A program's settings on LiteLLM itself: headers, TLS, shared clients and its secret manager.

LiteLLM is not imported for it: where nobody has imported it, nobody has set anything. The import
takes longer than everything that a command makes one call for.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_imported() -> bool:
    """Tell whether anybody has imported LiteLLM in this process."""
    return "litellm" in sys.modules


def headers() -> Mapping[str, Any]:
    """Return `litellm.headers`, which go with every call."""
    if not is_imported():
        return {}
    import litellm  # noqa: PLC0415  # waits where another thread is still importing it

    return litellm.headers or {}


def ssl_verify() -> Any:
    """Return `litellm.ssl_verify`; None where nothing was said."""
    if not is_imported():
        return None
    import litellm  # noqa: PLC0415  # as above

    return litellm.ssl_verify


def shared_client(*, is_async: bool) -> Any:
    """Return `litellm.client_session` or `litellm.aclient_session`, an httpx client or None."""
    if not is_imported():
        return None
    import litellm  # noqa: PLC0415  # as above

    return litellm.aclient_session if is_async else litellm.client_session


def read_secret(name: str) -> str | None:
    """Return a variable as LiteLLM reads it for its own providers, or None.

    That is from its secret manager where one is set up, else from the environment. It reads `true`
    and `false` as booleans, which no key or base URL is.
    """
    if not is_imported():  # so nobody has set a secret manager up
        return os.environ.get(name)
    import litellm  # noqa: PLC0415  # as above

    value = litellm.get_secret(name)
    return value if isinstance(value, str) else None
