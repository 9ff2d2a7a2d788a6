"""Header fields: checked before they are sent, plain text when they come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from litellm_synthetic.transport.failures import UnsendableError
from litellm_synthetic.transport.limits import MAX_HEADER_BYTES, check_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Headers = dict[str, str]
"""A reply's header fields: names in lower case, repeated ones joined by a comma."""

# What is decompressed here within bounds, and nothing else.
ENCODINGS: Final = "gzip, deflate"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def outgoing_headers(headers: Mapping[str, str], *, stream: bool) -> dict[str, str]:
    """Return the headers of a request as every library sends them.

    Raises:
        UnsendableError: one cannot be put into HTTP. Its value is not shown, it may be the key.
    """
    clean = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise UnsendableError("a header's name has characters that HTTP does not allow")
        if not _VALUE.fullmatch(value):
            raise UnsendableError(f"the header {name} has characters that HTTP does not allow")
        clean[name] = value.strip()
    # A stream is not compressed: nothing between the model and the reader may hold events back.
    clean["accept-encoding"] = "identity" if stream else ENCODINGS
    return clean


def incoming_headers(fields: Iterable[tuple[str, str]], charset: str) -> Headers:
    """Return the headers of a reply, given the charset that a library decoded them with.

    Raises:
        OversizedReplyError: together they are longer than `MAX_HEADER_BYTES`.
    """
    headers: Headers = {}
    size = 0
    for raw_name, raw_value in fields:
        name = raw_name.lower()
        value = raw_value if raw_value.isascii() else _text(raw_value, charset)
        size += len(name) + len(value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    check_size(size, MAX_HEADER_BYTES, "the header block of the reply")
    return headers


def _text(value: str, charset: str) -> str:
    """Read a value as UTF-8 where it is, else as Latin-1, as HTTP once defined it."""
    raw = value.encode(charset, "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
