"""Event streams: cut, dripped, malformed, endless, broken off, and wrong in every field."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from tests.harden.cases import KEY, OPENAI_STREAMED, STREAMED, Case, Reply, never_ending
from tests.harden.replies import DONE, STREAMS, chunk, event, head, stream_body
from tests.harden.upstream import CUT, FIN, RESET, STALL, drip, forever, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harden.upstream import Script, Step

_MESSAGES: Final = ("message_stream",)
_GAP: Final = 0.1


def _sent(reply: Reply, *steps: Step, end: Step = FIN) -> Script:
    """Send a stream in chunks, one for each piece of bytes."""
    opening = head(reply.kind, b"transfer-encoding: chunked")
    pieces = [chunk(one) if isinstance(one, bytes) else one for one in steps]
    return [opening, *pieces, b"0\r\n\r\n" if end is FIN else b"", end]


def _whole(make: Callable[[bytes], bytes]) -> Callable[[Reply], Script]:
    return lambda reply: _sent(reply, make(reply.body))


def _events(change: Callable[[list[dict[str, Any]], str], list[Any]]) -> Callable[[Reply], Script]:
    """Send what a function makes of a right stream's documents; bytes are sent as they are."""

    def build(reply: Reply) -> Script:
        documents = change(copy.deepcopy(STREAMS[reply.kind]), reply.kind)
        body = b"".join(one if isinstance(one, bytes) else event(one) for one in documents)
        return _sent(reply, body)

    return build


def _opened(reply: Reply) -> bytes:
    return head(reply.kind)


def _begun(reply: Reply, count: int = 3) -> bytes:
    """Return the head and the first events of a right stream."""
    return head(reply.kind) + b"".join(map(event, STREAMS[reply.kind][:count]))


def _dripped(size: int) -> Callable[[Reply], Script]:
    return lambda reply: [_opened(reply), drip(reply.body, 0.0, size), FIN]


def _multi_line(kind: str) -> bytes:
    """Write each document over several lines of data."""
    events = []
    for document in STREAMS[kind]:
        lines = json.dumps(document, indent=1).splitlines()
        name = f"event: {document['type']}\n" if "type" in document else ""
        events.append(name + "".join(f"data: {line}\n" for line in lines) + "\n")
    return "".join(events).encode() + (b"" if kind == "message_stream" else DONE)


def _answers() -> list[Case]:
    makes: dict[str, Callable[[bytes], bytes]] = {
        "as it is": lambda body: body,
        "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
        "CR": lambda body: body.replace(b"\n", b"\r"),
        "a mix of line ends": lambda body: body.replace(b"\n\n", b"\r\n\n", 3).replace(
            b"}\n\n", b"}\r\r", 2
        ),
        "a BOM": lambda body: b"\xef\xbb\xbf" + body,
        "comments between": lambda body: body.replace(b"\n\n", b"\n\n: keep-alive\n\n"),
        "comments within": lambda body: body.replace(b"data: ", b": note\ndata: "),
        "NULs in comments": lambda body: b": \x00\x00\n\n" + body,
        "a comment of a megabyte": lambda body: b": " + b"c" * 1_000_000 + b"\n\n" + body,
        "bytes that are no text in a comment": lambda body: b": \xff\xfe\xfd\n\n" + body,
        "ids and retries": lambda body: body.replace(b"data: ", b"id: 7\nretry: 10\ndata: "),
        "unknown fields": lambda body: body.replace(b"data: ", b"x-y: z\nnocolon\ndata: "),
        "no space after the colon": lambda body: body.replace(b"data: ", b"data:"),
        "no blank line at the end": lambda body: body.rstrip(b"\n"),
        "a hundred blank lines": lambda body: b"\n" * 100 + body.replace(b"\n\n", b"\n\n\n\n"),
        "two ends": lambda body: body + DONE,
        "garbage after the end": lambda body: body + b"\x00garbage\n\n",
        "white space after the end": lambda body: body + b" \n\n \n",
    }
    cases = [
        Case(f"stream: {name}", _whole(make), "answer", STREAMED) for name, make in makes.items()
    ]
    named = _whole(lambda body: body.replace(b"data: ", b"event: message\ndata: "))
    cases.append(Case("stream: named events", named, "answer", OPENAI_STREAMED))
    cases.append(
        Case(
            "stream: unnamed events",
            _whole(
                lambda body: b"".join(x + b"\n" for x in body.split(b"\n") if x[:6] != b"event:")
            ),
            "answer",
            _MESSAGES,
        )
    )
    cases.append(
        Case(
            "stream: several lines of data",
            lambda reply: _sent(reply, _multi_line(reply.kind)),
            "answer",
            STREAMED,
        )
    )
    # In one go the kernel merges these; the reader still sees many odd cuts.
    cases += [
        Case(f"stream: {size} bytes at a time", _dripped(size), "answer", STREAMED)
        for size in (1, 2, 3, 7)
    ]
    steps: dict[str, Callable[[Reply], Script]] = {
        "a pause in every event": lambda reply: [
            _opened(reply),
            *(
                part
                for one in STREAMS[reply.kind]
                for part in (event(one)[:9], pause(0.001), event(one)[9:])
            ),
            b"" if reply.kind == "message_stream" else DONE,
            FIN,
        ],
        "silence after the end": lambda reply: [_opened(reply) + reply.body, STALL],
        "a reset after the end": lambda reply: [_opened(reply) + reply.body, pause(0.05), RESET],
        "endless comments after the end": lambda reply: [
            _opened(reply) + reply.body,
            forever(b": ping\n\n", 0.01),
        ],
        "endless bytes after the end": lambda reply: [
            _opened(reply) + reply.body,
            forever(b"x" * 65536),
        ],
    }
    cases += [Case(f"stream: {name}", build, "answer", STREAMED) for name, build in steps.items()]
    return cases


def _openai() -> list[Case]:
    """Return what streams of the OpenAI API do beside what they should."""

    def bare(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "choices": []}

    answers: dict[str, Callable[[list[Any], str], list[Any]]] = {
        "no [DONE]": lambda docs, _: docs,
        "no usage": lambda docs, _: [*docs[:-1], DONE],
        "usage twice": lambda docs, _: [*docs, docs[-1], DONE],
        "usage on every chunk": lambda docs, _: [
            *({**one, "usage": docs[-1]["usage"]} for one in docs),
            DONE,
        ],
        "usage that is null": lambda docs, _: [
            *({**one, "usage": None} for one in docs[:-1]),
            docs[-1],
            DONE,
        ],
        "usage on the last choice": lambda docs, _: [
            *docs[:-2],
            {**docs[-2], "usage": docs[-1]["usage"]},
            DONE,
        ],
        "finish twice": lambda docs, _: [*docs[:-1], docs[-2], docs[-1], DONE],
        "empty choices between": lambda docs, _: [
            *(part for one in docs for part in (bare(one), one)),
            DONE,
        ],
        "a first chunk of a filter": lambda docs, _: [
            {
                "id": "",
                "object": "",
                "model": "",
                "created": 0,
                "choices": [],
                "prompt_filter_results": [],
            },
            *docs,
            DONE,
        ],
        "events of other kinds": lambda docs, _: [
            b"event: metrics\ndata:\n\n",
            b"event: ping\ndata: {}\n\n",
            *docs,
            DONE,
        ],
        "ids that change": lambda docs, _: [
            *({**one, "id": f"x{at}", "model": f"m{at}"} for at, one in enumerate(docs)),
            DONE,
        ],
        "ids that are none": lambda docs, _: [
            *({**one, "id": None, "model": 7, "created": "then"} for one in docs),
            DONE,
        ],
        "unknown fields in each chunk": lambda docs, _: [
            *({**one, "zz": {"deep": [None]}, "prompt_token_ids": None} for one in docs),
            DONE,
        ],
        "content after [DONE]": lambda docs, _: [*docs, DONE, docs[2], DONE],
        "an error that is null": lambda docs, _: [*({**one, "error": None} for one in docs), DONE],
        "a second [DONE] in other words": lambda docs, _: [*docs, b"data: [DONE] \n\n"],
        "[DONE] without its line end": lambda docs, _: [*docs, b"data: [DONE]"],
    }
    cases = [
        Case(f"stream: {name}", _events(change), "answer", OPENAI_STREAMED)
        for name, change in answers.items()
    ]
    sane: dict[str, Callable[[list[Any], str], list[Any]]] = {
        "content after the finish": lambda docs, _: [*docs[:-1], docs[3], docs[-1], DONE],
        "finish reasons that differ": lambda docs, _: [
            *docs[:-1],
            {**docs[-2], "choices": [{**docs[-2]["choices"][0], "finish_reason": "length"}]},
            DONE,
        ],
        "usages that disagree": lambda docs, _: [
            *docs,
            {**docs[-1], "usage": {"prompt_tokens": 1, "completion_tokens": -5}},
            DONE,
        ],
        "a finish reason that is unknown": lambda docs, _: [
            *docs[:-2],
            {**docs[-2], "choices": [{**docs[-2]["choices"][0], "finish_reason": "odd"}]},
            DONE,
        ],
        "a finish reason that is an object": lambda docs, _: [
            *docs[:-2],
            {**docs[-2], "choices": [{**docs[-2]["choices"][0], "finish_reason": {"a": 1}}]},
            DONE,
        ],
        "choices with odd indexes": lambda docs, _: [
            *(
                {**one, "choices": [{**each, "index": at * 10**9} for each in one["choices"]]}
                for at, one in enumerate(docs)
            ),
            DONE,
        ],
        "choices without an index": lambda docs, _: [
            *(
                {
                    **one,
                    "choices": [
                        {k: v for k, v in each.items() if k != "index"} for each in one["choices"]
                    ],
                }
                for one in docs
            ),
            DONE,
        ],
        "a hundred choices": lambda docs, _: [
            *(
                {**docs[3], "choices": [{**docs[3]["choices"][0], "index": at}]}
                for at in range(100)
            ),
            DONE,
        ],
        "half a surrogate at a time": lambda docs, kind: [
            docs[0],
            *(
                json.loads(json.dumps(docs[3]).replace(json.dumps(_content(docs[3], kind)), half))
                for half in ('"\\ud83d"', '"\\ude00"')
            ),
            *docs[-2:],
            DONE,
        ],
        "a finish, then broken JSON": lambda docs, _: [*docs[:-1], b'data: {"x\n\n', DONE],
    }
    cases += [
        Case(f"stream ends sanely: {name}", _escaped_events(change), "sane", OPENAI_STREAMED)
        for name, change in sane.items()
    ]
    return cases


def _content(document: dict[str, Any], kind: str) -> str:
    choice = document["choices"][0]
    return str(choice["text"] if kind == "text_stream" else choice["delta"].get("content", ""))


def _escaped_events(
    change: Callable[[list[dict[str, Any]], str], list[Any]],
) -> Callable[[Reply], Script]:
    """Do what `_events` does, in ASCII: a lone surrogate cannot be written otherwise."""

    def build(reply: Reply) -> Script:
        documents = change(copy.deepcopy(STREAMS[reply.kind]), reply.kind)
        return _sent(
            reply,
            b"".join(
                one if isinstance(one, bytes) else b"data: " + json.dumps(one).encode() + b"\n\n"
                for one in documents
            ),
        )

    return build


_ERROR_EVENTS: Final[dict[str, bytes]] = {
    "a text": event({"error": f"no, {KEY}"}),
    "an object": event({"error": {"message": f"no, {KEY}", "type": "server_error", "code": 500}}),
    "an object without a text": event({"error": {"code": 429}}),
    "SGLang's": event({"object": "error", "message": f"no, {KEY}", "code": 400}),
    "a named one": b'event: error\ndata: {"error": {"type": "api_error", "message": "no"}}\n\n',
    "Anthropic's": event({"type": "error", "error": {"type": "overloaded_error", "message": KEY}}),
    "an overflow": event({"error": "This model's maximum context length is 10 tokens."}),
    "a long one": event({"error": "e" * 200_000 + KEY}),
    "a lone surrogate": b'data: {"error": "odd \\ud800"}\n\n',
    "control characters": b'data: {"error": "\\u001b[31mred\\u0000"}\n\n',
    "FastAPI's": event({"detail": [{"loc": ["body"], "msg": "no"}]}),
    "a 401 with the key": event({"error": {"message": f"Bearer {KEY}", "code": 401}}),
}
_BROKEN_EVENTS: Final[dict[str, bytes]] = {
    "half of its JSON": b'data: {"id": "x", "choices": [\n\n',
    "a number": b"data: 42\n\n",
    "null": b"data: null\n\n",
    "a list": b"data: []\n\n",
    "a text": b'data: "text"\n\n',
    "no JSON": b"data: hello\n\n",
    "a page": b"data: <html></html>\n\n",
    "bytes that are no text": b"data: \xff\xfe\xfd\n\n",
    "a nest": b"data: " + b"[" * 100_000 + b"\n\n",
    "the key": b"data: " + KEY.encode() + b"\n\n",
}


def _failures() -> list[Case]:
    cases = []
    for name, failing in _ERROR_EVENTS.items():
        for where, count in (("first", 0), ("after content", 8)):

            def build(reply: Reply, failing: bytes = failing, count: int = count) -> Script:
                begun = b"".join(map(event, STREAMS[reply.kind][:count]))
                return _sent(
                    reply, begun + failing, b"" if reply.kind == "message_stream" else DONE
                )

            cases.append(
                Case(f"stream refused: {name} as an error, {where}", build, "error", STREAMED)
            )
    for name, broken in _BROKEN_EVENTS.items():

        def build_broken(reply: Reply, broken: bytes = broken) -> Script:
            documents = STREAMS[reply.kind]
            return _sent(
                reply,
                b"".join(map(event, documents[:4])) + broken,
                stream_body(reply.kind, documents[4:]),
            )

        label = f"stream refused: an event that is {name}"
        # Gateways put nulls into streams to keep them open; whether that is an error is open.
        end = "either" if name in ("null", "a list", "a number", "a text") else "error"
        cases.append(Case(label, build_broken, end, STREAMED))  # type: ignore[arg-type]  # one of two literals
    cut: dict[str, Callable[[Reply], Script]] = {
        "nothing": lambda reply: [_opened(reply), FIN],
        "comments only": lambda reply: _sent(reply, b": a\n\n" * 20),
        "[DONE] only": lambda reply: _sent(reply, DONE),
        "no finish": lambda reply: _sent(
            reply, stream_body("message_stream", STREAMS[reply.kind][:-2])
        ),
        "no finish, but [DONE]": lambda reply: _sent(
            reply, stream_body("message_stream", STREAMS[reply.kind][:-2]) + DONE
        ),
        "half an event": lambda reply: _sent(reply, reply.body[: len(reply.body) // 2]),
        "a cut": lambda reply: [_begun(reply), CUT],
        "a reset": lambda reply: [_begun(reply), pause(0.05), RESET],
        "a page": lambda reply: _sent(reply, b"<html><title>Busy</title></html>"),
        "text": lambda reply: _sent(reply, b"upstream connect error\n\n"),
        "an empty data line": lambda reply: _sent(reply, b"data:\n\ndata: \n\n"),
    }
    cases += [
        Case(f"stream refused: {name}", build, "error", STREAMED) for name, build in cut.items()
    ]
    cases.append(
        Case(
            "stream: cut after the finish",
            lambda reply: [_begun(reply, len(STREAMS[reply.kind]) - 1), CUT],
            "answer",
            OPENAI_STREAMED,
        )
    )
    cases.append(
        Case(
            "stream refused: cut before message_stop",
            lambda reply: [_begun(reply, len(STREAMS[reply.kind]) - 1), CUT],
            "either",
            _MESSAGES,
        )
    )
    return cases


def _never_progressing() -> list[Case]:
    """Return streams that are alive and say nothing."""

    def going_on(piece: bytes, gap: float = _GAP) -> Callable[[Reply], Script]:
        return lambda reply: [_begun(reply), forever(piece, gap)]

    def choices(**fields: Any) -> bytes:
        return event(
            {"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, **fields}]}
        )

    every: dict[str, Callable[[Reply], Script]] = {
        "silence from the start": lambda reply: [_opened(reply), STALL],
        "silence after content": lambda reply: [_begun(reply), STALL],
        "silence within an event": lambda reply: [_begun(reply) + b"data: {", STALL],
        "comments for ever": going_on(b": keep-alive\n\n"),
        "comments from the start": lambda reply: [_opened(reply), forever(b": ping\n\n", _GAP)],
        "comments at full speed": going_on(b": keep-alive\n\n" * 1000, 0.0),
        "pings for ever": going_on(b'event: ping\ndata: {"type": "ping"}\n\n'),
        "blank lines for ever": going_on(b"\n"),
        "blank lines at full speed": going_on(b"\n" * 4096, 0.0),
        "an event that drips for ever": lambda reply: [
            _begun(reply) + b"data: ",
            forever(b"x", _GAP),
        ],
        "a comment that drips for ever": lambda reply: [_begun(reply) + b": ", forever(b"x", _GAP)],
        "white space that drips for ever": lambda reply: [_opened(reply), forever(b" ", _GAP)],
        "ids for ever": going_on(b"id: 1\n\n"),
    }
    openai: dict[str, bytes] = {
        "empty choices for ever": event({"id": "x", "choices": []}),
        "empty choices with null usage for ever": event({"id": "x", "choices": [], "usage": None}),
        "empty deltas for ever": choices(delta={}, finish_reason=None),
        "empty content for ever": choices(delta={"content": ""}, text="", finish_reason=None),
        "roles for ever": choices(delta={"role": "assistant"}, text="", finish_reason=None),
        "empty reasoning for ever": choices(delta={"reasoning_content": "", "reasoning": None}),
        "empty tool calls for ever": choices(delta={"tool_calls": []}),
        "tool calls that say nothing for ever": choices(
            delta={"tool_calls": [{"index": 0, "function": {"arguments": ""}}]}
        ),
        "null deltas for ever": choices(delta=None),
        "objects that mean nothing for ever": event({"x": 1}),
        "the same usage for ever": event(
            {"id": "x", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        ),
        "zero usage for ever": event(
            {"id": "x", "choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}
        ),
    }
    messages: dict[str, bytes] = {
        "message_start for ever": event(STREAMS["message_stream"][0]),
        "empty text deltas for ever": event(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
        ),
        "empty thinking deltas for ever": event(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": ""},
            }
        ),
        "the same message_delta for ever": event(
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 1}}
        ),
        "block starts for ever": event(
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            }
        ),
        "block stops for ever": event({"type": "content_block_stop", "index": 0}),
        "unknown events for ever": event({"type": "later_version"}),
    }
    return [
        *(
            never_ending(f"stream timeout: {name}", build, kinds=STREAMED)
            for name, build in every.items()
        ),
        *(
            never_ending(f"stream timeout: {name}", going_on(piece), kinds=OPENAI_STREAMED)
            for name, piece in openai.items()
        ),
        *(
            never_ending(f"stream timeout: {name}", going_on(piece), kinds=_MESSAGES)
            for name, piece in messages.items()
        ),
        never_ending(
            "stream ends: finish for ever",
            lambda reply: [
                _begun(reply, len(STREAMS[reply.kind]) - 1),
                forever(event(STREAMS[reply.kind][-2]), _GAP),
            ],
            "ends",
            STREAMED,
        ),
        never_ending(
            "stream ends: silence after the finish",
            lambda reply: [_begun(reply, len(STREAMS[reply.kind]) - 1), STALL],
            "ends",
            STREAMED,
        ),
    ]


def _large() -> list[Case]:
    """Return events that are large and right."""

    def with_text(reply: Reply, text: str) -> bytes:
        documents = copy.deepcopy(STREAMS[reply.kind])
        if reply.kind == "message_stream":
            documents[8]["delta"] = {"type": "text_delta", "text": text}
        elif reply.kind == "text_stream":
            documents[1]["choices"][0]["text"] = text
        else:
            documents[3]["choices"][0]["delta"] = {"content": text}
        return stream_body(reply.kind, documents)

    def sent(size: int) -> Callable[[Reply], Script]:
        return lambda reply: [_opened(reply) + with_text(reply, "é" * (size // 2)), FIN]

    return [
        Case(f"stream ends sanely: an event of {size} MiB", sent(size << 20), "sane", STREAMED)
        for size in (2, 16)
    ]


STREAMING: Final = [
    *_answers(),
    *_openai(),
    *_failures(),
    *_never_progressing(),
    *_large(),
]
