"""Request headers: our own, the caller's, and those that are never sent."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.client import litellm_globals
from litellm_synthetic.config import settings
from litellm_synthetic.errors import local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.client.call import Call
    from litellm_synthetic.config.credentials import Secret

# `litellm.headers` is set once for all providers, so it may hold another one's credentials.
CREDENTIAL_HEADERS: Final = frozenset(
    (
        "authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key",
        "openai-organization", "openai-project",
    )
)  # fmt: skip  # one set, read as one
ANTHROPIC_VERSION: Final = "2023-06-01"
# Synthetic takes its key as a Bearer and nothing else. A proxy that forwards its clients' headers
# (`forward_client_headers_to_llm_api`) hands over the key that they have for the proxy. Anthropic's
# betas are Anthropic's: Synthetic's Messages API fails on some (seen 2026-09-14).
_UNSENT_HEADERS: Final = CREDENTIAL_HEADERS - {"authorization"}
_BETA_HEADER: Final = "anthropic-beta"
# They belong to one connection, or say how the body is framed (RFC 9110, 7.6.1 and 8; RFC 9112, 6).
# Sent on, they would have two servers read one request differently. `proxy-…` goes with them.
_FRAMING_HEADERS: Final = frozenset(
    (
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
        "http2-settings", "host", "expect", "content-length", "content-encoding",
    )
)  # fmt: skip  # one set, read as one

# RFC 9110: a token, and visible ASCII with spaces and tabs between.
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def headers_of(call: Call, key: Secret, *, stream: bool, anthropic: bool = False) -> dict[str, str]:
    """Return the headers of a call: its key, what the protocol asks for, the caller's own."""
    headers = {
        "authorization": key.bearer,
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": _user_agent(),
    }
    if anthropic:
        headers["anthropic-version"] = ANTHROPIC_VERSION
    shared: Mapping[str, Any] = {} if call.headers else litellm_globals.headers()
    own = {name: value for name, value in shared.items() if name.lower() not in CREDENTIAL_HEADERS}
    for name, value in (call.headers or own).items():
        if not isinstance(name, str):
            raise local.refused(f"The header name {name!r} is not text. Use a string.", call.model)
        if value is not None and _may_be_sent(name.strip().lower()):
            _check_header(name, str(value), call.model)
            headers[name.lower()] = str(value)
    return headers


def _may_be_sent(name: str) -> bool:
    if name == _BETA_HEADER:
        return settings.MESSAGES_BETA.value() == "pass"
    return not (name in _UNSENT_HEADERS or name in _FRAMING_HEADERS or name.startswith("proxy-"))


def _check_header(name: str, value: str, model: str) -> None:
    """Refuse what HTTP cannot carry; the error shows no value, which may be a secret."""
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        raise local.refused(
            f"The header {name!r} holds characters that HTTP cannot carry (non-ASCII or control "
            "characters). Remove them.",
            model,
        )


@cache
def _user_agent() -> str:
    return f"litellm-synthetic/{version('litellm-synthetic')} litellm/{version('litellm')}"
