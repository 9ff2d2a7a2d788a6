"""What Synthetic is asked for, operation by operation: the address and the exact body of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.catalog.advice import warn_if_retired
from litellm_synthetic.chat.params import (
    BY_NAME,
    InvalidParameterError,
    UnsupportedEffortError,
    check_fields,
    map_reasoning,
)
from litellm_synthetic.chat.reasoning import InvalidThinkingError, with_replay_needs
from litellm_synthetic.chat.usage import count_locally
from litellm_synthetic.chat.wire_messages import wire_messages, wire_tools
from litellm_synthetic.client.request import (
    Call,
    Prepared,
    check_allowed,
    encode,
    encoded,
    endpoint_of,
    key_of,
    origin_of,
    outgoing,
)
from litellm_synthetic.config.ids import canonical_id
from litellm_synthetic.errors import rules
from litellm_synthetic.errors.rules import Origin
from litellm_synthetic.messages import translate as anthropic_chat
from litellm_synthetic.messages.translate import Translation, UnsupportedOnMessagesError

if TYPE_CHECKING:
    from litellm_synthetic.catalog.models import Catalog, Model
    from litellm_synthetic.config.endpoint import Endpoint

# Steers this package, or is written anew; neither is a field of the body.
_NOT_FIELDS: Final = frozenset(
    ("extra_body", "extra_headers", "max_retries", "stream", "stream_options", "model")
)
_COUNT_MARGIN: Final = 1.1
_LEAST_OUTPUT_TOKENS: Final = 1024


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
            raise rules.refused(f"{error}.", call.model) from error
        effort = {}
    except InvalidThinkingError as error:
        raise rules.refused(f"{error}.", call.model) from error
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
        raise rules.unsupported(f"{error}.", call.model) from error
    except (InvalidParameterError, InvalidThinkingError) as error:
        raise rules.refused(f"{error}.", call.model) from error

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
        raise rules.refused(
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
    if len(encode(fields)) <= window - longest:
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
        outgoing=outgoing(call, key, f"{origin.base_url}/search", encoded(body, call.model)),
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
        raise rules.refused(
            f"Where the quotas of {endpoint.base_url} lie is unknown; they are known beside a base "
            "URL that ends in /openai/v1, /anthropic/v1 or /v1.",
            call.model,
        )
    key = key_of(call)
    return Prepared(
        outgoing=outgoing(call, key, native.url("quotas"), b"", method="GET"),
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
        outgoing=outgoing(
            call,
            key,
            endpoint.url(operation),
            content,
            stream=stream,
            anthropic=translation is not None,
        ),
        origin=origin_of(call, endpoint, key, catalog, count_prompt_tokens),
        body=body,
        stream=stream,
        facts=facts,
        translation=translation,
    )


def _check_fields(call: Call, fields: Mapping[str, Any]) -> None:
    try:
        unlimited_stop = litellm.disable_stop_sequence_limit is True
        check_fields(fields, unlimited_stop=unlimited_stop)
        if not unlimited_stop and call.stop_asked is not None and "stop" in fields:
            check_fields({"stop": call.stop_asked})
    except InvalidParameterError as error:
        raise rules.refused(f"{error}.", call.model) from error
