"""Errors of `/v1/messages` on a proxy, as Anthropic's own API would write them."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.config.lazy_pattern import LazyPattern
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.integration.seams import Seams

# The statuses and types of Anthropic's API reference (November 2026) where LiteLLM has none of its
# own: it writes `api_error` (anthropic_interface/exceptions/exception_mapping_utils.py:15).
_TYPES: Final[Mapping[int, str]] = {
    402: "billing_error",
    408: "timeout_error",
    504: "timeout_error",
    524: "timeout_error",
}
# How LiteLLM's translation fails over a tool call's arguments.
_UNPARSED: Final = "Failed to parse tool call arguments"
_MESSAGE_BLOCK: Final = "AnthropicResponse"
_BAD_GATEWAY: Final = 502
_LITELLMS_DEFAULT: Final = "api_error"
_OTHER_REFUSALS: Final = "invalid_request_error"
# How the errors of this package begin that name a status of Synthetic's; see `errors.rules`.
_IS_OURS: Final = LazyPattern(r"\bSynthetic (?:answered|did not answer|reported)\b")


def error_type(status: int, litellms: str) -> str:
    """Return Anthropic's type for a status, given LiteLLM's."""
    if litellms != _LITELLMS_DEFAULT:
        return litellms
    is_refusal = 400 <= status < 500  # noqa: PLR2004  # the statuses of refusals
    return _TYPES.get(status, _OTHER_REFUSALS if is_refusal else litellms)


def write_error_types(seams: Seams) -> None:
    """Have the bodies of errors from Synthetic carry the type that Anthropic's would."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def transform_to_anthropic_error(
            status_code: int, raw_message: str, *args: Any, **kwargs: Any
        ) -> Any:
            body = original(status_code, raw_message, *args, **kwargs)
            detail = body.get("error")
            if seams.active and isinstance(detail, dict) and _IS_OURS.search(raw_message):
                detail["type"] = error_type(status_code, detail.get("type", ""))
            return body

        return transform_to_anthropic_error

    seams.wrap(
        (compat.AnthropicExceptionMapping,), "transform_to_anthropic_error", wrap, is_watched=False
    )


def hand_on_headers(seams: Seams) -> None:
    """Have an error of `/v1/messages` carry the headers that it carries on every other endpoint.

    `Retry-After` and `x-should-retry` are among them, and Claude Code heeds both. LiteLLM makes its
    own headers there and forgets the exception's (proxy/anthropic_endpoints/endpoints.py:299); it
    calls the function while it handles the exception.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _anthropic_error_json_response(*args: Any, **kwargs: Any) -> Any:
            response = original(*args, **kwargs)
            error = sys.exc_info()[1]
            if seams.active and getattr(error, "llm_provider", None) == PROVIDER:
                for name, value in (getattr(error, "headers", None) or {}).items():
                    response.headers.setdefault(name, value)
            return response

        return _anthropic_error_json_response

    # Only a proxy has it loaded.
    where = (sys.modules, compat.PROXY_MESSAGES_MODULE)
    seams.wrap(where, "_anthropic_error_json_response", wrap, is_watched=False)


def untranslatable(error: ValueError, model: str) -> Exception | None:
    """Return the error for a reply that LiteLLM cannot translate to a message; None for another.

    LiteLLM raises what it trips over where a tool call's arguments are not a JSON object
    (experimental_pass_through/adapters/transformation.py): no Router and no client knows that.
    """
    title = getattr(error, "title", "")  # of pydantic's ValidationError
    is_tool_call = str(title).startswith(_MESSAGE_BLOCK) or _UNPARSED in str(error)
    if not is_tool_call:
        return None
    return litellm.APIError(
        _BAD_GATEWAY,
        "The model called a tool with arguments that are not a JSON object, which a message cannot "
        "carry. Ask again, or use litellm.completion.",
        PROVIDER,
        model,
    )


def hide_internal_hosts(error: Exception, kwargs: Mapping[str, Any]) -> None:
    """Take internal addresses out of an error's text, as LiteLLM does for every other endpoint.

    It leaves `/v1/messages` out (proxy/anthropic_endpoints/endpoints.py:319).

    Args:
        error: changed in place where the call came through a proxy.
        kwargs: the keywords of the call.
    """
    message = getattr(error, "message", None)
    if isinstance(message, str) and "proxy_server_request" in kwargs:
        error.message = compat.redacted_for_client(message)  # type: ignore[attr-defined]  # every LiteLLM exception has one
