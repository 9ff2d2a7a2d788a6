"""Bodies that are not what was asked for, in good HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.harden.cases import KEY, PLAIN, STREAMED, Case, Reply
from tests.harden.replies import DOCUMENTS, encoded, sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harden.upstream import Script

_DEEP: Final = 100_000


def _body(body: bytes, status: bytes = b"200 OK", **rest: bytes) -> Callable[[Reply], Script]:
    return lambda reply: [sized(reply.kind, body, status=status, **rest)]


def _made(make: Callable[[bytes], bytes]) -> Callable[[Reply], Script]:
    return lambda reply: [sized(reply.kind, make(reply.body))]


_JUNK: Final = {
    "white space": b" \r\n\t \n",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"42",
    "an empty object": b"{}",
    "NaN": b"NaN",
    "a page": b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>",
    "a page of a megabyte": b"<html>" + b"<p>busy</p>" * 100_000,
    "a nest of lists": b"[" * _DEEP,
    "a closed nest of lists": b"[" * _DEEP + b"]" * _DEEP,
    "a nest in an object": b'{"choices":' + b'[{"message":' * _DEEP,
    "a number of 10,000 digits": b'{"choices": [' + b"9" * 10_000 + b"]}",
    "bytes that are no text": bytes(range(128, 256)) * 20,
    "half a character": b'{"choices": "\xf0\x9f\x98',
    "NULs": bytes(5000),
    "two documents": b'{"a": 1}{"b": 2}',
    "a comma too many": b'{"choices": [],}',
    "control characters in a text": b'{"choices": "\x01\x02"}',
    "UTF-16 of half a document": '{"choices"'.encode("utf-16"),
    "empty choices": b'{"choices": [], "content": [], "data": [], "results": null}',
    "null everywhere": b'{"choices": null, "content": null, "data": null, "results": null}',
    "objects for lists": b'{"choices": {}, "content": {}, "data": {}, "results": {}}',
    "texts in lists": b'{"choices": ["a"], "content": ["a"], "data": ["a"], "results": "a"}',
    "nulls in lists": b'{"choices": [null], "content": [7], "data": [null], "results": 7}',
    "an unknown object": b'{"object": "list", "items": [1, 2, 3]}',
    "a JSON-RPC error": b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "x"}}',
}


_ERRORS: Final = {
    "a text": {"error": "no"},
    "an empty text": {"error": ""},
    "null": {"error": None},
    "a list": {"error": ["a", {"b": 1}]},
    "a number": {"error": 42},
    "true": {"error": True},
    "an empty object": {"error": {}},
    "an object": {"error": {"message": "no", "type": "server_error", "code": "500"}},
    "a deep object": {"error": {"error": {"error": {"message": "no"}}}},
    "a message that is an object": {"error": {"message": {"text": "no"}, "code": {}}},
    "SGLang's": {"object": "error", "message": "no", "code": 400, "type": "BadRequestError"},
    "FastAPI's": {"detail": [{"loc": ["body", 1, None], "msg": "no", "type": "x"}]},
    "FastAPI's text": {"detail": "no"},
    "Anthropic's": {"type": "error", "error": {"type": "overloaded_error", "message": "no"}},
    "a status beyond HTTP": {"error": {"message": "no", "code": 99999}},
    "a status that is true": {"error": {"message": "no", "code": True, "status": "200"}},
    "a lone surrogate": {"error": "odd \ud800 text"},
    "control characters": {"error": "\x1b[31mred\x1b[0m \x07 \x00 \u202e back"},
    "a text of a megabyte": {"error": "e" * 1_000_000},
    "a text of many braces": {"error": "{" * 50_000},
    "JSON in a text": {"error": json.dumps({"error": json.dumps({"error": "inner"})})},
    "an overflow without end": {"error": "maximum context length is " + "9" * 5000 + " tokens"},
    "digits without end": {"error": "requested " * 2000 + "9" * 20_000},
    "a hundred thousand keys": {"error": {f"k{number}": number for number in range(100_000)}},
}


def _text(document: object) -> bytes:
    # ASCII, so that a lone surrogate stays the escape that a sender writes.
    return json.dumps(document).encode()


def _junk() -> list[Case]:
    quotas_fine = {"an empty object"}  # an account without a subscription
    cases = []
    for name, body in _JUNK.items():
        kinds = tuple(
            kind for kind in (*PLAIN, *STREAMED) if not (kind == "quotas" and name in quotas_fine)
        )
        cases.append(Case(f"refused: the body is {name}", _body(body), "error", kinds))
    for name, document in _ERRORS.items():
        for status in (b"200 OK", b"400 Bad Request", b"500 Error"):
            label = f"refused: an error in {name} under {status[:3].decode()}"
            cases.append(Case(label, _body(_text(document), status), "error"))
    return cases


def _framed() -> list[Case]:
    """Return right documents in odd dress."""
    answers = {
        "blank lines before it": lambda body: b"\n" * 500 + body,
        "white space around it": lambda body: b" \r\n" + body + b"\r\n \t\n",
        "escapes for every letter": lambda body: _escaped(body),
        "an error that is null": lambda body: body[:-1] + b', "error": null}',
        "unknown fields": lambda body: body[:-1] + b', "x_extra": {"deep": [1, null]}, "zz": NaN}',
    }
    eithers = {
        "a BOM": lambda body: b"\xef\xbb\xbf" + body,
        "UTF-16": lambda body: body.decode().encode("utf-16"),
        "UTF-32": lambda body: body.decode().encode("utf-32"),
        "a comma behind it": lambda body: body + b",",
        "a XSSI guard": lambda body: b")]}',\n" + body,
        "a callback around it": lambda body: b"f(" + body + b");",
        "another document behind it": lambda body: body + b"\n" + body,
        "every key twice": lambda body: body[:-1] + b"," + body[1:],
        "its half": lambda body: body[: len(body) // 2],
        "its last byte missing": lambda body: body[:-1],
        "a stream's event": lambda body: b"data: " + body + b"\n\n",
    }
    return [
        *(
            Case(f"answer with {name}", _made(make), "answer", PLAIN)
            for name, make in answers.items()
        ),
        *(
            Case(f"taken or refused: {name}", _made(make), "either", PLAIN)
            for name, make in eithers.items()
        ),
    ]


def _escaped(body: bytes) -> bytes:
    return json.dumps(json.loads(body)).encode()


def _crossed() -> list[Case]:
    """Return each right reply where another was asked for."""

    def other(kind: str) -> Callable[[Reply], Script]:
        body = encoded(DOCUMENTS[kind])
        return lambda reply: [sized(reply.kind, body)]

    cases = []
    for kind in DOCUMENTS:
        asked = tuple(one for one in (*PLAIN, *STREAMED) if not one.startswith(kind))
        # A text completion's choice is a chat's without a message, and the other way around.
        cases.append(Case(f"ends sanely: a reply for {kind}", other(kind), "sane", asked))
    return cases


def _secrets() -> list[Case]:
    echo = f"the key is {KEY}"
    return [
        Case(f"refused: the key in an error in {name}", _body(_text(document), status), "error")
        for name, document, status in (
            ("a text", {"error": echo}, b"400 Bad Request"),
            ("a list", {"error": [echo]}, b"400 Bad Request"),
            ("a key", {"error": {KEY: 1}}, b"400 Bad Request"),
            ("a nest", {"error": {"error": {"x": echo}}}, b"502 Bad Gateway"),
            ("a nested text", {"error": json.dumps({"error": echo})}, b"500 Error"),
            ("escapes", {"error": "\u00fc" + echo}, b"404 Not Found"),
            ("a long text", {"error": "x" * 590 + echo + "y" * 5000}, b"429 Too Many"),
            ("a very long text", {"error": "x" * 19_990 + echo}, b"400 Bad Request"),
            ("a plan's cap", {"error": "exceeded your subscription " + echo}, b"429 Too Many"),
            ("an overflow", {"error": "maximum context length " + echo}, b"400 Bad Request"),
            ("a 402", {"error": echo}, b"402 Payment Required"),
            ("a 200", {"error": {"message": echo, "type": echo}}, b"200 OK"),
        )
    ]


BODIES: Final = [*_junk(), *_framed(), *_crossed(), *_secrets()]
