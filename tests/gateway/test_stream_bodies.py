"""Our streams as LiteLLM's proxy writes them: our way beside LiteLLM's own, document by document.

Ours merges what waits, copies chunks from templates, and has pydantic write them. LiteLLM's own way
is one chunk per event, made by its constructors and written by its serializer.
"""

from __future__ import annotations

import copy
import gc
import json
import re
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import litellm
import openai
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from litellm.integrations.custom_logger import CustomLogger

import litellm_synthetic
from litellm_synthetic.chat.chunks import builder, constructed
from litellm_synthetic.chat.stream_decoder import ChunkDecoder
from litellm_synthetic.integration import repeated_work
from litellm_synthetic.testing import (
    RawBytes,
    Stream,
    SyntheticServer,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    named_fault,
)
from litellm_synthetic.testing.stream_faults import STREAM_FAULTS
from litellm_synthetic.transport.sse import Event

if TYPE_CHECKING:
    from tests.conftest import NewRouter

with warnings.catch_warnings(action="ignore", category=ResourceWarning):
    # Its import leaves the iterator of a directory open.
    from litellm.proxy import proxy_server
    from litellm.proxy._types import UserAPIKeyAuth

    gc.collect()

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
CASSETTES = Path(__file__).parents[2] / "cassettes"
_FAST = "_fast_serialize_simple_model_response_stream"


class Body(NamedTuple):
    """What a client got of one stream: documents, and what is not JSON as text.

    Attributes:
        error: of the call, where no stream began.
    """

    documents: list[Any]
    error: str | None = None


Write = Callable[..., Awaitable[Body]]


@pytest.fixture
def write(
    synthetic_server: SyntheticServer, new_router: NewRouter, monkeypatch: pytest.MonkeyPatch
) -> Write:
    """Return what has a Router stream a reply, and the proxy write it, in one of the two ways."""
    parameters = {"model": MODEL, "stream_timeout": 1.0}
    router = new_router([{"model_name": "m", "litellm_params": parameters}], num_retries=0)
    monkeypatch.setattr(proxy_server, "llm_router", router)

    async def written(reply: Any, *, ours: bool, **more: Any) -> Body:
        synthetic_server.enqueue(reply)
        with pytest.MonkeyPatch.context() as patch:
            if not ours:
                patch.setenv("SYNTHETIC_STREAM_MERGE", "0")
                patch.setattr(repeated_work, "_is_ours", lambda _: False)
                patch.setattr("litellm_synthetic.chat.backlog.builder", lambda: constructed)
            return await _body(router, more)

    return written


async def _body(router: litellm.Router, more: dict[str, Any]) -> Body:
    messages = [{"role": "user", "content": "hello"}]
    request: dict[str, Any] = {"model": "m", "messages": messages, "stream": True, **more}
    try:
        stream = await router.acompletion(**request)
    except openai.APIError as failure:
        return Body([], type(failure).__name__)
    frames = proxy_server.async_data_generator(
        response=stream,
        user_api_key_dict=UserAPIKeyAuth(),
        request_data={**request, "litellm_logging_obj": stream.logging_obj},
    )
    texts = [one if isinstance(one, str) else one.decode() async for one in frames]
    return Body([_document(one) for one in "".join(texts).split("\n\n") if one])


def _document(frame: str) -> Any:
    data = frame.removeprefix("data: ")
    if data == "[DONE]":
        return data
    # Each reply of the stand-in has its own ids and time.
    document = json.loads(re.sub(r'"call_[0-9a-f]{24,}"', '"call"', data))
    return {**document, "id": "", "created": 0} if "id" in document else document


def _joined(documents: list[Any]) -> list[Any]:
    """Return documents in which those that continue the one before are part of it."""
    made: list[Any] = []
    for document in copy.deepcopy(documents):
        if not (made and _continues(made[-1], document)):
            made.append(document)
    return made


def _continues(before: Any, document: Any) -> bool:
    """Put a document's text behind that of the one before, if that is all it adds."""
    frames = [_split(one) for one in (before, document)]
    if None in frames:
        return False
    (holder, name, frame), (added, other_name, other_frame) = frames  # type: ignore[misc]  # above
    is_first = "role" in document["choices"][0]["delta"] or added.get("name")
    if is_first or name != other_name or frame != other_frame:
        return False
    holder[name] += added[name]
    logprobs = [one["choices"][0].get("logprobs") for one in (before, document)]
    if all(logprobs):
        logprobs[0]["content"] += logprobs[1]["content"]
    return True


def _split(document: Any) -> tuple[dict[str, Any], str, Any] | None:
    """Return what holds the text of a document, its name there, and all the rest."""
    if not isinstance(document, dict) or "usage" in document:
        return None
    if len(document.get("choices", ())) != 1:
        return None
    delta = document["choices"][0]["delta"]
    texts = [name for name in ("content", "reasoning_content", "tool_calls") if name in delta]
    if len(texts) != 1 or "finish_reason" in document["choices"][0]:
        return None
    rest = copy.deepcopy(document)
    rest["choices"][0].pop("logprobs", None)
    rest["choices"][0]["delta"].pop("role", None)
    rest_delta = rest["choices"][0]["delta"]
    if texts == ["tool_calls"]:
        call, rest_call = delta["tool_calls"][0], rest_delta["tool_calls"][0]
        rest_call.pop("id", None)
        rest_call.pop("function")
        return call["function"], "arguments", rest
    rest_delta.pop(texts[0])
    return delta, texts[0], rest


async def _same(write: Write, reply: Any, **more: Any) -> Body:
    ours, theirs = await write(reply, ours=True, **more), await write(reply, ours=False, **more)
    assert ours.error == theirs.error
    assert _joined(ours.documents) == _joined(theirs.documents)
    return ours


LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


def _event(
    finish: str | None = None,
    index: int = 0,
    usage: Any = None,
    fingerprint: str | None = None,
    **delta: Any,
) -> Any:
    logprobs = delta.pop("logprobs", None)
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7,
        "model": "zai-org/GLM-5.3-Flash", "system_fingerprint": fingerprint,
        "choices": [choice], **({"usage": usage} if usage else {}),
    }  # fmt: skip  # one event, read as one


def _call(index: int, arguments: str, **first: str) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": "f"} if first else {})}
    return {"tool_calls": [{"index": index, "type": "function", "function": function, **first}]}


NUMBERS = " ".join(str(number) for number in range(2000))
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
WHOLE = {
    "text": Text("It is Paris, of course.", chunks=9),
    "a long text": Text(NUMBERS, chunks=2000),
    "reasoning, then text": Text("It is Paris.", reasoning="France has Paris.", chunks=4),
    "unusual characters": Text('\u2028 \x00 \U0001f600 \x7f é \\ " / <', chunks=6),
    "cached tokens": Text("Yes.", usage=Usage(30, 4, cached_tokens=20)),
    "two tool calls": ToolCalls(
        [ToolCall("read", {"path": "a.py"}), ToolCall("write", {"path": "b.py", "text": "x" * 99})]
    ),
    "interleaved tool calls": ToolCalls(
        [ToolCall("read", {"path": "a.py"}), ToolCall("write", {"path": "b.py"})], interleaved=True
    ),
    "text, then a tool call": ToolCalls([ToolCall("read")], content="Let me see."),
    "logprobs": Stream(
        [
            *(_event(content="a", logprobs={"content": [LOGPROB]}) for _ in range(3)),
            _event("stop", usage=USAGE),
        ]
    ),
    "a refusal": Stream([_event(refusal="I can"), _event(refusal="not."), _event("stop")]),
    "two choices": Stream(
        [
            *(_event(index=index, content=text) for text in "abc" for index in (0, 1)),
            _event("stop", 0), _event("length", 1), "[DONE]",
        ]
    ),
    "fields that nobody knows": Stream(
        [_event(content="a", mood="good"), _event(content="b", mood="good"), _event("stop")]
    ),
}  # fmt: skip  # one table, read as one


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    "more", [{}, {"stream_options": {"include_usage": True}}], ids=["without_usage", "with_usage"]
)
async def test_a_client_gets_what_litellm_would_have_written(
    write: Write, name: str, more: dict[str, Any]
) -> None:
    body = await _same(write, WHOLE[name], **more)
    assert body.documents[-1] == "[DONE]"


@pytest.mark.parametrize("name", [name for name, *_ in STREAM_FAULTS])
async def test_a_client_gets_what_litellm_would_have_written_of_every_fault(
    write: Write, name: str
) -> None:
    await _same(write, named_fault(name))


RECORDED = [path.stem for path in sorted(CASSETTES.glob("*stream*async*.yaml"))]


@pytest.mark.parametrize("name", RECORDED)
async def test_a_client_gets_what_litellm_would_have_written_of_a_recording(
    write: Write, name: str
) -> None:
    document = yaml.safe_load((CASSETTES / f"{name}.yaml").read_text("utf-8"))
    bodies = [one["response"]["body"]["string"] for one in document["interactions"]]
    for body in bodies:
        data = body if isinstance(body, bytes) else body.encode()
        await _same(write, RawBytes(200, data, "text/event-stream"))


async def test_what_waits_is_merged_on_its_way_through_a_proxy(write: Write) -> None:
    reply = Text(NUMBERS, chunks=2000, one_write=True)
    ours, theirs = await write(reply, ours=True), await write(reply, ours=False)
    assert len(theirs.documents) > 2000
    assert len(ours.documents) < 200


async def test_litellms_own_serializer_is_left_out_for_ours_only(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    original = getattr(proxy_server, _FAST)

    def counting(chunk: Any) -> Any:
        written.append(chunk)
        return original(chunk)

    monkeypatch.setattr(proxy_server, _FAST, counting)
    await write(Text("Yes.", chunks=2), ours=True)
    assert written == []
    await write(Text("Yes.", chunks=2), ours=False)
    assert written


async def test_after_unregister_the_proxy_has_its_own_serializer_again(registered: None) -> None:
    del registered
    ours = proxy_server._serialize_streaming_chunk  # noqa: SLF001  # LiteLLM's, taken over
    litellm_synthetic.unregister()
    assert proxy_server._serialize_streaming_chunk is not ours  # noqa: SLF001  # the same


class Shouting(CustomLogger):
    """Change every chunk, as a guardrail may."""

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[Any, Any]
    ) -> AsyncGenerator[litellm.ModelResponseStream, None]:
        del user_api_key_dict, request_data
        async for chunk in response:
            for choice in chunk.choices:
                if choice.delta.content:
                    choice.delta.content = choice.delta.content.upper()
            yield chunk


async def test_a_hook_that_changes_chunks_is_heard(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "callbacks", [Shouting()])
    body = await _same(write, Text("It is Paris.", chunks=5))
    texts = [
        choice["delta"].get("content", "")
        for one in body.documents[:-1]
        for choice in one["choices"]
    ]
    assert "".join(texts) == "IT IS PARIS."


TEXTS = st.text(max_size=5)
EVENTS = st.one_of(
    st.builds(_event, content=TEXTS, index=st.integers(0, 1)),
    st.builds(_event, content=TEXTS, role=st.just("assistant")),
    st.builds(_event, reasoning_content=TEXTS),
    st.builds(_event, refusal=TEXTS),
    st.builds(_event, content=TEXTS, logprobs=st.just({"content": [LOGPROB]})),
    st.builds(_event, content=TEXTS, annotation=TEXTS),
    st.builds(_call, st.integers(0, 2), TEXTS).map(lambda delta: _event(**delta)),
    st.builds(_call, st.integers(0, 2), TEXTS, id=st.just("call_1")).map(
        lambda delta: _event(**delta)
    ),
    st.builds(_event, usage=st.just(USAGE)),
)


@given(
    st.lists(EVENTS, max_size=12),
    st.sampled_from(["stop", "length", "tool_calls"]),
    st.sampled_from([None, "fp"]),  # with one, LiteLLM writes every chunk by pydantic's serializer
)
def test_any_stream_is_written_as_litellm_would_write_it(
    events: list[Any], finish: str, fingerprint: str | None
) -> None:
    written = []
    ends = [_event(finish, index) for index in (0, 1)]
    litellm_synthetic.register()
    events = [{**one, "system_fingerprint": fingerprint} for one in events]
    for build, merges in ((builder(), True), (constructed, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("litellm_synthetic.chat.backlog.builder", lambda build=build: build)
            decoder = ChunkDecoder(MODEL, merges=merges)
            decoder.take([Event("", json.dumps(one)) for one in (*events, *ends)])
            chunks = [*decoder.ready, *decoder.finish()]
        for one in chunks if merges else ():
            one._hidden_params = {"custom_llm_provider": "synthetic"}  # noqa: SLF001  # as a stream does
        texts = [_text(one) for one in chunks]
        written.append(_joined([_document(text) for text in texts]))
    assert written[0] == written[1]


def _text(chunk: Any) -> str:
    text = proxy_server._serialize_streaming_chunk(chunk)  # noqa: SLF001  # LiteLLM's, taken over
    return text if isinstance(text, str) else text.decode()
