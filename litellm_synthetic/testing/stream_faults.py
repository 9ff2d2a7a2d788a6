"""The faults inside a 200: broken streams, odd framings, odd tool calls, misplaced usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.testing import refusals
from litellm_synthetic.testing.replies import (
    Answer,
    Either,
    RawBytes,
    RawJSON,
    Reply,
    Text,
    ToolCall,
    ToolCalls,
    UsagePlacement,
)
from litellm_synthetic.testing.streams import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing.replies import FaultRow

_PARTIAL = " The beginning of an answer that was never finished."


def _overflow_in_stream(text: str = "Context limit exceeded") -> Reply:
    streamed = Text(None, cut_after=0, then=({"error": text},))
    return Either(plain=refusals.error(400, text), stream=streamed)


def _overflow_event(input_tokens: int = 600_000, context_tokens: int = 524_288) -> Reply:
    error = {
        "object": "error",
        "message": f"Input length ({input_tokens} tokens) exceeds the maximum allowed length "
        f"({context_tokens} tokens). Use a shorter input or enable --allow-auto-truncate.",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    }
    streamed = Text(None, cut_after=0, then=(error, "[DONE]"))
    return Either(plain=RawJSON(400, error), stream=streamed)


def _error_after_text(
    text: str = "Error from inference backend: 500 Internal Server Error",
    after_events: int = 4,
    content: str = _PARTIAL,
) -> Reply:
    streamed = Text(content, cut_after=after_events, then=({"error": text},))
    return Either(plain=refusals.error(500, text), stream=streamed)


def _stream_cut(after_events: int = 4, content: str = _PARTIAL) -> Reply:
    return Either(
        plain=RawBytes(200, b'{"id":"chatcmpl-0","choices":[{"index":0,"mess', "application/json"),
        stream=Text(content, cut_after=after_events),
    )


def _broken_json_line(after_events: int = 3, content: str = _PARTIAL) -> Reply:
    streamed = Text(content, cut_after=after_events, then=('{"id":"chatcmpl-0","choices":[{"ind',))
    return Either(plain=RawBytes(200, b'{"id": "chat', "application/json"), stream=streamed)


def _noisy_framing(line_ending: str = "\r\n", chunk_size: int | None = 3) -> Reply:
    return Answer(
        line_ending=line_ending, chunk_size=chunk_size, bom=True, comments=True, pings=True
    )


def _one_byte_writes(content: str = " Grüße aus Zürich, 你好 👋") -> Reply:
    return Text(content, chunk_size=1)


_TWO_CALLS = (
    ToolCall("get_weather", '{"city": "Zürich", "unit": "celsius"}'),
    ToolCall("get_time", '{"zone": "Europe/Zurich"}'),
)


def _calls_without_index() -> Reply:
    return ToolCalls(_TWO_CALLS, with_index=False)


def _calls_interleaved() -> Reply:
    return ToolCalls(_TWO_CALLS, interleaved=True)


def _calls_repeating_id() -> Reply:
    return ToolCalls(_TWO_CALLS, repeat_id=True)


def _call_with_empty_arguments(name: str = "ping") -> Reply:
    return ToolCalls([ToolCall(name, "")])


def _call_with_malformed_arguments(name: str = "get_weather") -> Reply:
    return ToolCalls([ToolCall(name, '{"city": "Zür')])


def _usage(placement: UsagePlacement) -> Callable[[], Reply]:
    return lambda: Answer(usage_placement=placement)


def _no_choices() -> Reply:
    body = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": "none/none"}
    chunk = {**body, "object": "chat.completion.chunk", "choices": []}
    streamed = Text(None, cut_after=0, then=(chunk, "[DONE]"))
    return Either(plain=RawJSON(200, {**body, "choices": []}), stream=streamed)


def _length_before_answer(max_tokens: int = 100) -> Reply:
    thinking = " I am still thinking about this." * (max_tokens // 8 + 1)
    return Text(None, reasoning=thinking[: max_tokens * 4], finish_reason="length")


def _anthropic_overload(text: str = "Overloaded", after_events: int = 3) -> Reply:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": text}}
    streamed = Text(_PARTIAL, cut_after=after_events, then=(Event("error", body),))
    return Either(plain=RawJSON(529, body), stream=streamed)


STREAM_FAULTS: tuple[FaultRow, ...] = (
    ("context_overflow_in_stream", "200, overflow as first event", _overflow_in_stream),
    ("context_overflow_event", "200, SGLang's error object as first event", _overflow_event),
    ("error_after_text", "200, some text, then an error event", _error_after_text),
    ("error_event_named", "the same as an Anthropic error event", _anthropic_overload),
    ("stream_cut", "200, some text, then an orderly end without finish", _stream_cut),
    ("broken_json_line", "200, some text, then half a JSON line", _broken_json_line),
    ("noisy_framing", "BOM, CRLF, comments, pings, odd writes", _noisy_framing),
    ("one_byte_writes", "a stream of one-byte writes, not ASCII", _one_byte_writes),
    ("calls_without_index", "two tool calls, no index in deltas", _calls_without_index),
    ("calls_interleaved", "two tool calls, deltas mixed", _calls_interleaved),
    ("calls_repeating_id", "two tool calls, id in each delta", _calls_repeating_id),
    ("call_with_empty_arguments", 'a tool call with arguments ""', _call_with_empty_arguments),
    (
        "call_with_malformed_arguments",
        "a tool call with half a JSON text",
        _call_with_malformed_arguments,
    ),
    ("usage_on_finish", "usage on the finish chunk only", _usage("finish")),
    ("usage_on_final", "usage on a final chunk without choices", _usage("final")),
    ("usage_on_both", "usage on both", _usage("both")),
    ("usage_nowhere", "no usage in the stream", _usage("none")),
    ("no_choices", "200 with choices: []", _no_choices),
    ("length_before_answer", "200, reasoning, content: null, length", _length_before_answer),
)
