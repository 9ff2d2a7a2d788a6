"""What is asked of every proxy, and what each reply must hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from benchmarks.workload import MESSAGES, WHOLE_REPLY, Received

ContenderName = Literal["ours", "stock", "floor"]
# The floor is not a proxy: the load goes straight to the stand-ins.
CONTENDERS: Final[tuple[ContenderName, ...]] = ("ours", "stock", "floor")
PROXIES: Final[tuple[ContenderName, ...]] = ("ours", "stock")
BASELINE: Final[ContenderName] = "stock"
GROUP: Final = "large"
_MAX_TOKENS: Final = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """Describe one kind of call.

    Attributes:
        path: on a proxy.
        upstream_path: of the same call on a stand-in, below its bare address.
    """

    name: str
    title: str
    path: str
    upstream_path: str
    is_stream: bool = False

    def body(self, model: str) -> bytes:
        """Return the request, as JSON."""
        payload: dict[str, Any] = {"model": model, "max_tokens": _MAX_TOKENS, "messages": MESSAGES}
        if self.name == "messages":
            system, *messages = MESSAGES
            payload |= {"system": system["content"], "messages": messages}
        if self.is_stream:
            payload |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(payload).encode()

    def complaint(self, body: bytes) -> str | None:
        """Return what a reply lacks: text, finish reason or tokens; None if it is whole."""
        if self.name == "messages":
            return _message_complaint(json.loads(body))
        pieces = _streamed(body) if self.is_stream else _plain(json.loads(body))
        return None if pieces == WHOLE_REPLY else f"expected {WHOLE_REPLY}, received {pieces}"


CASES: Final[tuple[Case, ...]] = (
    Case("plain", "chat", "/v1/chat/completions", "/openai/v1/chat/completions"),
    Case(
        "stream",
        "chat, streamed",
        "/v1/chat/completions",
        "/openai/v1/chat/completions",
        is_stream=True,
    ),
    Case("messages", "/v1/messages", "/v1/messages", "/anthropic/v1/messages"),
)
CASE_BY_NAME: Final = {case.name: case for case in CASES}


def _plain(reply: dict[str, Any]) -> Received:
    choice = reply["choices"][0]
    content, reason = choice["message"]["content"], choice["finish_reason"]
    return Received(content, reason, reply["usage"]["total_tokens"])


def _streamed(body: bytes) -> Received:
    lines = (line[6:] for line in body.decode().splitlines() if line.startswith("data: "))
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    totals = [chunk["usage"]["total_tokens"] for chunk in chunks if chunk.get("usage")]
    return Received(
        "".join(choice["delta"].get("content") or "" for choice in choices),
        ",".join(choice["finish_reason"] for choice in choices if choice.get("finish_reason")),
        totals[-1] if totals else 0,
    )


def _message_complaint(reply: dict[str, Any]) -> str | None:
    text = "".join(block.get("text", "") for block in reply["content"])
    pieces = Received(
        text,
        {"end_turn": "stop"}.get(reply["stop_reason"], reply["stop_reason"]),
        reply["usage"]["input_tokens"] + reply["usage"]["output_tokens"],
    )
    return None if pieces == WHOLE_REPLY else f"expected {WHOLE_REPLY}, received {pieces}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how much is measured.

    Attributes:
        calls: per worker of the proxy, in one batch of a case.
        clients: connections at once, per worker of the proxy.
    """

    cases: tuple[Case, ...]
    workers: tuple[int, ...]
    rounds: int
    calls: dict[str, int]
    clients: int


FULL: Final = Plan(
    CASES, (1, 4), rounds=5, calls={"plain": 120, "stream": 24, "messages": 120}, clients=8
)
QUICK: Final = Plan(
    CASES, (1,), rounds=3, calls={"plain": 60, "stream": 12, "messages": 60}, clients=8
)
