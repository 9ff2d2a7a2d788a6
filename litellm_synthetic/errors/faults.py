"""Failures before they become LiteLLM's exceptions; `rules` and its callers translate them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litellm_synthetic.errors.bodies import Report


class InvalidParameterError(ValueError):
    """A parameter is outside of its range; the message names it, its value and the range."""


class UnsupportedEffortError(InvalidParameterError):
    """Reasoning cannot be switched off; dropping the parameter is a way out."""


class UnsupportedOnMessagesError(InvalidParameterError):
    """The Messages API does not have these parameters; dropping them is a way out."""


class InvalidThinkingError(ValueError):
    """`reasoning_effort` or `thinking` is malformed."""


class UnreadableReplyError(Exception):
    """A 200 is not the reply that was asked for; the message says why."""


class BrokenStreamError(Exception):
    """A stream ended early, or an event in it cannot be read."""


class ErrorEventError(Exception):
    """The upstream reported an error inside a stream."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.text)
        self.report = report


class RepeatedTextError(Exception):
    """The model says the same again and again; `text` is what it says."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the model is repeating {text!r}")
        self.text = text


class NoEventsError(Exception):
    """The body is not an event stream; `prefix` holds its start."""

    def __init__(self, prefix: bytes) -> None:
        super().__init__(
            "the body is not an event stream" if prefix.strip() else "the body is empty"
        )
        self.prefix = prefix
