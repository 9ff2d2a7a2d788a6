"""One streamed reply of the chat endpoint, read without LiteLLM, which takes seconds to import."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.billing import list_price_usd
from litellm_synthetic.chat.think_tags import ThinkTagSplitter
from litellm_synthetic.client import exchange
from litellm_synthetic.client.call import Call, resolve
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.client.request import prepare
from litellm_synthetic.client.stream_reader import STREAM_ERRORS, translated_error
from litellm_synthetic.config.settings import API_KEY
from litellm_synthetic.errors import local
from litellm_synthetic.errors.bodies import read_document, reports_error
from litellm_synthetic.errors.faults import BrokenStreamError, ErrorEventError, NoEventsError
from litellm_synthetic.transport.sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.transport.byte_stream import ByteStream
    from litellm_synthetic.transport.sse import Event

_DONE: Final = "[DONE]"
_MAX_PREFIX_BYTES: Final = 64 * 1024


class Delta(NamedTuple):
    """A piece of a reply: of its reasoning or of its answer."""

    kind: Literal["reasoning", "answer"]
    text: str


class ChatReply:
    """One reply; iterate over it for its pieces as they come.

    Attributes:
        answer: the answer so far, without the reasoning.
        finish_reason: why it ended; None until it has.
        prompt_tokens: what the service counted, None where it said nothing.
        cached_tokens: those of the prompt that were cached.
        completion_tokens: reasoning included.
        usd: the list price; None where it is unknown.
        headers: those of the HTTP reply.
    """

    def __init__(self, stream: ByteStream, origin: Origin, facts: Model | None) -> None:
        self.answer = ""
        self.finish_reason: str | None = None
        self.prompt_tokens: int | None = None
        self.cached_tokens = 0
        self.completion_tokens: int | None = None
        self.usd: float | None = None
        self.headers = stream.headers
        self._stream = stream
        self._origin = origin
        self._facts = facts
        self._splitter = ThinkTagSplitter()

    def __iter__(self) -> Iterator[Delta]:
        try:
            yield from self._deltas()
        except STREAM_ERRORS as error:
            shown = translated_error(error, self._origin, self.headers)
            raise shown from local.shown_cause(error, self._origin)
        finally:
            self._stream.close()

    def _deltas(self) -> Iterator[Delta]:
        decoder, prefix, has_events = EventDecoder(), b"", False
        for data in self._stream:
            prefix = (prefix + data)[:_MAX_PREFIX_BYTES] if not has_events else b""
            events = decoder.feed(data)
            has_events = has_events or bool(events)
            for event in events:
                if event.data == _DONE:
                    yield from self._end()
                    return
                self._stream.progressed()
                yield from self._read(event)
        for event in decoder.close():
            has_events = True
            if event.data != _DONE:
                yield from self._read(event)
        if not has_events:
            raise NoEventsError(prefix)
        if self.finish_reason is None:
            raise BrokenStreamError("ended early")
        yield from self._end()

    def _end(self) -> Iterator[Delta]:
        yield from self._split(*self._splitter.close())

    def _read(self, event: Event) -> Iterator[Delta]:
        try:
            document = json.loads(event.data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise BrokenStreamError("holds an event that is not a JSON object")
        if reports_error(document) and not document.get("choices"):
            raise ErrorEventError(read_document(document))
        if isinstance(usage := document.get("usage"), dict):
            self._count(usage)
        for choice in _objects(document.get("choices"))[:1]:
            delta = _object(choice.get("delta"))
            # Synthetic names it `reasoning_content`, some backends `reasoning`.
            thought = delta.get("reasoning_content") or delta.get("reasoning")
            yield from self._split(_text(thought), "")
            yield from self._split(*self._splitter.feed(_text(delta.get("content"))))
            self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason

    def _split(self, reasoning: str, answer: str) -> Iterator[Delta]:
        if reasoning:
            yield Delta("reasoning", reasoning)
        if answer:
            self.answer += answer
            yield Delta("answer", answer)

    def _count(self, usage: Mapping[str, Any]) -> None:
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not isinstance(prompt, int) or not isinstance(completion, int):
            return
        cached = _object(usage.get("prompt_tokens_details")).get("cached_tokens")
        self.prompt_tokens, self.completion_tokens = prompt, completion
        self.cached_tokens = cached if isinstance(cached, int) else 0
        counts = SimpleNamespace(
            prompt_tokens=prompt,
            completion_tokens=completion,
            prompt_tokens_details=SimpleNamespace(cached_tokens=self.cached_tokens),
        )
        self.usd = list_price_usd(self._facts, counts)


def ask(model_id: str, messages: Sequence[Mapping[str, str]], effort: str | None) -> ChatReply:
    """Send a conversation and return the reply, of which the headers have come.

    Args:
        model_id: the model, in any spelling.
        messages: the conversation, `role` and `content` of each.
        effort: the reasoning effort; None leaves it to the model.

    Raises:
        litellm_synthetic.errors.classes.CallFailedError: within `plain_failures`; else LiteLLM's.
    """
    call = Call(
        model=model_id,
        fields={"stream": True},
        headers=None,
        key=API_KEY.text(read_secret),
        base_url=None,
    )
    resolved = resolve(call, active.current_table().catalog, api="openai")
    fields = {
        "messages": messages,
        "reasoning_effort": effort,
        "stream_options": {"include_usage": True},
    }
    prepared = prepare(resolved, "chat/completions", fields)
    return ChatReply(exchange.open_stream(prepared), prepared.origin, prepared.facts)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
