"""What a case is: a script for each kind of reply, and how the call has to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tests.harden.replies import STREAMS, body_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harden.upstream import Script

KEY: Final = "syn_" + "Unb3kannt" * 4
"""The secret that no case may show; its upstreams know it, because it is sent to them."""

KINDS: Final = (
    "chat", "text", "embedding", "message", "search", "quotas",
    "chat_stream", "text_stream", "message_stream",
)  # fmt: skip  # one list, read as one
PLAIN: Final = tuple(kind for kind in KINDS if kind not in STREAMS)
STREAMED: Final = tuple(STREAMS)
OPENAI_STREAMED: Final = ("chat_stream", "text_stream")

End = Literal["answer", "error", "either", "timeout", "ends", "sane"]
"""How a call has to end.

answer: with the right answer.
error: with one of LiteLLM's exceptions.
either: with the right answer or an exception, and with no other answer.
timeout: with litellm.Timeout, because the script never ends.
ends: as `either`, or with litellm.Timeout; the script may never end.
sane: with an answer of LiteLLM's types or an exception; what is right is not defined.
"""

GENEROUS_SECONDS: Final = 90.0
"""The limit of calls that end by themselves, on a machine however busy."""
BRIEF_SECONDS: Final = 1.0
"""The limit of calls that only their limit ends."""


@dataclass(frozen=True)
class Reply:
    """What a script is built from: the kind of reply that was asked for, and the right body."""

    kind: str

    @property
    def body(self) -> bytes:
        return body_of(self.kind)

    @property
    def is_stream(self) -> bool:
        return self.kind in STREAMS


@dataclass(frozen=True)
class Case:
    """One thing that an upstream may do.

    Attributes:
        attempts: how many requests the call may send.
        leaves_bytes: whether bytes lie behind the reply, which httpx takes for the next one
            (docs/network.md).
    """

    name: str
    build: Callable[[Reply], Script] = field(repr=False)
    end: End
    kinds: tuple[str, ...] = KINDS
    timeout_seconds: float = GENEROUS_SECONDS
    max_retries: int = 0
    attempts: int = 1
    leaves_bytes: bool = False


def never_ending(
    name: str,
    build: Callable[[Reply], Script],
    end: End = "timeout",
    kinds: tuple[str, ...] = KINDS,
) -> Case:
    """Return a case whose script only ends when the client leaves."""
    return Case(name, build, end, kinds, BRIEF_SECONDS)
