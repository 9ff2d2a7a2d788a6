"""Fetch a model list: no key, no cookie, no redirect, and bounded in time and in size."""

from __future__ import annotations

import queue
import ssl
import threading
import time
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from litellm_synthetic.config.settings import SSL_VERIFY

if TYPE_CHECKING:
    from collections.abc import Mapping

TOTAL_SECONDS: Final = 5.0
MAX_BYTES: Final = 2 * 1024 * 1024
_MAX_VALIDATOR_LENGTH: Final = 256
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_READ_GZIP: Final = 16 + zlib.MAX_WBITS


class FetchError(Exception):
    """Say why the list could not be fetched."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Hold a reply: its body, or None where the server says that nothing has changed.

    `etag` and `last_modified` are what the server offers for the next conditional request.
    """

    body: bytes | None
    content_type: str
    etag: str | None
    last_modified: str | None


def fetch_listing(url: str, *, etag: str | None, last_modified: str | None) -> Fetched:
    """Send one GET and return the reply, within 5 s and 2 MiB (unpacked).

    The proxy and certificate variables that httpx knows apply, and `SSL_VERIFY` as in LiteLLM.

    Args:
        url: the absolute URL of the list.
        etag: what the server called the list that is known already.
        last_modified: the server's date of it.

    Raises:
        FetchError: anything but a 200 with a whole body, or a 304 to a conditional request.
    """
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in conditions.items() if value is not None}
    done: queue.SimpleQueue[Fetched | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put(_get(url, headers))
        except Exception as error:  # noqa: BLE001  # handed to the caller, who waits for it
            done.put(error)

    try:
        # Neither httpx nor the system's resolver takes a limit for a whole request, so it is waited
        # for from outside.
        threading.Thread(target=work, name="litellm-synthetic-fetch", daemon=True).start()
        outcome = done.get(timeout=TOTAL_SECONDS)
    except queue.Empty:
        raise FetchError(f"no whole reply within {TOTAL_SECONDS:g} s") from None
    except RuntimeError as error:  # no thread can be started
        raise FetchError(str(error)) from error
    if isinstance(outcome, FetchError):
        raise outcome
    if isinstance(outcome, Exception):
        raise FetchError(f"{type(outcome).__name__}: {outcome}") from outcome
    return outcome


def _get(url: str, conditions: Mapping[str, str]) -> Fetched:
    deadline = time.monotonic() + TOTAL_SECONDS
    headers = {
        "Accept": "application/json",
        # The list is small, and what comes unpacked cannot unpack to more than it is.
        "Accept-Encoding": "identity",
        "User-Agent": f"litellm-synthetic/{version('litellm-synthetic')}",
        **conditions,
    }
    with (
        httpx.Client(verify=_verify(), timeout=TOTAL_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == _NOT_MODIFIED and conditions:
            body = None
        elif response.is_redirect:
            raise FetchError(f"HTTP {response.status_code}: a redirect, which is not followed")
        elif response.status_code != _OK:
            raise FetchError(f"HTTP {response.status_code}")
        else:
            body = _body(response, deadline)
        return Fetched(
            body=body,
            content_type=response.headers.get("Content-Type", "")[:80],
            etag=_validator(response, "ETag"),
            last_modified=_validator(response, "Last-Modified"),
        )


def _body(response: httpx.Response, deadline: float) -> bytes:
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip"):
        raise FetchError("the reply is in a content encoding that was not asked for")
    gunzip = zlib.decompressobj(_READ_GZIP) if packed == "gzip" else None
    body = bytearray()
    for chunk in response.iter_raw():
        if time.monotonic() > deadline:
            raise FetchError(f"no whole reply within {TOTAL_SECONDS:g} s")
        body += gunzip.decompress(chunk, MAX_BYTES + 1 - len(body)) if gunzip else chunk
        if len(body) > MAX_BYTES:
            raise FetchError("the reply is larger than 2 MiB")
    if gunzip is not None and not gunzip.eof:
        raise FetchError("the reply breaks off")
    return bytes(body)


def _validator(response: httpx.Response, name: str) -> str | None:
    value = str(response.headers.get(name, ""))
    is_usable = 0 < len(value) <= _MAX_VALIDATOR_LENGTH and value.isascii() and value.isprintable()
    return value if is_usable else None


def _verify() -> bool | ssl.SSLContext:
    trusted = SSL_VERIFY.value()
    if trusted is None or isinstance(trusted, bool):
        return trusted is not False
    as_directory = Path(trusted).is_dir()
    return ssl.create_default_context(
        cafile=None if as_directory else trusted, capath=trusted if as_directory else None
    )
