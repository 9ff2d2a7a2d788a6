"""HTTP as no server should write it: status lines, header blocks, lengths, chunks, ends."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Final

from tests.harden.cases import KEY, KINDS, PLAIN, STREAMED, Case, Reply, never_ending
from tests.harden.replies import chunk, chunked, encoded, head, sized
from tests.harden.upstream import CUT, FIN, HALF_CLOSE, RESET, STALL, drip, forever, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harden.upstream import Script, Step

_WRONG: Final = encoded({"wrong": "this reply belongs to nobody"})
_CHUNKED: Final = b"transfer-encoding: chunked"


def _right(**rest: bytes) -> Callable[[Reply], Script]:
    return lambda reply: [sized(reply.kind, reply.body, **rest)]


def _with(*fields: bytes) -> Callable[[Reply], Script]:
    return lambda reply: [sized(reply.kind, reply.body, *fields)]


def _raw(*steps: Step) -> Callable[[Reply], Script]:
    return lambda _: list(steps)


def _lines(line: bytes) -> Callable[[Reply], Script]:
    """Put another status line before a right reply."""

    def build(reply: Reply) -> Script:
        whole = sized(reply.kind, reply.body)
        return [line + whole[whole.index(b"\r\n") :], FIN]

    return build


def _length(*values: bytes) -> Callable[[Reply], Script]:
    def build(reply: Reply) -> Script:
        fields = [b"content-length: " + value for value in values]
        return [head(reply.kind, *fields) + reply.body, FIN]

    return build


def _chunks(pieces: Callable[[bytes], bytes]) -> Callable[[Reply], Script]:
    return lambda reply: [head(reply.kind, _CHUNKED) + pieces(reply.body), FIN]


def _encoded(
    name: bytes, encode: Callable[[bytes], bytes], *, in_chunks: bool = False
) -> Callable[[Reply], Script]:
    def build(reply: Reply) -> Script:
        body = encode(reply.body)
        whole = chunked if in_chunks else sized
        return [whole(reply.kind, body, b"content-encoding: " + name), FIN]

    return build


def _bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _members(data: bytes) -> bytes:
    middle = len(data) // 2
    return gzip.compress(data[:middle]) + gzip.compress(data[middle:])


def _half(reply: Reply) -> bytes:
    return reply.body[: len(reply.body) // 2]


def _interim(status: bytes, count: int = 1) -> Callable[[Reply], Script]:
    line = b"HTTP/1.1 " + status + b"\r\nlink: </a>\r\n\r\n"
    return lambda reply: [line * count + sized(reply.kind, reply.body)]


def _cut_at(share: float, *, end: Step = FIN) -> Callable[[Reply], Script]:
    """End a reply with a Content-Length after a share of its bytes."""

    def build(reply: Reply) -> Script:
        whole = sized(reply.kind, reply.body)
        start = len(whole) - len(reply.body)
        return [whole[: start + int(len(reply.body) * share)], end]

    return build


def _cut_in_head(mark: bytes, after: int = 0, end: Step = FIN) -> Callable[[Reply], Script]:
    def build(reply: Reply) -> Script:
        whole = sized(reply.kind, reply.body)
        return [whole[: whole.index(mark) + after], end]

    return build


def _answers() -> list[Case]:
    builds: dict[str, Callable[[Reply], Script]] = {
        "a length": _right(),
        "one chunk": lambda reply: [chunked(reply.kind, reply.body)],
        "chunks of a byte": lambda reply: [chunked(reply.kind, reply.body, size=1)],
        "chunks of seven bytes": lambda reply: [chunked(reply.kind, reply.body, size=7)],
        "chunks in capitals with zeros": _chunks(
            lambda body: b"000%X\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "a chunk extension": _chunks(lambda body: chunk(body, b';a="b;c"') + b"0\r\n\r\n"),
        "trailers": _chunks(lambda body: chunk(body) + b"0\r\nx-sum: 1\r\nx-b: 2\r\n\r\n"),
        "the end of the connection": lambda reply: [head(reply.kind) + reply.body, FIN],
        "Connection: close": lambda reply: [
            sized(reply.kind, reply.body, b"connection: close"),
            FIN,
        ],
        "HTTP/1.0 without a length": lambda reply: [
            head(reply.kind, version=b"HTTP/1.0") + reply.body,
            FIN,
        ],
        "HTTP/1.0 with a length": lambda reply: [
            head(reply.kind, b"content-length: %d" % len(reply.body), version=b"HTTP/1.0")
            + reply.body,
            FIN,
        ],
        "bytes that drip": lambda reply: [drip(sized(reply.kind, reply.body), 0.002, 23)],
        "headers that drip": lambda reply: [drip(head(reply.kind), 0.002, 3), reply.body, FIN],
        "odd case and spaces in headers": _with(b"X-OdD:   \t spaced \t ", b"X-Empty:"),
        "ninety header fields": _with(*(b"x-%d: y" % number for number in range(90))),
        "a header of 30 KiB": _with(b"x-long: " + b"v" * 30_000),
        "a header in UTF-8": _with("x-region: Zürich".encode()),
        "a header in Latin-1": _with("x-region: Zürich".encode("latin-1")),
        "no reason phrase": _lines(b"HTTP/1.1 200 "),
        "a reason phrase beyond ASCII": _lines("HTTP/1.1 200 Genügend".encode("latin-1")),
        "201": _right(status=b"201 Created"),
        "202": _right(status=b"202 Accepted"),
        "203": _right(status=b"203 Non-Authoritative Information"),
        "100 Continue": _interim(b"100 Continue"),
        "103 Early Hints": _interim(b"103 Early Hints"),
        "ten times 102": _interim(b"102 Processing", 10),
        "gzip": _encoded(b"gzip", gzip.compress),
        "x-gzip in capitals": _encoded(b"X-GZIP", gzip.compress),
        "gzip in chunks": _encoded(b"gzip", gzip.compress, in_chunks=True),
        "gzip of two members": _encoded(b"gzip", _members),
        "deflate": _encoded(b"deflate", zlib.compress),
        "bare deflate": _encoded(b"deflate", _bare_deflate),
        "identity": _with(b"content-encoding: identity"),
        "a kept session": _with(b"set-cookie: S=1; Domain=synthetic.new; Path=/"),
        "a pause between headers and body": lambda reply: [
            head(reply.kind, b"content-length: %d" % len(reply.body)),
            pause(0.05),
            reply.body,
        ],
    }
    return [Case(f"answer by {name}", build, "answer") for name, build in builds.items()]


def _odd() -> list[Case]:
    """Return what may be taken or refused, but not misread."""
    builds: dict[str, Callable[[Reply], Script]] = {
        "a folded header": _with(b"x-folded: one\r\n two"),
        "a header line that is a continuation": lambda reply: [
            b"HTTP/1.1 200 OK\r\n folded: x\r\ncontent-length: %d\r\n\r\n" % len(reply.body)
            + reply.body,
            FIN,
        ],
        "a header without a colon": _with(b"no colon here"),
        "a header without a name": _with(b": no name"),
        "a space before the colon": _with(b"x-odd : y"),
        "a NUL in a header": _with(b"x-odd: a\x00b"),
        "a control character in a header": _with(b"x-odd: a\x07\x1bb"),
        "a bare CR in a header": _with(b"x-odd: a\rb"),
        "a bare LF at each line": lambda reply: [
            sized(reply.kind, b"")
            .replace(b"\r\n", b"\n")
            .replace(b": 0", b": %d" % len(reply.body))
            + reply.body,
            FIN,
        ],
        "blank lines before the status": lambda reply: [
            b"\r\n\r\n" + sized(reply.kind, reply.body)
        ],
        "no space after the status": _lines(b"HTTP/1.1 200"),
        "two spaces in the status line": _lines(b"HTTP/1.1  200 OK"),
        "a tab in the status line": _lines(b"HTTP/1.1\t200\tOK"),
        "a reason of 10 KB": _lines(b"HTTP/1.1 200 " + b"r" * 10_000),
        "HTTP/1.2": _lines(b"HTTP/1.2 200 OK"),
        "HTTP/2.0": _lines(b"HTTP/2.0 200 OK"),
        "ICY": _lines(b"ICY 200 OK"),
        "small letters": _lines(b"http/1.1 200 ok"),
        "status +200": _lines(b"HTTP/1.1 +200 OK"),
        "status 0200": _lines(b"HTTP/1.1 0200 OK"),
        "status 2 00": _lines(b"HTTP/1.1 2 00 OK"),
        "status in other digits": _lines("HTTP/1.1 \uff12\uff10\uff10 OK".encode()),
        "the same length twice": lambda reply: [
            sized(reply.kind, reply.body, b"content-length: %d" % len(reply.body))
        ],
        "the same length twice in one": lambda reply: [
            head(reply.kind, b"content-length: %d, %d" % ((len(reply.body),) * 2)) + reply.body,
            FIN,
        ],
        "a length with a plus": lambda reply: [
            head(reply.kind, b"content-length: +%d" % len(reply.body)) + reply.body,
            FIN,
        ],
        "a length with an underscore": _length(b"1_0"),
        "a length with spaces": lambda reply: [
            head(reply.kind, b"content-length:   %d  " % len(reply.body)) + reply.body,
            FIN,
        ],
        "a length and chunks": lambda reply: [
            chunked(reply.kind, reply.body, b"content-length: 5")
        ],
        "chunks twice over": lambda reply: [
            head(reply.kind, b"transfer-encoding: chunked, chunked") + chunk(reply.body),
            b"0\r\n\r\n",
            FIN,
        ],
        "chunks and then gzip in the transfer": lambda reply: [
            head(reply.kind, b"transfer-encoding: gzip, chunked")
            + chunk(gzip.compress(reply.body))
            + b"0\r\n\r\n",
            FIN,
        ],
        "a transfer nobody knows": lambda reply: [
            head(reply.kind, b"transfer-encoding: xchunked") + reply.body,
            FIN,
        ],
        "chunks in HTTP/1.0": lambda reply: [
            head(reply.kind, _CHUNKED, version=b"HTTP/1.0") + chunk(reply.body) + b"0\r\n\r\n",
            FIN,
        ],
        "chunks announced but not made": lambda reply: [
            head(reply.kind, _CHUNKED) + reply.body,
            FIN,
        ],
        "a chunk's size with a space before": _chunks(
            lambda body: b" %x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "a chunk's size with a space after": _chunks(
            lambda body: b"%x \r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "a chunk's size with 0x": _chunks(
            lambda body: b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "a chunk's size with an underscore": _chunks(
            lambda body: b"0_%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "a chunk's size with a plus": _chunks(
            lambda body: b"+%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        ),
        "LF in the chunks": _chunks(lambda body: b"%x\n%s\n0\n\n" % (len(body), body)),
        "a chunk extension of 20 KiB": _chunks(
            lambda body: chunk(body, b";a=" + b"b" * 20_000) + b"0\r\n\r\n"
        ),
        "a hundred and fifty header fields": _with(*(b"x-%d: y" % one for one in range(150))),
        "a header of 100 KiB": _with(b"x-long: " + b"v" * 100_000),
        "gzip, then garbage": _encoded(b"gzip", lambda body: gzip.compress(body) + b"garbage"),
        "gzip, then zeros": _encoded(b"gzip", lambda body: gzip.compress(body) + bytes(64)),
        "gzip, not announced": lambda reply: [sized(reply.kind, gzip.compress(reply.body))],
        "gzip announced, not done": _with(b"content-encoding: gzip"),
        "gzip announced twice": _encoded(
            b"gzip, gzip", lambda one: gzip.compress(gzip.compress(one))
        ),
        "gzip without its checksum": _encoded(b"gzip", lambda body: gzip.compress(body)[:-8]),
        "gzip with a wrong checksum": _encoded(
            b"gzip", lambda body: gzip.compress(body)[:-8] + b"\0" * 8
        ),
        "no content type": lambda reply: [sized(reply.kind, reply.body, content_type=b"")],
        "a content type of pages": lambda reply: [
            sized(reply.kind, reply.body, content_type=b"text/html")
        ],
        "a content type of 5 KB": lambda reply: [
            sized(reply.kind, reply.body, content_type=b"x/" + b"y" * 5000)
        ],
        "another charset": lambda reply: [
            sized(reply.kind, reply.body, content_type=b"application/json; charset=utf-16")
        ],
        "206": _right(status=b"206 Partial Content"),
        "299": _right(status=b"299 Odd"),
        "205": _right(status=b"205 Reset Content"),
        "two content encodings": _with(b"content-encoding: identity", b"content-encoding: gzip"),
        "another reply behind it": lambda reply: [
            sized(reply.kind, reply.body) + sized(reply.kind, _WRONG)
        ],
        "bytes behind it": lambda reply: [sized(reply.kind, reply.body) + b"x" * 100],
        "a late 408 behind it": lambda reply: [
            sized(reply.kind, reply.body),
            pause(0.02),
            b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            FIN,
        ],
        "a reset behind it": lambda reply: [sized(reply.kind, reply.body), pause(0.02), RESET],
        "another reply behind its chunks": lambda reply: [
            chunked(reply.kind, reply.body) + sized(reply.kind, _WRONG)
        ],
        "another reply after a 304": lambda reply: [
            b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n" + sized(reply.kind, _WRONG)
        ],
        "a 100 that is the last": lambda reply: [
            b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + sized(reply.kind, reply.body)
        ],
        "a body in the 103": lambda reply: [
            b"HTTP/1.1 103 Hints\r\ncontent-length: 5\r\n\r\nhello" + sized(reply.kind, reply.body),
            FIN,
        ],
        "a half closed connection": lambda reply: [head(reply.kind) + reply.body, HALF_CLOSE],
    }
    return [
        Case(
            f"taken or refused: {name}",
            build,
            "either",
            leaves_bytes=name.startswith(("another reply", "bytes behind")),
        )
        for name, build in builds.items()
    ]


def _errors() -> list[Case]:
    builds: dict[str, Callable[[Reply], Script]] = {
        "nothing": _raw(FIN),
        "a reset": _raw(RESET),
        "half a status line": _raw(b"HTTP/1.1 2", FIN),
        "half a status line, reset": _raw(b"HTTP/1.1 2", RESET),
        "a status line only": _raw(b"HTTP/1.1 200 OK\r\n", FIN),
        "half a header": _cut_in_head(b"content-length", 6),
        "headers without a blank line": _cut_in_head(b"\r\n\r\n", 2),
        "headers without a blank line, reset": _cut_in_head(b"\r\n\r\n", 2, RESET),
        "headers only": _cut_at(0.0),
        "headers only, reset": _cut_at(0.0, end=RESET),
        "half a body": _cut_at(0.5, end=CUT),
        "half a body, reset": _cut_at(0.5, end=RESET),
        "half a chunked body": lambda reply: [
            head(reply.kind, _CHUNKED) + chunk(_half(reply)),
            FIN,
        ],
        "half a chunk": lambda reply: [
            head(reply.kind, _CHUNKED) + chunk(reply.body)[: len(reply.body) // 2],
            FIN,
        ],
        "half a chunk's size": lambda reply: [
            head(reply.kind, _CHUNKED) + chunk(_half(reply)) + b"4",
            FIN,
        ],
        "half a body that no length bounds": lambda reply: [head(reply.kind) + _half(reply), FIN],
        "half a body in HTTP/1.0": lambda reply: [
            head(reply.kind, version=b"HTTP/1.0") + _half(reply),
            FIN,
        ],
        "status abc": _lines(b"HTTP/1.1 abc OK"),
        "status 99": _lines(b"HTTP/1.1 99 Low"),
        "status 1000": _lines(b"HTTP/1.1 1000 High"),
        "status -200": _lines(b"HTTP/1.1 -200 OK"),
        "no HTTP at all": _raw(b"\x00\x01\x02\xff" * 50, FIN),
        "an SSH banner": _raw(b"SSH-2.0-OpenSSH_9.6\r\n", FIN),
        "a TLS alert": _raw(b"\x15\x03\x01\x00\x02\x02\x46", FIN),
        "an HTTP/2 preface": _raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FIN),
        "a page without HTTP": _raw(b"<html><title>Busy</title></html>", FIN),
        "JSON without HTTP": lambda reply: [reply.body, FIN],
        "a length of abc": _length(b"abc"),
        "a negative length": _length(b"-5"),
        "an endless length": _length(b"9" * 40),
        "two lengths": _length(b"5", b"6"),
        "two lengths in one": _length(b"5, 6"),
        "a length too short": _length(b"20"),
        "204": _raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "an empty body": lambda reply: [sized(reply.kind, b"")],
        "101": _raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", FIN),
        "a chunk's size of zz": _chunks(lambda body: b"zz\r\n" + body + b"\r\n0\r\n\r\n"),
        "a negative chunk": _chunks(lambda body: b"-5\r\n" + body + b"\r\n0\r\n\r\n"),
        "a chunk's size beyond 64 bits": _chunks(
            lambda body: b"f" * 20 + b"\r\n" + body + b"\r\n0\r\n\r\n"
        ),
        "a chunk's size too long": _chunks(
            lambda body: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body) + 9, body)
        ),
        "a chunk's size too short": _chunks(lambda body: b"5\r\n" + body + b"\r\n0\r\n\r\n"),
        "br, which nobody asked for": _with(b"content-encoding: br"),
        "zstd, which nobody asked for": _with(b"content-encoding: zstd"),
        "an encoding of 5 KB": _with(b"content-encoding: " + b"z" * 5000),
        "half of gzip": _encoded(b"gzip", lambda body: gzip.compress(body)[:30]),
        "gzip of nothing": _encoded(b"gzip", lambda _: gzip.compress(b"")),
        "no gzip at all": _encoded(b"gzip", lambda _: b"this is not gzip" * 9),
        "no deflate at all": _encoded(b"deflate", lambda _: b"\xff\xfe\xfd" * 99),
        "a megabyte of headers": lambda reply: [
            head(reply.kind, *(b"x-%d: " % one + b"v" * 1000 for one in range(1000))),
            FIN,
        ],
        "a megabyte in one header": lambda reply: [
            head(reply.kind, b"x-long: " + b"v" * 1_000_000),
            FIN,
        ],
        "a megabyte of status line": _lines(b"HTTP/1.1 200 " + b"r" * 1_000_000),
        "a header without an end": _raw(b"HTTP/1.1 200 OK\r\nx-long: ", forever(b"v" * 4096)),
        "headers without an end": _raw(
            b"HTTP/1.1 200 OK\r\n", forever(b"x-more: and more\r\n" * 100)
        ),
        "a status line without an end": _raw(b"HTTP/1.1 200 ", forever(b"r" * 4096)),
        "an error body without an end": lambda reply: [
            head(reply.kind, status=b"500 Internal Server Error"),
            forever(b"e" * 65536),
        ],
    }
    # A stream ends with its last event, whatever the framing says of what follows.
    whole = ("a negative chunk", "a chunk's size beyond 64 bits", "a chunk's size too long")
    return [
        Case(f"refused: {name}", build, "error", PLAIN if name in whole else KINDS)
        for name, build in builds.items()
    ] + [Case(f"taken or refused: {name}", builds[name], "either", STREAMED) for name in whole]


def _boundaries() -> list[Case]:
    """Return replies that break off just before their end, where all is there that counts."""

    def without(count: int, *, end: Step) -> Callable[[Reply], Script]:
        def build(reply: Reply) -> Script:
            whole = chunked(reply.kind, reply.body)
            return [whole[:-count], end]

        return build

    ends = {"FIN": FIN, "reset": RESET}
    cases = []
    for how, end in ends.items():
        for count, where in ((2, "blank line"), (5, "last chunk"), (7, "CRLF of its chunk")):
            name = f"cut before the {where}, {how}"
            cases.append(Case(f"taken or refused: {name}", without(count, end=end), "either"))
    cases.append(
        Case("taken or refused: a length too long", _length(b"999999"), "either", STREAMED)
    )
    cases.append(Case("refused: a length too long", _length(b"999999"), "error", PLAIN))
    return cases


_STATUSES: Final = (
    300, 301, 302, 303, 304, 305, 306, 307, 308, 399,
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418,
    421, 422, 423, 424, 425, 426, 428, 429, 431, 444, 451, 494, 499,
    500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 521, 522, 523, 524, 525, 526, 529, 530,
    598, 599, 600, 700, 999,
)  # fmt: skip  # one list, read as one


def _statuses() -> list[Case]:
    def build(status: int) -> Callable[[Reply], Script]:
        line = b"%d Status" % status
        error = encoded({"error": f"refused with {status}, the key is {KEY}"})
        return lambda reply: [
            sized(reply.kind, b"" if status == 304 else error, status=line, content_type=b"a/json")
        ]

    def with_answer(status: int) -> Callable[[Reply], Script]:
        line = b"%d Status" % status
        return lambda reply: [sized(reply.kind, reply.body, status=line), FIN]

    return [
        *(Case(f"refused: status {one}", build(one), "error") for one in _STATUSES),
        *(
            Case(f"refused: status {one} with an answer", with_answer(one), "error")
            for one in (301, 401, 404, 429, 500, 503)
        ),
    ]


def _redirects() -> list[Case]:
    targets = {
        "itself": b"location: /",
        "another host": b"location: https://evil.example/openai/v1/chat/completions",
        "an address with a password": b"location: https://user:" + KEY.encode() + b"@evil.example/",
        "an address with the key": b"location: https://evil.example/?key=" + KEY.encode(),
        "an address with the key in its path": b"location: https://evil.example/" + KEY.encode(),
        "a script": b"location: javascript:alert(1)",
        "a file": b"location: file:///etc/passwd",
        "a malformed address": b"location: http://[::1",
        "an address of 10 KB": b"location: https://evil.example/" + b"a" * 10_000,
        "two addresses": b"location: /a\r\nlocation: /b",
        "a control character": b"location: /\x01\x1b[31m",
    }

    def build(field: bytes, status: bytes) -> Callable[[Reply], Script]:
        return lambda reply: [sized(reply.kind, b"", field, status=status)]

    return [
        Case(f"refused: a redirect to {name}", build(field, b"307 Temporary Redirect"), "error")
        for name, field in targets.items()
    ]


def _echoes() -> list[Case]:
    """Return replies that show the key where somebody may keep it."""
    key = KEY.encode()
    refusal = encoded({"error": f"Invalid API Key: Bearer {KEY}"})
    object_ = encoded({"error": {"message": f"key {KEY}", "type": KEY, "code": KEY, KEY: KEY}})

    def refused(
        body: bytes, *fields: bytes, status: bytes = b"401 Unauthorized", **rest: bytes
    ) -> Callable[[Reply], Script]:
        return lambda reply: [sized(reply.kind, body, *fields, status=status, **rest)]

    builds: dict[str, Callable[[Reply], Script]] = {
        "the body": refused(refusal),
        "an error object": refused(object_),
        "a page": refused(b"<html><title>" + key + b"</title></html>", content_type=b"text/html"),
        "plain text": refused(b"no " + key),
        "a header": refused(refusal, b"x-echo: Bearer " + key, b"x-" + key + b": 1"),
        "the content type": refused(refusal, content_type=b"application/" + key),
        "the reason phrase": refused(refusal, status=b"401 Bad key " + key),
        "WWW-Authenticate": refused(refusal, b"www-authenticate: Bearer " + key),
        "the quota header": refused(refusal, b"x-synthetic-quotas: " + key),
        "Retry-After": refused(refusal, b"retry-after: " + key, status=b"429 Too Many"),
        "escaped JSON": refused(refusal.replace(b"U", b"\\u0055")),
        "two halves of a body": refused(
            encoded({"error": KEY[:20], "message": KEY, "detail": [KEY]}), status=b"500 Error"
        ),
        "FastAPI's detail": refused(
            encoded({"detail": [{"loc": ["header", KEY], "msg": KEY, "input": KEY}]}),
            status=b"422 Unprocessable",
        ),
        "a 200 that is a page": refused(key, status=b"200 OK", content_type=b"text/" + key),
        "a 200 that is broken JSON": refused(b'{"choices": ' + key, status=b"200 OK"),
        "a 200 with an error": refused(refusal, status=b"200 OK"),
        "a status line that is none": _raw(b"HTTP/1.1 " + key + b"\r\n\r\n", FIN),
        "a header that is none": _raw(b"HTTP/1.1 200 OK\r\n" + key + b"\r\n\r\n", FIN),
        "a length": _length(key),
        "a chunk's size": _chunks(lambda _: key + b"\r\n"),
        "a content encoding": _with(b"content-encoding: " + key),
        "a transfer encoding": lambda reply: [
            head(reply.kind, b"transfer-encoding: " + key) + key,
            FIN,
        ],
        "no HTTP": _raw(key * 3 + b"\r\n\r\n", FIN),
    }
    cases = [Case(f"refused: the key in {name}", build, "error") for name, build in builds.items()]
    shown = _with(b"x-echo: Bearer " + key, b"x-key: " + key, b"set-cookie: k=" + key)
    cases.append(Case("answer with the key in its headers", shown, "answer"))
    return cases


def _endless() -> list[Case]:
    """Return what goes on for ever, a little at a time or fast."""

    def stalled(*pieces: Callable[[Reply], bytes]) -> Callable[[Reply], Script]:
        return lambda reply: [*(piece(reply) for piece in pieces), STALL]

    def opened(reply: Reply) -> bytes:
        return head(reply.kind, _CHUNKED)

    def sized_head(reply: Reply) -> bytes:
        return head(reply.kind, b"content-length: %d" % len(reply.body))

    gap = 0.1
    builds: dict[str, Callable[[Reply], Script]] = {
        "silence": stalled(),
        "silence in the status line": stalled(lambda _: b"HTTP/1.1 20"),
        "silence in the headers": stalled(lambda _: b"HTTP/1.1 200 OK\r\nx-a: b\r\n"),
        "silence after the headers": stalled(sized_head),
        "silence within the body": stalled(sized_head, _half),
        "silence after a chunk's size": stalled(opened, lambda reply: b"%x\r\n" % len(reply.body)),
        "silence between chunks": stalled(opened, lambda reply: chunk(_half(reply))),
        "silence in an error's body": stalled(
            lambda reply: head(reply.kind, b"content-length: 99", status=b"500 Error") + b'{"error'
        ),
        "a status line that drips": _raw(b"HTTP/1.1 200 ", forever(b"r", gap)),
        "headers that drip": _raw(b"HTTP/1.1 200 OK\r\n", forever(b"x-a: b\r\n", gap)),
        "a header that drips": _raw(b"HTTP/1.1 200 OK\r\nx-a: ", forever(b"b", gap)),
        "interim answers that drip": _raw(forever(b"HTTP/1.1 102 Processing\r\n\r\n", gap)),
        "interim answers at full speed": _raw(forever(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)),
        "100 Continue at full speed": _raw(forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        "an interim answer whose headers drip": _raw(
            b"HTTP/1.1 103 Early Hints\r\n", forever(b"link: </a>\r\n", gap)
        ),
        "an error's body that drips": lambda reply: [
            head(reply.kind, status=b"500 Error"),
            forever(b"e", gap),
        ],
        "an error's chunks that drip": lambda reply: [
            head(reply.kind, _CHUNKED, status=b"429 Too Many"),
            forever(chunk(b"e"), gap),
        ],
        "a chunk's size that drips": lambda reply: [opened(reply), forever(b"0", gap)],
        "a chunk extension that drips": lambda reply: [opened(reply) + b"5;a=", forever(b"b", gap)],
        "gzip that drips nothing": lambda reply: [
            head(reply.kind, b"content-encoding: gzip") + gzip.compress(b"")[:10],
            forever(b"\x00\x00\x00\xff\xff", gap),  # an empty block
        ],
    }
    ends: dict[str, Callable[[Reply], Script]] = {
        # Over one of the limits of size first, perhaps.
        "blank lines before the status": _raw(forever(b"\r\n", gap)),
        "blank lines before the status at full speed": _raw(forever(b"\r\n" * 1000)),
        "empty gzip members at full speed": lambda reply: [
            head(reply.kind, b"content-encoding: gzip"),
            forever(gzip.compress(b"") * 100),
        ],
        "empty deflate blocks at full speed": lambda reply: [
            head(reply.kind, b"content-encoding: gzip") + gzip.compress(b"")[:10],
            forever(b"\x00\x00\x00\xff\xff" * 1000),
        ],
        "trailers that drip": lambda reply: [
            chunked(reply.kind, reply.body)[:-2],
            forever(b"x-a: b\r\n", gap),
        ],
        "trailers at full speed": lambda reply: [
            chunked(reply.kind, reply.body)[:-2],
            forever(b"x-a: b\r\n" * 100),
        ],
        "a chunk's size without an end": lambda reply: [
            head(reply.kind, _CHUNKED),
            forever(b"0" * 4096),
        ],
        "a chunk extension without an end": lambda reply: [
            head(reply.kind, _CHUNKED) + b"5;a=",
            forever(b"b" * 4096),
        ],
        "a body that drips": lambda reply: [head(reply.kind), forever(b" ", gap)],
        "chunks that drip": lambda reply: [opened(reply), forever(chunk(b" "), gap)],
        "silence after the body": stalled(opened, lambda reply: chunk(reply.body)),
        "a body without an end after it": stalled(lambda reply: head(reply.kind) + reply.body),
    }
    return [
        *(never_ending(f"timeout: {name}", build) for name, build in builds.items()),
        *(never_ending(f"ends: {name}", build, "ends") for name, build in ends.items()),
    ]


def _retries() -> list[Case]:
    """Return failures that another attempt does not change, and some that it may."""

    def refused(line: bytes, *fields: bytes) -> Callable[[Reply], Script]:
        return lambda reply: [sized(reply.kind, encoded({"error": "no"}), *fields, status=line)]

    once: dict[str, Callable[[Reply], Script]] = {
        "no gzip": _encoded(b"gzip", lambda _: b"this is not gzip" * 9),
        "bad chunks": _chunks(lambda body: b"zz\r\n" + body),
        "a megabyte of headers": lambda reply: [
            head(reply.kind, *(b"x-%d: " % one + b"v" * 1000 for one in range(1000))),
            FIN,
        ],
        "no HTTP": _raw(b"\x00\x01\x02\xff" * 50, FIN),
        "br": _with(b"content-encoding: br"),
        "a 400": refused(b"400 Bad Request"),
        "a 401": refused(b"401 Unauthorized"),
        "a 402": refused(b"402 Payment Required"),
        "a plain 429": refused(b"429 Too Many Requests"),
        "a 429 for days": refused(b"429 Too Many Requests", b"retry-after: 999999"),
        "a page": lambda reply: [sized(reply.kind, b"<html></html>", content_type=b"text/html")],
    }
    # `search` takes no max_retries: a search is counted, so nobody else decides to repeat it.
    kinds = tuple(kind for kind in (*PLAIN, *STREAMED) if kind != "search")
    return [
        Case(f"sent once: {name}", build, "error", kinds, max_retries=2, attempts=1)
        for name, build in once.items()
    ] + [
        Case("sent twice: a reset", _raw(RESET), "error", kinds, max_retries=1, attempts=2),
        Case("sent twice: a 503", refused(b"503 Busy"), "error", kinds, max_retries=1, attempts=2),
    ]


FRAMING: Final = [
    *_answers(),
    *_odd(),
    *_errors(),
    *_boundaries(),
    *_statuses(),
    *_redirects(),
    *_echoes(),
    *_endless(),
    *_retries(),
]
