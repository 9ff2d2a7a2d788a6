"""LiteLLM's exception classes, imported when a failure needs one.

The import takes over a second. A call that succeeds does without, and so does the command line,
which shows an error's text: within `plain_failures` every failure is a `CallFailedError`.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.errors.bodies import encodable_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal[
    "APIConnectionError", "APIError", "AuthenticationError", "BadGatewayError", "BadRequestError",
    "ContentPolicyViolationError", "ContextWindowExceededError", "InternalServerError",
    "NotFoundError", "PaymentRequiredError", "PermissionDeniedError", "RateLimitError",
    "ServiceUnavailableError", "Timeout", "UnsupportedParamsError",
]  # fmt: skip  # one list, read as one
"""The name of one of LiteLLM's exception classes."""

_are_plain: Final = ContextVar("litellm_synthetic_plain_failures", default=False)


class CallFailedError(Exception):
    """A call failed where LiteLLM's classes are not asked for.

    Attributes:
        kind: the name of LiteLLM's class for such a failure.
        status: the HTTP status that the class would have; None without a reply.
        headers: those of the reply that may be shown.
    """

    def __init__(
        self, message: str, kind: Kind, status: int | None, headers: Mapping[str, str]
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.headers = headers


@contextmanager
def plain_failures() -> Iterator[None]:
    """Make every failure within the block a `CallFailedError`, with the same text."""
    token = _are_plain.set(True)
    try:
        yield
    finally:
        _are_plain.reset(token)


@dataclass(frozen=True, slots=True)
class FailedReply:
    """What a failure keeps of the reply that it comes from.

    Attributes:
        status: the HTTP status for LiteLLM's users.
        base_url: where the request went.
        text: the error's text, without the key.
        headers: those that may be shown.
    """

    status: int
    base_url: str
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def make_exception(
    kind: Kind, message: str, model: str, reply: FailedReply | None = None
) -> Exception:
    """Return an exception of LiteLLM's class of that name; within `plain_failures` our own.

    Args:
        kind: the class; where the installed LiteLLM lacks it, APIError.
        message: the text, without any secret.
        model: what LiteLLM's users find as `.model`.
        reply: the reply that failed, if one did.
    """
    if _are_plain.get():
        if reply is None:
            return CallFailedError(message, kind, None, {})
        return CallFailedError(message, kind, reply.status, reply.headers)
    from litellm import exceptions  # noqa: PLC0415  # takes over a second

    made: Any = getattr(exceptions, kind, exceptions.APIError)
    if reply is None:
        error: Exception = made(message=message, model=model, llm_provider=PROVIDER)
        return error
    return _with_reply(made, message, model, reply)


def _with_reply(made: Any, message: str, model: str, reply: FailedReply) -> Exception:
    """Return an exception with the reply where LiteLLM's Router looks for Retry-After."""
    import httpx  # noqa: PLC0415  # LiteLLM's exceptions carry its responses
    from litellm import exceptions  # noqa: PLC0415  # as above

    headers = encodable_headers(reply.headers)
    response = httpx.Response(
        reply.status,
        headers=headers,
        content=json.dumps({"error": reply.text}).encode(),
        request=httpx.Request("POST", reply.base_url),
    )
    if made is exceptions.APIError:
        extra: dict[str, Any] = {"status_code": reply.status, "request": response.request}
    elif made is exceptions.Timeout:
        extra = {"exception_status_code": reply.status}
    else:
        extra = {"response": response}
    error: Exception = made(message=message, model=model, llm_provider=PROVIDER, **extra)
    if not isinstance(getattr(error, "response", None), httpx.Response):
        error.response = response  # type: ignore[attr-defined]  # APIError and Timeout have none
    error.litellm_response_headers = headers  # type: ignore[attr-defined]  # LiteLLM sets it the same way
    return error
