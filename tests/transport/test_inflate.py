"""Bodies that grow: read where they are honest, refused early where they are made to hurt."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport import inflate
from litellm_synthetic.transport.failures import MalformedReplyError, OversizedReplyError
from litellm_synthetic.transport.inflate import Inflater, inflater_for
from tests.transport.upstream import Upstream, chunked, whole

if TYPE_CHECKING:
    from tests.transport.upstream import Way

GZIP = 16 + zlib.MAX_WBITS
GZIPPED = b"Content-Encoding: gzip\r\n"
ZEROS = 96 * 1024 * 1024


def zipped(data: bytes, bits: int = GZIP) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, bits)
    return compressor.compress(data) + compressor.flush()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, GZIP)
    piece = bytes(1024 * 1024)
    parts = [compressor.compress(piece) for _ in range(ZEROS // len(piece))]
    return b"".join((*parts, compressor.flush()))


async def test_a_bomb_is_refused_before_it_fills_the_memory(way: Way, bomb: bytes) -> None:
    with Upstream(whole(bomb, headers=GZIPPED)) as upstream:
        tracemalloc.start()
        try:
            with pytest.raises(OversizedReplyError, match="100 times"):
                await way.send(upstream.url, max_retries=2)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(upstream.requests) == 1
    assert peak < 32 * 1024 * 1024


async def test_a_bomb_in_a_stream_comes_in_small_pieces_until_it_is_refused(
    own_way: Way, bomb: bytes
) -> None:
    with Upstream(chunked(bomb, headers=GZIPPED)) as upstream:
        body = await own_way.open(upstream.url)
        sizes: list[int] = []
        with pytest.raises(OversizedReplyError):
            await measure(own_way, body, sizes)
        await own_way.close(body)
    assert max(sizes) <= 256 * 1024


async def measure(way: Way, body: Any, sizes: list[int]) -> None:
    while data := await way.read(body):
        sizes.append(len(data))


async def test_a_long_reply_that_is_what_it_says_passes(own_way: Way) -> None:
    images = b'["' + b'","'.join(b"%0100000d" % number for number in range(100)) + b'"]'
    with Upstream(whole(zipped(images), headers=GZIPPED)) as upstream:
        # A hundred thousand zeros to an image shrink more than text ever does.
        assert len(images) > inflate.MIN_CHECKED_BYTES
        with pytest.raises(OversizedReplyError):
            await own_way.send(upstream.url)
        upstream.answer = whole(images)
        assert (await own_way.send(upstream.url)).body == images


@given(
    st.binary(max_size=3000),
    st.sampled_from([GZIP, zlib.MAX_WBITS, -zlib.MAX_WBITS]),
    st.lists(st.integers(1, 50), max_size=30),
)
def test_however_compressed_bytes_are_cut_they_hold_the_same(
    data: bytes, bits: int, sizes: list[int]
) -> None:
    raw, start, inflater = zipped(data, bits), 0, Inflater()
    pieces: list[bytes] = []
    for size in [*sizes, len(raw)]:
        pieces += inflater.feed(raw[start : start + size])
        start += size
    inflater.close()
    assert b"".join(pieces) == data


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    inflater = Inflater()
    try:
        assert isinstance(b"".join(inflater.feed(raw)), bytes)
        inflater.close()
    except MalformedReplyError:
        return


def test_what_was_not_asked_for_is_refused() -> None:
    assert inflater_for("identity") is None
    with pytest.raises(MalformedReplyError, match="'br', which was not asked for"):
        inflater_for(" BR ")
