"""Arguments that cannot be right: one clear error each that names the fix, and nothing is sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import pytest

if TYPE_CHECKING:
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
        ({"stream_timeout": "x", "stream": True}, FIX),
        ({"stream_timeout": -3, "stream": True}, FIX),
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


def test_a_closed_client_is_named(upstream: SyntheticServer) -> None:
    client = httpx.Client()
    client.close()
    with pytest.raises(litellm.BadRequestError, match="client= has been closed"):
        litellm.completion(model=MODEL, messages=MESSAGES, client=client)
    assert upstream.requests == []


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
