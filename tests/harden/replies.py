"""Right replies, each in every protocol, and the HTTP around them."""

from __future__ import annotations

import json
from typing import Any, Final

TEXT: Final = "The answer is 42 — naïve café 😀."
REASONING: Final = "Six by nine."
TOOL: Final = ("look_up", '{"city":"Zürich"}')
VECTORS: Final = [[0.5, -0.25], [1.0, 0.0]]
USAGE: Final = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
RESULT: Final = {
    "url": "https://example.org/a",
    "title": "A title",
    "text": TEXT,
    "published": "2026-01-02T03:04:05.000Z",
}


def encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def chat_document() -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1771745535,
        "model": "zai-org/GLM-5.2",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": TEXT,
                    "reasoning_content": REASONING,
                    "reasoning": REASONING,
                    "tool_calls": [],
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
                "stop_reason": None,
            }
        ],
        "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}},
    }


def tool_document() -> dict[str, Any]:
    document = chat_document()
    document["choices"][0]["message"] |= {
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": TOOL[0], "arguments": TOOL[1]},
            }
        ],
    }
    document["choices"][0]["finish_reason"] = "tool_calls"
    return document


def text_document() -> dict[str, Any]:
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1771745535,
        "model": "zai-org/GLM-5.2",
        "choices": [{"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
    }


def embedding_document() -> dict[str, Any]:
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(VECTORS)
        ],
        "model": "hf:nomic-ai/nomic-embed-text-v1.5",
        "usage": {"prompt_tokens": 11, "total_tokens": 11},
    }


def message_document() -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "hf:zai-org/GLM-5.2",
        "content": [
            {"type": "thinking", "thinking": REASONING, "signature": ""},
            {"type": "text", "text": TEXT},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def search_document() -> dict[str, Any]:
    return {"results": [RESULT]}


def quotas_document() -> dict[str, Any]:
    return {
        "subscription": {"limit": 135, "requests": 4, "renewsAt": "2026-11-21T12:00:00Z"},
        "rollingFiveHourLimit": {
            "nextTickAt": "2026-11-21T12:00:00Z",
            "tickPercent": 0.05,
            "remaining": 499.5,
            "max": 500,
            "limited": False,
        },
    }


def _pieces(text: str, size: int = 7) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def chat_chunk(
    delta: dict[str, Any] | None, finish: str | None = None, **top: Any
) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1771745535,
        "model": "zai-org/GLM-5.2",
        "choices": choices,
        **top,
    }


def chat_chunks() -> list[dict[str, Any]]:
    return [
        chat_chunk({"role": "assistant", "content": ""}),
        *(chat_chunk({"reasoning_content": piece}) for piece in _pieces(REASONING)),
        *(chat_chunk({"content": piece}) for piece in _pieces(TEXT)),
        chat_chunk({}, "stop"),
        chat_chunk(None, usage=USAGE),
    ]


def tool_chunks() -> list[dict[str, Any]]:
    name, arguments = TOOL
    head = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": name, "arguments": ""},
    }
    return [
        chat_chunk({"role": "assistant", "content": None}),
        chat_chunk({"tool_calls": [head]}),
        *(
            chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
            for piece in _pieces(arguments, 5)
        ),
        chat_chunk({}, "tool_calls"),
        chat_chunk(None, usage=USAGE),
    ]


def text_chunks() -> list[dict[str, Any]]:
    def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1771745535,
            "model": "zai-org/GLM-5.2",
            "choices": [{"index": 0, "text": text, "finish_reason": finish}],
        }

    closing = {**chunk(""), "choices": [], "usage": USAGE}
    return [*(chunk(piece) for piece in _pieces(TEXT)), chunk("", "stop"), closing]


def message_events() -> list[dict[str, Any]]:
    opening = {**message_document(), "content": [], "stop_reason": None}
    opening["usage"] = {"input_tokens": 11, "output_tokens": 0}
    return [
        {"type": "message_start", "message": opening},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": piece},
            }
            for piece in _pieces(REASONING)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in _pieces(TEXT)
        ),
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 11, "output_tokens": 7},
        },
        {"type": "message_stop"},
    ]


def event(document: Any) -> bytes:
    """Return an event as both protocols write theirs: the Messages API names it."""
    name = b""
    if isinstance(document, dict) and isinstance(document.get("type"), str):
        name = b"event: " + document["type"].encode("utf-8", "replace") + b"\n"
    return name + b"data: " + encoded(document) + b"\n\n"


DONE: Final = b"data: [DONE]\n\n"

DOCUMENTS: Final[dict[str, Any]] = {
    "chat": chat_document(),
    "text": text_document(),
    "embedding": embedding_document(),
    "message": message_document(),
    "search": search_document(),
    "quotas": quotas_document(),
}
STREAMS: Final[dict[str, list[dict[str, Any]]]] = {
    "chat_stream": chat_chunks(),
    "text_stream": text_chunks(),
    "message_stream": message_events(),
}


def stream_body(kind: str, documents: list[dict[str, Any]] | None = None) -> bytes:
    documents = STREAMS[kind] if documents is None else documents
    events = b"".join(event(one) for one in documents)
    return events if kind == "message_stream" else events + DONE


def body_of(kind: str) -> bytes:
    """Return the body of the right reply of a kind."""
    return stream_body(kind) if kind in STREAMS else encoded(DOCUMENTS[kind])


def is_stream(kind: str) -> bool:
    return kind in STREAMS


def media_type(kind: str) -> bytes:
    return b"text/event-stream" if is_stream(kind) else b"application/json"


def head(
    kind: str,
    *fields: bytes,
    status: bytes = b"200 OK",
    version: bytes = b"HTTP/1.1",
    content_type: bytes | None = None,
) -> bytes:
    """Return a status line and headers, with the blank line."""
    lines = [version + b" " + status]
    if content_type != b"":
        lines.append(b"content-type: " + (content_type or media_type(kind)))
    return b"\r\n".join([*lines, *fields, b"", b""])


def sized(kind: str, body: bytes, *fields: bytes, status: bytes = b"200 OK", **rest: Any) -> bytes:
    """Return a whole reply with a Content-Length."""
    length = b"content-length: %d" % len(body)
    return head(kind, length, *fields, status=status, **rest) + body


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def chunked(kind: str, body: bytes, *fields: bytes, size: int = 1 << 30, **rest: Any) -> bytes:
    """Return a whole reply in chunks."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        head(kind, b"transfer-encoding: chunked", *fields, **rest)
        + b"".join(chunk(piece) for piece in pieces)
        + b"0\r\n\r\n"
    )
