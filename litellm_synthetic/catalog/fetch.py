"""Fetch a model list: no key, no cookie, no redirect, and bounded in time and in size."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.settings import SSL_VERIFY
from litellm_synthetic.transport import client
from litellm_synthetic.transport.byte_stream import ByteStream
from litellm_synthetic.transport.client import Outgoing
from litellm_synthetic.transport.failures import StallError, TransportError
from litellm_synthetic.transport.limits import TimeLimits
from litellm_synthetic.transport.retries import RetryPolicy
from litellm_synthetic.transport.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping

TOTAL_SECONDS: Final = 5.0
MAX_BYTES: Final = 2 * 1024 * 1024
_MAX_VALIDATOR_LENGTH: Final = 256
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))


class FetchError(Exception):
    """The list could not be fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A reply: its body, or None where the server says that nothing has changed.

    `etag` and `last_modified` are what the server offers for the next conditional request.
    """

    body: bytes | None
    content_type: str
    etag: str | None
    last_modified: str | None


def fetch_listing(url: str, *, etag: str | None, last_modified: str | None) -> Fetched:
    """Send one GET and return the reply, within 5 s and 2 MiB (unpacked).

    The proxy and certificate variables apply as to calls, and so does `SSL_VERIFY`.

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
        # The system's resolver takes no limit, so the whole is waited for from outside.
        threading.Thread(target=work, name="litellm-synthetic-fetch", daemon=True).start()
        outcome = done.get(timeout=TOTAL_SECONDS)
    except queue.Empty:
        raise FetchError(f"no whole reply within {TOTAL_SECONDS:g} s") from None
    except RuntimeError as error:  # no thread can be started
        raise FetchError(str(error)) from error
    if isinstance(outcome, FetchError):
        raise outcome
    if isinstance(outcome, StallError):
        raise FetchError(f"no whole reply within {TOTAL_SECONDS:g} s ({outcome})") from outcome
    if isinstance(outcome, TransportError):
        raise FetchError(str(outcome)) from outcome
    if isinstance(outcome, Exception):
        raise FetchError(f"{type(outcome).__name__}: {outcome}") from outcome
    return outcome


def _get(url: str, conditions: Mapping[str, str]) -> Fetched:
    deadline = time.monotonic() + TOTAL_SECONDS
    headers = {
        "accept": "application/json",
        "user-agent": f"litellm-synthetic/{version('litellm-synthetic')}",
        **{name.lower(): value for name, value in conditions.items()},
    }
    request = Outgoing(
        url=url,
        headers=headers,
        content=b"",
        limits=TimeLimits(TOTAL_SECONDS, TOTAL_SECONDS, TOTAL_SECONDS, TOTAL_SECONDS),
        retries=RetryPolicy(0),
        verify=_verify(),
        method="GET",
    )
    # As a stream it comes unpacked, and cannot unpack to more than it is.
    reply = client.send(request, stream=True)
    if isinstance(reply, ByteStream):
        try:
            body = _body(reply, deadline) if reply.status == _OK else None
        finally:
            reply.close()
        if body is None:
            raise FetchError(f"HTTP {reply.status}")
    elif reply.status == _NOT_MODIFIED and conditions:
        body = None
    elif reply.status in _REDIRECTS:
        raise FetchError(f"HTTP {reply.status}: a redirect, which is not followed")
    else:
        raise FetchError(f"HTTP {reply.status}")
    return Fetched(
        body=body,
        content_type=reply.headers.get("content-type", "")[:80],
        etag=_validator(reply.headers, "etag"),
        last_modified=_validator(reply.headers, "last-modified"),
    )


def _body(stream: ByteStream, deadline: float) -> bytes:
    body = bytearray()
    for piece in stream:
        stream.progressed()
        if time.monotonic() > deadline:
            raise FetchError(f"no whole reply within {TOTAL_SECONDS:g} s")
        body += piece
        if len(body) > MAX_BYTES:
            raise FetchError("the reply is larger than 2 MiB")
    return bytes(body)


def _validator(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name, "")
    is_usable = 0 < len(value) <= _MAX_VALIDATOR_LENGTH and value.isascii() and value.isprintable()
    return value if is_usable else None


def _verify() -> bool | str:
    trusted = SSL_VERIFY.value()
    if isinstance(trusted, str):
        tls_context(trusted)  # a file that is not there is told of, even where nothing is encrypted
    return True if trusted is None else trusted
