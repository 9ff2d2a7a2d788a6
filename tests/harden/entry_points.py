"""Every way in which a caller gets a reply, behind one face: a call in, an answer out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm

import litellm_synthetic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

MODEL: Final = "synthetic/syn:large:text"
VECTOR_MODEL: Final = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
MESSAGES: Final[list[Any]] = [{"role": "user", "content": "What is the answer?"}]
INPUTS: Final = ["one", "two"]


@dataclass(frozen=True)
class Target:
    """Where a call goes, and its limits.

    Attributes:
        base: the upstream with the case's token, without the path of an API.
        call_id: by which LiteLLM's callbacks know the call.
    """

    base: str
    timeout_seconds: float
    call_id: str
    max_retries: int = 0
    verify: Any = None
    messages: list[Any] = field(default_factory=lambda: MESSAGES)
    more: dict[str, Any] = field(default_factory=dict)

    def arguments(self, path: str = "openai/v1") -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "api_base": f"{self.base}/{path}",
            "timeout": self.timeout_seconds,
            "max_retries": self.max_retries,
            "litellm_call_id": self.call_id,
            **self.more,
        }
        if self.verify is not None:
            arguments["ssl_verify"] = self.verify
        return arguments


@dataclass
class Answer:
    """What a reply says, whatever it came as; `raw` is LiteLLM's own object or a list of them."""

    text: str | None
    finish: str | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    usage: tuple[int, int] | None = None
    raw: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class EntryPoint:
    """One way to call; `kind` names the reply that it asks the upstream for."""

    name: str
    kind: str
    is_async: bool
    call: Callable[[Target], Any] = field(repr=False)
    is_logged: bool = True
    """Whether LiteLLM's callbacks hear of a call."""

    @property
    def is_stream(self) -> bool:
        return self.kind.endswith("_stream")

    @property
    def is_routed(self) -> bool:
        """Whether a Router makes the call, which sets `max_retries` to 0 (`num_retries` is its)."""
        return self.name.startswith("Router")

    @property
    def is_translated(self) -> bool:
        """Whether LiteLLM translates a completion to a message."""
        return self.name.startswith("translated")


def _usage(raw: Any) -> tuple[int, int] | None:
    usage = getattr(raw, "usage", None)
    if usage is None:
        return None
    return (usage.prompt_tokens, usage.completion_tokens)


def chat_answer(raw: Any) -> Answer:
    choice = raw.choices[0]
    calls = choice.message.tool_calls or ()
    return Answer(
        choice.message.content,
        choice.finish_reason,
        [(one.function.name, one.function.arguments) for one in calls],
        _usage(raw),
        raw,
    )


def chunks_answer(chunks: list[Any]) -> Answer:
    text, finish = "", None
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    usage = None
    for chunk in chunks:
        usage = _usage(chunk) or usage
        for choice in chunk.choices:
            if choice.index:
                continue
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for piece in choice.delta.tool_calls or ():
                names[piece.index] = names.get(piece.index, "") + (piece.function.name or "")
                more = piece.function.arguments or ""
                arguments[piece.index] = arguments.get(piece.index, "") + more
    calls = [(names[index], arguments[index]) for index in sorted(names)]
    return Answer(text, finish, calls, usage, chunks)


def _text_answer(raw: Any) -> Answer:
    choice = raw.choices[0]
    return Answer(choice.text, choice.finish_reason, [], _usage(raw), raw)


def _text_chunks_answer(chunks: list[Any]) -> Answer:
    finish = None
    text = ""
    for chunk in chunks:
        for choice in chunk.choices:
            text += choice.text or ""
            finish = choice.finish_reason or finish
    return Answer(text, finish, raw=chunks)


def vectors_text(vectors: list[Any]) -> str:
    return json.dumps(vectors)


def _embedding_answer(raw: Any) -> Answer:
    return Answer(vectors_text([row["embedding"] for row in raw.data]), raw=raw)


def _response_answer(raw: Any) -> Answer:
    texts = [
        part.text
        for item in raw.output
        if item.type == "message"
        for part in item.content
        if getattr(part, "text", None)
    ]
    return Answer("".join(texts), raw.status, raw=raw)


def _response_events_answer(events: list[Any]) -> Answer:
    kinds = [str(getattr(one.type, "value", one.type)) for one in events]
    text = "".join(
        one.delta
        for one, kind in zip(events, kinds, strict=True)
        if kind == "response.output_text.delta"
    )
    finish = "stop" if "response.completed" in kinds else None
    return Answer(text, finish, raw=events)


def _message_answer(raw: Any) -> Answer:
    blocks = [one for one in raw["content"] if isinstance(one, dict)]
    texts = [one["text"] for one in blocks if isinstance(one.get("text"), str)]
    reason = raw.get("stop_reason")  # a native message comes through as it was sent
    return Answer("".join(texts), reason if isinstance(reason, str) else None, raw=raw)


class InStreamError(Exception):
    """An error that came as an event, which is how LiteLLM's translation to Messages tells one."""


def message_pieces_answer(pieces: list[Any]) -> Answer:
    """Read a Messages stream as its client does."""
    text, finish, over = "", None, False
    joined = b"".join(one if isinstance(one, bytes) else str(one).encode() for one in pieces)
    # The events of a native stream are the upstream's, in whatever form it gave them.
    for block in joined.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n\n"):
        data = [line[5:] for line in block.split(b"\n") if line.startswith(b"data:")]
        if b"".join(data).strip() in (b"", b"[DONE]"):
            continue
        document = json.loads(b"\n".join(data))
        if not isinstance(document, dict):
            continue
        if document.get("type") == "error":
            raise InStreamError(json.dumps(document["error"]))
        # A native stream comes through as it was sent, odd fields included.
        delta = document.get("delta")
        if isinstance(delta, dict):
            text += delta["text"] if isinstance(delta.get("text"), str) else ""
            reason = delta.get("stop_reason")
            finish = reason if reason and isinstance(reason, str) else finish
        over = over or document.get("type") == "message_stop"
    return Answer(text, finish if over else None, raw=pieces)


def _search_answer(raw: Any) -> Answer:
    results = raw.results
    if not results:
        return Answer(None, raw=raw)
    text = getattr(results[0], "text", None) or getattr(results[0], "snippet", None)
    return Answer(text, raw=raw)


def _quotas_answer(raw: Any) -> Answer:
    return Answer("known" if raw is not None else None, raw=raw)


def _collect(stream: Iterator[Any]) -> list[Any]:
    return list(stream)


async def _acollect(stream: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in stream]


def _chat(target: Target, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": target.messages, **target.arguments(), **more}


def _messages(target: Target, path: str = "anthropic/v1", **more: Any) -> dict[str, Any]:
    return _chat(target, max_tokens=64, **more) | {"api_base": f"{target.base}/{path}"}


def _text(target: Target, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "prompt": target.messages[0]["content"], **target.arguments(), **more}


def _embedding(target: Target) -> dict[str, Any]:
    return {"model": VECTOR_MODEL, "input": INPUTS, **target.arguments()}


def _response(target: Target, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": target.messages[0]["content"], **target.arguments(), **more}


@cache
def router() -> litellm.Router:
    """One Router for all cases; a case's failure cools nothing down."""
    return litellm.Router(
        model_list=[
            {"model_name": "chat", "litellm_params": {"model": MODEL}},
            {"model_name": "vectors", "litellm_params": {"model": VECTOR_MODEL}},
        ],
        num_retries=0,
        disable_cooldowns=True,
    )


@cache
def own_client() -> httpx.Client:
    """Return the httpx client that calls pass as `client=`.

    Made before calls run side by side: two that are the first to ask would make one each, and the
    connections of the one that is forgotten would stay open.
    """
    return httpx.Client()


def renew_client() -> None:
    """Have the next call pass a client without connections."""
    own_client().close()
    own_client.cache_clear()
    own_client()


def _plain(function: Callable[..., Any], make: Any, read: Callable[[Any], Answer]) -> Any:
    return lambda target: read(function(**make(target)))


def _aplain(function: Callable[..., Any], make: Any, read: Callable[[Any], Answer]) -> Any:
    async def call(target: Target) -> Answer:
        return read(await function(**make(target)))

    return call


def _streamed(function: Callable[..., Any], make: Any, read: Callable[[Any], Answer]) -> Any:
    return lambda target: read(_collect(function(**make(target), stream=True)))


def _astreamed(function: Callable[..., Any], make: Any, read: Callable[[Any], Answer]) -> Any:
    async def call(target: Target) -> Answer:
        return read(await _acollect(await function(**make(target), stream=True)))

    return call


def _routed(make: Callable[[Target], dict[str, Any]]) -> Callable[[Target], dict[str, Any]]:
    names = {MODEL: "chat", VECTOR_MODEL: "vectors"}

    def routed(target: Target) -> dict[str, Any]:
        arguments = make(target)
        return {**arguments, "model": names[arguments["model"]]}

    return routed


def _with_client(target: Target) -> dict[str, Any]:
    return {**_chat(target), "client": own_client()}


async def _with_async_client(target: Target) -> Answer:
    async with httpx.AsyncClient() as client:
        return chat_answer(await litellm.acompletion(**_chat(target), client=client))


async def _stream_with_async_client(target: Target) -> Answer:
    async with httpx.AsyncClient() as client:
        stream: Any = await litellm.acompletion(**_chat(target), client=client, stream=True)
        return chunks_answer(await _acollect(stream))


def _own_search(target: Target) -> dict[str, Any]:
    return {"query": "q", "api_base": f"{target.base}/v2", "timeout": target.timeout_seconds}


def _litellm_search(target: Target) -> dict[str, Any]:
    return {**_own_search(target), "search_provider": "synthetic"}


def _quotas(target: Target) -> dict[str, Any]:
    arguments = target.arguments()
    return {name: arguments[name] for name in ("api_base", "timeout", "max_retries")}


def _translated(target: Target) -> dict[str, Any]:
    # Beside a base URL of this form nothing is known, so that LiteLLM translates.
    return _messages(target, "gateway")


def _pair(
    name: str,
    kind: str,
    functions: tuple[Any, Any],
    make: Any,
    read: Callable[[Any], Answer],
    *,
    is_logged: bool = True,
) -> list[EntryPoint]:
    is_stream = kind.endswith("_stream")
    sync, asynchronous = functions
    first = (_streamed if is_stream else _plain)(sync, make, read)
    second = (_astreamed if is_stream else _aplain)(asynchronous, make, read)
    label = f"{name} stream" if is_stream else name
    return [
        EntryPoint(f"{label} sync", kind, is_async=False, call=first, is_logged=is_logged),
        EntryPoint(f"{label} async", kind, is_async=True, call=second, is_logged=is_logged),
    ]


class _Late:
    """Look a function up when it is called: `register()` may have put another in its place."""

    def __init__(self, owner: Callable[[], Any], name: str) -> None:
        self._owner = owner
        self._name = name

    def __call__(self, **arguments: Any) -> Any:
        return getattr(self._owner(), self._name)(**arguments)


def _both(name: str, owner: Callable[[], Any] = lambda: litellm) -> tuple[_Late, _Late]:
    return _Late(owner, name), _Late(owner, f"a{name}")


def _entry_points() -> list[EntryPoint]:
    completions, texts, responses = map(_both, ("completion", "text_completion", "responses"))
    routed = _both("completion", router)
    messages = _Late(lambda: litellm, "anthropic_messages")
    return [
        *_pair("chat", "chat", completions, _chat, chat_answer),
        *_pair("chat", "chat_stream", completions, _chat, chunks_answer),
        *_pair("Router", "chat", routed, _routed(_chat), chat_answer),
        *_pair("Router", "chat_stream", routed, _routed(_chat), chunks_answer),
        EntryPoint(
            "client= sync",
            "chat",
            is_async=False,
            call=_plain(completions[0], _with_client, chat_answer),
        ),
        EntryPoint(
            "client= stream sync",
            "chat_stream",
            is_async=False,
            call=_streamed(completions[0], _with_client, chunks_answer),
        ),
        EntryPoint("client= async", "chat", is_async=True, call=_with_async_client),
        EntryPoint(
            "client= stream async", "chat_stream", is_async=True, call=_stream_with_async_client
        ),
        *_pair("text", "text", texts, _text, _text_answer),
        *_pair("text", "text_stream", texts, _text, _text_chunks_answer),
        *_pair(
            "embedding",
            "embedding",
            _both("embedding"),
            _embedding,
            _embedding_answer,
        ),
        *_pair("responses", "chat", responses, _response, _response_answer),
        *_pair("responses", "chat_stream", responses, _response, _response_events_answer),
        *_pair("over Messages", "message", completions, _messages, chat_answer),
        *_pair("over Messages", "message_stream", completions, _messages, chunks_answer),
        EntryPoint(
            "native Messages async",
            "message",
            is_async=True,
            call=_aplain(messages, _messages, _message_answer),
        ),
        EntryPoint(
            "native Messages stream async",
            "message_stream",
            is_async=True,
            call=_astreamed(messages, _messages, message_pieces_answer),
        ),
        EntryPoint(
            "translated Messages async",
            "chat",
            is_async=True,
            call=_aplain(messages, _translated, _message_answer),
        ),
        EntryPoint(
            "translated Messages stream async",
            "chat_stream",
            is_async=True,
            call=_astreamed(messages, _translated, message_pieces_answer),
        ),
        *_pair(
            "search",
            "search",
            (litellm_synthetic.search, litellm_synthetic.asearch),
            _own_search,
            _search_answer,
            is_logged=False,
        ),
        *_pair(
            "LiteLLM search",
            "search",
            _both("search"),
            _litellm_search,
            _search_answer,
            is_logged=False,
        ),
        *_pair(
            "quotas",
            "quotas",
            (litellm_synthetic.quotas, litellm_synthetic.aquotas),
            _quotas,
            _quotas_answer,
            is_logged=False,
        ),
    ]


ENTRY_POINTS: Final = _entry_points()
