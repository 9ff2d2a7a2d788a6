"""Decompression with a limit on memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from litellm_synthetic.transport.failures import MalformedReplyError, OversizedReplyError
from litellm_synthetic.transport.limits import shown_size

if TYPE_CHECKING:
    from collections.abc import Iterator

# Text shrinks to a tenth, repetitive JSON to a thirtieth; only what is made for it to a thousandth.
MAX_RATIO: Final = 100
MIN_CHECKED_BYTES: Final = 8 * 1024 * 1024
_PIECE_BYTES: Final = 256 * 1024
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_BARE_DEFLATE: Final = -zlib.MAX_WBITS


class Inflater:
    """Decompress a body piece by piece.

    Raises, while it works:
        MalformedReplyError: the body is not what its header says.
        OversizedReplyError: it grows by more than `MAX_RATIO`.
    """

    __slots__ = ("_begun", "_decompressor", "_first", "_in", "_out")

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._begun = False
        self._first = b""
        self._in = 0
        self._out = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what some compressed bytes hold, in pieces of bounded size."""
        self._in += len(data)
        if not self._begun:
            # The format shows in the first two bytes.
            data = self._first = self._first + data
            if len(data) < 2:  # noqa: PLR2004  # as said
                return
        while data:
            piece = self._inflate(data)
            data = self._rest()
            self._out += len(piece)
            if self._out > MIN_CHECKED_BYTES and self._out > self._in * MAX_RATIO:
                raise OversizedReplyError(
                    f"the decompressed body exceeds {MAX_RATIO} times what was sent, beyond "
                    f"{shown_size(MIN_CHECKED_BYTES)}"
                )
            if piece:
                yield piece

    def close(self) -> None:
        """Note the end of the body, which has to be the end of the compressed data too."""
        if self._in and not self._decompressor.eof:
            raise MalformedReplyError("the compressed body ends early")

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece = self._decompressor.decompress(data, _PIECE_BYTES)
        except zlib.error as error:
            if self._begun:
                raise MalformedReplyError(f"the body cannot be decompressed ({error})") from None
            # "deflate" is zlib's format, but some servers send it without zlib's frame.
            self._decompressor = zlib.decompressobj(_BARE_DEFLATE)
            try:
                piece = self._decompressor.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise MalformedReplyError(f"the body cannot be decompressed ({error})") from None
        self._begun = True
        return piece

    def _rest(self) -> bytes:
        decompressor = self._decompressor
        if not decompressor.eof:
            return decompressor.unconsumed_tail
        if decompressor.unused_data:  # gzip allows several members in a row
            self._decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
        return decompressor.unused_data


def inflater_for(content_encoding: str | None) -> Inflater | None:
    """Return what decompresses a body; None where it is not compressed.

    Raises:
        MalformedReplyError: the encoding was never asked for and cannot be read.
    """
    if not content_encoding:
        return None
    encoding = content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Inflater()
    raise MalformedReplyError(f"the body is encoded as {encoding[:40]!r}, which was not asked for")
