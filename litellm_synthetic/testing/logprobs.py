"""Made-up log probabilities in the forms that chat and legacy completions return."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def chat_logprobs(tokens: Sequence[str], alternatives: int) -> dict[str, Any]:
    """Return a chat choice's `logprobs` with `alternatives` entries under `top_logprobs`."""
    return {
        "content": [
            _entry(token, 0)
            | {"top_logprobs": [_entry(token, rank) for rank in range(alternatives)]}
            for token in tokens
        ]
    }


def completion_logprobs(tokens: Sequence[str]) -> dict[str, Any]:
    """Return a legacy completion's `logprobs`."""
    offsets = [sum(len(earlier) for earlier in tokens[:place]) for place in range(len(tokens))]
    return {
        "text_offset": offsets,
        "token_logprobs": [_logprob(token, 0) for token in tokens],
        "tokens": list(tokens),
        "top_logprobs": [{token: _logprob(token, 0)} for token in tokens],
    }


def _entry(token: str, rank: int) -> dict[str, Any]:
    text = token if rank == 0 else f"{token}~{rank}"
    return {"token": text, "logprob": _logprob(token, rank), "bytes": list(text.encode())}


def _logprob(token: str, rank: int) -> float:
    return -round(zlib.crc32(token.encode()) % 1000 / 1000 + rank + 0.001, 3)
