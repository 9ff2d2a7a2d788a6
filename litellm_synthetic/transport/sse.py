"""Server-sent events: bytes in, events out, however the bytes are cut.

Follows the event-stream grammar of the WHATWG HTML standard, §9.2.6, with one deviation: an event
that lacks its closing blank line when the stream ends is still handed out (some gateways end with
`data: [DONE]` and no newline). The reader of the event decides whether it is whole.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# A line that never ends must not fill the memory. A whole reply of the longest output
# (65,536 tokens) stays far below.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


class OversizedEventError(ValueError):
    """Say that one line of the stream exceeds `MAX_LINE_BYTES`."""


class Event(NamedTuple):
    """Hold one dispatched event: its name ("" unless the server named one) and its data."""

    name: str
    data: str


class EventDecoder:
    """Turn chunks of bytes into events; feed it in order, then `close` it once."""

    __slots__ = ("_data", "_name", "_seen_start", "_skip_line_feed", "_tail")

    def __init__(self) -> None:
        self._tail = b""
        self._data: list[bytes] = []
        self._name = ""
        self._skip_line_feed = False
        self._seen_start = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes and return the events that they complete.

        Raises:
            OversizedEventError: a line is longer than `MAX_LINE_BYTES`.
        """
        if self._skip_line_feed and chunk:
            self._skip_line_feed = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
        buffer = self._tail + chunk if self._tail else chunk
        if not self._seen_start:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._tail = buffer
                return []
            self._seen_start = True
            buffer = buffer.removeprefix(_BOM)
        lines = buffer.splitlines()
        if len(buffer) > MAX_LINE_BYTES and max(map(len, lines)) > MAX_LINE_BYTES:
            raise OversizedEventError(
                f"one line of the event stream exceeds {MAX_LINE_BYTES} bytes"
            )
        if buffer[-1:] in (b"\n", b"\r"):
            self._tail = b""
            self._skip_line_feed = buffer[-1:] == b"\r"
        else:
            self._tail = lines.pop() if lines else b""
        events: list[Event] = []
        for line in lines:
            self._take_line(line, events)
        return events

    def close(self) -> list[Event]:
        """Return the event that the end of the stream left without a closing blank line."""
        events: list[Event] = []
        if self._tail:
            self._take_line(self._tail, events)
            self._tail = b""
        self._take_line(b"", events)
        return events

    def _take_line(self, line: bytes, events: list[Event]) -> None:
        if line.startswith(b"data:"):
            value = line[5:]
            self._data.append(value[1:] if value[:1] == b" " else value)
        elif not line:
            if self._data:
                data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                events.append(Event(self._name, data.decode("utf-8", "replace")))
                self._data = []
            self._name = ""
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif line == b"data":
            self._data.append(b"")
        # Comments, `id`, `retry` and unknown fields carry nothing that a completion needs.
