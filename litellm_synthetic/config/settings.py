"""What the environment says about the model table: whether to fetch it, how often, from where."""

from __future__ import annotations

import logging
import math
import os
from typing import Final, Literal
from urllib.parse import urlsplit

from litellm_synthetic.config.endpoint import (
    BASE_URL_VARIABLE,
    DEFAULT_BASE_URL,
    http_is_allowed,
    is_loopback,
    parse_base_url,
)

CATALOG_VARIABLE: Final = "SYNTHETIC_CATALOG"
TTL_VARIABLE: Final = "SYNTHETIC_CATALOG_TTL"
CACHE_DIR_VARIABLE: Final = "SYNTHETIC_CACHE_DIR"
DEFAULT_TTL_SECONDS: Final = 14_400.0

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_log: Final = logging.getLogger("litellm_synthetic")
_warned: set[tuple[str, str]] = set()


def _warn_once(variable: str, value: str, instead: str) -> None:
    if (variable, value) not in _warned:
        _warned.add((variable, value))
        _log.warning("%s=%.40r is not understood; taken as %s", variable, value, instead)


def catalog_mode() -> Literal["auto", "offline"]:
    """Tell whether the model list may be fetched (`SYNTHETIC_CATALOG`, `auto` by default).

    Any other value counts as `auto` and is warned about once.
    """
    said = os.environ.get(CATALOG_VARIABLE, "")
    match said.strip().lower():
        case "offline":
            return "offline"
        case "auto" | "":
            return "auto"
    _warn_once(CATALOG_VARIABLE, said, "auto")
    return "auto"


def is_auto_asked_for() -> bool:
    """Tell whether the environment says `auto` in so many words."""
    return os.environ.get(CATALOG_VARIABLE, "").strip().lower() == "auto"


def ttl_seconds() -> float:
    """Return the age from which the table is fetched anew, in seconds; 14,400 (4 h) by default.

    What is no positive finite number (`SYNTHETIC_CATALOG_TTL`) is warned about once.
    """
    said = os.environ.get(TTL_VARIABLE, "")
    if not said.strip():
        return DEFAULT_TTL_SECONDS
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and seconds > 0:
        return seconds
    _warn_once(TTL_VARIABLE, said, f"{DEFAULT_TTL_SECONDS:g} s")
    return DEFAULT_TTL_SECONDS


def models_base_url(said: str | None = None) -> str:
    """Return the base URL whose `/models` is the list of the models behind a base URL.

    Args:
        said: a base URL as people write it; by default `SYNTHETIC_API_BASE`, else Synthetic's.

    Returns:
        The base URL, normalised. For the Anthropic surface it is `…/openai/v1` beside it, because
        that surface lists no models.

    Raises:
        litellm_synthetic.config.endpoint.InvalidBaseURLError: as `endpoint.parse_base_url` does.
    """
    said = said or os.environ.get(BASE_URL_VARIABLE, "")
    if not said.strip():
        return DEFAULT_BASE_URL
    parsed = parse_base_url(said, allow_http=http_is_allowed())
    return (parsed.beside("openai") or parsed).base_url


def is_same_host(one: str, other: str) -> bool:
    """Tell whether two base URLs name the same scheme, host and port."""
    return _origin(one) == _origin(other)


def is_on_this_machine(base_url: str) -> bool:
    """Tell whether a base URL is a loopback address, as a stand-in's is."""
    return is_loopback(urlsplit(base_url).hostname or "")


def _origin(base_url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(base_url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
