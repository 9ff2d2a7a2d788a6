"""Time limits that end a call, whatever the upstream does and however slowly it does it.

No test measures time: each ends because the limit does, long before its upstream would.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport import limits, timed_connection
from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
from litellm_synthetic.transport.client import Reply
from litellm_synthetic.transport.failures import ConnectStallError, StallError
from litellm_synthetic.transport.limits import Clock, IdleTimer, TimeLimits
from litellm_synthetic.transport.timed_connection import TimedConnection
from tests.transport.upstream import (
    HEAD,
    PATIENCE_SECONDS,
    Connection,
    Upstream,
    Way,
    chunked,
    whole,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHORT = 0.3
DRIP = 0.02


def stall(connection: Connection) -> None:
    connection.stall()


def drip(data: bytes, first: bytes = b"") -> Callable[[Connection], None]:
    def answer(connection: Connection) -> None:
        connection.write(first)
        connection.drip(data, DRIP)

    return answer


def informational(connection: Connection) -> None:
    while not connection.stopping.wait(DRIP):
        connection.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")


ENDLESS_HEADERS = b"X-A: " + b"a" * 10_000
PLAIN_BODY = (b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", b" " * 10_000)
ERROR_BODY = (b"HTTP/1.1 500 Error\r\nContent-Length: 10000\r\n\r\n", b" " * 10_000)
UNTIL_HEADERS: dict[str, Callable[[Connection], None]] = {
    "silence": stall,
    "headers that drip": drip(HEAD + ENDLESS_HEADERS),
    "informational answers without end": informational,
}


@pytest.mark.parametrize("name", UNTIL_HEADERS)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_wait_for_a_reply_ends(way: Way, name: str, *, stream: bool) -> None:
    with Upstream(UNTIL_HEADERS[name]) as upstream:
        method = way.open if stream else way.send
        with pytest.raises(StallError):
            await method(upstream.url, limits=within(SHORT, stream=stream), max_retries=3)
        assert len(upstream.requests) == 1
        await way.let_go()
        assert await upstream.all_left()


@pytest.mark.parametrize("name", UNTIL_HEADERS)
async def test_an_httpx_timeout_bounds_the_headers_as_a_whole(way: Way, name: str) -> None:
    of_phases = TimeLimits(PATIENCE_SECONDS, SHORT, PATIENCE_SECONDS, PATIENCE_SECONDS)
    with Upstream(UNTIL_HEADERS[name]) as upstream, pytest.raises(StallError, match="silence"):
        await way.send(upstream.url, limits=of_phases)


@pytest.mark.parametrize("parts", [PLAIN_BODY, ERROR_BODY])
async def test_a_body_that_drips_ends_with_the_call(way: Way, parts: tuple[bytes, bytes]) -> None:
    with Upstream(drip(parts[1], parts[0])) as upstream:
        with pytest.raises(StallError, match="no whole reply within"):
            await way.send(upstream.url, limits=within(SHORT))
        await way.let_go()
        assert await upstream.all_left()


async def test_an_error_that_drips_in_place_of_a_stream_ends(way: Way) -> None:
    with Upstream(drip(ERROR_BODY[1], ERROR_BODY[0])) as upstream:
        with pytest.raises(StallError):
            await way.open(upstream.url, limits=within(SHORT, stream=True))
        await way.let_go()
        assert await upstream.all_left()


def keep_alive(connection: Connection) -> None:
    connection.write(chunked(b"data: a\n\n", end=False))
    while not connection.stopping.wait(DRIP):
        connection.write(b"8\r\n: ping\n\n\r\n")


def fall_silent(connection: Connection) -> None:
    connection.write(chunked(b"data: a\n\n", end=False))
    connection.stall()


def half_a_chunk(connection: Connection) -> None:
    connection.write(chunked(b"data: a\n\n", end=False))
    connection.drip(b"ffff\r\n" + b"x" * 10_000, DRIP)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (keep_alive, "no progress"),
        (fall_silent, "silence|no progress"),
        (half_a_chunk, "progress|silence"),
    ],
)
async def test_a_stream_without_progress_ends(
    way: Way, answer: Callable[[Connection], None], message: str
) -> None:
    with Upstream(answer) as upstream:
        body = await begun(way, upstream)
        body.progressed()
        with pytest.raises(StallError, match=message):
            await read_on(way, body)
        await way.close(body)
        await way.let_go()
        assert await upstream.all_left()


async def begun(way: Way, upstream: Upstream) -> ByteStream | AsyncByteStream:
    """Return a stream of which the first bytes came within its limit, as they may not at once."""
    for seconds in (SHORT, 2.0, 20.0):
        try:
            body = await way.open(upstream.url, limits=within(seconds, stream=True))
            assert isinstance(body, ByteStream | AsyncByteStream)
            assert (await way.read(body)).startswith(b"data: a\n\n")
        except StallError:
            continue
        return body
    raise AssertionError("the first bytes never came in time")


async def read_on(way: Way, body: Any) -> None:
    while await way.read(body):
        pass


async def test_progress_keeps_a_slow_stream_alive(way: Way) -> None:
    pieces = [b"data: %d\n\n" % number for number in range(12)]

    def slowly(connection: Connection) -> bool:
        connection.write(chunked(end=False))
        for piece in pieces:
            connection.stopping.wait(SHORT / 4)
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.write(b"0\r\n\r\n")
        return True

    with Upstream(slowly) as upstream:
        body = await way.open(upstream.url, limits=within(4 * SHORT, stream=True))
        assert await way.read_all(body) == b"".join(pieces)
        await way.close(body)


class FakeTime:
    """Stand for the clock, which only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    time = FakeTime()
    monkeypatch.setattr(limits, "time", time)
    return time


def test_a_reader_that_is_slow_itself_is_no_silence(clock: FakeTime) -> None:
    timer = IdleTimer(10.0)
    for _ in range(5):
        assert timer.begin() == 10.0
        clock.now += 2.0
        timer.end()
        timer.progressed()
        clock.now += 1000.0  # the caller works on what it got


def test_work_on_what_is_no_progress_is_waiting(clock: FakeTime) -> None:
    timer = IdleTimer(10.0)
    timer.begin()
    timer.end()
    clock.now += 4.0  # a thousand comments are read
    assert timer.begin() == 6.0
    timer.end()
    clock.now += 7.0
    with pytest.raises(StallError, match="no progress for 10 s"):
        timer.check()


def test_what_is_handed_out_without_progress_leaves_the_caller_time(clock: FakeTime) -> None:
    timer = IdleTimer(10.0)
    timer.begin()
    clock.now += 4.0
    timer.end()
    timer.handed_out()
    clock.now += 1000.0  # the caller works on a ping
    assert timer.begin() == 6.0
    timer.check()


def test_waits_without_progress_add_up(clock: FakeTime) -> None:
    timer = IdleTimer(10.0)
    for remaining in (10.0, 7.0, 4.0, 1.0):
        assert timer.begin() == remaining
        clock.now += 3.0
        assert timer.left() == remaining - 3.0
        timer.end()
    assert timer.begin() == -2.0
    assert "no progress for 10 s" in str(timer.expired())
    timer.progressed()
    assert timer.begin() == 10.0
    assert "silence for 10 s" in str(timer.expired())


def test_without_a_limit_nothing_is_counted(clock: FakeTime) -> None:
    timer = IdleTimer(None)
    assert timer.begin() is None
    clock.now += 1e9
    timer.end()
    assert timer.left() is None


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """Listen where no connection is taken any more."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)  # noqa: FBT003  # the socket's own
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield f"http://127.0.0.1:{port}/v1/x"
        for one in waiting:
            one.close()


@pytest.mark.usefixtures("no_waiting")
async def test_a_connection_that_is_not_taken_ends(way: Way, full_backlog: str) -> None:
    only_connect = TimeLimits(SHORT, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)
    with pytest.raises(ConnectStallError, match=r"no connection within 0\.3 s"):
        await way.send(full_backlog, limits=only_connect, max_retries=1)


async def test_a_handshake_that_is_not_answered_ends(way: Way) -> None:
    only_connect = TimeLimits(SHORT, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)
    with Upstream(stall) as upstream:
        with pytest.raises(StallError):
            await way.send(upstream.url.replace("http:", "https:"), limits=only_connect)
        await way.let_go()
        assert await upstream.all_left()


@pytest.fixture
def dead_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have the system's resolver hang, and return which hosts it was asked for."""
    body: list[str] = []
    let_go = threading.Event()
    original = socket.getaddrinfo

    def hang(host: Any, *arguments: Any, **settings: Any) -> Any:
        if host != "hangs.invalid":
            return original(host, *arguments, **settings)
        body.append(host)
        let_go.wait(PATIENCE_SECONDS)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield body
    let_go.set()
    for thread in threading.enumerate():
        if thread.name == "litellm-synthetic-resolver":
            thread.join(PATIENCE_SECONDS)


@pytest.mark.usefixtures("no_waiting")
async def test_a_name_look_up_that_hangs_ends(own_way: Way, dead_resolver: list[str]) -> None:
    with pytest.raises(StallError):
        await own_way.send("http://hangs.invalid/v1", limits=within(SHORT))
    only_connect = TimeLimits(SHORT, PATIENCE_SECONDS, PATIENCE_SECONDS, PATIENCE_SECONDS)
    for _ in range(3):
        with pytest.raises(ConnectStallError):
            await own_way.send("http://hangs.invalid/v1", limits=only_connect, max_retries=1)
    assert dead_resolver == ["hangs.invalid"]  # one thread, however many wait for it


async def test_a_request_that_is_not_taken_ends(own_way: Way) -> None:
    def take_nothing(connection: Connection) -> None:
        connection.stopping.wait(PATIENCE_SECONDS)

    take_nothing.leaves_body = True  # type: ignore[attr-defined]  # read by the upstream
    with Upstream(take_nothing) as upstream:
        with pytest.raises(StallError):
            await own_way.send(upstream.url, content=b"x" * 30_000_000, limits=within(SHORT))
        stream = within(SHORT, stream=True)
        with pytest.raises(StallError, match="not taken"):
            await own_way.open(upstream.url, content=b"x" * 30_000_000, limits=stream)


async def test_a_reply_may_come_before_the_request_is_through(own_way: Way) -> None:
    def refuse_early(connection: Connection) -> None:
        connection.write(whole(b"too large", "413 Too Large", b"Connection: close\r\n"))
        connection.socket.shutdown(socket.SHUT_WR)
        while connection.socket.recv(1024 * 1024):
            pass

    refuse_early.leaves_body = True  # type: ignore[attr-defined]  # read by the upstream
    with Upstream(refuse_early) as upstream:
        reply = await own_way.send(upstream.url, content=b"x" * 5_000_000)
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (413, b"too large")
        assert await upstream.all_left()


async def test_retries_end_with_the_call(way: Way) -> None:
    with Upstream(whole(b"", "500 Error")) as upstream:
        # On a busy machine the limit may pass inside an attempt instead of between two.
        with contextlib.suppress(StallError):
            reply = await way.send(upstream.url, limits=within(SHORT), max_retries=50)
            assert reply.status == 500
        assert 1 <= len(upstream.requests) < 5


def test_a_limit_that_passes_as_the_connection_is_made_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    ours, theirs = socket.socketpair()

    def create_connection(address: object, timeout: float, **_: object) -> socket.socket:
        del address
        assert timeout > 0
        now[0] += 60.0
        return ours

    monkeypatch.setattr(timed_connection, "create_connection", create_connection)
    clock = Clock(TimeLimits(1.0))
    clock.enter("connect")
    monkeypatch.setattr(timed_connection.current_call, "clock", clock)
    with theirs, pytest.raises(ConnectStallError):
        TimedConnection("127.0.0.1", 9).connect()
    assert ours.fileno() == -1


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_a_clock_gives_sockets_no_limit_that_they_refuse(passed: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = [1000.0]
        patch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
        clock = Clock(TimeLimits(total_seconds=5.0))
        now[0] += passed
        try:
            timeout = clock.timeout()
        except StallError:
            assert passed >= 4.999
        else:
            assert timeout is not None
            assert timeout > 0
