"""Endpoints: the meaning of a base URL, and the URLs that follow from it.

A base URL chooses an API: OpenAI's, the Messages API, or Synthetic's own `/v2`, which has quotas
and search.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

DEFAULT_BASE_URL: Final = "https://api.synthetic.new/openai/v1"
BASE_URL_VARIABLE: Final = "SYNTHETIC_API_BASE"
ALLOW_HTTP_VARIABLE: Final = "SYNTHETIC_ALLOW_HTTP"

Api = Literal["openai", "anthropic", "v2"]
API_BY_SUFFIX: Final[tuple[tuple[str, Api], ...]] = (
    ("/anthropic", "anthropic"),
    ("/anthropic/v1", "anthropic"),
    ("", "openai"),  # everything else is taken as an OpenAI-style base
)
# Where each API lies below the same host, or the same prefix of a gateway's paths.
_PATHS: Final[dict[Api, str]] = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic/v1",
    "v2": "/v2",
}
# The longest first; `/v1` is the documented short form of `/openai/v1`.
_KNOWN_PATHSS: Final = ("/openai/v1", "/anthropic/v1", "/v1")

# What people paste when a tool asks them for a "URL": the operation at its end is cut off.
_OPERATIONS: Final = (
    "/chat/completions", "/completions", "/embeddings", "/models",
    "/messages/count_tokens", "/messages",
)  # fmt: skip  # one list, read as one
_MALFORMED: Final = f"the base URL is malformed; it should look like {DEFAULT_BASE_URL}"
_PLAIN_HOST: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_MAX_PLAIN_CHARACTERS: Final = 1000
_CONTROL_OR_SPACE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class InvalidBaseURLError(ValueError):
    """A base URL is refused; the message says why, without the URL's userinfo."""


class Endpoint(NamedTuple):
    """Name a normalised base URL and the protocol spoken there."""

    base_url: str
    api: Api

    def url(self, operation: str) -> str:
        """Return the absolute URL of an operation such as `chat/completions`."""
        return f"{self.base_url}/{operation}"

    def beside(self, api: Api) -> Endpoint | None:
        """Return where another API lies beside this one.

        None where this base URL doesn't end like one of Synthetic's, so that nothing is known
        about what lies beside it.
        """
        if api == self.api:
            return self
        above = next(
            (
                self.base_url.removesuffix(path)
                for path in _KNOWN_PATHSS
                if self.base_url.endswith(path)
            ),
            None,
        )
        return None if above is None else Endpoint(f"{above}{_PATHS[api]}", api)


@lru_cache(maxsize=64)
def parse_base_url(text: str, *, allow_http: bool = False) -> Endpoint:
    """Read a base URL as people write it.

    The bare host becomes `…/openai/v1` and `…/anthropic` becomes `…/anthropic/v1`; `/v1`,
    `/openai/v1` and any other path are kept, without a trailing slash, without a doubled `/v1`, and
    without an operation such as `/chat/completions`.

    Args:
        text: an absolute URL.
        allow_http: whether plain http is allowed to a host that is not loopback
            (`SYNTHETIC_ALLOW_HTTP=1`).

    Raises:
        InvalidBaseURLError: not an absolute http(s) URL, or one with userinfo, a query or a
            fragment, or plain http to a remote host.
    """
    parts = _split(text)
    host = parts.hostname or ""
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise InvalidBaseURLError(
            f"the base URL http://{host} would send the API key unencrypted; use https, or set "
            f"{ALLOW_HTTP_VARIABLE}=1 if this network is trusted"
        )
    path = _normalise_path(parts.path)
    api = next(name for suffix, name in API_BY_SUFFIX if path.endswith(suffix))
    if not path:
        path = _PATHS["openai"]
    if path.endswith("/anthropic"):
        path += "/v1"
    host_in_url = f"[{host}]" if ":" in host else host
    authority = host_in_url if parts.port is None else f"{host_in_url}:{parts.port}"
    base_url = f"{parts.scheme}://{authority}{path}"
    if not _PLAIN_HOST.fullmatch(host) or len(base_url) > _MAX_PLAIN_CHARACTERS:
        _check_with_httpx(base_url)
    return Endpoint(base_url=base_url, api=api)


def _check_with_httpx(base_url: str) -> None:
    import httpx  # noqa: PLC0415  # takes longer than all that a command has to do

    try:
        httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):  # a host name that no look-up takes, an endless path
        raise InvalidBaseURLError(_MALFORMED) from None


def _split(text: str) -> SplitResult:
    text = text.strip()
    if _CONTROL_OR_SPACE.search(text):
        raise InvalidBaseURLError("the base URL holds a space, a backslash or a control character")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidBaseURLError(_MALFORMED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvalidBaseURLError(
            f"the base URL must be an absolute https URL such as {DEFAULT_BASE_URL}"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidBaseURLError(
            f"the base URL for {parts.hostname} holds a user name or password; take it out and "
            "give the key as api_key= or SYNTHETIC_API_KEY"
        )
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise InvalidBaseURLError(
            f"the base URL for {parts.hostname} holds a query string or fragment; take it out"
        )
    return parts


def _normalise_path(path: str) -> str:
    path = re.sub(r"/{2,}", "/", path).rstrip("/")
    while path.endswith(_OPERATIONS):
        path = next(path.removesuffix(one) for one in _OPERATIONS if path.endswith(one))
    while path.endswith("/v1/v1"):
        path = path.removesuffix("/v1")
    return path


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_on_this_machine(base_url: str) -> bool:
    """Tell whether a base URL is a loopback address, as a stand-in's is."""
    return is_loopback(urlsplit(base_url).hostname or "")


def is_same_host(one: str, other: str) -> bool:
    """Tell whether two base URLs name the same scheme, host and port."""
    return _origin(one) == _origin(other)


def _origin(base_url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(base_url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


@lru_cache(maxsize=64)
def origin_of(base_url: str) -> str:
    """Return scheme, host and port of a base URL: what several APIs of one service share."""
    scheme, host, port = _origin(base_url)
    return f"{scheme}://{host}:{port}"
