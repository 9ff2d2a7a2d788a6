"""The faults of a connection: resets, silence, and bytes that only trickle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from litellm_synthetic.testing.delivery import Act, Delivery, Pause, Step
from litellm_synthetic.testing.replies import Either, Reply, Text, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing.replies import FaultRow
    from litellm_synthetic.testing.streams import Ending

_PARTIAL = " The beginning of an answer that was never finished."
_JSON = (("Content-Type", "application/json"),)
_BODY = json.dumps(
    {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1771750032,
        "model": "zai-org/GLM-5.3",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " Slowly but surely."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "total_tokens": 8, "completion_tokens": 5},
    }
).encode()


def _before_headers(act: Act) -> Callable[[], Reply]:
    return lambda: Verbatim(Delivery(before=(act,)))


def _mid_body(act: Act, ending: Ending) -> Callable[..., Reply]:
    def make(after_events: int = 4, content: str = _PARTIAL) -> Reply:
        half: tuple[Step, ...] = (_BODY[: len(_BODY) // 2], act)
        return Either(
            plain=Verbatim(Delivery(200, _JSON, half, content_length=len(_BODY))),
            stream=Text(content, cut_after=after_events, ending=ending),
        )

    return make


def _slow_drip(
    delay_seconds: float = 0.05, chunk_size: int = 1, content: str = " Slowly but surely."
) -> Reply:
    steps: list[Step] = []
    for start in range(0, len(_BODY), chunk_size):
        steps += [Pause(delay_seconds), _BODY[start : start + chunk_size]]
    return Either(
        plain=Verbatim(Delivery(200, _JSON, tuple(steps))),
        stream=Text(content, chunk_size=chunk_size, delay_seconds=delay_seconds),
    )


CONNECTION_FAULTS: tuple[FaultRow, ...] = (
    ("reset_before_headers", "a TCP reset instead of a reply", _before_headers(Act.RESET)),
    ("close_before_headers", "the connection closed without a reply", _before_headers(Act.CLOSE)),
    ("stall_before_headers", "silence until the client leaves", _before_headers(Act.STALL)),
    ("reset_mid_body", "half a reply, then a TCP reset", _mid_body(Act.RESET, "reset")),
    ("close_mid_body", "half a reply, then closed", _mid_body(Act.CLOSE, "close")),
    ("stall_mid_stream", "half a reply, then silence", _mid_body(Act.STALL, "stall")),
    ("slow_drip", "a reply that comes byte by byte", _slow_drip),
)
