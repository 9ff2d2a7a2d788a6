"""The contenders: each makes the same call its own way and hands back what its caller would get.

`read_plain` and `read_stream` turn that into a `Received`; they run outside of the timed part.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx

from benchmarks.workload import API_KEY, MESSAGES, MODEL, ContenderName, Received

if TYPE_CHECKING:
    from collections.abc import Iterable

# Asked of everybody, so that everybody gets the tokens.
STREAM_OPTIONS: Final = {"include_usage": True}


class Contender(Protocol):
    """Make one call at a time; a streamed one is read to its end."""

    def plain(self) -> Any:
        """Return a whole reply."""

    def stream(self) -> list[Any]:
        """Return every chunk of a reply."""

    async def aplain(self) -> Any:
        """Return a whole reply."""

    async def astream(self) -> list[Any]:
        """Return every chunk of a reply."""

    def read_plain(self, reply: Any) -> Received:
        """Return what a whole reply says."""

    def read_stream(self, chunks: list[Any]) -> Received:
        """Return what the chunks of a reply say together."""


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
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
        return Received("".join(texts), ",".join(reasons), total_tokens)


class _LiteLLM(_OpenAITyped):
    """Call through `litellm.completion` and `litellm.acompletion`."""

    def __init__(self, model: str, api_base: str | None) -> None:
        import litellm  # noqa: PLC0415  # the plain contenders' processes are to stay without it

        self._litellm: Any = litellm
        self._arguments: dict[str, Any] = {"model": model, "messages": MESSAGES}
        if api_base is not None:
            self._arguments |= {"api_base": api_base, "api_key": API_KEY}
        self._streamed = {**self._arguments, "stream": True, "stream_options": STREAM_OPTIONS}

    def plain(self) -> Any:
        return self._litellm.completion(**self._arguments)

    def stream(self) -> list[Any]:
        return list(self._litellm.completion(**self._streamed))

    async def aplain(self) -> Any:
        return await self._litellm.acompletion(**self._arguments)

    async def astream(self) -> list[Any]:
        return [chunk async for chunk in await self._litellm.acompletion(**self._streamed)]


class _OpenAI(_OpenAITyped):
    """Call through the openai SDK."""

    def __init__(self, api_base: str) -> None:
        import openai  # noqa: PLC0415  # only this contender's process needs it

        self._sync: Any = openai.OpenAI(base_url=api_base, api_key=API_KEY)
        self._async: Any = openai.AsyncOpenAI(base_url=api_base, api_key=API_KEY)
        self._arguments: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}
        self._streamed = {**self._arguments, "stream": True, "stream_options": STREAM_OPTIONS}

    def plain(self) -> Any:
        return self._sync.chat.completions.create(**self._arguments)

    def stream(self) -> list[Any]:
        return list(self._sync.chat.completions.create(**self._streamed))

    async def aplain(self) -> Any:
        return await self._async.chat.completions.create(**self._arguments)

    async def astream(self) -> list[Any]:
        stream = await self._async.chat.completions.create(**self._streamed)
        return [chunk async for chunk in stream]


class _Httpx:
    """Post with httpx and read the JSON, or the lines of the event stream, by hand."""

    def __init__(self, api_base: str) -> None:
        headers = {"authorization": f"Bearer {API_KEY}"}
        self._sync = httpx.Client(headers=headers)
        self._async = httpx.AsyncClient(headers=headers)
        self._url = f"{api_base}/chat/completions"
        self._body = {"model": MODEL, "messages": MESSAGES}
        self._streamed = {**self._body, "stream": True, "stream_options": STREAM_OPTIONS}

    def plain(self) -> Any:
        return self._sync.post(self._url, json=self._body).raise_for_status().json()

    def stream(self) -> list[Any]:
        with self._sync.stream("POST", self._url, json=self._streamed) as response:
            response.raise_for_status()
            return [json.loads(line[6:]) for line in response.iter_lines() if _holds_chunk(line)]

    async def aplain(self) -> Any:
        return (await self._async.post(self._url, json=self._body)).raise_for_status().json()

    async def astream(self) -> list[Any]:
        async with self._async.stream("POST", self._url, json=self._streamed) as response:
            response.raise_for_status()
            lines = response.aiter_lines()
            return [json.loads(line[6:]) async for line in lines if _holds_chunk(line)]

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


def make(name: ContenderName, api_base: str) -> Contender:
    """Return a contender, ready to call, in a process that nothing else has used."""
    if name == "openai":
        return _OpenAI(api_base)
    if name == "httpx":
        return _Httpx(api_base)
    if name == "floor":
        from benchmarks import floor  # noqa: PLC0415  # imports LiteLLM

        floor.install()
        return _LiteLLM(floor.MODEL, None)
    if name == "ours":
        import litellm_synthetic  # noqa: PLC0415  # the stock process must not load it

        litellm_synthetic.register()
    return _LiteLLM(f"synthetic/{MODEL}", api_base)
