"""What every request is made of: where to, with which key, within which limits."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm
from pydantic import BaseModel

from litellm_synthetic.catalog import allowlist
from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.catalog.allowlist import ALLOWED_MODELS_VARIABLE
from litellm_synthetic.chat.params import InvalidParameterError, check_body_size
from litellm_synthetic.config.credentials import REDACTED, InvalidKeyError, Secret, parse_key
from litellm_synthetic.config.endpoint import (
    DEFAULT_BASE_URL,
    Endpoint,
    InvalidBaseURLError,
    http_is_allowed,
    parse_base_url,
)
from litellm_synthetic.errors import rules
from litellm_synthetic.errors.rules import Origin
from litellm_synthetic.transport.client import CONNECT_TIMEOUT_SECONDS, Outgoing, TimeLimits, least
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.catalog.models import Catalog, Model
    from litellm_synthetic.messages.translate import Translation
    from litellm_synthetic.transport.pool import Verify

DEFAULT_SILENCE_SECONDS: Final = 300.0
# `litellm.headers` is set once for all providers, so it may hold another one's credentials.
_CREDENTIALS: Final = frozenset(
    (
        "authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key",
        "openai-organization", "openai-project",
    )
)  # fmt: skip  # one set, read as one
ANTHROPIC_VERSION: Final = "2023-06-01"
# Synthetic takes its key as a Bearer and nothing else. A proxy that forwards its clients' headers
# (`forward_client_headers_to_llm_api`) hands over the key that they have for the proxy. Anthropic's
# betas are Anthropic's: Synthetic's Messages surface fails on some (seen 2026-09-14).
_UNSENT_HEADERS: Final = (_CREDENTIALS - {"authorization"}) | {
    "host",
    "content-length",
    "anthropic-beta",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Hold what LiteLLM handed over for one call, in this package's terms.

    Attributes:
        model: the id after `synthetic/`, as it was asked for.
        fields: parameters in OpenAI's names, mapped and not, but for reasoning.
        extra_body: what goes into the body as it is, and wins.
        reasoning: `reasoning_effort` and `thinking` as they were said.
        drop_params: whether what is not supported is dropped instead of refused.
        headers: the caller's own headers.
        key: the key that LiteLLM found (`api_key=`, else `SYNTHETIC_API_KEY`).
        base_url: what LiteLLM found (`api_base=`, else `SYNTHETIC_API_BASE`, else the default).
        stop_asked: `stop` as the caller said it, before LiteLLM cuts it to four.
        only_deployment: whether LiteLLM's Router has no other deployment for the same model.
    """

    model: str
    fields: Mapping[str, Any]
    headers: Mapping[str, Any] | None = field(repr=False)
    key: str | None = field(repr=False)
    base_url: str | None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    drop_params: bool = False
    timeout: float | httpx.Timeout | None = None
    stream_timeout: float | None = None
    max_retries: int | None = None
    verify: Verify | None = None
    client: Any = None
    is_async: bool = False
    stop_asked: Any = None
    only_deployment: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """Hold a request that passed every check, and what its errors need to know.

    `translation` is what a reply of the Anthropic surface is read with; None for OpenAI's.
    """

    outgoing: Outgoing
    origin: Origin
    body: Mapping[str, Any]
    stream: bool
    facts: Model | None = None
    translation: Translation | None = None

    @property
    def loggable(self) -> dict[str, Any]:
        """Return what LiteLLM's callbacks may see of the request; the key is not in it."""
        shown = {
            name: REDACTED if name in _CREDENTIALS else value
            for name, value in self.outgoing.headers.items()
        }
        return {
            "complete_input_dict": self.body,
            "api_base": self.outgoing.url,
            "headers": shown,
        }


def encoded(body: Mapping[str, Any], model: str) -> bytes:
    """Return a body as JSON.

    Raises:
        litellm.BadRequestError: it has no JSON form, or is over Synthetic's 10 MiB.
    """
    try:
        content = encode(body)
        check_body_size(len(content))
    except InvalidParameterError as error:
        raise rules.refused(f"{error}.", model) from error
    return content


def retries_of(call: Call) -> RetryPolicy:
    """Return how often a call may be sent again."""
    return RetryPolicy(
        DEFAULT_MAX_RETRIES if call.max_retries is None else max(call.max_retries, 0)
    )


def origin_of(
    call: Call,
    endpoint: Endpoint,
    key: Secret,
    catalog: Catalog,
    count_prompt_tokens: Callable[[], int | None] | None = None,
) -> Origin:
    """Return what the errors of a call need to know."""
    facts = catalog.find(call.model)
    return Origin(
        model=call.model,
        base_url=endpoint.base_url,
        key=key,
        context_window_tokens=facts.context_window_tokens if facts else None,
        count_prompt_tokens=count_prompt_tokens,
        explain_model=lambda: explain(call.model, catalog),
        only_deployment=call.only_deployment,
    )


def check_allowed(model: str) -> None:
    """Raise litellm.BadRequestError where `SYNTHETIC_ALLOWED_MODELS` does not allow a model."""
    allowed = allowlist.from_environment()
    if allowed is not None and not allowed.allows(model):
        raise rules.refused(
            f"{model} is not among the models that {ALLOWED_MODELS_VARIABLE} allows "
            f"({', '.join(allowed.entries) or 'none'}). Use one of those, or extend the list.",
            model,
        )


def endpoint_of(call: Call) -> Endpoint:
    """Return where a call goes; raises litellm.BadRequestError for a base URL that can't be."""
    try:
        return parse_base_url(call.base_url or DEFAULT_BASE_URL, allow_http=http_is_allowed())
    except InvalidBaseURLError as error:
        raise rules.refused(f"{error}.", call.model) from error


def key_of(call: Call) -> Secret:
    """Return the key of a call; raises litellm.AuthenticationError where there is none."""
    try:
        key = parse_key(call.key)
    except InvalidKeyError as error:
        raise rules.no_key(call.model, f"{error}.") from None
    if key is None:
        raise rules.no_key(call.model)
    return key


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
    shared: Mapping[str, Any] = (litellm.headers or {}) if not call.headers else {}
    own = {name: value for name, value in shared.items() if name.lower() not in _CREDENTIALS}
    for name, value in (call.headers or own).items():
        if value is not None and name.lower() not in _UNSENT_HEADERS:
            headers[name.lower()] = str(value)
    return headers


@cache
def _user_agent() -> str:
    return f"litellm-synthetic/{version('litellm-synthetic')} litellm/{version('litellm')}"


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON; raises InvalidParameterError where it has no JSON form."""
    try:
        text = json.dumps(
            body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        # A lone surrogate, NaN, or an object that has no JSON form.
        raise InvalidParameterError(f"the request cannot be written as JSON ({error})") from None


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def outgoing(  # noqa: PLR0913  # what a request is made of, each named
    call: Call,
    key: Secret,
    url: str,
    content: bytes,
    *,
    stream: bool = False,
    anthropic: bool = False,
    method: str = "POST",
) -> Outgoing:
    """Return a request, ready to send; `anthropic` tells that it speaks the Messages API."""
    headers = headers_of(call, key, stream=stream, anthropic=anthropic)
    if not content:
        del headers["content-type"]
    return Outgoing(
        url=url,
        headers=headers,
        content=content,
        limits=time_limits(call.timeout, call.stream_timeout, stream=stream),
        retries=retries_of(call),
        verify=_verify(call.verify),
        client=_client(call),
        method=method,
    )


def time_limits(
    timeout: float | httpx.Timeout | None, stream_timeout: float | None, *, stream: bool
) -> TimeLimits:
    """Return the limits for what the caller said.

    A number bounds a whole plain call, retries included. On a stream it bounds each silence, unless
    `stream_timeout` does, and never the whole; unsaid, silence ends a stream after 300 s. An
    `httpx.Timeout` is taken phase by phase.
    """
    if isinstance(timeout, httpx.Timeout):
        silence = timeout.read
        if stream:
            silence = stream_timeout or least(timeout.read, DEFAULT_SILENCE_SECONDS)
        return TimeLimits(timeout.connect, silence, timeout.write)
    seconds = None if timeout is None else float(timeout)
    connect = least(seconds, CONNECT_TIMEOUT_SECONDS)
    if not stream:
        return TimeLimits(connect, seconds, seconds, seconds)
    silence = stream_timeout or least(seconds, DEFAULT_SILENCE_SECONDS)
    return TimeLimits(least(connect, silence), silence, silence)


def _verify(said: Verify | None) -> Verify:
    # The order in which LiteLLM's own providers look: the call, SSL_VERIFY, litellm.ssl_verify.
    setting: Any = said if said is not None else os.environ.get("SSL_VERIFY")
    if setting is None:
        setting = litellm.ssl_verify
    if isinstance(setting, str) and setting.lower() in ("true", "false"):
        return setting.lower() == "true"
    return True if setting is None else setting


def _client(call: Call) -> httpx.Client | httpx.AsyncClient | None:
    wanted: type[httpx.Client | httpx.AsyncClient] = (
        httpx.AsyncClient if call.is_async else httpx.Client
    )
    shared = litellm.aclient_session if call.is_async else litellm.client_session
    if call.client is None:
        return shared if isinstance(shared, wanted) else None
    for candidate in (call.client, getattr(call.client, "client", None)):
        if isinstance(candidate, wanted):
            return candidate
    raise rules.refused(
        f"client={type(call.client).__name__} cannot be used here: pass an httpx."
        f"{wanted.__name__}, or LiteLLM's handler around one.",
        call.model,
    )
