"""Replies that are made to fill the memory: an error, and not much more than its limit is used."""

from __future__ import annotations

import gc
import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.harden.cases import Case, Reply
from tests.harden.entry_points import ENTRY_POINTS
from tests.harden.replies import chunk, event, head
from tests.harden.upstream import FIN, repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harden.harness import Harness
    from tests.harden.upstream import Script

MIB: Final = 1 << 20
_STATUS: Final = Path("/proc/self/status")
_ZEROS: Final = bytes(64 * 1024)
_CHUNKED: Final = b"transfer-encoding: chunked"


class Bomb(NamedTuple):
    """A reply that grows, and what it may cost."""

    name: str
    build: Callable[[Reply], Script]
    bound_mib: int
    kinds: tuple[str, ...]
    is_long: bool = False


def _packed(size: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    pieces = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*pieces, packer.flush()])


GZIP: Final = _packed(512 * MIB, 31)
DEFLATE: Final = _packed(512 * MIB, -15)


def _encoded(
    data: bytes, name: bytes = b"gzip", status: bytes = b"200 OK"
) -> Callable[[Reply], Script]:
    def build(reply: Reply) -> Script:
        length = b"content-length: %d" % len(data)
        return [head(reply.kind, b"content-encoding: " + name, length, status=status) + data]

    return build


def _repeated(
    piece: bytes, size: int, *fields: bytes, start: bytes = b"", status: bytes = b"200 OK"
) -> Callable[[Reply], Script]:
    return lambda reply: [
        head(reply.kind, *fields, status=status) + start,
        repeat(piece, size),
        FIN,
    ]


PLAIN: Final = ("chat", "embedding", "message", "search")
STREAMED: Final = ("chat_stream", "text_stream", "message_stream")
EVERY: Final = (*PLAIN, *STREAMED)
BOMBS: Final = [
    Bomb("512 MiB in gzip", _encoded(GZIP), 120, EVERY),
    Bomb("512 MiB in deflate", _encoded(DEFLATE, b"deflate"), 120, PLAIN),
    Bomb("gzip in gzip", _encoded(gzip.compress(GZIP)), 120, PLAIN),
    Bomb("512 MiB in an error's gzip", _encoded(GZIP, status=b"500 Error"), 120, EVERY),
    Bomb("an error of 100 MiB", _repeated(_ZEROS, 100 * MIB, status=b"503 Busy"), 120, EVERY),
    Bomb(
        "a length of 400 MB",
        _repeated(_ZEROS, 400_000_000, b"content-length: 400000000"),
        60,
        PLAIN,
    ),
    Bomb("an event of 100 MiB", _repeated(b"x" * 65536, 100 * MIB, start=b"data: "), 400, STREAMED),
    Bomb("a comment of 100 MiB", _repeated(b"x" * 65536, 100 * MIB, start=b": "), 400, STREAMED),
    Bomb("headers of 100 MiB", _repeated(b"x: y\r\n" * 9000, 100 * MIB, start=b""), 400, ()),
    Bomb(
        "a page of 100 MiB in a stream's place",
        _repeated(b"<p>busy</p>\n" * 5000, 100 * MIB),
        400,
        STREAMED,
    ),
    Bomb("300 MB of zeros", _repeated(_ZEROS, 300_000_000), 800, ("chat",), is_long=True),
    Bomb(
        "300 MB in chunks",
        _repeated(chunk(_ZEROS), 300_000_000, _CHUNKED),
        800,
        ("chat",),
        is_long=True,
    ),
    Bomb(
        "four million chunks of a byte",
        _repeated(chunk(b" ") * 8192, 4_000_000 * 6, _CHUNKED),
        200,
        ("chat",),
        is_long=True,
    ),
    Bomb(
        "a million empty events",
        _repeated(b"data:\n\n" * 8192, 7_000_000),
        200,
        ("chat_stream",),
        is_long=True,
    ),
    Bomb(
        "half a million pings",
        _repeated(event({"type": "ping"}) * 2000, 20_000_000),
        200,
        ("message_stream",),
        is_long=True,
    ),
]


def _kib(name: str) -> int:
    line = next(one for one in _STATUS.read_text().splitlines() if one.startswith(f"{name}:"))
    return int(line.split()[1])


def _begin_peak() -> int:
    """Let the kernel forget the highest use so far, and return the present one."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _kib("VmRSS")


@pytest.mark.skipif(not _STATUS.exists(), reason="the peak of memory is read from Linux's /proc")
@pytest.mark.parametrize("bomb", [one for one in BOMBS if one.kinds], ids=lambda bomb: bomb.name)
def test_a_reply_cannot_fill_the_memory(bomb: Bomb, harness: Harness, *, is_short: bool) -> None:
    if is_short and bomb.is_long:
        pytest.skip("takes long; the whole suite has it")
    case = Case(bomb.name, bomb.build, "error", bomb.kinds)
    fitting = [one for one in ENTRY_POINTS if one.kind in bomb.kinds]
    # Each library underneath once, and each way of reading.
    names = ("chat sync", "chat async", "chat stream sync", "chat stream async", "client= sync")
    chosen = [one for one in fitting if one.name in names] if is_short else fitting
    for entry in chosen or fitting[:1]:
        before = _begin_peak()
        complaints = harness.judge(case, harness.run(case, [entry]))
        grown_mib = (_kib("VmHWM") - before) // 1024
        assert not complaints, "\n".join(["", *complaints])
        assert grown_mib <= bomb.bound_mib, f"{entry.name} used {grown_mib} MiB"
