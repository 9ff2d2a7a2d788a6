"""What every contender is asked, what it must hand back, and the cases that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

API_KEY: Final = "syn_bench_0123456789abcdef0123456789abcdef"
MODEL: Final = "hf:zai-org/GLM-5.3"
CHUNKS: Final = 200
TEXT: Final = "".join(f" word{number:03d}" for number in range(CHUNKS))
MESSAGES: Final[list[dict[str, Any]]] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Count the words."},
]
PROMPT_TOKENS: Final = 20
COMPLETION_TOKENS: Final = CHUNKS

ContenderName = Literal["ours", "stock", "openai", "httpx", "floor"]
CONTENDERS: Final[tuple[ContenderName, ...]] = ("ours", "stock", "openai", "httpx", "floor")
# The two that agents choose between; the others run no callbacks.
WITH_CALLBACK: Final[tuple[ContenderName, ...]] = ("ours", "stock")
BASELINE: Final[ContenderName] = "stock"


@dataclass(frozen=True, slots=True)
class Received:
    """Hold what the caller of one reply ended up with."""

    text: str
    finish_reason: str | None
    total_tokens: int


WHOLE_REPLY: Final = Received(TEXT, "stop", PROMPT_TOKENS + COMPLETION_TOKENS)


@dataclass(frozen=True, slots=True)
class Case:
    """Describe one kind of call: streamed or plain, sync or async, how many of them at once."""

    name: str
    title: str
    is_stream: bool = False
    is_async: bool = False
    at_once: int = 1
    has_callback: bool = False

    @property
    def contenders(self) -> tuple[ContenderName, ...]:
        """Return who takes part."""
        return WITH_CALLBACK if self.has_callback else CONTENDERS

    @property
    def units_per_call(self) -> int:
        """Return how many units of the report one call is: its chunks, or the call itself."""
        return CHUNKS if self.is_stream else 1


CASES: Final[tuple[Case, ...]] = (
    Case("plain-sync", "plain call, sync"),
    Case("plain-async", "plain call, async", is_async=True),
    Case("plain-async-32", "plain call, async, 32 at once", is_async=True, at_once=32),
    Case("stream-sync", "streamed chunk, sync", is_stream=True),
    Case("stream-async", "streamed chunk, async", is_stream=True, is_async=True),
    Case("plain-sync-callback", "plain call, sync, callback", has_callback=True),
    Case("plain-async-callback", "plain call, async, callback", is_async=True, has_callback=True),
    Case(
        "stream-sync-callback", "streamed chunk, sync, callback", is_stream=True, has_callback=True
    ),
    Case(
        "stream-async-callback",
        "streamed chunk, async, callback",
        is_stream=True,
        is_async=True,
        has_callback=True,
    ),
)
CASE_BY_NAME: Final = {case.name: case for case in CASES}


@dataclass(frozen=True, slots=True)
class Plan:
    """Say what is measured: cases, rounds, and the calls in each contender's batch of a round."""

    cases: tuple[Case, ...]
    rounds: int
    plain_calls: int
    streamed_calls: int
    calls_at_once: int

    def calls(self, case: Case) -> int:
        """Return the calls in one batch of a case."""
        if case.at_once > 1:
            return self.calls_at_once
        return self.streamed_calls if case.is_stream else self.plain_calls


FULL: Final = Plan(CASES, rounds=7, plain_calls=25, streamed_calls=2, calls_at_once=64)
QUICK: Final = Plan(
    tuple(case for case in CASES if case.at_once == 1 and not case.has_callback),
    rounds=3,
    plain_calls=10,
    streamed_calls=1,
    calls_at_once=32,
)
