"""What is asked of both proxies, what each reply must hold, and what the ratios should be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from benchmarks.workload import MESSAGES, MODEL, WHOLE_REPLY, Received

ContenderName = Literal["ours", "stock"]
CONTENDERS: Final[tuple[ContenderName, ...]] = ("ours", "stock")
BASELINE: Final[ContenderName] = "stock"
# What proxy-config calls the model's group.
GROUP: Final = f"synthetic/{MODEL}"
# A prompt with this is answered chunk by chunk.
PACE_MARK: Final = "Take your time."
PACE_SECONDS: Final = 0.005
_MAX_TOKENS: Final = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """Describe one kind of call.

    Attributes:
        calls: per worker of the proxy, in one batch.
        clients: connections at once, per worker.
        cpu_goal: the most CPU that a call may take, as a ratio to stock's.
        rate_goal: the fewest calls per second, as a ratio to stock's.
    """

    name: str
    title: str
    path: str
    calls: int
    clients: int
    is_stream: bool = False
    is_paced: bool = False
    cpu_goal: float | None = None
    rate_goal: float | None = None

    def body(self) -> bytes:
        """Return the request, as JSON."""
        system, *messages = MESSAGES
        if self.is_paced:
            messages = [*messages, {"role": "user", "content": PACE_MARK}]
        request: dict[str, Any] = {"model": GROUP, "max_tokens": _MAX_TOKENS}
        if self.name == "messages":
            request |= {"system": system["content"], "messages": messages}
        else:
            request |= {"messages": [system, *messages]}
        if self.is_stream:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(request).encode()

    def complaint(self, body: bytes) -> str | None:
        """Return what a reply lacks: text, finish reason or tokens; None if it is whole."""
        if self.name == "messages":
            received = _message(json.loads(body))
        else:
            received = _streamed(body) if self.is_stream else _plain(json.loads(body))
        return None if received == WHOLE_REPLY else f"expected {WHOLE_REPLY}, received {received}"


_CHAT: Final = "/v1/chat/completions"
CASES: Final[tuple[Case, ...]] = (
    Case(
        "burst",
        "200 chunks at once",
        _CHAT,
        calls=24,
        clients=8,
        is_stream=True,
        cpu_goal=0.25,
        rate_goal=3.0,
    ),
    Case(
        "paced",
        "200 chunks, 5 ms apart",
        _CHAT,
        calls=5,
        clients=5,
        is_stream=True,
        is_paced=True,
        cpu_goal=0.50,
    ),
    Case("plain", "chat, not streamed", _CHAT, calls=40, clients=8, cpu_goal=0.85),
    Case("messages", "/v1/messages, native", "/v1/messages", calls=40, clients=8),
)
CASE_BY_NAME: Final = {case.name: case for case in CASES}


def _plain(reply: dict[str, Any]) -> Received:
    choice = reply["choices"][0]
    content, reason = choice["message"]["content"], choice["finish_reason"]
    return Received(content, reason, reply["usage"]["total_tokens"])


def _streamed(body: bytes) -> Received:
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    if lines[-1:] != ["[DONE]"]:
        return Received("", "cut off", 0)
    chunks = [json.loads(line) for line in lines[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    totals = [chunk["usage"]["total_tokens"] for chunk in chunks if chunk.get("usage")]
    return Received(
        "".join(choice["delta"].get("content") or "" for choice in choices),
        ",".join(choice["finish_reason"] for choice in choices if choice.get("finish_reason")),
        totals[-1] if totals else 0,
    )


def _message(reply: dict[str, Any]) -> Received:
    return Received(
        "".join(block.get("text", "") for block in reply["content"]),
        {"end_turn": "stop"}.get(reply["stop_reason"], reply["stop_reason"]),
        reply["usage"]["input_tokens"] + reply["usage"]["output_tokens"],
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how much is measured: cases, numbers of workers, and pairs of batches of each."""

    cases: tuple[Case, ...]
    workers: tuple[int, ...]
    pairs: int


FULL: Final = Plan(CASES, (1, 4), pairs=10)
QUICK: Final = Plan(CASES[:3], (1,), pairs=4)
