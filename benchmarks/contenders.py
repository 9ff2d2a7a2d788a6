"""The contenders: each makes the same call its own way and hands back what its caller would get.

`read_plain` and `read_stream` turn that into a `Received`; they run outside of the timed part.
"""

from __future__ import annotations

import json
import os
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx

from benchmarks.workload import API_KEY, MODEL, ContenderName, Received, messages, tools

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.cases import Case, Setup

# Asked of everybody, so that everybody gets the tokens.
STREAM_OPTIONS: Final = {"include_usage": True}
_GROUP: Final = "group"
# What stock LiteLLM speaks the Messages API with, at any base URL.
_MESSAGES_PROVIDER: Final = "anthropic"


class Contender(Protocol):
    """Make one call at a time; a streamed one is read to its end.

    The streamed ones return the chunks, and when the first of them was there.
    """

    def plain(self, case: Case) -> Any:
        """Return a whole reply."""

    def stream(self, case: Case) -> tuple[list[Any], float]:
        """Return every chunk of a reply."""

    async def aplain(self, case: Case) -> Any:
        """Return a whole reply."""

    async def astream(self, case: Case) -> tuple[list[Any], float]:
        """Return every chunk of a reply."""

    def read_plain(self, reply: Any) -> Received:
        """Return what a whole reply says."""

    def read_stream(self, chunks: list[Any]) -> Received:
        """Return what the chunks of a reply say together."""


def fields_of(case: Case) -> dict[str, Any]:
    """Return the parameters of a case's calls."""
    fields: dict[str, Any] = {"messages": messages(case.history, case.image_bytes)}
    if case.tools:
        fields["tools"] = tools(case.tools)
    if case.stream:
        fields |= {"stream": True, "stream_options": STREAM_OPTIONS}
    return fields


def _timed(chunks: Iterable[Any]) -> tuple[list[Any], float]:
    iterator = iter(chunks)
    read = [next(iterator)]
    first_at = perf_counter()
    read += iterator
    return read, first_at


async def _atimed(chunks: Any) -> tuple[list[Any], float]:
    iterator = aiter(chunks)
    read = [await anext(iterator)]
    first_at = perf_counter()
    read += [chunk async for chunk in iterator]
    return read, first_at


class _OpenAITyped:
    """Read replies in the openai SDK's types, or in LiteLLM's, which have the same attributes."""

    def read_plain(self, reply: Any) -> Received:
        choice = reply.choices[0]
        return Received(choice.message.content, choice.finish_reason, reply.usage.total_tokens)

    def read_stream(self, chunks: list[Any]) -> Received:
        texts: list[str] = []
        reasons: list[str] = []
        total_tokens = 0
        for chunk in chunks:
            if usage := getattr(chunk, "usage", None):
                total_tokens = usage.total_tokens
            for choice in chunk.choices:
                texts.append(choice.delta.content or "")
                calls = choice.delta.tool_calls or ()
                texts += [call.function.arguments or "" for call in calls]
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
        return Received("".join(texts), ",".join(reasons), total_tokens)


class _LiteLLM(_OpenAITyped):
    """Call through `litellm.completion` and its siblings, or through a Router."""

    def __init__(self, address: str, setup: Setup, *, is_ours: bool) -> None:
        import litellm  # noqa: PLC0415  # the plain contenders' processes are to stay without it

        self._litellm: Any = litellm
        self._address = address
        self._is_ours = is_ours
        self._uses_router = setup.router
        self._routers: dict[str, Any] = {}
        if not is_ours:
            # Otherwise it prints a traceback per call of the Messages API, for lack of a price.
            row = {
                "litellm_provider": _MESSAGES_PROVIDER,
                "mode": "chat",
                "input_cost_per_token": 1e-6,
                "output_cost_per_token": 2e-6,
            }
            litellm.register_model({f"{_MESSAGES_PROVIDER}/{MODEL}": row})

    def _where(self, case: Case) -> dict[str, Any]:
        base = f"{self._address}/{case.served.path}"
        provider = "synthetic"
        if case.api == "chat":
            base += "/openai/v1"
        else:
            base += "/anthropic"
            provider = "synthetic" if self._is_ours else _MESSAGES_PROVIDER
        return {"model": f"{provider}/{MODEL}", "api_base": base, "api_key": API_KEY}

    def _target(self, case: Case) -> tuple[Any, dict[str, Any]]:
        """Return what has `completion`, and the parameters."""
        where = self._where(case)
        if case.tools and not self._is_ours:
            where["allowed_openai_params"] = ["tools"]  # it takes them for unknown to Synthetic
        if not self._uses_router:
            return self._litellm, {**where, **fields_of(case)}
        router = self._routers.get(where["api_base"])
        if router is None:
            deployment = {"model_name": _GROUP, "litellm_params": where}
            router = self._litellm.Router(model_list=[deployment])
            self._routers[where["api_base"]] = router
        return router, {"model": _GROUP, **fields_of(case)}

    def plain(self, case: Case) -> Any:
        target, fields = self._target(case)
        return target.completion(**fields)

    def stream(self, case: Case) -> tuple[list[Any], float]:
        target, fields = self._target(case)
        return _timed(target.completion(**fields))

    async def aplain(self, case: Case) -> Any:
        target, fields = self._target(case)
        return await target.acompletion(**fields)

    async def astream(self, case: Case) -> tuple[list[Any], float]:
        if case.api == "native":
            where = self._where(case)
            stream = await self._litellm.anthropic_messages(
                messages=messages(case.history, 0)[1:], max_tokens=10_000, stream=True, **where
            )
            return await _atimed(stream)
        target, fields = self._target(case)
        return await _atimed(await target.acompletion(**fields))

    def read_stream(self, chunks: list[Any]) -> Received:
        if isinstance(chunks[0], bytes):
            return read_message_events(b"".join(chunks))
        return super().read_stream(chunks)


def read_message_events(body: bytes) -> Received:
    """Return what the events of a streamed message say."""
    text, reason, tokens = "", "", 0
    for line in body.splitlines():
        if not line.startswith(b"data: "):
            continue
        event = json.loads(line[6:])
        if event["type"] == "message_start":
            tokens += event["message"]["usage"]["input_tokens"]
        elif event["type"] == "content_block_delta":
            text += event["delta"]["text"]
        elif event["type"] == "message_delta":
            reason = {"end_turn": "stop"}.get(event["delta"]["stop_reason"], "")
            tokens += event["usage"]["output_tokens"]
    return Received(text, reason, tokens)


class _OpenAI(_OpenAITyped):
    """Call through the openai SDK."""

    def __init__(self, address: str) -> None:
        import openai  # noqa: PLC0415  # only this contender's process needs it

        self._address = address
        self._sync: Any = openai.OpenAI(base_url=address, api_key=API_KEY)
        self._async: Any = openai.AsyncOpenAI(base_url=address, api_key=API_KEY)

    def _client(self, client: Any, case: Case) -> Any:
        client.base_url = f"{self._address}/{case.served.path}/openai/v1"
        return client

    def plain(self, case: Case) -> Any:
        client = self._client(self._sync, case)
        return client.chat.completions.create(model=MODEL, **fields_of(case))

    def stream(self, case: Case) -> tuple[list[Any], float]:
        client = self._client(self._sync, case)
        return _timed(client.chat.completions.create(model=MODEL, **fields_of(case)))

    async def aplain(self, case: Case) -> Any:
        client = self._client(self._async, case)
        return await client.chat.completions.create(model=MODEL, **fields_of(case))

    async def astream(self, case: Case) -> tuple[list[Any], float]:
        client = self._client(self._async, case)
        return await _atimed(await client.chat.completions.create(model=MODEL, **fields_of(case)))


class _Httpx:
    """Post with httpx and read the JSON, or the lines of the event stream, by hand."""

    def __init__(self, address: str) -> None:
        headers = {"authorization": f"Bearer {API_KEY}"}
        self._address = address
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._sync = httpx.Client(headers=headers, timeout=600)
        self._async = httpx.AsyncClient(headers=headers, timeout=600, limits=limits)

    def _request(self, case: Case) -> dict[str, Any]:
        return {
            "url": f"{self._address}/{case.served.path}/openai/v1/chat/completions",
            "json": {"model": MODEL, **fields_of(case)},
        }

    def plain(self, case: Case) -> Any:
        return self._sync.post(**self._request(case)).raise_for_status().json()

    def stream(self, case: Case) -> tuple[list[Any], float]:
        with self._sync.stream("POST", **self._request(case)) as response:
            response.raise_for_status()
            lines = response.iter_lines()
            return _timed(json.loads(line[6:]) for line in lines if _holds_chunk(line))

    async def aplain(self, case: Case) -> Any:
        return (await self._async.post(**self._request(case))).raise_for_status().json()

    async def astream(self, case: Case) -> tuple[list[Any], float]:
        async with self._async.stream("POST", **self._request(case)) as response:
            response.raise_for_status()
            lines = response.aiter_lines()
            chunks = (json.loads(line[6:]) async for line in lines if _holds_chunk(line))
            return await _atimed(chunks)

    def read_plain(self, reply: Any) -> Received:
        choice = reply["choices"][0]
        content, reason = choice["message"]["content"], choice["finish_reason"]
        return Received(content, reason, reply["usage"]["total_tokens"])

    def read_stream(self, chunks: list[Any]) -> Received:
        choices: Iterable[Any] = [choice for chunk in chunks for choice in chunk["choices"]]
        totals = [chunk["usage"]["total_tokens"] for chunk in chunks if chunk.get("usage")]
        return Received(
            "".join(choice["delta"].get("content") or "" for choice in choices),
            ",".join(choice["finish_reason"] for choice in choices if choice["finish_reason"]),
            totals[-1],
        )


def _holds_chunk(line: str) -> bool:
    return line.startswith("data: ") and line != "data: [DONE]"


class _Floor(_OpenAITyped):
    """Call LiteLLM with a provider that answers from memory."""

    def __init__(self) -> None:
        from benchmarks import floor  # noqa: PLC0415  # imports LiteLLM

        floor.install()
        import litellm  # noqa: PLC0415  # the same

        self._litellm: Any = litellm
        self._model = floor.MODEL

    def plain(self, case: Case) -> Any:
        return self._litellm.completion(model=self._model, **fields_of(case))

    def stream(self, case: Case) -> tuple[list[Any], float]:
        return _timed(self._litellm.completion(model=self._model, **fields_of(case)))

    async def aplain(self, case: Case) -> Any:
        return await self._litellm.acompletion(model=self._model, **fields_of(case))

    async def astream(self, case: Case) -> tuple[list[Any], float]:
        stream = await self._litellm.acompletion(model=self._model, **fields_of(case))
        return await _atimed(stream)


def make(name: ContenderName, address: str, setup: Setup) -> Contender:
    """Return a contender, ready to call, in a process that nothing else has used."""
    if name == "openai":
        return _OpenAI(address)
    if name == "httpx":
        return _Httpx(address)
    if name == "floor":
        return _Floor()
    if name == "ours":
        if not setup.merges:
            os.environ["SYNTHETIC_STREAM_MERGE"] = "0"
        import litellm_synthetic  # noqa: PLC0415  # the stock process must not load it

        litellm_synthetic.register()
    return _LiteLLM(address, setup, is_ours=name == "ours")
