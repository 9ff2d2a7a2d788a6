"""Requests, ready to send: the address, the headers, the body and the limits of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.advice import warn_of_retirement
from litellm_synthetic.client import litellm_globals
from litellm_synthetic.client.body import encode_body
from litellm_synthetic.client.limits import limits_of, retries_of
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import REDACTED
from litellm_synthetic.config.ids import canonical_id
from litellm_synthetic.errors import local
from litellm_synthetic.transport.client import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.client.call import Call, Resolved
    from litellm_synthetic.config.credentials import Secret
    from litellm_synthetic.config.settings import Billing, MaxParallel
    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.transport.tls import Verify

# `litellm.headers` is set once for all providers, so it may hold another one's credentials.
_CREDENTIAL_HEADERS: Final = frozenset(
    (
        "authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key",
        "openai-organization", "openai-project",
    )
)  # fmt: skip  # one set, read as one
_ANTHROPIC_VERSION: Final = "2023-06-01"
# Synthetic takes its key as a Bearer and nothing else. A proxy that forwards its clients' headers
# (`forward_client_headers_to_llm_api`) hands over the key that they have for the proxy. Anthropic's
# betas are Anthropic's: Synthetic's Messages API fails on some (seen 2026-09-14).
_UNSENT_HEADERS: Final = _CREDENTIAL_HEADERS - {"authorization"}
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

# Not answers of a model, or not counted among them.
_UNCOUNTED: Final = ("/embeddings", "/count_tokens", "/quotas", "/search", "/models")
# Steers this package, or is written again; none is a field of the body.
_NOT_FIELDS: Final = frozenset(("extra_body", "extra_headers", "max_retries", "stream", "model"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that passed every check, and what its errors need to know.

    Attributes:
        outgoing: the request, ready to send.
        origin: what its errors need to know.
        body: the fields of its body.
        stream: whether a stream was asked for.
        facts: the model's row in the table, None for an unknown model or for no model.
        billing: how the call is billed where its key does not report how it pays.
        max_parallel: how many calls at a time its key and model may have.
    """

    outgoing: Outgoing
    origin: Origin
    body: Mapping[str, Any]
    stream: bool
    facts: Model | None = None
    billing: Billing = "metered"
    max_parallel: MaxParallel = "off"

    @property
    def is_counted(self) -> bool:
        """Tell whether a plan's cap and the limit of parallel requests count the request."""
        return not self.outgoing.url.endswith(_UNCOUNTED)

    @property
    def loggable(self) -> dict[str, Any]:
        """Return what LiteLLM's callbacks may see of the request; the key is not in it."""
        fields = {
            name: REDACTED if name in _CREDENTIAL_HEADERS else value
            for name, value in self.outgoing.headers.items()
        }
        return {
            "complete_input_dict": self.body,
            "api_base": self.outgoing.url,
            "headers": fields,
        }


def prepare(
    resolved: Resolved,
    operation: str,
    fields: Mapping[str, Any],
    *,
    anthropic: bool = False,
    count_prompt_tokens: Callable[[], int | None] | None = None,
) -> Prepared:
    """Return the request of an operation on a model.

    Args:
        resolved: the call.
        operation: the path behind the base URL, such as `chat/completions`.
        fields: the fields of the body, checked; None values are not sent.
        anthropic: whether the request speaks the Messages API.
        count_prompt_tokens: counts the prompt locally, for errors; None where it can't be counted.

    Raises:
        litellm.BadRequestError: the body has no JSON form, or is over 10 MiB.
    """
    call = resolved.call
    # The model first, so that a body cut short in a log still says what it was for.
    body: dict[str, Any] = {"model": canonical_id(call.model)}
    body |= {
        name: value
        for name, value in fields.items()
        if value is not None and name not in _NOT_FIELDS
    }
    stream = bool(call.fields.get("stream"))
    if stream:
        body["stream"] = True
    content = encode_body(body, call.model)
    if resolved.facts is not None and resolved.facts.is_retired and resolved.catalog is not None:
        warn_of_retirement(resolved.facts, resolved.catalog)
    url = resolved.endpoint.url(operation)
    return Prepared(
        outgoing=outgoing(
            call,
            resolved.key,
            url,
            content,
            verify=resolved.verify,
            stream=stream,
            anthropic=anthropic,
        ),
        origin=replace(resolved.origin, count_prompt_tokens=count_prompt_tokens),
        body=body,
        stream=stream,
        facts=resolved.facts,
        billing=resolved.billing,
        max_parallel=resolved.max_parallel,
    )


def outgoing(  # noqa: PLR0913  # what a request is made of, each named
    call: Call,
    key: Secret,
    url: str,
    content: bytes,
    *,
    verify: Verify,
    stream: bool = False,
    anthropic: bool = False,
    method: str = "POST",
) -> Outgoing:
    """Return a request, ready to send; `anthropic` tells that it speaks the Messages API."""
    headers = _headers_of(call, key, stream=stream, anthropic=anthropic)
    if not content:
        del headers["content-type"]
    return Outgoing(
        url=url,
        headers=headers,
        content=content,
        limits=limits_of(call, stream=stream),
        retries=retries_of(call),
        verify=verify,
        client=_client(call),
        method=method,
    )


def _headers_of(
    call: Call, key: Secret, *, stream: bool, anthropic: bool = False
) -> dict[str, str]:
    """Return the headers of a call: its key, what the protocol asks for, the caller's own."""
    headers = {
        "authorization": key.bearer,
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": _user_agent(),
    }
    if anthropic:
        headers["anthropic-version"] = _ANTHROPIC_VERSION
    shared: Mapping[str, Any] = {} if call.headers else litellm_globals.headers()
    own = {name: value for name, value in shared.items() if name.lower() not in _CREDENTIAL_HEADERS}
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


def _client(call: Call) -> httpx.Client | httpx.AsyncClient | None:
    shared = litellm_globals.shared_client(is_async=call.is_async)
    if call.client is None and shared is None:
        return None
    import httpx  # noqa: PLC0415  # takes longer than a call; whoever made a client has it

    kind: type[httpx.Client | httpx.AsyncClient] = (
        httpx.AsyncClient if call.is_async else httpx.Client
    )
    if call.client is None:
        return shared if isinstance(shared, kind) else None
    for candidate in (call.client, getattr(call.client, "client", None)):
        if isinstance(candidate, kind):
            if candidate.is_closed:
                raise local.refused(
                    "client= has been closed. Pass an open one, or leave it out.", call.model
                )
            return candidate
    raise local.refused(
        f"client={type(call.client).__name__} cannot be used here: pass an httpx."
        f"{kind.__name__}, or LiteLLM's handler around one.",
        call.model,
    )
