"""Destinations of requests: the origin, and the proxy that environment or system names for it.

HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name one, NO_PROXY the hosts that are reached without.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from litellm_synthetic.transport.failures import UnsendableError

_HTTP: Final = ("http", "https")
_SOCKS: Final = ("socks4", "socks4a", "socks5", "socks5h", "socks")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Name a proxy: its address without credentials, and these as a header."""

    url: str
    scheme: str
    url_with_credentials: str = field(repr=False)
    authorization: str | None = field(default=None, repr=False)

    @property
    def is_socks(self) -> bool:
        """Tell whether it speaks SOCKS instead of HTTP."""
        return self.scheme in _SOCKS


@lru_cache(maxsize=256)
def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, as a URL without a path.

    Raises:
        UnsendableError: it is not an HTTP address that can be called.
    """
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in _HTTP and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise UnsendableError("the address is not an HTTP URL that can be called")
    return f"{parts.scheme}://{parts.netloc}"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for an address, or None.

    Raises:
        UnsendableError: what the environment names is not a proxy.
    """
    target = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(target.netloc.rpartition("@")[2]):
        return None
    if target.hostname and proxy_bypass(target.hostname):  # an IPv6 address without its brackets
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        is_known = parts.scheme in (*_HTTP, *_SOCKS) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_known = False
    if not is_known:
        variable = f"{target.scheme.upper()}_PROXY"
        raise UnsendableError(f"{variable} or ALL_PROXY names no HTTP or SOCKS proxy")
    return Proxy(
        url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        scheme=parts.scheme,
        url_with_credentials=proxy,
        authorization=_authorization(parts),
    )


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()
