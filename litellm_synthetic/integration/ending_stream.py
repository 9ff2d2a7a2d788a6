"""The stream that LiteLLM is about to end."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_synthetic.integration.stream_wrapper import PassThroughStream

stream_at_end: Final[ContextVar[PassThroughStream | None]] = ContextVar(
    "stream_at_end", default=None
)
