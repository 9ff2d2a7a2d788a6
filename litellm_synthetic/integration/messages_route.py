"""Anthropic messages to Synthetic's own Messages endpoint, in and out as they are.

Nothing is translated: thinking blocks, cache markers and fields that nobody here knows go through.
Only the betas of Anthropic's clients are not sent; see `messages.documented_fields`.
`SYNTHETIC_MESSAGES=translate` has LiteLLM translate to a chat completion and back instead.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm

from litellm_synthetic.catalog.refresh import refresh_in_background_if_due
from litellm_synthetic.chat.usage import count_locally, uncached_once
from litellm_synthetic.client import exchange
from litellm_synthetic.client.call import Call
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.config import settings
from litellm_synthetic.config.endpoint import InvalidBaseURLError
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import bodies, local
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnreadableReplyError,
)
from litellm_synthetic.integration.call_log import (
    MessagesRequest,
    call_arguments,
    has_listeners,
    log_stream_end,
    log_stream_failure,
    router_group_size,
)
from litellm_synthetic.integration.compat import (
    DEFAULT_REQUEST_TIMEOUT_SECONDS,
    LITELLM_PARAMETERS,
)
from litellm_synthetic.integration.key_billing import bill
from litellm_synthetic.messages.chat_response import fill_message
from litellm_synthetic.messages.documented_fields import in_documented_fields
from litellm_synthetic.messages.passthrough_stream import MessageStream
from litellm_synthetic.messages.request import prepare_native
from litellm_synthetic.messages.tool_ids import ids_of_blocks, with_ids
from litellm_synthetic.messages.translate import effort_as_thinking

if TYPE_CHECKING:
    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.client.request import Prepared
    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.messages.assembly import MessageAssembly

DEFAULT_TIMEOUT_SECONDS: Final = 600.0  # LiteLLM's own for a completion
_log: Final = logging.getLogger("litellm_synthetic")
_SUCCESS: Final = 200
_PLAIN_TYPES: Final = (str, int, float, list, dict)


def goes_native(api_base: str | None) -> bool:
    """Tell whether messages go to the Messages API.

    They are translated where the setting says so, and where nothing is known about what lies beside
    a base URL. A malformed one goes on, to be refused with its reason.

    Args:
        api_base: what the caller or the deployment said; None leaves it to the environment.
    """
    if settings.MESSAGES.value() == "translate":
        return False
    base_url = resolved("", api_base, None)[0]
    try:
        endpoint = settings.endpoint(base_url, look_up=read_secret)
    except InvalidBaseURLError:
        return True
    return endpoint.beside("anthropic") is not None


def resolved(model: str, api_base: str | None, api_key: str | None) -> tuple[str, str | None]:
    """Return base URL and key as LiteLLM resolves them for a completion.

    Some of its entry points hand over only what the call or the deployment said.
    """
    _, _, key, base_url = litellm.get_llm_provider(
        model=ROUTE_PREFIX + model, api_base=api_base, api_key=api_key
    )
    return base_url or "", key


class NativeMessages:
    """Answer LiteLLM's `anthropic_messages` with the facts of one catalog."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    async def answer(self, request: MessagesRequest) -> Any:
        """Return the message as Synthetic wrote it, or a `MessageStream`."""
        catalog = self._catalog()
        body = _body(request, catalog)
        prepared = prepare_native(_call(request), body, catalog)
        refresh_in_background_if_due(prepared.origin.base_url)
        request.begin_log()
        exchange.log_request(request.logging_obj, prepared, request.messages)
        if request.stream:
            return await _stream(request, prepared)
        return await _whole(request, prepared)


def _body(request: MessagesRequest, catalog: Catalog) -> dict[str, Any]:
    parameters = dict(request.parameters)
    effort = parameters.pop("reasoning_effort", None)
    facts = catalog.find(request.model)
    dropped = request.litellm_params.get("additional_drop_params") or ()
    originals = call_arguments(request.logging_obj).get("messages")
    messages = with_ids(request.messages, ids_of_blocks(originals))
    try:
        if effort is not None and parameters.get("thinking") is None:
            parameters |= effort_as_thinking(
                effort, parameters.get("max_tokens"), facts, request.model
            )
        body = {"messages": messages, **parameters, **_unknown_fields(request)}
        body = {name: value for name, value in body.items() if name not in dropped}
        if settings.MESSAGES_BETA.value() == "drop":
            body = in_documented_fields(body, facts, request.model)
    except (InvalidParameterError, InvalidThinkingError) as error:
        raise local.refused(f"{error}.", request.model) from error
    extra = request.kwargs.get("extra_body")
    return {**body, **extra} if isinstance(extra, Mapping) else body


def _unknown_fields(request: MessagesRequest) -> dict[str, Any]:
    """Return the fields of the request that LiteLLM doesn't know, which it would leave out.

    Its own arguments come the same way. On a proxy the body as it came in tells them apart.
    """
    incoming = request.kwargs.get("proxy_server_request")
    body = incoming.get("body") if isinstance(incoming, Mapping) else None
    return {
        name: value
        for name, value in request.kwargs.items()
        if name not in LITELLM_PARAMETERS
        and name not in request.parameters
        and name != "reasoning_effort"
        and not name.startswith("_")
        and isinstance(value, _PLAIN_TYPES)
        and (not isinstance(body, Mapping) or name in body)
    }


def _call(request: MessagesRequest) -> Call:
    base_url, key = resolved(request.model, request.api_base, request.api_key)
    params = request.litellm_params
    timeout = params.get("timeout") or params.get("request_timeout")
    if timeout is None:
        request_timeout = litellm.request_timeout
        is_default = request_timeout == DEFAULT_REQUEST_TIMEOUT_SECONDS
        timeout = DEFAULT_TIMEOUT_SECONDS if is_default else request_timeout
    return Call(
        model=request.model,
        fields={"stream": request.stream},
        headers={**(request.kwargs.get("headers") or {}), **(params.get("extra_headers") or {})},
        key=key,
        base_url=base_url,
        timeout=timeout,
        stream_timeout=params.get("stream_timeout"),
        max_retries=params.get("max_retries"),
        verify=params.get("ssl_verify"),
        client=request.client,
        is_async=True,
        is_messages_call=True,
        only_deployment=router_group_size(request.kwargs) == 1,
    )


async def _whole(request: MessagesRequest, prepared: Prepared) -> Any:
    reply = await exchange.asend(prepared)
    message: dict[str, Any] = exchange.read(reply, prepared.origin, _checked)
    bill(request.logging_obj, prepared, reply.headers)
    exchange.log_reply(request.logging_obj, prepared, reply, request.messages)
    usage = _counted(message, request, prepared)
    content = {**message, "model": ROUTE_PREFIX + request.model, "usage": usage}
    # LiteLLM's log takes an `"error": null` for an error; see `fill_message`.
    content.pop("error", None)
    content = _readable(content, request.model, prepared.origin)
    headers = bodies.kept_headers(reply.headers, prepared.origin.scrub)
    request.log_whole(_as_response(content, headers))
    request.logging_obj.model_call_details["response_headers"] = headers
    answer = await request.finish(message)
    if isinstance(answer, dict) and router_group_size(request.kwargs) is not None:
        # A Router puts its own headers there, and a proxy takes it out again
        # (common_request_processing.py:3252).
        answer["_hidden_params"] = {"additional_headers": litellm.process_response_headers(headers)}
    return answer


def _as_response(content: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
    """Return the reply that LiteLLM's log reads usage and price from.

    Written by `json`, whose ASCII holds what httpx refuses to write: NaN and lone surrogates. The
    content type says so: the reply's may name another charset.
    """
    encoded = json.dumps(content).encode()
    fields = bodies.encodable_headers({**headers, "content-type": "application/json"})
    return httpx.Response(_SUCCESS, headers=fields, content=encoded)


def _checked(document: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, Any]:
    del headers
    blocks = document.get("content")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise UnreadableReplyError("it is not a message of the Messages API")
    if not blocks and not isinstance(document.get("stop_reason"), str):
        raise UnreadableReplyError("it holds no content")
    return document


def _counted(
    message: Mapping[str, Any], request: MessagesRequest, prepared: Prepared, text: str = ""
) -> dict[str, int]:
    """Return a usage that adds up; what the upstream didn't state is counted locally."""
    usage = uncached_once(message.get("usage"))
    if "input_tokens" not in usage and prepared.origin.count_prompt_tokens is not None:
        usage["input_tokens"] = prepared.origin.count_prompt_tokens() or 0
    if not usage.get("output_tokens") and text:
        usage["output_tokens"] = count_locally(request.model, text=text) or 0
    return usage


async def _stream(request: MessagesRequest, prepared: Prepared) -> MessageStream:
    body = await exchange.aopen_stream(prepared)
    bill(request.logging_obj, prepared, body.headers)
    started_at = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
    headers = bodies.kept_headers(body.headers, prepared.origin.scrub)
    request.logging_obj.model_call_details["response_headers"] = headers

    def on_end(assembly: MessageAssembly, error: BaseException | None) -> None:
        was_abandoned = error is not None and not isinstance(error, Exception)
        if isinstance(error, Exception) or not assembly.begun:
            # An error before the answer begins is the call's own, which LiteLLM logs itself.
            if assembly.begun and error is not None:
                log_stream_failure(request.logging_obj, error, started_at)
            return
        if not has_listeners(request.logging_obj):
            return  # putting the message together takes as long as all else at a stream's end
        text = assembly.text if was_abandoned else ""
        usage = _counted(assembly.message, request, prepared, text)
        message = {**assembly.message, "usage": usage}
        response = _as_completion(message, request.model, prepared.origin)
        log_stream_end(request.logging_obj, response, started_at, was_abandoned=was_abandoned)

    stream = MessageStream(
        body,
        prepared.origin,
        on_end,
        {
            "additional_headers": litellm.process_response_headers(headers),
            "custom_llm_provider": PROVIDER,
        },
    )
    await stream.wait_for_first()
    return stream


def _as_completion(message: Mapping[str, Any], model: str, origin: Origin) -> litellm.ModelResponse:
    """Return what callbacks see of a streamed message, as they see a completion.

    Without its content where a block is odd: the caller has the message as it came, and its price
    hangs on the log, which must not fail.
    """
    document = {"stop_reason": None, **message}
    try:
        return _filled(document, model)
    except UnreadableReplyError as error:
        return _filled(_without_content(document, model, origin, error), model)


def _filled(document: Mapping[str, Any], model: str) -> litellm.ModelResponse:
    return fill_message(litellm.ModelResponse(), document, ROUTE_PREFIX + model, {})


def _readable(message: Mapping[str, Any], model: str, origin: Origin) -> dict[str, Any]:
    """Return a message that LiteLLM's log can read; see `_as_completion`."""
    document = {"stop_reason": None, **message}
    try:
        _filled(document, model)
    except UnreadableReplyError as error:
        return _without_content(document, model, origin, error)
    return document


def _without_content(
    document: Mapping[str, Any], model: str, origin: Origin, error: Exception
) -> dict[str, Any]:
    reason = origin.scrub(str(error))
    _log.warning("a message of %s is logged without its content: %s", model, reason)
    return {**document, "content": [], "stop_reason": "end_turn"}
