"""One request from the caller's words: where to, with which key, and the exact body."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm
from pydantic import BaseModel

from litellm_synthetic import allowlist, anthropic_chat, errors
from litellm_synthetic.allowlist import ALLOWED_MODELS_VARIABLE
from litellm_synthetic.anthropic_chat import Translation, UnsupportedOnMessagesError
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
from litellm_synthetic.params import (
    BY_NAME,
    InvalidParameterError,
    UnsupportedEffortError,
    check_body_size,
    check_fields,
    map_reasoning,
)
from litellm_synthetic.reasoning import InvalidThinkingError, with_replay_needs
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
ANTHROPIC_VERSION: Final = "2023-06-01"
# Synthetic takes its key as a Bearer and nothing else. A proxy that forwards its clients' headers
# (`forward_client_headers_to_llm_api`) hands over the key that they have for the proxy. Anthropic's
# betas are Anthropic's: Synthetic's Messages surface fails on some (seen 2026-09-14).
_UNSENT_HEADERS: Final = (_CREDENTIALS - {"authorization"}) | {
    "host",
    "content-length",
    "anthropic-beta",
}
_COUNT_MARGIN: Final = 1.1
_LEAST_OUTPUT_TOKENS: Final = 1024


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


def prepare_chat(call: Call, messages: Sequence[Any], catalog: Catalog) -> Prepared:
    """Return the request of a chat completion, in the protocol that its base URL speaks.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.UnsupportedParamsError: a parameter that the Anthropic surface does not have.
        litellm.BadRequestError: a base URL, model or parameter that cannot be right, or that
            `SYNTHETIC_ALLOWED_MODELS` does not allow; see `params`.
    """
    check_allowed(call.model)
    endpoint = endpoint_of(call)
    if endpoint.surface == "anthropic":
        return _prepare_message(call, endpoint, messages, catalog)
    facts = catalog.find(call.model)
    wire = wire_messages(messages)
    fields = {"messages": wire, **_openai_fields(call, facts)}
    if isinstance(tools := fields.get("tools"), list | tuple):
        fields["tools"] = wire_tools(tools)
    if facts is not None and facts.replay is not None:
        with_replay_needs(fields, facts.replay.model_dump())
    return _prepare(
        call,
        endpoint,
        "chat/completions",
        fields,
        catalog,
        lambda: count_locally(call.model, messages=wire),
    )


def prepare_text(call: Call, prompt: object, catalog: Catalog) -> Prepared:
    """Return the request of a legacy completion; raises what `prepare_chat` raises."""
    facts = catalog.find(call.model)
    fields = {"prompt": prompt, **_openai_fields(call, facts)}
    return _prepare_on_openai(call, "completions", fields, catalog)


def prepare_embedding(call: Call, texts: object, catalog: Catalog) -> Prepared:
    """Return the request of an embedding; raises what `prepare_chat` raises."""
    fields = {"input": texts, **call.fields, **call.extra_body}
    return _prepare_on_openai(call, "embeddings", fields, catalog)


def _prepare_on_openai(
    call: Call, operation: str, fields: Mapping[str, Any], catalog: Catalog
) -> Prepared:
    """Return a request that only the OpenAI surface has, also if the base URL is the other's."""
    check_allowed(call.model)
    endpoint = endpoint_of(call)
    endpoint = endpoint.beside("openai") or endpoint
    return _prepare(call, endpoint, operation, fields, catalog)


def _openai_fields(call: Call, facts: Model | None) -> dict[str, Any]:
    try:
        effort = map_reasoning(
            call.reasoning,
            accepted_efforts=facts.accepted_efforts if facts else (),
            can_stop_reasoning=facts.can_stop_reasoning if facts else None,
        )
    except UnsupportedEffortError as error:
        if not call.drop_params:
            raise errors.refused(f"{error}.", call.model) from error
        effort = {}
    except InvalidThinkingError as error:
        raise errors.refused(f"{error}.", call.model) from error
    return {**call.fields, **effort, **call.extra_body}


def _prepare_message(
    call: Call, endpoint: Endpoint, messages: Sequence[Any], catalog: Catalog
) -> Prepared:
    facts = catalog.find(call.model)
    asked = {name: value for name, value in call.fields.items() if value is not None}
    _check_fields(call, {**asked, **call.extra_body})
    try:
        translation = anthropic_chat.translate(
            call.model,
            messages,
            {name: value for name, value in asked.items() if name in BY_NAME},
            call.reasoning,
            drop=call.drop_params,
            facts=facts,
        )
    except UnsupportedOnMessagesError as error:
        raise errors.unsupported(f"{error}.", call.model) from error
    except (InvalidParameterError, InvalidThinkingError) as error:
        raise errors.refused(f"{error}.", call.model) from error

    def count() -> int | None:
        return count_locally(call.model, messages=messages)

    beside = {name: value for name, value in asked.items() if name not in BY_NAME}
    fields = {**translation.body, **beside, **call.extra_body}
    if "max_tokens" not in call.fields:
        _leave_room_for_prompt(fields, facts, count)
    return _prepare(call, endpoint, "messages", fields, catalog, count, translation)


def prepare_native(call: Call, body: Mapping[str, Any], catalog: Catalog) -> Prepared:
    """Return the request of a Messages call as its caller wrote it.

    Raises what `prepare_chat` raises; the values in the body are the upstream's to check.
    """
    check_allowed(call.model)
    endpoint = endpoint_of(call).beside("anthropic")
    if endpoint is None:
        raise errors.refused(
            f"Where the Messages API lies beside the base URL {call.base_url} is unknown. Give a "
            "base URL that ends in /anthropic, or set SYNTHETIC_MESSAGES=translate.",
            call.model,
        )
    return _prepare(
        call,
        endpoint,
        "messages",
        body,
        catalog,
        lambda: count_locally(call.model, messages=body.get("messages") or ()),
        Translation({}),
    )


def prepare_count(call: Call, body: Mapping[str, Any], catalog: Catalog) -> Prepared:
    """Return the request that has Synthetic count a prompt's tokens; raises as `prepare_native`."""
    prepared = prepare_native(call, body, catalog)
    url = f"{prepared.outgoing.url}/count_tokens"
    return replace(prepared, outgoing=replace(prepared.outgoing, url=url))


def _leave_room_for_prompt(
    fields: dict[str, Any], facts: Model | None, count: Callable[[], int | None]
) -> None:
    """Make the default output limit smaller where prompt and output would not fit the window.

    Whether Synthetic refuses a request of which the two together exceed the window is unknown;
    vLLM, which it runs, does. Only the default is changed, never what a caller said.
    """
    window = facts.context_window_tokens if facts else None
    longest = fields.get("max_tokens")
    if window is None or not isinstance(longest, int):
        return
    # A token is at least a byte, so counting is spared wherever the answer is clear.
    if len(_encode(fields)) <= window - longest:
        return
    prompt = count()
    if prompt is not None:
        # The count is an estimate with another tokenizer.
        left = window - int(prompt * _COUNT_MARGIN)
        fields["max_tokens"] = max(min(longest, left), min(longest, _LEAST_OUTPUT_TOKENS))


def prepare_search(call: Call, query: str, origin: Origin) -> Prepared:
    """Return the request of a web search; `origin.base_url` says where, `call.base_url` nothing.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.BadRequestError: a query that is no text, or that JSON cannot hold.
    """
    key = key_of(call)
    body = {"query": query}
    return Prepared(
        outgoing=Outgoing(
            url=f"{origin.base_url}/search",
            headers=headers_of(call, key, stream=False),
            content=encoded(body, call.model),
            limits=time_limits(call.timeout, None, stream=False),
            retries=retries_of(call),
            verify=_verify(call.verify),
            client=_client(call),
        ),
        origin=replace(origin, key=key),
        body=body,
        stream=False,
    )


def prepare_quotas(call: Call) -> Prepared:
    """Return the request for what is left of the plan; `call.model` only names it in errors.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.BadRequestError: a base URL that cannot be right, or beside which no quotas lie.
    """
    endpoint = endpoint_of(call)
    native = endpoint.beside("native")
    if native is None:
        raise errors.refused(
            f"Where the quotas of {endpoint.base_url} lie is unknown; they are known beside a base "
            "URL that ends in /openai/v1, /anthropic/v1 or /v1.",
            call.model,
        )
    key = key_of(call)
    headers = headers_of(call, key, stream=False)
    del headers["content-type"]
    return Prepared(
        outgoing=Outgoing(
            url=native.url("quotas"),
            headers=headers,
            content=b"",
            limits=time_limits(call.timeout, None, stream=False),
            retries=retries_of(call),
            verify=_verify(call.verify),
            client=_client(call),
            method="GET",
        ),
        origin=Origin(model=call.model, base_url=native.base_url, key=key, or_else=""),
        body={},
        stream=False,
    )


def _prepare(  # noqa: PLR0913, PLR0917  # what makes a request, each named
    call: Call,
    endpoint: Endpoint,
    operation: str,
    fields: Mapping[str, Any],
    catalog: Catalog,
    count_prompt_tokens: Callable[[], int | None] | None = None,
    translation: Translation | None = None,
) -> Prepared:
    key = key_of(call)
    facts = catalog.find(call.model)
    # The model first, so that a body cut short in a log still says what it was for.
    body: dict[str, Any] = {"model": canonical_id(call.model)}
    body |= {name: value for name, value in fields.items() if name not in _NOT_FIELDS}
    body = {name: value for name, value in body.items() if value is not None}
    stream = bool(call.fields.get("stream"))
    if stream:
        body["stream"] = True
    if stream and translation is None:
        # Without it some backends report no usage, and the price would be a guess.
        asked = call.fields.get("stream_options")
        options = dict(asked) if isinstance(asked, Mapping) else {}
        body["stream_options"] = {**options, "include_usage": True}
    if translation is None:
        _check_fields(call, body)
    content = encoded(body, call.model)
    warn_if_retired(facts, catalog)
    return Prepared(
        outgoing=Outgoing(
            url=endpoint.url(operation),
            headers=headers_of(call, key, stream=stream, anthropic=translation is not None),
            content=content,
            limits=time_limits(call.timeout, call.stream_timeout, stream=stream),
            retries=retries_of(call),
            verify=_verify(call.verify),
            client=_client(call),
        ),
        origin=origin_of(call, endpoint, key, catalog, count_prompt_tokens),
        body=body,
        stream=stream,
        facts=facts,
        translation=translation,
    )


def encoded(body: Mapping[str, Any], model: str) -> bytes:
    """Return a body as JSON.

    Raises:
        litellm.BadRequestError: it has no JSON form, or is over Synthetic's 10 MiB.
    """
    try:
        content = _encode(body)
        check_body_size(len(content))
    except InvalidParameterError as error:
        raise errors.refused(f"{error}.", model) from error
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


def _check_fields(call: Call, fields: Mapping[str, Any]) -> None:
    try:
        unlimited_stop = litellm.disable_stop_sequence_limit is True
        check_fields(fields, unlimited_stop=unlimited_stop)
        if not unlimited_stop and call.stop_asked is not None and "stop" in fields:
            check_fields({"stop": call.stop_asked})
    except InvalidParameterError as error:
        raise errors.refused(f"{error}.", call.model) from error


def check_allowed(model: str) -> None:
    """Raise litellm.BadRequestError where `SYNTHETIC_ALLOWED_MODELS` does not allow a model."""
    allowed = allowlist.from_environment()
    if allowed is not None and not allowed.allows(model):
        raise errors.refused(
            f"{model} is not among the models that {ALLOWED_MODELS_VARIABLE} allows "
            f"({', '.join(allowed.entries) or 'none'}). Use one of those, or extend the list.",
            model,
        )


def endpoint_of(call: Call) -> Endpoint:
    """Return where a call goes; raises litellm.BadRequestError for a base URL that can't be."""
    try:
        return parse_base_url(call.base_url or DEFAULT_BASE_URL, allow_http=http_is_allowed())
    except InvalidBaseURLError as error:
        raise errors.refused(f"{error}.", call.model) from error


def key_of(call: Call) -> Secret:
    """Return the key of a call; raises litellm.AuthenticationError where there is none."""
    try:
        key = parse_key(call.key)
    except InvalidKeyError as error:
        raise errors.no_key(call.model, f"{error}.") from None
    if key is None:
        raise errors.no_key(call.model)
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
