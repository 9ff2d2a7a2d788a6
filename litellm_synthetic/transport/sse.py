"""Server-sent events: bytes in, events out, however the bytes are cut.

Follows the event-stream grammar of the WHATWG HTML standard, §9.2.6, with one deviation: an event
that lacks its closing blank line when the stream ends is still handed out (some gateways end with
`data: [DONE]` and no newline). The reader of the event decides whether it is whole.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_synthetic.transport.failures import OversizedReplyError
from litellm_synthetic.transport.limits import shown_size

# An event that never ends must not fill the memory. A whole reply of the longest output (65,536
# tokens) stays far below.
MAX_EVENT_BYTES: Final = 64 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_BLANK_LINE: Final = b"\n\n"
# An event of the Messages API: a name, and one line of data.
_NAMED: Final = re.compile(rb"event: ([a-z_]+)\ndata: ([^\r\n]*)\n*")
_NAMED_EVENTS: Final = re.compile(rb"^event: ([a-z_]+)\ndata: ([^\n]*)\n\n", re.MULTILINE)
_LINES_OF_NAMED: Final = 3
_LINE_FEEDS: Final = re.compile(rb"\n*")


class OversizedEventError(OversizedReplyError):
    """One event of the stream exceeds `MAX_EVENT_BYTES`."""


class Event(NamedTuple):
    """One dispatched event: its name ("" unless the server named one) and its data."""

    name: str
    data: str


class Block(NamedTuple):
    """A part of a stream up to a blank line: its bytes as they came, and the event in them.

    Comments and further blank lines hold none. The bytes of all blocks together are the stream.
    """

    raw: bytes
    event: Event | None


class EventDecoder:
    """Turn chunks of bytes into events; feed it in order, then close it once.

    Each byte is searched, joined and split once, however the stream is cut.
    """

    __slots__ = ("_at_line_start", "_held", "_held_bytes", "_prefix", "_seen_start", "_skips_feed")

    def __init__(self) -> None:
        self._held: list[bytes] = []  # the block that has not ended
        self._held_bytes = 0
        self._prefix = b""  # bytes that the next block carries, but that are none of its text
        self._at_line_start = True
        self._skips_feed = False
        self._seen_start = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete.

        Raises:
            OversizedEventError: an event is longer than `MAX_EVENT_BYTES`.
        """
        events = self.whole_events(chunk)
        if events is not None:
            return events
        return [block.event for block in self.feed_blocks(chunk) if block.event is not None]

    def whole_events(self, chunk: bytes) -> list[Event] | None:
        """Return the events of bytes that are nothing but whole events, as most reads are.

        They are not to be fed as well. None where they have to be: they begin or end within an
        event, or hold line ends of another kind.
        """
        if not self._is_whole(chunk):
            return None
        self._seen_start = True
        events = []
        for text in chunk.split(_BLANK_LINE):
            if text[:6] == b"data: " and b"\n" not in text:
                events.append(Event("", text[6:].decode("utf-8", "replace")))
            elif text:
                event = _event(text)
                if event is not None:
                    events.append(event)
        return events

    def named_events(self, chunk: bytes) -> list[tuple[bytes, bytes]] | None:
        """Return name and data of each event of bytes that are nothing but named events.

        Those of the Messages API are, each with one line of data. They are not to be fed as well.
        None where they have to be; see `whole_events`.
        """
        if not self._is_whole(chunk):
            return None
        events: list[tuple[bytes, bytes]] = _NAMED_EVENTS.findall(chunk)
        # Every line is one of an event, or something was passed over.
        if len(events) * _LINES_OF_NAMED != chunk.count(b"\n"):
            return None
        self._seen_start = True
        return events

    def _is_whole(self, chunk: bytes) -> bool:
        """Tell whether bytes begin and end between two events, with line feeds alone."""
        return not (
            self._held
            or not self._at_line_start
            or self._skips_feed
            or self._prefix
            or chunk[-2:] != _BLANK_LINE
            or b"\r" in chunk
            or len(chunk) > MAX_EVENT_BYTES
            or (not self._seen_start and chunk[:1] == _BOM[:1])
        )

    def feed_blocks(self, chunk: bytes) -> list[Block]:
        """Do what `feed` does, and return the bytes as well."""
        if not self._seen_start:
            chunk = self._without_bom(chunk)
        if self._skips_feed and chunk:
            self._skips_feed = False
            if chunk[:1] == b"\n":
                if self._held:
                    self._hold(b"\n")
                else:
                    self._prefix += b"\n"
                chunk = chunk[1:]
        if not chunk:
            return []
        blocks = self._cut_lines(chunk) if b"\r" in chunk else self._cut(chunk)
        _check(self._held_bytes)
        return blocks

    def close(self) -> list[Event]:
        """Return the event that the end of the stream left without a closing blank line."""
        event = self.close_block().event
        return [] if event is None else [event]

    def close_block(self) -> Block:
        """Do what `close` does, and return the bytes as well."""
        return self._take(b"")

    def _without_bom(self, chunk: bytes) -> bytes:
        start = b"".join((*self._held, chunk))
        self._held, self._held_bytes = [], 0
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._held, self._held_bytes = [start], len(start)
            return b""
        self._seen_start = True
        if start.startswith(_BOM):
            self._prefix = _BOM
            return start[len(_BOM) :]
        return start

    def _cut(self, chunk: bytes) -> list[Block]:
        """Cut at blank lines where every line ends with a line feed, as nearly all do."""
        blocks: list[Block] = []
        start = 0
        if self._at_line_start and chunk[:1] == b"\n":
            blocks.append(self._take(b"\n"))
            start = _end_of_feeds(chunk, 1, blocks)
        while (end := chunk.find(b"\n\n", start)) >= 0:
            blocks.append(self._take(chunk[start : end + 2]))
            start = _end_of_feeds(chunk, end + 2, blocks)
        if start < len(chunk):
            self._hold(chunk[start:] if start else chunk)
            self._at_line_start = chunk[-1:] == b"\n"
        return blocks

    def _cut_lines(self, chunk: bytes) -> list[Block]:
        """Cut at blank lines, whatever ends them."""
        blocks: list[Block] = []
        for line in chunk.splitlines(keepends=True):
            ends = line[-1:] in (b"\n", b"\r")
            if ends and self._at_line_start and not line.strip(b"\r\n"):
                blocks.append(self._take(line))
            else:
                self._hold(line)
                self._at_line_start = ends
        self._skips_feed = chunk[-1:] == b"\r"
        return blocks

    def _hold(self, part: bytes) -> None:
        self._held.append(part)
        self._held_bytes += len(part)

    def _take(self, last: bytes) -> Block:
        """Return the block that ends with these bytes."""
        text = last
        if self._held:
            self._held.append(last)
            text = _joined(self._held)
            self._held, self._held_bytes = [], 0
        _check(len(text))
        self._at_line_start = True
        if self._prefix:
            prefix, self._prefix = self._prefix, b""
            return Block(prefix + text, _event(text))
        return Block(text, _event(text))


def _end_of_feeds(chunk: bytes, start: int, blocks: list[Block]) -> int:
    """Return where a run of further blank lines ends, and add it as a block."""
    if chunk[start : start + 1] != b"\n":
        return start
    run = _LINE_FEEDS.match(chunk, start)
    end = start if run is None else run.end()
    blocks.append(Block(chunk[start:end], None))
    return end


def _event(text: bytes) -> Event | None:
    # Nearly every event is one line of data.
    if text[:6] == b"data: " and text.find(b"\n") == len(text) - 2 and b"\r" not in text:
        return Event("", text[6:-2].decode("utf-8", "replace"))
    named = _NAMED.fullmatch(text)
    if named is not None:
        return Event(named[1].decode("utf-8", "replace"), named[2].decode("utf-8", "replace"))
    name = ""
    data: list[bytes] = []
    for line in text.splitlines():
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif line == b"data":
            data.append(b"")
        # Comments, `id`, `retry` and unknown fields carry nothing that a completion needs.
    return Event(name, b"\n".join(data).decode("utf-8", "replace")) if data else None


def _joined(parts: list[bytes]) -> bytes:
    return b"".join(parts)


def _check(size: int) -> None:
    if size > MAX_EVENT_BYTES:
        raise OversizedEventError(
            f"one event of the stream exceeds the limit of {shown_size(MAX_EVENT_BYTES)}"
        )
