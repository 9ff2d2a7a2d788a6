"""`known_quotas()` learns from every reply that names the plan, of every call that is served."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm import google_genai, interactions

import litellm_synthetic
from litellm_synthetic.integration.other_operations import SERVED
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing import RawBytes, RawJSON
from litellm_synthetic.testing.delivery import Act, Delivery
from litellm_synthetic.testing.quotas import header_value
from litellm_synthetic.testing.rendering import bare
from litellm_synthetic.testing.replies import Verbatim
from litellm_synthetic.testing.stand_in import StandIn
from tests.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litellm_synthetic.testing import Reply, SyntheticServer
    from litellm_synthetic.testing.recorded import RecordedRequest

pytestmark = pytest.mark.usefixtures("no_waiting")
MODEL = "synthetic/hf:zai-org/GLM-5.3"
VECTORS = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
PARTS: list[Any] = [{"role": "user", "parts": [{"text": "hello"}]}]
LEFT = 77
REPORT = {"rollingFiveHourLimit": {"max": 500, "remaining": LEFT}}
SYNC, ASYNC = Caller(is_async=False), Caller(is_async=True)


@dataclass(frozen=True)
class EntryPoint:
    """Name one way in which a caller gets a reply.

    Attributes:
        operation: LiteLLM's function behind it, or this package's own.
        way: what else tells it from other entry points.
        call: makes the call, and reads the reply to its end.
    """

    operation: str
    way: str
    call: Callable[[SyntheticServer], Awaitable[Any]]

    def __str__(self) -> str:
        return f"{self.operation}-{self.way}" if self.way else self.operation


async def read(reply: Any) -> None:
    """Read a reply to its end, whatever it is."""
    if hasattr(reply, "__aiter__"):
        async for _ in reply:
            pass
    elif hasattr(reply, "__next__"):
        for _ in reply:
            pass


def _completions(caller: Caller) -> list[EntryPoint]:
    name = "acompletion" if caller.is_async else "completion"

    def entry(way: str, base: Callable[[SyntheticServer], str], *, stream: bool) -> EntryPoint:
        async def call(server: SyntheticServer) -> None:
            await read(
                await caller.completion(
                    model=MODEL, messages=HELLO, stream=stream, api_base=base(server)
                )
            )

        return EntryPoint(name, f"{way}-{'stream' if stream else 'plain'}", call)

    return [
        entry(way, base, stream=stream)
        for way, base in (
            ("openai", lambda server: server.openai_base),
            ("anthropic", lambda server: server.anthropic_base),
        )
        for stream in (False, True)
    ]


def _of_litellm(caller: Caller) -> list[EntryPoint]:
    """Return the entry points that LiteLLM has both sync and async."""
    prefix = "a" if caller.is_async else ""

    def entry(owner: Any, name: str, way: str, **arguments: Any) -> EntryPoint:
        async def call(_: SyntheticServer) -> None:
            reply = getattr(owner, prefix + name)(**arguments)  # as registering has left it
            await read(await reply if caller.is_async else reply)

        return EntryPoint(prefix + name, way, call)

    return [
        *(
            entry(litellm, name, "stream" if stream else "plain", stream=stream, **arguments)
            for name, arguments in (
                ("text_completion", {"model": MODEL, "prompt": "hello"}),
                ("responses", {"model": MODEL, "input": "hello"}),
            )
            for stream in (False, True)
        ),
        *(
            entry(google_genai, name, "", model=MODEL, contents=PARTS)
            for name in ("generate_content", "generate_content_stream")
        ),
        entry(litellm, "embedding", "", model=VECTORS, input=["hello"]),
        entry(litellm, "search", "litellm", query="hello", search_provider="synthetic"),
        entry(interactions, "create", "", model=MODEL, input="hello"),
        entry(litellm_synthetic, "search", "own", query="hello"),
        entry(litellm_synthetic, "quotas", ""),
    ]


def _messages() -> list[EntryPoint]:
    def native(*, stream: bool) -> EntryPoint:
        async def call(_: SyntheticServer) -> None:
            arguments: dict[str, Any] = {"model": MODEL, "messages": HELLO, "max_tokens": 50}
            await read(await litellm.anthropic_messages(**arguments, stream=stream))

        return EntryPoint("anthropic_messages", "stream" if stream else "plain", call)

    def sync(*, stream: bool) -> EntryPoint:
        async def call(_: SyntheticServer) -> None:
            arguments: dict[str, Any] = {"model": MODEL, "messages": HELLO, "max_tokens": 50}
            await read(litellm.anthropic.messages.create(**arguments, stream=stream))

        return EntryPoint("anthropic_messages_handler", "stream" if stream else "plain", call)

    return [make(stream=stream) for make in (native, sync) for stream in (False, True)]


async def _count(_: SyntheticServer) -> None:
    await litellm.acount_tokens(model=MODEL, messages=HELLO)


ENTRY_POINTS = [
    *(entry for caller in (SYNC, ASYNC) for entry in (*_completions(caller), *_of_litellm(caller))),
    *_messages(),
    EntryPoint("acount_tokens", "", _count),
]
MADE_OF_OTHER_CALLS = {"query", "aquery", "ingest", "aingest", "send_message", "asend_message"}
# A websocket, which has no replies with headers of Synthetic's.
WITHOUT_REPLIES = {"_aresponses_websocket"}

REPLIES: dict[str, Reply | None] = {
    "what was asked for": None,
    "a cap": RawJSON(429, {"error": "You've exceeded your subscription rate limits."}),
    "a passing 429": RawJSON(429, {"error": "max 4 parallel requests per model"}),
    "a lack of payment": RawJSON(402, {"error": "Insufficient quota and token balance"}),
    "a bad key": RawJSON(401, {"error": "Invalid API Key."}),
    "a bad request": RawJSON(400, {"error": "no"}),
    "a failure": RawJSON(500, {"error": "no"}),
    "a redirect": RawBytes(307, headers={"location": "https://elsewhere.example/"}),
    "a page": RawBytes(200, b"<html></html>", "text/html"),
    "nothing": RawBytes(200, b"", "application/json"),
    "an error in a 200": RawJSON(200, {"error": {"message": "no", "code": 500}}),
    "half a body": Verbatim(
        Delivery(
            200,
            (("Content-Type", "application/json"),),
            (b'{"choices": [', Act.CLOSE),
            content_length=1000,
        )
    ),
    "a body that does not inflate": RawBytes(
        200, b"not gzip", "application/json", {"content-encoding": "gzip"}
    ),
    "a body that is too long": Verbatim(
        Delivery(200, (("Content-Type", "application/json"),), (Act.CLOSE,), content_length=10**15)
    ),
    "a stream that ends early": RawBytes(
        200,
        b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n',
        "text/event-stream",
    ),
}


@pytest.fixture
def reporting(upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> SyntheticServer:
    """Have the plan in the headers of every reply, whatever its status and its route."""
    answer = StandIn.answer

    def answer_with_plan(self: StandIn, request: RecordedRequest) -> Delivery:
        return answer(self, request).with_headers({HEADER: header_value(REPORT)})

    monkeypatch.setattr(StandIn, "answer", answer_with_plan)
    upstream.set_quotas(REPORT)
    return upstream


def left() -> float | None:
    """Return what is known to be left of the five hours."""
    known = litellm_synthetic.known_quotas()
    if known is None or known.quotas is None or known.quotas.rolling_five_hours is None:
        return None
    return known.quotas.rolling_five_hours.remaining


def test_every_call_that_is_served_has_its_entry_point_here() -> None:
    own = {"quotas", "aquotas", "acount_tokens"}
    operations = {entry.operation for entry in ENTRY_POINTS}
    assert operations - own == set(SERVED) - MADE_OF_OTHER_CALLS - WITHOUT_REPLIES
    assert operations >= own


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=str)
async def test_every_reply_to_every_call_tells_of_the_plan(
    reporting: SyntheticServer, entry: EntryPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = StandIn._decide  # noqa: SLF001  # the script is for some routes only
    for what, reply in REPLIES.items():
        STATE.forget()
        assert left() is None

        def decided(
            self: StandIn, request: RecordedRequest, number: int, reply: Reply | None = reply
        ) -> Delivery:
            if reply is None:
                return decide(self, request, number)
            return bare(reply, self._envelope(request, number))  # type: ignore[arg-type]

        monkeypatch.setattr(StandIn, "_decide", decided)
        since = len(reporting.requests)
        # What becomes of the call is other tests' matter.
        with contextlib.nullcontext() if reply is None else contextlib.suppress(Exception):
            await entry.call(reporting)
        assert len(reporting.requests) > since, what
        assert left() == LEFT, what


@pytest.mark.parametrize("caller", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_the_reply_to_an_attempt_that_was_made_again_tells_of_the_plan_too(
    upstream: SyntheticServer, caller: Caller, *, stream: bool
) -> None:
    upstream.enqueue(RawJSON(500, {"error": "no"}, {HEADER: header_value(REPORT)}))
    upstream.respond_with(Verbatim(Delivery(before=(Act.CLOSE,))))
    with pytest.raises(litellm.APIConnectionError):
        await caller.completion(model=MODEL, messages=HELLO, stream=stream)
    assert len(upstream.requests) > 1
    assert left() == LEFT
