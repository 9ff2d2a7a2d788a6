"""Arguments that cannot be right: one clear error each that names the fix, and nothing is sent."""

from __future__ import annotations

import asyncio
import gc
import math
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import pytest
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/syn:large:text"
MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
FIX = "Give a positive number of seconds, or leave it out."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": -1}, FIX),
        ({"timeout": 0}, FIX),
        ({"timeout": math.inf}, FIX),
        ({"timeout": math.nan}, FIX),
        ({"timeout": httpx.Timeout(-1)}, FIX),
        ({"timeout": "x"}, FIX),
        ({"timeout": "-1"}, FIX),
        ({"timeout": "nan"}, FIX),
        ({"stream_timeout": "x", "stream": True}, FIX),
        ({"stream_timeout": -3, "stream": True}, FIX),
        ({"messages": "hi"}, r"messages is of type str, not a list .* Give messages=\[\{"),
        ({"messages": None}, "messages is None, not a list of messages"),
        ({"messages": {"role": "user", "content": "hi"}}, "messages is of type dict"),
        ({"messages": ["hi"]}, r"messages\[0\] is of type str, not a message"),
        ({"messages": [*MESSAGES, None]}, r"messages\[1\] is None, not a message"),
        ({"temperature": "0.5"}, "temperature='0.5' is not a number"),
        ({"max_tokens": "5"}, "max_tokens='5' is not a whole number"),
        ({"max_tokens": 1.5}, "max_tokens=1.5 is not a whole number"),
        ({"extra_headers": {1: "x"}}, "The header name 1 is not text"),
        ({"extra_headers": {"a\n": "b"}}, "HTTP cannot carry"),
        ({"extra_headers": {"a": "b\r\nc: d"}}, "HTTP cannot carry"),
        ({"extra_headers": {"a": "ö"}}, "HTTP cannot carry"),
        ({"extra_body": {(1, 2): 2}}, "cannot be written as JSON"),
        ({"model": "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"}, r"litellm\.embedding\(\)"),
    ],
    ids=str,
)
async def test_a_bad_argument_gets_one_clear_error_and_sends_nothing(
    arguments: dict[str, Any], message: str, caller: Caller, upstream: SyntheticServer
) -> None:
    with pytest.raises(litellm.BadRequestError, match=message) as excinfo:
        await caller.completion(**{"model": MODEL, "messages": MESSAGES, **arguments})
    assert excinfo.value.llm_provider == "synthetic"
    assert upstream.requests == []


async def test_messages_by_position_are_looked_at_too(upstream: SyntheticServer) -> None:
    with pytest.raises(litellm.BadRequestError, match="messages is of type str"):
        litellm.completion(MODEL, "hi")
    with pytest.raises(litellm.BadRequestError, match="messages is of type str"):
        await litellm.acompletion(MODEL, "hi")
    assert upstream.requests == []


@pytest.mark.parametrize("name", ["text_completion", "embedding", "responses"])
async def test_a_timeout_that_is_no_number_is_told_by_every_call(
    name: str, caller: Caller, upstream: SyntheticServer
) -> None:
    arguments = {"prompt": "hi"} if name == "text_completion" else {"input": ["hi"]}
    with pytest.raises(litellm.BadRequestError, match=FIX):
        await getattr(caller, name)(model=MODEL, timeout="x", **arguments)
    assert upstream.requests == []


async def test_another_providers_bad_arguments_are_litellms_affair(registered: None) -> None:
    del registered
    with pytest.raises(AttributeError):
        litellm.completion("openai/gpt-4o", "hi", api_key="x")


def test_a_closed_client_is_named(upstream: SyntheticServer) -> None:
    client = httpx.Client()
    client.close()
    with pytest.raises(litellm.BadRequestError, match="client= has been closed"):
        litellm.completion(model=MODEL, messages=MESSAGES, client=client)
    assert upstream.requests == []


@pytest.fixture
def collected() -> Iterator[None]:
    """Have the collector run within the test, under its filters of warnings."""
    yield
    gc.collect()


# asyncio's transports of a closed loop warn that nobody could close them.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_client_of_an_event_loop_that_has_ended_is_named_or_connects_again(
    collected: None, upstream: SyntheticServer, *, stream: bool
) -> None:
    del collected
    client = httpx.AsyncClient()

    async def call(max_retries: int) -> list[Any]:
        answer: Any = await litellm.acompletion(
            model=MODEL,
            messages=MESSAGES,
            client=client,
            max_retries=max_retries,
            stream=stream,
        )
        return [one async for one in answer] if stream else answer.choices

    asyncio.run(call(0))
    with pytest.raises(litellm.APIConnectionError, match="make one client in each event loop"):
        asyncio.run(call(0))
    asyncio.run(call(0))  # the broken connection is gone
    assert asyncio.run(call(1))  # and here within one call
    # LiteLLM's worker holds the arguments of calls that callbacks have not been told of.
    asyncio.run(GLOBAL_LOGGING_WORKER.clear_queue())  # type: ignore[no-untyped-call]  # LiteLLM's
    assert upstream.requests


async def test_a_reference_to_the_environment_is_not_a_key(
    caller: Caller, upstream: SyntheticServer
) -> None:
    with pytest.raises(litellm.AuthenticationError, match="Pass the key itself") as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES, api_key="os.environ/SOME_NAME")
    assert "SOME_NAME" not in str(excinfo.value)
    assert upstream.requests == []


async def test_a_number_of_seconds_written_as_text_is_a_limit(
    caller: Caller, upstream: SyntheticServer
) -> None:
    await caller.completion(model=MODEL, messages=MESSAGES, timeout="30")
    assert len(upstream.requests) == 1
