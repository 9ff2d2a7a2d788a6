"""Server-sent events: how they are written, and every way their bytes can be cut up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeAlias

from litellm_synthetic.testing.delivery import Act, Pause, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DONE = "[DONE]"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Ending: TypeAlias = Literal["clean", "close", "reset", "stall"]


@dataclass(frozen=True, slots=True)
class Event:
    """Write one event with an `event:` line; `data` is JSON, or text that is sent as it is."""

    name: str
    data: Mapping[str, object] | str


AnyEvent: TypeAlias = Mapping[str, object] | str | bytes | Event


@dataclass(frozen=True, kw_only=True)
class Framing:
    r"""Say how the events of a stream are written; plain answers only heed `delay_seconds`.

    Attributes:
        done: End with `data: [DONE]` where the API has it.
        cut_after: Number of events after which the stream ends, without `[DONE]`.
        then: Events written after the cut, or after the last event and before `[DONE]`.
        cut_after_bytes: Number of body bytes after which the stream ends, in mid-line if so.
        ending: How the response ends. "clean" ends the HTTP body in order; "close" closes the
            connection with the body unfinished; "reset" sends a TCP reset; "stall" says nothing
            until the client leaves.
        line_ending: `"\n"`, `"\r\n"` or `"\r"`.
        chunk_size: Cut the body into writes of this many bytes, whatever the events are.
        one_write: Send the whole body in one write.
        delay_seconds: Pause before each write, in seconds.
        bom: Start with a UTF-8 byte order mark.
        comments: Put a comment line before each event.
        pings: Put an `event: ping` before each event.
    """

    done: bool = True
    cut_after: int | None = None
    then: Sequence[AnyEvent] = ()
    cut_after_bytes: int | None = None
    ending: Ending = "clean"
    line_ending: str = "\n"
    chunk_size: int | None = None
    one_write: bool = False
    delay_seconds: float = 0.0
    bom: bool = False
    comments: bool = False
    pings: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be carried out.

        Raises:
            ValueError: `chunk_size` is not positive, or `delay_seconds` is negative.
        """
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError("chunk_size is a number of bytes and must be at least 1")
        if self.delay_seconds < 0:
            raise ValueError("delay_seconds must not be negative")


def encode_event(event: AnyEvent, line_ending: str = "\n") -> bytes:
    """Return the bytes of one event.

    A mapping becomes a `data:` line of JSON, text becomes a `data:` line of exactly that text,
    an `Event` also gets its `event:` line, and bytes are left as they are.
    """
    if isinstance(event, bytes):
        return event
    prefix = ""
    data: Mapping[str, object] | str
    if isinstance(event, Event):
        prefix = f"event: {event.name}{line_ending}"
        data = event.data
    else:
        data = event
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"{prefix}data: {text}{line_ending}{line_ending}".encode()


def body_pieces(events: Iterable[AnyEvent], framing: Framing) -> list[bytes]:
    """Return the bytes of the whole body, one piece per write."""
    event_list = list(events)
    if framing.cut_after is not None:
        event_list = event_list[: framing.cut_after]
    is_whole = framing.cut_after is None and framing.done
    ending: tuple[AnyEvent, ...] = (*framing.then, DONE) if is_whole else (*framing.then,)
    pieces = [encode_event(event, framing.line_ending) for event in chain(event_list, ending)]
    if framing.comments or framing.pings:
        pieces = [_noise(framing) + piece for piece in pieces]
    if framing.bom:
        pieces = [BYTE_ORDER_MARK, *pieces]
    if framing.cut_after_bytes is not None or framing.one_write or framing.chunk_size is not None:
        body = b"".join(pieces)[: framing.cut_after_bytes]
        size = framing.chunk_size or max(len(body), 1)
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return pieces


def frame(events: Iterable[AnyEvent], framing: Framing) -> tuple[Step, ...]:
    """Return the steps that deliver the events as the framing says."""
    pieces = body_pieces(events, framing)
    steps: list[Step] = list(pieces)
    if framing.delay_seconds:
        pause = Pause(framing.delay_seconds)
        steps = [step for piece in pieces for step in (pause, piece)]
    if framing.ending != "clean":
        steps.append(Act(framing.ending))
    return tuple(steps)


def _noise(framing: Framing) -> bytes:
    end = framing.line_ending
    comment = f": keep-alive{end}{end}" if framing.comments else ""
    ping = f'event: ping{end}data: {{"type": "ping"}}{end}{end}' if framing.pings else ""
    return (comment + ping).encode()
