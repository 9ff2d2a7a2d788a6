"""What every contender is asked, and what it must hand back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

API_KEY: Final = "syn_bench_0123456789abcdef0123456789abcdef"
MODEL: Final = "hf:zai-org/GLM-5.3"
CHUNKS: Final = 200
PROMPT_TOKENS: Final = 20

ContenderName = Literal["ours", "stock", "openai", "httpx", "floor"]
Api = Literal["chat", "messages", "native"]
"""`messages` is a completion that LiteLLM translates; `native` is a message as it is."""
Kind = Literal["text", "arguments"]


@dataclass(frozen=True, slots=True)
class Received:
    """Hold what the caller of one reply ended up with; arguments of a tool call count as text."""

    text: str
    finish_reason: str | None
    total_tokens: int


@dataclass(frozen=True, slots=True)
class Served:
    """Describe a reply; the server reads it from the path.

    Attributes:
        kind: what the deltas are.
        events: how many deltas there are; in a whole reply, how many words.
        words: how many words a delta holds.
        pace_ms: the pause between two events; 0 sends all in one write.
    """

    kind: Kind = "text"
    events: int = CHUNKS
    words: int = 1
    pace_ms: float = 0.0

    @property
    def path(self) -> str:
        """Return the first part of the path, which a server can read it from."""
        return f"{self.kind}-{self.events}-{self.words}-{self.pace_ms:g}"

    @classmethod
    def from_path(cls, part: str) -> Served:
        """Return what a path asks for."""
        name, events, words, pace_ms = part.split("-")
        kind: Kind = "text" if name == "text" else "arguments"
        return cls(kind, int(events), int(words), float(pace_ms))

    @property
    def deltas(self) -> list[str]:
        """Return the texts of the reply's events."""
        return [
            "".join(f" word{number:03d}" for number in range(start, start + self.words))
            for start in range(0, self.events * self.words, self.words)
        ]

    @property
    def received(self) -> Received:
        """Return what has to arrive."""
        return _received(self)


@cache
def _received(served: Served) -> Received:
    text = "".join(served.deltas)
    reason = "stop" if served.kind == "text" else "tool_calls"
    if served.kind == "arguments":
        text = arguments_json(served)
    return Received(text, reason, PROMPT_TOKENS + served.events)


def arguments_json(served: Served) -> str:
    """Return a tool call's arguments, whose pieces are as many as the reply has events."""
    return f'{{"a":"{"".join(served.deltas)}"}}'


PLAIN_REPLY: Final = Served()
WHOLE_REPLY: Final = PLAIN_REPLY.received
TEXT: Final = WHOLE_REPLY.text
COMPLETION_TOKENS: Final = CHUNKS
MESSAGES: Final[list[dict[str, Any]]] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Count the words."},
]


@cache
def messages(turns: int, image_bytes: int) -> list[dict[str, Any]]:
    """Return a conversation: the question, after `turns` earlier messages, perhaps with an image.

    Args:
        turns: how many messages of earlier turns there are.
        image_bytes: the size of the image's data URL; 0 for none.
    """
    system, question = MESSAGES
    roles = ("user", "assistant")
    earlier = [
        {"role": roles[number % 2], "content": f"Turn {number} of a long talk about counting."}
        for number in range(turns)
    ]
    if image_bytes:
        url = "data:image/png;base64," + "iVBORw0K" * (image_bytes // 8)
        content = [
            {"type": "text", "text": question["content"]},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        question = {"role": "user", "content": content}
    return [system, *earlier, question]


@cache
def tools(count: int) -> list[dict[str, Any]]:
    """Return tools as agents define them."""
    return [
        {
            "type": "function",
            "function": {
                "name": f"tool_{number}",
                "description": "Look something up, and say where it was found.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "a": {"type": "string", "description": "What to look for."},
                        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
                    },
                    "required": ["a"],
                },
            },
        }
        for number in range(count)
    ]
