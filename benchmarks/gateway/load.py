"""The load: one process that holds all connections, so that its CPU is nobody's.

Orders and samples are lines of JSON on standard input and output. A reply is only read while time
is taken; that it is whole is checked afterwards.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import Final

import aiohttp

from benchmarks.gateway.cases import CASE_BY_NAME

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120)


@dataclass(frozen=True, slots=True)
class Order:
    """Say what to send.

    Attributes:
        urls: taken in turn by the clients.
    """

    case: str
    urls: list[str]
    key: str
    model: str
    calls: int
    clients: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what a batch took: the wall time of all, and each call's own, in seconds."""

    wall_seconds: float
    call_seconds: list[float]


class LostDataError(AssertionError):
    """Say that a proxy did not hand over what the stand-in had sent."""


async def fire(order: Order) -> Sample:
    """Make the calls, and return what they took.

    Raises:
        LostDataError: a reply is no success, or lacks something.
    """
    case = CASE_BY_NAME[order.case]
    numbers = count()
    replies: list[tuple[float, int, bytes]] = []
    # A worker keeps the connections that it accepted, and which it accepts is chance. With a new
    # one for each call, calls go to a worker that is free.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    headers = {"Authorization": f"Bearer {order.key}", "Content-Type": "application/json"}
    body = case.body(order.model)

    async def client(session: aiohttp.ClientSession, url: str) -> None:
        while next(numbers) < order.calls:
            begun = time.perf_counter()
            async with session.post(url, data=body) as reply:
                result = await reply.read()
            replies.append((time.perf_counter() - begun, reply.status, result))

    async with aiohttp.ClientSession(
        connector=connector, headers=headers, timeout=_TIMEOUT
    ) as session:
        start = time.perf_counter()
        urls = [order.urls[index % len(order.urls)] for index in range(order.clients)]
        await asyncio.gather(*(client(session, url) for url in urls))
        wall = time.perf_counter() - start
    for _, status, result in replies:
        if status != 200:  # noqa: PLR2004  # HTTP's own
            raise LostDataError(f"{order.urls[0]} answered {status}: {result[:500]!r}")
        if complaint := case.complaint(result):
            raise LostDataError(f"{order.urls[0]}: {complaint}")
    return Sample(wall, [seconds for seconds, _, _ in replies])


def main() -> None:
    """Say `ready`, then answer each order until standard input ends."""
    print("ready", flush=True)
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            sample = runner.run(fire(Order(**json.loads(line))))
            print(json.dumps(asdict(sample)), flush=True)


if __name__ == "__main__":
    main()
