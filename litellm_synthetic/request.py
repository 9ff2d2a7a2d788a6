"""One request from the caller's words: where to, with which key, and the exact body."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm
from pydantic import BaseModel

from litellm_synthetic import allowlist, errors
from litellm_synthetic.allowlist import ALLOWED_MODELS_VARIABLE
from litellm_synthetic.catalog import Catalog, Model, canonical_id
from litellm_synthetic.endpoint import (
    DEFAULT_BASE_URL,
    Endpoint,
    InvalidBaseURLError,
    http_is_allowed,
    parse_base_url,
)
from litellm_synthetic.errors import Origin
from litellm_synthetic.lineup import explain, warn_if_retired
from litellm_synthetic.messages import wire_messages, wire_tools
from litellm_synthetic.params import InvalidParameterError, check_body_size, check_fields
from litellm_synthetic.reasoning import with_replay_needs
from litellm_synthetic.retries import DEFAULT_MAX_RETRIES, RetryPolicy
from litellm_synthetic.secret import REDACTED, InvalidKeyError, Secret, parse_key
from litellm_synthetic.transport import CONNECT_TIMEOUT_SECONDS, Outgoing, TimeLimits, least
from litellm_synthetic.usage import count_locally

if TYPE_CHECKING:
    from litellm_synthetic.connections import Verify

DEFAULT_SILENCE_SECONDS: Final = 300.0
# Steers this package, or is written anew; neither is a field of the body.
_NOT_FIELDS: Final = frozenset(
    ("extra_body", "extra_headers", "max_retries", "stream", "stream_options", "model")
)
# `litellm.headers` is set once for all providers, so it may hold another one's credentials.
_CREDENTIALS: Final = frozenset(
    (
        "authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-goog-api-key",
        "openai-organization", "openai-project",
    )
)  # fmt: skip  # one set, read as one


@dataclass(frozen=True, slots=True)
class Call:
    """Hold what LiteLLM handed over for one call, in this package's terms.

    Attributes:
        model: the id after `synthetic/`, as it was asked for.
        fields: parameters in their wire names, with the caller's `extra_body`.
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
    """Hold a request that passed every check, and what its errors need to know."""

    outgoing: Outgoing
    origin: Origin
    body: Mapping[str, Any]
    stream: bool
    facts: Model | None = None

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


def prepare_chat(call: Call, messages: Sequence[Any], catalog: Catalog) -> Prepared:
    """Return the request of a chat completion.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.BadRequestError: a base URL, model or parameter that cannot be right, or that
            `SYNTHETIC_ALLOWED_MODELS` does not allow; see `params`.
    """
    facts = catalog.find(call.model)
    wire = wire_messages(messages)
    fields = {"messages": wire, **call.fields}
    if isinstance(tools := fields.get("tools"), list | tuple):
        fields["tools"] = wire_tools(tools)
    if facts is not None and facts.replay is not None:
        with_replay_needs(fields, facts.replay.model_dump())
    return _prepare(
        call, "chat/completions", fields, catalog, lambda: count_locally(call.model, messages=wire)
    )


def prepare_text(call: Call, prompt: object, catalog: Catalog) -> Prepared:
    """Return the request of a legacy completion; raises what `prepare_chat` raises."""
    return _prepare(call, "completions", {"prompt": prompt, **call.fields}, catalog)


def prepare_embedding(call: Call, texts: object, catalog: Catalog) -> Prepared:
    """Return the request of an embedding; raises what `prepare_chat` raises."""
    return _prepare(call, "embeddings", {"input": texts, **call.fields}, catalog)


def _prepare(
    call: Call,
    operation: str,
    fields: Mapping[str, Any],
    catalog: Catalog,
    count_prompt_tokens: Callable[[], int | None] | None = None,
) -> Prepared:
    _check_allowed(call.model)
    endpoint = _endpoint(call)
    key = _key(call)
    facts = catalog.find(call.model)
    # The model first, so that a body cut short in a log still says what it was for.
    body: dict[str, Any] = {"model": canonical_id(call.model)}
    body |= {name: value for name, value in fields.items() if name not in _NOT_FIELDS}
    body = {name: value for name, value in body.items() if value is not None}
    stream = bool(call.fields.get("stream"))
    if stream:
        # Without it some backends report no usage, and the price would be a guess.
        asked = call.fields.get("stream_options")
        options = dict(asked) if isinstance(asked, Mapping) else {}
        body |= {"stream": True, "stream_options": {**options, "include_usage": True}}
    try:
        unlimited_stop = litellm.disable_stop_sequence_limit is True
        check_fields(body, unlimited_stop=unlimited_stop)
        if not unlimited_stop and call.stop_asked is not None and "stop" in body:
            check_fields({"stop": call.stop_asked})
        content = _encode(body)
        check_body_size(len(content))
    except InvalidParameterError as error:
        raise errors.refused(f"{error}.", call.model) from error
    warn_if_retired(facts, catalog)
    return Prepared(
        outgoing=Outgoing(
            url=endpoint.url(operation),
            headers=_headers(call, key, stream=stream),
            content=content,
            limits=time_limits(call.timeout, call.stream_timeout, stream=stream),
            retries=RetryPolicy(
                DEFAULT_MAX_RETRIES if call.max_retries is None else max(call.max_retries, 0)
            ),
            verify=_verify(call.verify),
            client=_client(call),
        ),
        origin=Origin(
            model=call.model,
            base_url=endpoint.base_url,
            key=key,
            context_window_tokens=facts.context_window_tokens if facts else None,
            count_prompt_tokens=count_prompt_tokens,
            explain_model=lambda: explain(call.model, catalog),
            only_deployment=call.only_deployment,
        ),
        body=body,
        stream=stream,
        facts=facts,
    )


def _check_allowed(model: str) -> None:
    allowed = allowlist.from_environment()
    if allowed is not None and not allowed.allows(model):
        raise errors.refused(
            f"{model} is not among the models that {ALLOWED_MODELS_VARIABLE} allows "
            f"({', '.join(allowed.entries) or 'none'}). Use one of those, or extend the list.",
            model,
        )


def _endpoint(call: Call) -> Endpoint:
    said = call.base_url or DEFAULT_BASE_URL
    try:
        endpoint = parse_base_url(said, allow_http=http_is_allowed())
    except InvalidBaseURLError as error:
        raise errors.refused(f"{error}.", call.model) from error
    if endpoint.surface != "openai":
        raise errors.refused(
            f"The base URL {endpoint.base_url} is Synthetic's Anthropic surface, which this "
            f"version does not speak. Use {DEFAULT_BASE_URL}.",
            call.model,
        )
    return endpoint


def _key(call: Call) -> Secret:
    try:
        key = parse_key(call.key)
    except InvalidKeyError as error:
        raise errors.no_key(call.model, f"{error}.") from None
    if key is None:
        raise errors.no_key(call.model)
    return key


def _headers(call: Call, key: Secret, *, stream: bool) -> dict[str, str]:
    headers = {
        "authorization": key.bearer,
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": _user_agent(),
    }
    shared: Mapping[str, Any] = (litellm.headers or {}) if not call.headers else {}
    own = {name: value for name, value in shared.items() if name.lower() not in _CREDENTIALS}
    for name, value in (call.headers or own).items():
        if value is not None and name.lower() not in ("host", "content-length"):
            headers[name.lower()] = str(value)
    return headers


@cache
def _user_agent() -> str:
    return f"litellm-synthetic/{version('litellm-synthetic')} litellm/{version('litellm')}"


def _encode(body: Mapping[str, Any]) -> bytes:
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
    raise errors.refused(
        f"client={type(call.client).__name__} cannot be used here: pass an httpx."
        f"{wanted.__name__}, or LiteLLM's handler around one.",
        call.model,
    )
