"""The exceptions of the HTTP libraries, translated by one table per library."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from litellm_synthetic.transport.failures import (
    OversizedReplyError,
    TransportError,
    UntrustedPeerError,
)
from litellm_synthetic.transport.limits import MAX_HEADER_BYTES, shown_size

if TYPE_CHECKING:
    import ssl

Meaning = Callable[[Any], TransportError | None]
"""Return what an exception means; None where it depends, and it means nothing here."""

Table = tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Meaning], ...]
"""Classes to look for in an exception and in its causes, the most specific first."""


def translated(error: Exception, table: Table) -> Exception:
    """Return what an exception means, or itself where that is not known."""
    causes = _causes(error)
    for kinds, meaning in table:
        for one in causes:
            if isinstance(one, kinds) and (translation := meaning(one)) is not None:
                return translation
    return error


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and what it wraps or was caused by, from the outermost on."""
    causes: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if one in causes:
            continue
        causes.append(one)
        inner = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        waiting += [each for each in inner if isinstance(each, BaseException)]
    return causes


def itself(error: TransportError) -> TransportError:
    """Return an exception that needs no translation."""
    return error


def untrusted(error: ssl.SSLCertVerificationError) -> TransportError | None:
    """Return what a certificate that does not verify means."""
    # aiohttp's own exception is a subclass that does not say why; what it wraps does.
    reason = getattr(error, "verify_message", None)
    return UntrustedPeerError(f"the certificate is not trusted: {reason}") if reason else None


def oversized_headers() -> TransportError:
    """Return the error for a header block over the limit."""
    limit = shown_size(MAX_HEADER_BYTES)
    return OversizedReplyError(f"the header block of the reply exceeds {limit} or 100 fields")
