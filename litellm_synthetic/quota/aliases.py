"""Names for keys: the environment variable that holds one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import InvalidKeyError, parse_key
from litellm_synthetic.quota.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.quota.scope import Scope

_FAMILY: Final = "SYNTHETIC"
_SHOWN_DIGITS: Final = 8


def alias_of(
    scope: Scope, base_url: str | None = None, environ: Mapping[str, str] = os.environ
) -> str:
    """Return the name of a variable with `SYNTHETIC` in it that holds the key, else `key-…`.

    Args:
        scope: the digest of the key and its origin.
        base_url: the origin; by default that of `SYNTHETIC_API_BASE`, else Synthetic's.
        environ: the environment.
    """
    try:
        origin = settings.endpoint(base_url).base_url
    except ValueError:
        origin = None
    for name in sorted(environ):
        if origin is None or _FAMILY not in name.upper():
            continue
        try:
            key = parse_key(environ[name])
        except InvalidKeyError:
            continue
        if key is not None and scope_of(key, origin) == scope:
            return name
    return f"key-{scope[:_SHOWN_DIGITS]}"
