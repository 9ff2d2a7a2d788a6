"""`SYNTHETIC_MAX_PARALLEL` has calls of a key and model wait for one another, whatever they are."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import openai
import pytest

from litellm_synthetic.quota.slots import SLOTS
from litellm_synthetic.testing import SyntheticServer, Text, fault
from tests.waiting import MAX_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3"
EMBEDDING = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]


class Gate:
    """A server before the stand-in: it holds requests back, and counts how many it has at once."""

    def __init__(self, upstream: SyntheticServer) -> None:
        self.opened = threading.Event()
        self.at_once = self.most = self.requests = 0
        self._lock = threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["content-length"]))
                with gate.holding(is_held=not self.path.endswith("/embeddings")):
                    reply = httpx.post(
                        f"{upstream.url}{self.path}",
                        content=body,
                        headers={
                            name: self.headers[name]
                            for name in ("authorization", "content-type", "accept")
                            if name in self.headers
                        },
                        timeout=MAX_SECONDS,
                    )
                self.send_response(reply.status_code)
                for name in ("content-type", "retry-after", "x-synthetic-quotas"):
                    if name in reply.headers:
                        self.send_header(name, reply.headers[name])
                self.send_header("content-length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/openai/v1"

    @contextlib.contextmanager
    def holding(self, *, is_held: bool) -> Iterator[None]:
        if not is_held:
            yield
            return
        with self._lock:
            self.requests += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.opened.wait(MAX_SECONDS)
        yield
        with self._lock:
            self.at_once -= 1


@pytest.fixture
def gate(upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    held = Gate(upstream)
    thread = threading.Thread(target=held.server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("SYNTHETIC_API_BASE", held.url)
    yield held
    held.opened.set()
    held.server.shutdown()
    thread.join()
    held.server.server_close()


@pytest.fixture(autouse=True)
def no_slots_left() -> Iterator[None]:
    """Hold that each test's calls give their slots back."""
    SLOTS.forget()
    yield
    wait_until(lambda: not SLOTS.places(), lambda: f"slots are taken: {SLOTS.places()}")
    SLOTS.forget()


async def chat(**more: Any) -> Any:
    return await litellm.acompletion(model=MODEL, messages=HELLO, **more)


async def streamed() -> None:
    async for _ in await chat(stream=True):
        pass


async def messages(*, stream: bool = False) -> None:
    reply: Any = await litellm.anthropic_messages(
        model=MODEL, messages=HELLO, max_tokens=50, stream=stream
    )
    if stream:
        async for _ in reply:
            pass


async def in_a_thread(*, stream: bool = False) -> None:
    def call() -> None:
        reply: Any = litellm.completion(model=MODEL, messages=HELLO, stream=stream)
        list(reply)

    await asyncio.to_thread(call)


KINDS: list[Callable[[], Any]] = [
    chat,
    streamed,
    messages,
    lambda: messages(stream=True),
    in_a_thread,
    lambda: in_a_thread(stream=True),
]


def place() -> str:
    (found,) = SLOTS.places()
    return found


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, lambda: "it never comes to that")


async def test_all_kinds_of_calls_share_the_slots_of_a_key_and_model(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "2")
    calls = [asyncio.ensure_future(kind()) for kind in KINDS]
    await until(lambda: gate.at_once == 2 and SLOTS.waiting(place()) == len(KINDS) - 2)
    assert gate.requests == 2
    gate.opened.set()
    await asyncio.gather(*calls)
    assert gate.most == 2
    assert gate.requests == len(KINDS)


async def test_an_alias_waits_with_its_model_and_other_models_and_embeddings_do_not(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "1")
    alias, target = "synthetic/syn:large:text", "synthetic/hf:deepseek-ai/DeepSeek-V4.1-Flash"
    first = asyncio.ensure_future(litellm.acompletion(model=alias, messages=HELLO))
    await until(lambda: gate.at_once == 1)
    second = asyncio.ensure_future(litellm.acompletion(model=target, messages=HELLO))
    await until(lambda: SLOTS.waiting(place()) == 1)
    other = asyncio.ensure_future(chat())
    await until(lambda: gate.at_once == 2)
    await litellm.aembedding(model=EMBEDDING, input=["a"])
    assert not second.done()
    gate.opened.set()
    await asyncio.gather(first, second, other)


async def test_without_the_setting_nothing_waits(gate: Gate) -> None:
    calls = [asyncio.ensure_future(chat()) for _ in range(4)]
    await until(lambda: gate.at_once == 4)
    assert not SLOTS.places()
    gate.opened.set()
    await asyncio.gather(*calls)


@pytest.mark.parametrize("end", ["read", "closed", "dropped", "broken"])
async def test_a_stream_keeps_its_slot_until_it_ends_or_is_left(
    upstream: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "1")
    upstream.enqueue(fault("stream_cut") if end == "broken" else Text("a " * 50))
    stream = await caller.completion(model=MODEL, messages=HELLO, stream=True)
    await caller.next_of(stream)
    assert SLOTS.taken(place()) == 1
    if end in {"read", "broken"}:
        try:
            await caller.collect(stream)
        except openai.APIError:
            assert end == "broken"
    elif end == "closed":
        await stream.aclose() if caller.is_async else stream.close()
    del stream
    # The next call would wait for ever.
    assert (await caller.completion(model=MODEL, messages=HELLO)).choices


async def test_a_call_that_waits_in_vain_ends_in_a_timeout_that_says_why(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "1")
    first = asyncio.ensure_future(chat())
    await until(lambda: gate.at_once == 1)
    function: Any = litellm.acompletion if caller.is_async else litellm.completion
    late = functools.partial(function, MODEL, HELLO, timeout=0.01, max_retries=0)
    with pytest.raises(litellm.Timeout) as caught:
        await (late() if caller.is_async else asyncio.to_thread(late))
    assert "Nothing was sent" in str(caught.value)
    assert "1 parallel request" in str(caught.value)
    assert "SYNTHETIC_MAX_PARALLEL" in str(caught.value)
    assert gate.requests == 1
    gate.opened.set()
    await first


async def test_a_cancelled_call_leaves_the_queue(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "1")
    first = asyncio.ensure_future(chat())
    await until(lambda: gate.at_once == 1)
    second = asyncio.ensure_future(chat())
    await until(lambda: SLOTS.waiting(place()) == 1)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.opened.set()
    await first


async def test_the_limit_is_learnt_from_the_refusal(
    upstream: SyntheticServer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MAX_PARALLEL", "learn")
    upstream.enqueue(fault("parallel_requests", retry_after="0", limit=3))
    gate.opened.set()
    with pytest.raises(litellm.RateLimitError):
        await chat(max_retries=0)
    gate.opened.clear()
    gate.most = 0
    calls = [asyncio.ensure_future(chat()) for _ in range(8)]
    await until(lambda: gate.at_once == 3 and SLOTS.waiting(place()) == 5)
    gate.opened.set()
    await asyncio.gather(*calls)
    assert gate.most == 3
