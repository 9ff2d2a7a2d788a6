"""The local server, in a process of its own so that its CPU is nobody's.

`python -m benchmarks.serving` prints its address and serves until its standard input ends. What a
reply holds is in the first part of the path, see `workload.Served`. The bytes of a reply are made
once, so that the server costs as little as it can on a machine that it shares with the contenders.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import lru_cache
from typing import Any, Final

from benchmarks.workload import MODEL, PROMPT_TOKENS, Served, arguments_json

_HEAD_END: Final = b"\r\n\r\n"
_STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ndate: Sat, 28 Nov 2026 12:00:00 GMT\r\n"
    b"x-request-id: req_0123456789\r\ntransfer-encoding: chunked\r\n\r\n"
)
_STREAM: Final = (b'"stream":true', b'"stream": true')
_LAST_CHUNK: Final = b"0\r\n\r\n"
_CHAT: Final = {"id": "chatcmpl-0123456789", "created": 1795867200, "model": MODEL}


def _usage(served: Served) -> dict[str, int]:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": served.events,
        "total_tokens": PROMPT_TOKENS + served.events,
    }


def _pieces(served: Served) -> list[str]:
    if served.kind == "text":
        return served.deltas
    whole = arguments_json(served)
    size = -(-len(whole) // served.events)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _chat_events(served: Served) -> list[bytes]:
    def event(choices: list[Any], **more: Any) -> bytes:
        document = {**_CHAT, "object": "chat.completion.chunk", "choices": choices, **more}
        return f"data: {json.dumps(document)}\n\n".encode()

    def delta(fields: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": fields, "finish_reason": reason, "logprobs": None}
        return event([choice])

    events = []
    for number, piece in enumerate(_pieces(served)):
        fields: dict[str, Any] = {} if number else {"role": "assistant"}
        if served.kind == "text":
            fields["content"] = piece
        else:
            call: dict[str, Any] = {"index": 0, "function": {"arguments": piece}}
            if not number:
                call |= {"id": "call_1", "type": "function"}
                call["function"]["name"] = "tool_0"
            fields["tool_calls"] = [call]
        events.append(delta(fields))
    events.append(delta({}, served.received.finish_reason))
    events.append(event([], usage=_usage(served)))
    events.append(b"data: [DONE]\n\n")
    return events


def _message_events(served: Served) -> list[bytes]:
    def event(**document: Any) -> bytes:
        return f"event: {document['type']}\ndata: {json.dumps(document)}\n\n".encode()

    message: dict[str, Any] = {
        "id": "msg_0123456789", "type": "message", "role": "assistant", "model": MODEL,
        "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": 1},
    }  # fmt: skip  # one message, read as one
    block = {"type": "text", "text": ""}
    return [
        event(type="message_start", message=message),
        event(type="content_block_start", index=0, content_block=block),
        *(
            event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            for piece in served.deltas
        ),
        event(type="content_block_stop", index=0),
        event(
            type="message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": served.events},
        ),
        event(type="message_stop"),
    ]


def _chat_reply(served: Served) -> bytes:
    message = {"role": "assistant", "content": served.received.text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    document = {**_CHAT, "object": "chat.completion", "choices": [choice], "usage": _usage(served)}
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"x-request-id: req_0123456789\r\n\r\n" + body


@lru_cache(maxsize=256)
def reply(path: str, *, stream: bool) -> tuple[float, list[bytes]]:
    """Return the pause between the pieces of a reply, in seconds, and the pieces."""
    first, _, rest = path.lstrip("/").partition("/")
    served = Served.from_path(first)
    if not stream:
        return 0.0, [_chat_reply(served)]
    events = _message_events(served) if rest.endswith("messages") else _chat_events(served)
    pieces = [b"%x\r\n%b\r\n" % (len(one), one) for one in events]
    pieces[0] = _STREAM_HEAD + pieces[0]
    pieces[-1] += _LAST_CHUNK
    return served.pace_ms / 1000, pieces if served.pace_ms else [b"".join(pieces)]


class _Connection(asyncio.Protocol):
    """Answer the requests on one connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._needed = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < self._needed:
            return
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end])
        start = end + len(_HEAD_END)
        lines = head.lower().split(b"\r\n")
        lengths = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        if not lengths:  # a body in HTTP chunks, which ends with an empty one
            if not self._received.endswith(_LAST_CHUNK):
                return
            self._needed = len(self._received)
        else:
            self._needed = start + lengths[0]
        if len(self._received) < self._needed:
            return
        body = bytes(self._received[start : self._needed])
        del self._received[: self._needed]
        self._needed = 0
        path = head.split(b" ", 2)[1].decode()
        pause, pieces = reply(path, stream=any(each in body for each in _STREAM))
        self._send(pieces, 0, pause)

    def _send(self, pieces: list[bytes], number: int, pause: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(pieces[number])
        if number + 1 < len(pieces):
            # Never less than the pause, also where the server was late: two events that are said
            # to come alone must not come together.
            self._loop.call_later(pause, self._send, pieces, number + 1, pause)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    async with server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
