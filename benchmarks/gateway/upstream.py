"""The service behind both proxies: it replays what the stand-in answers, at next to no cost.

`python -m benchmarks.gateway.upstream` prints its bare address, and serves until its standard input
ends. The stand-in builds each reply anew, which takes longer than a proxy takes to pass it on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from typing import Any, Final, cast

from benchmarks.gateway.cases import CASES, PACE_MARK, PACE_SECONDS, Case
from benchmarks.workload import API_KEY, CHUNKS, COMPLETION_TOKENS, PROMPT_TOKENS, TEXT
from litellm_synthetic.testing import SyntheticServer, Text, Usage

_END: Final = b"0\r\n\r\n"
_STREAMING: Final = (b'"stream":true', b'"stream": true')


class Replies:
    """Hold the bytes of each reply: whole ones with their heads, streams in pieces."""

    def __init__(self, chat: bytes, message: bytes, events: list[bytes]) -> None:
        self.chat = _head(b"application/json", b"Content-Length: %d" % len(chat)) + chat
        self.message = _head(b"application/json", b"Content-Length: %d" % len(message)) + message
        self.begin = _head(b"text/event-stream", b"Transfer-Encoding: chunked")
        self.pieces = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
        self.burst = self.begin + b"".join(self.pieces) + _END


class Connection(asyncio.Protocol):
    """Answer one client, request by request."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once a request is complete."""
        self._buffer += data
        head, blank, body = bytes(self._buffer).partition(b"\r\n\r\n")
        if not blank:
            return
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(body) >= length:
            self._buffer.clear()
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path.endswith(b"/messages"):
            self._write(self._replies.message)
        elif not any(mark in body for mark in _STREAMING):
            self._write(self._replies.chat)
        elif PACE_MARK.encode() in body:
            self._write(self._replies.begin)
            self._step(0, asyncio.get_running_loop().time())
        else:
            self._write(self._replies.burst)

    def _step(self, number: int, due: float) -> None:
        if number == len(self._replies.pieces):
            self._write(_END)
            return
        self._write(self._replies.pieces[number])
        due += PACE_SECONDS
        asyncio.get_running_loop().call_at(due, self._step, number + 1, due)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def recorded() -> Replies:
    """Return what the stand-in answers."""
    reply = Text(TEXT, chunks=CHUNKS, usage=Usage(PROMPT_TOKENS, COMPLETION_TOKENS))
    cases = {case.name: case for case in CASES}
    with SyntheticServer(api_key=API_KEY) as server:
        server.respond_with(reply)
        bare = server.openai_base.removesuffix("/openai/v1")
        chat = _fetch(f"{bare}/openai/v1/chat/completions", cases["plain"])
        message = _fetch(f"{bare}/anthropic/v1/messages", cases["messages"])
        stream = _fetch(f"{bare}/openai/v1/chat/completions", cases["burst"])
    events = [event + b"\n\n" for event in stream.split(b"\n\n") if event]
    return Replies(chat, message, events)


def _fetch(url: str, case: Case) -> bytes:
    request = json.loads(case.body())
    body = json.dumps(request | {"model": request["model"].removeprefix("synthetic/")}).encode()
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    http_request = urllib.request.Request(url, body, headers)  # noqa: S310  # loopback
    with urllib.request.urlopen(http_request, timeout=30) as reply:  # noqa: S310  # loopback
        document: bytes = reply.read()
    return document


def _head(kind: bytes, framing: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n" % (kind, framing)


async def _serve() -> None:
    replies = recorded()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(replies), "127.0.0.1", 0, backlog=1024)
    port: Any = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
