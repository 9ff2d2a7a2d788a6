"""What a failed reply says: its message, a status inside it, and the headers worth keeping.

Synthetic's error body is `{"error": "<string>"}`; an OpenAI-style `{"error": {"message": …}}`,
Anthropic's `{"type": "error", "error": {"type", "message"}}`, an HTML page of a gateway and plain
text are read as well. (Nobody has recorded an error of the Anthropic surface.)
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from litellm_synthetic.transport.retries import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

# Framing no longer fits a body that has been decoded, and Set-Cookie is a session of the key's
# owner: it belongs in no log.
_UNKEPT_HEADERS: Final = frozenset(
    ("set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection")
)
# Anthropic's documented error types, by which an event inside a stream tells its status.
_STATUS_BY_TYPE: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_STATUS_TEXT: Final = re.compile(r"[45][0-9]{2}")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that may be shown: no cookies, no framing, no incredible Retry-After."""
    kept = {name.lower(): value for name, value in headers.items()}
    if "retry-after" in kept and parse_retry_after(kept) is None:
        del kept["retry-after"]
    return {name: value for name, value in kept.items() if name not in _UNKEPT_HEADERS}


def error_text(body: bytes | str) -> str:
    """Return the message of an error body: `{"error": str}`, `{"error": {"message"}}`, or text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _without_markup(text)
    return message_of(document) or text.strip()


def message_of(document: object) -> str:
    """Return the error message inside a decoded JSON document, or ""."""
    if not isinstance(document, dict):
        return ""
    error = document.get("error")
    if isinstance(error, dict):
        error = error.get("message") or error.get("type") or json.dumps(error)
    if error is None:
        error = document.get("message") or document.get("detail")
    return error if isinstance(error, str) else json.dumps(error) if error else ""


def status_of(document: object) -> int | None:
    """Return the HTTP status that an error event names as `code`, `status` or by its type."""
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    for source in (error if isinstance(error, dict) else {}, document):
        for name in ("status", "status_code", "code"):
            value = source.get(name)
            if isinstance(value, str) and _STATUS_TEXT.fullmatch(value):
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:  # noqa: PLR2004  # error statuses
                return value
    kind = error.get("type") if isinstance(error, dict) else None
    return _STATUS_BY_TYPE.get(kind) if isinstance(kind, str) else None


def _without_markup(text: str) -> str:
    if re.match(r"\s*<(!doctype|[a-z][a-z0-9]*[\s>])", text, re.IGNORECASE):
        title = re.search(r"<(title|h1)[^>]*>([^<]*)", text, re.IGNORECASE)
        return f"an HTML page ({title.group(2).strip()})" if title else "an HTML page"
    return text.strip()
