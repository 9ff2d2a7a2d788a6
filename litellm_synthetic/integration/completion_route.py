"""The calls: from LiteLLM's dispatch to Synthetic and back, each once for sync and for async."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.catalog.billing import LIST_PRICE, list_price_usd
from litellm_synthetic.catalog.refresh import refresh_in_background_if_due
from litellm_synthetic.chat import response as replies
from litellm_synthetic.chat.params import REASONING
from litellm_synthetic.chat.request import prepare_chat, prepare_embedding, prepare_text
from litellm_synthetic.chat.response import UPSTREAM_MODEL
from litellm_synthetic.chat.stream_decoder import ChunkDecoder
from litellm_synthetic.chat.usage import count_locally
from litellm_synthetic.client import exchange
from litellm_synthetic.client.call import Call, Resolved, resolve
from litellm_synthetic.client.stream import AsyncChunkStream, ChunkStream
from litellm_synthetic.client.stream_reader import Decoder
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import bodies
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.call_log import (
    call_arguments,
    log_success_one_at_a_time,
    router_group_size,
)
from litellm_synthetic.integration.key_billing import bill
from litellm_synthetic.integration.stream_wrapper import PassThroughStream
from litellm_synthetic.messages.chat_response import fill_message
from litellm_synthetic.messages.request import prepare_completion
from litellm_synthetic.messages.stream_decoder import MessageChunkDecoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.client.exchange import Fill
    from litellm_synthetic.client.request import Prepared
    from litellm_synthetic.transport.client import Reply
    from litellm_synthetic.transport.headers import Headers

NewDecoder = Callable[[], Decoder]
"""Make what reads a streamed reply."""


class Route:
    """Answer LiteLLM's calls for `synthetic/…` with the facts of one catalog."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def chat(self, ctx: Any) -> Any:
        """Serve `completion` and `acompletion`, plain and streamed, from a dispatch context."""
        resolved = resolve(_call(ctx), self._catalog())
        if resolved.endpoint.api == "anthropic":
            return _run(ctx, *_over_messages(ctx, resolved))
        model = ROUTE_PREFIX + ctx.model

        def fill(document: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
            del headers
            return replies.fill_chat(ctx.model_response, document, model)

        return _run(
            ctx,
            prepare_chat(resolved, ctx.messages),
            fill,
            lambda: ChunkDecoder(model, **_stream_settings(resolved)),
        )

    def text(self, ctx: Any) -> Any:
        """Serve `text_completion` and `atext_completion` from a dispatch context."""
        prompts = [message.get("content") for message in ctx.messages]
        prompt = prompts[0] if len(prompts) == 1 else prompts
        resolved = resolve(_call(ctx), self._catalog(), api="openai")
        model = ROUTE_PREFIX + ctx.model

        def fill(document: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
            del headers
            return replies.fill_text(document, model)

        return _run(
            ctx,
            prepare_text(resolved, prompt),
            fill,
            lambda: ChunkDecoder(model, **_stream_settings(resolved)),
        )

    def embedding(self, arguments: Mapping[str, Any]) -> litellm.EmbeddingResponse:
        """Serve a sync embedding from what LiteLLM hands a custom provider."""
        prepared = self._prepare_embedding(arguments, is_async=False)
        logging_obj = arguments["logging_obj"]
        exchange.log_request(logging_obj, prepared, arguments["input"])
        reply = exchange.send(prepared)
        return _embedding(reply, prepared, arguments)

    async def aembedding(self, arguments: Mapping[str, Any]) -> litellm.EmbeddingResponse:
        """Do what `embedding` does without holding up the event loop."""
        prepared = self._prepare_embedding(arguments, is_async=True)
        logging_obj = arguments["logging_obj"]
        exchange.log_request(logging_obj, prepared, arguments["input"])
        reply = await exchange.asend(prepared)
        return _embedding(reply, prepared, arguments)

    def _prepare_embedding(self, arguments: Mapping[str, Any], *, is_async: bool) -> Prepared:
        params = call_arguments(arguments["logging_obj"])
        call = Call(
            model=arguments["model"],
            **_parameters(arguments["optional_params"]),
            headers={**(params.get("headers") or {}), **(params.get("extra_headers") or {})},
            key=arguments["api_key"],
            base_url=arguments["api_base"],
            timeout=arguments["timeout"],
            max_retries=params.get("max_retries"),
            verify=params.get("ssl_verify"),
            client=params.get("client"),
            is_async=is_async,
        )
        resolved = resolve(call, self._catalog(), api="openai")
        prepared = prepare_embedding(resolved, arguments["input"])
        refresh_in_background_if_due(prepared.origin.base_url)
        return prepared


def _parameters(optional_params: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(optional_params)
    return {
        "extra_body": fields.pop("extra_body", None) or {},
        "reasoning": {name: fields.pop(name) for name in REASONING if name in fields},
        "fields": fields,
    }


def _call(ctx: Any) -> Call:
    return Call(
        model=ctx.model,
        **_parameters(ctx.optional_params),
        # LiteLLM's translation of Anthropic messages makes one effort of budget and named effort.
        is_messages_call=getattr(ctx.logging, "call_type", None) == "anthropic_messages",
        drop_params=litellm.drop_params is True or ctx.litellm_params.get("drop_params") is True,
        headers=ctx.headers,
        key=ctx.api_key,
        base_url=ctx.api_base,
        timeout=ctx.timeout,
        stream_timeout=ctx.kwargs.get("stream_timeout"),
        max_retries=ctx.max_retries,
        verify=ctx.litellm_params.get("ssl_verify"),
        client=ctx.client,
        is_async=bool(ctx.acompletion),
        requested_stop=call_arguments(ctx.logging).get("stop"),
        only_deployment=router_group_size(ctx.litellm_params) == 1,
    )


def _stream_settings(resolved: Resolved, *, merges: bool = True) -> dict[str, Any]:
    return {
        "merges": merges and resolved.merges_chunks,
        "max_repeats": litellm.REPEATED_STREAMING_CHUNK_LIMIT,
    }


# ---- chat and text


def _over_messages(ctx: Any, resolved: Resolved) -> tuple[Prepared, Fill, NewDecoder]:
    model = ROUTE_PREFIX + ctx.model
    prepared, translation = prepare_completion(resolved, ctx.messages)
    json_mode, names = translation.json_mode, compat.renamed_tools(translation.noted)

    def fill(document: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        return fill_message(
            ctx.model_response, document, model, headers, json_mode=json_mode, tool_names=names
        )

    def new_decoder() -> Decoder:
        parse = compat.anthropic_chunk_parser(json_mode=json_mode, tool_names=names)
        # The arguments of the tool that stands for a JSON answer become text one by one.
        return MessageChunkDecoder(model, parse, **_stream_settings(resolved, merges=not json_mode))

    return prepared, fill, new_decoder


def _run(ctx: Any, prepared: Prepared, fill: Fill, new_decoder: NewDecoder) -> Any:
    refresh_in_background_if_due(prepared.origin.base_url)
    exchange.log_request(ctx.logging, prepared, ctx.messages)
    if ctx.acompletion:
        if prepared.stream:
            return _astream(ctx, prepared, new_decoder())
        return _aplain(ctx, prepared, fill)
    if prepared.stream:
        return _stream(ctx, prepared, new_decoder())
    return _plain(ctx, prepared, fill)


def _plain(ctx: Any, prepared: Prepared, fill: Fill) -> Any:
    return _filled(exchange.send(prepared), prepared, fill, ctx)


async def _aplain(ctx: Any, prepared: Prepared, fill: Fill) -> Any:
    return _filled(await exchange.asend(prepared), prepared, fill, ctx)


def _filled(reply: Reply, prepared: Prepared, fill: Fill, ctx: Any) -> Any:
    response = exchange.read(reply, prepared.origin, fill)
    if not getattr(response, "usage", None) or not response.usage.total_tokens:
        _estimate_usage(response, ctx)
    exchange.keep_headers(response, reply.headers, prepared.origin)
    response._hidden_params[LIST_PRICE] = list_price_usd(prepared.facts, response.usage)  # noqa: SLF001
    bill(ctx.logging, prepared, reply.headers)
    exchange.log_reply(ctx.logging, prepared, reply, ctx.messages)
    log_success_one_at_a_time(ctx.logging)
    return response


def _estimate_usage(response: Any, ctx: Any) -> None:
    """Count locally where the upstream reports nothing, as LiteLLM does for streams."""
    texts = [
        getattr(getattr(choice, "message", choice), name, None) or ""
        for choice in response.choices
        for name in ("content", "text", "reasoning_content")
    ]
    prompt = count_locally(ctx.model, messages=ctx.messages) or 0
    completion = count_locally(ctx.model, text="".join(texts)) or 0
    response.usage = litellm.Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def _stream(ctx: Any, prepared: Prepared, decoder: Decoder) -> PassThroughStream:
    body = exchange.open_stream(prepared)
    chunks = ChunkStream(body, decoder, prepared.origin)
    chunks.wait_for_first()
    return _wrapped(ctx, chunks, prepared, body.headers)


async def _astream(ctx: Any, prepared: Prepared, decoder: Decoder) -> PassThroughStream:
    body = await exchange.aopen_stream(prepared)
    chunks = AsyncChunkStream(body, decoder, prepared.origin)
    await chunks.wait_for_first()
    return _wrapped(ctx, chunks, prepared, body.headers)


def _wrapped(
    ctx: Any, chunks: ChunkStream | AsyncChunkStream, prepared: Prepared, headers: Headers
) -> PassThroughStream:
    stream = PassThroughStream(
        completion_stream=chunks,
        model=ROUTE_PREFIX + ctx.model,
        logging_obj=ctx.logging,
        custom_llm_provider=PROVIDER,
        _response_headers=bodies.kept_headers(headers, prepared.origin.scrub),
    )
    stream._hidden_params[UPSTREAM_MODEL] = chunks.decoder.upstream_model  # noqa: SLF001  # LiteLLM's documented place for metadata
    facts = prepared.facts
    bill(ctx.logging, prepared, headers)
    stream.metadata_at_end = lambda usage: {LIST_PRICE: list_price_usd(facts, usage)}
    ctx.logging.post_call(
        input=ctx.messages,
        api_key="",
        # Not the stream itself: LiteLLM keeps this, and a dropped stream would stay open.
        original_response="a stream; callbacks get the assembled response",
        additional_args=prepared.loggable,
    )
    return stream


# ---- embeddings


def _embedding(
    reply: Reply, prepared: Prepared, arguments: Mapping[str, Any]
) -> litellm.EmbeddingResponse:
    blank, model = arguments["model_response"], ROUTE_PREFIX + arguments["model"]
    texts = arguments["input"]
    response: litellm.EmbeddingResponse = exchange.read(
        reply,
        prepared.origin,
        lambda document, _: replies.fill_embedding(blank, document, model, texts),
    )
    exchange.keep_headers(response, reply.headers, prepared.origin)
    bill(arguments["logging_obj"], prepared, reply.headers)
    exchange.log_reply(arguments["logging_obj"], prepared, reply, arguments["input"])
    return response
