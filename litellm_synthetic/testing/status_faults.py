"""The faults that a status and a body tell: refusals, limits, and pages of some proxy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from litellm_synthetic.testing import quotas, refusals
from litellm_synthetic.testing.replies import KeyEcho, RawBytes, RawJSON, Redirect, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing.replies import FaultRow

_CONTEXT_TOKENS = 524_288
_BILLING = "https://synthetic.new/billing"
_NGINX_503 = (
    b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    b"<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_HTML = b"<!DOCTYPE html><html><head><title>Synthetic</title></head><body>Hello</body></html>"


def _overflow(input_tokens: int = 600_000, context_tokens: int = _CONTEXT_TOKENS) -> Reply:
    return refusals.context_overflow(input_tokens, context_tokens)


def _overflow_short() -> Reply:
    return refusals.error(400, "Context limit exceeded")


def _overflow_no_body() -> Reply:
    return refusals.error(400, "Error from inference backend: 400 status code (no body)")


def _overflow_requested(context_tokens: int = _CONTEXT_TOKENS) -> Reply:
    return refusals.error(
        400,
        "Error from inference backend: 400 Requested token count exceeds the model's maximum "
        f"context length of {context_tokens} tokens",
    )


def _content_policy(text: str = "Your request was rejected by our safety system.") -> Reply:
    error = {
        "message": text,
        "type": "invalid_request_error",
        "param": None,
        "code": "content_policy_violation",
    }
    return RawJSON(400, {"error": error})


def _subscription_cap(resets_in_seconds: float = 900.0) -> Reply:
    report = quotas.newest_form(time.time(), limited=True, resets_in_seconds=resets_in_seconds)
    text = (
        "You've exceeded your subscription rate limits. Upgrade, or try again later. "
        f"You can view your usage at {_BILLING}"
    )
    return RawJSON(429, {"error": text}, {"x-synthetic-quotas": quotas.header_value(report)})


def _parallel_requests(retry_after: str | float | None = "1", limit: int = 4) -> Reply:
    header = None if retry_after is None else str(retry_after)
    body = {"error": f"max {limit} parallel requests per model"}
    return RawJSON(429, body, {"Retry-After": header})


def _error(status: int, default: str) -> Callable[..., Reply]:
    def make(text: str = default) -> Reply:
        return refusals.error(status, text)

    return make


def _page(status: int, default: bytes) -> Callable[..., Reply]:
    def make(body: str | None = None) -> Reply:
        page = default if body is None else body.encode()
        return RawBytes(status, page, "text/html" if page else "")

    return make


STATUS_FAULTS: tuple[FaultRow, ...] = (
    ("context_overflow", "400 naming input and context tokens", _overflow),
    ("context_overflow_short", '400 "Context limit exceeded"', _overflow_short),
    ("context_overflow_no_body", "400 that says no more than 400", _overflow_no_body),
    ("context_overflow_requested", "400 naming the context only", _overflow_requested),
    ("content_policy", "400 with the code content_policy_violation", _content_policy),
    ("html_200", "200 with a web page", _page(200, _HTML)),
    ("empty_200", "200 with no body", _page(200, b"")),
    ("subscription_cap", "429, no Retry-After, quota header", _subscription_cap),
    ("parallel_requests", "429 with Retry-After", _parallel_requests),
    (
        "too_many_requests",
        "429, no Retry-After",
        _error(429, "Too many requests, try again later"),
    ),
    (
        "payment_required",
        "402 with the billing address",
        _error(
            402,
            "Insufficient quota and token balance: consider upgrading your subscription on "
            f"{_BILLING}",
        ),
    ),
    ("invalid_key", "the recorded 401", _error(401, "Invalid API Key.")),
    ("invalid_key_echoed", "401 that repeats the caller's key", KeyEcho),
    ("redirect", "307 to another host name", Redirect),
    (
        "model_retired",
        "404 for a retired model",
        lambda model="hf:zai-org/GLM-4.6": refusals.model_retired(model),
    ),
    (
        "model_prefix_missing",
        "400 for an id without hf:",
        lambda model="gpt-3.5-turbo": refusals.prefix_missing(model),
    ),
    (
        "unknown_route",
        "404 for a path that does not exist",
        lambda route="/v2/models": refusals.unknown_route(route),
    ),
    ("tool_name_unresolvable", "400 of one model", refusals.tool_name_unresolvable),
    (
        "image_unsupported",
        "400 for an image",
        lambda model="hf:zai-org/GLM-5.3": refusals.images_unsupported(model),
    ),
    ("body_too_large", "400 for more than 10 MiB", refusals.body_too_large),
    ("forbidden", "403, wording unknown", _error(403, "Forbidden")),
    ("method_not_allowed", "405 without a body", _page(405, b"")),
    ("request_timeout", "408, wording unknown", _error(408, "Request timeout")),
    ("payload_too_large", "413 web page", _page(413, b"<h1>413 Request Too Large</h1>")),
    (
        "backend_error",
        "500 of the inference backend",
        _error(500, "Error from inference backend: 500 Internal Server Error"),
    ),
    (
        "backend_busy",
        "400 that wraps the 429 of the inference backend",
        _error(400, "Error from inference backend: 429 Too Many Requests"),
    ),
    ("bad_gateway", "502 web page", _page(502, b"<h1>502 Bad Gateway</h1>")),
    ("unavailable", "503 web page of nginx", _page(503, _NGINX_503)),
    ("gateway_timeout", "504 web page", _page(504, b"<h1>504 Gateway Time-out</h1>")),
    ("edge_timeout", "524 web page", _page(524, b"<h1>524 A timeout occurred</h1>")),
)
