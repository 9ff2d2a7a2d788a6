"""Anthropic messages to Synthetic's own Messages endpoint, in and out as they are.

Nothing is translated: thinking blocks, cache markers and fields that nobody here knows go through.
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
from litellm_synthetic.client.secrets import read_secret
from litellm_synthetic.config import settings
from litellm_synthetic.config.endpoint import InvalidBaseURLError
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import bodies, rules
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnreadableReplyError,
)
from litellm_synthetic.integration.call_log import (
    MessagesRequest,
    call_arguments,
    log_stream_end,
    log_stream_failure,
    router_group_size,
)
from litellm_synthetic.integration.compat import (
    DEFAULT_REQUEST_TIMEOUT_SECONDS,
    LITELLM_PARAMETERS,
)
from litellm_synthetic.messages.passthrough_stream import MessageStream
from litellm_synthetic.messages.request import prepare_native
from litellm_synthetic.messages.tool_ids import ids_of_blocks, with_ids
from litellm_synthetic.messages.translate import effort_as_thinking, fill_message

if TYPE_CHECKING:
    from litellm_synthetic.catalog.models import Catalog
    from litellm_synthetic.client.request import Prepared
    from litellm_synthetic.errors.rules import Origin
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

    async def answer(self, asked: MessagesRequest) -> Any:
        """Return the message as Synthetic wrote it, or a `MessageStream`."""
        catalog = self._catalog()
        body = _body(asked, catalog)
        prepared = prepare_native(_call(asked), body, catalog)
        refresh_in_background_if_due(prepared.origin.base_url)
        asked.begin_log()
        exchange.log_request(asked.logging_obj, prepared, asked.messages)
        if asked.stream:
            return await _stream(asked, prepared)
        return await _whole(asked, prepared)


def _body(asked: MessagesRequest, catalog: Catalog) -> dict[str, Any]:
    parameters = dict(asked.parameters)
    effort = parameters.pop("reasoning_effort", None)
    if effort is not None and parameters.get("thinking") is None:
        facts = catalog.find(asked.model)
        try:
            parameters |= effort_as_thinking(
                effort, parameters.get("max_tokens"), facts, asked.model
            )
        except (InvalidParameterError, InvalidThinkingError) as error:
            raise rules.refused(f"{error}.", asked.model) from error
    dropped = asked.litellm_params.get("additional_drop_params") or ()
    written = call_arguments(asked.logging_obj).get("messages")
    messages = with_ids(asked.messages, ids_of_blocks(written))
    body = {"messages": messages, **parameters, **_unknown_fields(asked)}
    extra = asked.kwargs.get("extra_body")
    kept = {name: value for name, value in body.items() if name not in dropped}
    return {**kept, **extra} if isinstance(extra, Mapping) else kept


def _unknown_fields(asked: MessagesRequest) -> dict[str, Any]:
    """Return the fields of the request that LiteLLM doesn't know, which it would leave out.

    Its own arguments come the same way. On a proxy the body as it came in tells them apart.
    """
    incoming = asked.kwargs.get("proxy_server_request")
    written = incoming.get("body") if isinstance(incoming, Mapping) else None
    return {
        name: value
        for name, value in asked.kwargs.items()
        if name not in LITELLM_PARAMETERS
        and name not in asked.parameters
        and name != "reasoning_effort"
        and not name.startswith("_")
        and isinstance(value, _PLAIN_TYPES)
        and (not isinstance(written, Mapping) or name in written)
    }


def _call(asked: MessagesRequest) -> Call:
    base_url, key = resolved(asked.model, asked.api_base, asked.api_key)
    said = asked.litellm_params
    timeout = said.get("timeout") or said.get("request_timeout")
    if timeout is None:
        configured = litellm.request_timeout
        is_default = configured == DEFAULT_REQUEST_TIMEOUT_SECONDS
        timeout = DEFAULT_TIMEOUT_SECONDS if is_default else configured
    return Call(
        model=asked.model,
        fields={"stream": asked.stream},
        headers={**(asked.kwargs.get("headers") or {}), **(said.get("extra_headers") or {})},
        key=key,
        base_url=base_url,
        timeout=timeout,
        stream_timeout=said.get("stream_timeout"),
        max_retries=said.get("max_retries"),
        verify=said.get("ssl_verify"),
        client=asked.client,
        is_async=True,
        only_deployment=router_group_size(asked.kwargs) == 1,
    )


async def _whole(asked: MessagesRequest, prepared: Prepared) -> Any:
    reply = await exchange.asend(prepared)
    message: dict[str, Any] = exchange.read(reply, prepared.origin, _checked)
    exchange.log_reply(asked.logging_obj, prepared, reply, asked.messages)
    counted = _counted(message, asked, prepared)
    content = {**message, "model": ROUTE_PREFIX + asked.model, "usage": counted}
    content = _readable(content, asked.model, prepared.origin)
    headers = bodies.kept_headers(reply.headers, prepared.origin.scrub)
    asked.log_whole(_as_response(content, headers))
    asked.logging_obj.model_call_details["response_headers"] = headers
    return await asked.finish(message)


def _as_response(content: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
    """Return the reply that LiteLLM's log reads usage and price from.

    Written by `json`, whose ASCII holds what httpx refuses to write: NaN and lone surrogates.
    """
    encoded = json.dumps(content).encode()
    return httpx.Response(_SUCCESS, headers=bodies.encodable_headers(headers), content=encoded)


def _checked(document: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, Any]:
    del headers
    blocks = document.get("content")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise UnreadableReplyError("it is not a message of the Messages API")
    if not blocks and not isinstance(document.get("stop_reason"), str):
        raise UnreadableReplyError("it holds no content")
    return document


def _counted(
    message: Mapping[str, Any], asked: MessagesRequest, prepared: Prepared, text: str = ""
) -> dict[str, int]:
    """Return a usage that adds up; what the upstream didn't state is counted locally."""
    usage = uncached_once(message.get("usage"))
    if "input_tokens" not in usage and prepared.origin.count_prompt_tokens is not None:
        usage["input_tokens"] = prepared.origin.count_prompt_tokens() or 0
    if not usage.get("output_tokens") and text:
        usage["output_tokens"] = count_locally(asked.model, text=text) or 0
    return usage


async def _stream(asked: MessagesRequest, prepared: Prepared) -> MessageStream:
    body = await exchange.aopen_stream(prepared)
    started_at = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
    headers = bodies.kept_headers(body.headers, prepared.origin.scrub)
    asked.logging_obj.model_call_details["response_headers"] = headers

    def on_end(assembly: MessageAssembly, error: BaseException | None) -> None:
        left = error is not None and not isinstance(error, Exception)
        if isinstance(error, Exception) or not assembly.begun:
            # An error before the answer begins is the call's own, which LiteLLM logs itself.
            if assembly.begun and error is not None:
                log_stream_failure(asked.logging_obj, error, started_at)
            return
        text = assembly.text if left else ""
        counted = _counted(assembly.message, asked, prepared, text)
        message = {**assembly.message, "usage": counted}
        response = _as_completion(message, asked.model, prepared.origin)
        log_stream_end(asked.logging_obj, response, started_at, left=left)

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
    """Return what callbacks see of a streamed message, as they see a completion."""
    readable = _readable(message, model, origin)
    return fill_message(litellm.ModelResponse(), readable, ROUTE_PREFIX + model, {})


def _readable(message: Mapping[str, Any], model: str, origin: Origin) -> dict[str, Any]:
    """Return a message that LiteLLM's log can read: without its content where a block is odd.

    The caller has the message as it came. Its price hangs on the log, which must not fail.
    """
    document = {"stop_reason": None, **message}
    try:
        fill_message(litellm.ModelResponse(), document, ROUTE_PREFIX + model, {})
    except UnreadableReplyError as error:
        reason = origin.scrub(str(error))
        _log.warning("a message of %s is logged without its content: %s", model, reason)
        return {**document, "content": [], "stop_reason": "end_turn"}
    return document
