"""Bodies of failed replies: message, codes, a status inside, and the headers to keep.

Synthetic's error body is `{"error": "<string>"}`; an OpenAI-style `{"error": {"message": …}}`,
Anthropic's `{"type": "error", "error": {"type", "message"}}`, the bare object of SGLang and older
vLLM `{"object": "error", "message": …}`, FastAPI's `{"detail": …}`, an HTML page of a gateway and
plain text are read as well. (Nobody has recorded an error of the Messages API.)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litellm_synthetic.errors.refusal_texts import backend_status
from litellm_synthetic.transport.retries import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

# Framing does not fit a body that has been decoded, and Set-Cookie is a session of the key's
# owner: it belongs in no log.
_UNKEPT_HEADERS: Final = frozenset(
    ("set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection")
)
# The documented error types of Anthropic, and OpenAI's types and codes, by which an error tells its
# status where it comes inside a stream or under another one.
_STATUS_BY_CODE: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# All that a bare error has: an object with anything else is an answer, or a part of one.
_ERROR_FIELDS: Final = frozenset(
    (
        "error", "object", "type", "code", "status", "status_code", "message", "detail", "param",
        "request_id",
    )
)  # fmt: skip  # one list, read as one
_STATUS_TEXT: Final = re.compile(r"[45][0-9]{2}")


def kept_headers(headers: Mapping[str, str], scrub: Callable[[str], str]) -> dict[str, str]:
    """Return the headers that may be shown: no cookies, no framing, no incredible Retry-After.

    Args:
        headers: those of a reply.
        scrub: takes a call's key out of a text. A header with the key in its name is left out.
    """
    selection = {name.lower(): value for name, value in headers.items()}
    if "retry-after" in selection and parse_retry_after(selection) is None:
        del selection["retry-after"]
    selection = {name: value for name, value in selection.items() if name not in _UNKEPT_HEADERS}
    text = "\n".join((*selection, *selection.values()))
    if scrub(text) == text:
        return selection
    return {name: scrub(value) for name, value in selection.items() if scrub(name) == name}


def encodable_headers(headers: Mapping[str, str]) -> httpx.Headers:
    """Return headers for an `httpx.Response` that is built from a reply.

    A header's bytes are decoded leniently, and httpx would encode its text as ASCII only.
    """
    import httpx  # noqa: PLC0415  # takes longer than a call, which can do without

    return httpx.Headers(
        [
            (name.encode("ascii", "replace"), value.encode("utf-8", "replace"))
            for name, value in headers.items()
        ]
    )


@dataclass(frozen=True, slots=True)
class Report:
    """The description that an error gives of itself.

    Attributes:
        text: its message, "" where it has none.
        status: the HTTP status that it names as a code or by its type.
        codes: its machine-readable words (`context_length_exceeded`, `invalid_request_error`).
    """

    text: str
    status: int | None = None
    codes: frozenset[str] = frozenset()


def read_body(body: bytes | str) -> Report:
    """Return the report in an error body: JSON of any of the known forms, a page, or text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Report(_without_markup(text))
    report = read_document(document)
    return report if report.text else Report(text.strip(), report.status, report.codes)


def read_document(document: object) -> Report:
    """Return the report in a decoded JSON document."""
    text, status, codes = message_of(document), status_of(document), _codes_of(document)
    at = text.find("{")
    # A gateway may hand on the backend's whole body, after the status or alone.
    if at >= 0 and (not text[:at].strip() or backend_status(text[:at]) is not None):
        try:
            inner = json.loads(text[at:])
        except (ValueError, RecursionError):
            inner = None
        if message := message_of(inner):
            text, codes = text[:at] + message, codes | _codes_of(inner)
            status = status or status_of(inner)
    return Report(text, status, codes)


def reports_error(document: Mapping[str, object]) -> bool:
    """Tell whether a decoded document is an error.

    `{"error": null}` beside other fields is how some backends say that there is none.
    """
    if document.get("error") or "error" in (document.get("object"), document.get("type")):
        return True
    if not document.keys() <= _ERROR_FIELDS:
        return False
    has_message = isinstance(document.get("message"), str) and status_of(document) is not None
    return "error" in document or "detail" in document or has_message


def message_of(document: object) -> str:
    """Return the error message inside a decoded JSON document, or ""."""
    if not isinstance(document, dict):
        return ""
    error = document.get("error")
    if isinstance(error, dict):
        error = error.get("message") or error.get("type") or json.dumps(error)
    if error is None:
        error = document.get("message") or _detail(document.get("detail"))
    return error if isinstance(error, str) else json.dumps(error) if error else ""


def _detail(detail: object) -> object:
    """Return FastAPI's detail as text: of a validation error where and what, without the input."""
    if isinstance(detail, dict):
        return message_of(detail) or detail
    if not isinstance(detail, list):
        return detail
    parts = []
    for row in detail:
        if not isinstance(row, dict) or not isinstance(row.get("msg"), str):
            return detail
        place = row.get("loc")
        where = ".".join(map(str, place)) if isinstance(place, list) else ""
        parts.append(f"{where}: {row['msg']}" if where else row["msg"])
    return "; ".join(parts)


def _codes_of(document: object) -> frozenset[str]:
    if not isinstance(document, dict):
        return frozenset()
    error = document.get("error")
    sources = [document, error if isinstance(error, dict) else {}]
    sources += [inner for one in sources if isinstance(inner := one.get("innererror"), dict)]
    values = (source.get(name) for source in sources for name in ("type", "code", "status"))
    return frozenset(value for value in values if isinstance(value, str) and value != "error")


def status_of(document: object) -> int | None:
    """Return the HTTP status that an error names as `code`, `status` or by its type."""
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    sources = (error if isinstance(error, dict) else {}, document)
    for source in sources:
        for name in ("status", "status_code", "code"):
            value = source.get(name)
            if isinstance(value, str) and _STATUS_TEXT.fullmatch(value):
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:  # noqa: PLR2004  # error statuses
                return value
    codes = (source.get(name) for source in sources for name in ("code", "type"))
    statuses = (_STATUS_BY_CODE.get(code) for code in codes if isinstance(code, str))
    return next((status for status in statuses if status is not None), None)


def _without_markup(text: str) -> str:
    if re.match(r"\s*<(!doctype|[a-z][a-z0-9]*[\s>])", text, re.IGNORECASE):
        title = re.search(r"<(title|h1)[^>]*>([^<]*)", text, re.IGNORECASE)
        return f"an HTML page ({title.group(2).strip()})" if title else "an HTML page"
    return text.strip()
