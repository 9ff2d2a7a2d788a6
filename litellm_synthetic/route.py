"""The calls: from LiteLLM's dispatch to Synthetic and back, each once for sync and for async."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import litellm
from litellm.litellm_core_utils.core_helpers import process_response_headers
from litellm.llms.custom_llm import CustomLLM

from litellm_synthetic import error_bodies, errors, replies, transport
from litellm_synthetic.billing import LIST_PRICE, list_price_usd
from litellm_synthetic.catalog import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.chunks import ChunkDecoder
from litellm_synthetic.errors import Failure, Origin
from litellm_synthetic.litellm_seams import PassThroughStream, call_arguments, router_group_size
from litellm_synthetic.replies import UPSTREAM_MODEL, UnreadableReplyError
from litellm_synthetic.request import (
    Call,
    Prepared,
    prepare_chat,
    prepare_embedding,
    prepare_text,
)
from litellm_synthetic.stream import AsyncChunkStream, ChunkStream
from litellm_synthetic.table_refresh import refresh_in_background_if_due
from litellm_synthetic.transport import AsyncByteStream, ByteStream, Reply
from litellm_synthetic.usage import count_locally

if TYPE_CHECKING:
    import httpx
    from litellm.types.utils import EmbeddingResponse

    from litellm_synthetic.catalog import Catalog

_SUCCESS = 200
Fill = Callable[[Mapping[str, Any]], Any]


class Route:
    """Answer LiteLLM's calls for `synthetic/…` with the facts of one catalog."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def chat(self, ctx: Any) -> Any:
        """Serve `completion` and `acompletion`, plain and streamed, from a dispatch context."""
        prepared = prepare_chat(_call(ctx), ctx.messages, self._catalog())
        model = _asked(ctx.model)

        def fill(document: Mapping[str, Any]) -> Any:
            return replies.fill_chat(ctx.model_response, document, model)

        return _run(ctx, prepared, fill, ctx.messages)

    def text(self, ctx: Any) -> Any:
        """Serve `text_completion` and `atext_completion` from a dispatch context."""
        prompts = [message.get("content") for message in ctx.messages]
        prompt = prompts[0] if len(prompts) == 1 else prompts
        prepared = prepare_text(_call(ctx), prompt, self._catalog())
        model = _asked(ctx.model)

        def fill(document: Mapping[str, Any]) -> Any:
            return replies.fill_text(document, model)

        return _run(ctx, prepared, fill, ctx.messages)

    def prepare_embedding(self, arguments: Mapping[str, Any], *, is_async: bool) -> Prepared:
        """Return the request of an embedding from what LiteLLM hands a custom provider."""
        said = call_arguments(arguments["logging_obj"])
        call = Call(
            model=arguments["model"],
            fields=_fields(arguments["optional_params"]),
            headers={**(said.get("headers") or {}), **(said.get("extra_headers") or {})},
            key=arguments["api_key"],
            base_url=arguments["api_base"],
            timeout=arguments["timeout"],
            max_retries=said.get("max_retries"),
            verify=said.get("ssl_verify"),
            client=said.get("client"),
            is_async=is_async,
        )
        prepared = prepare_embedding(call, arguments["input"], self._catalog())
        refresh_in_background_if_due(prepared.origin.base_url)
        return prepared


class EmbeddingHandler(CustomLLM):
    """Serve `embedding` and `aembedding`, which LiteLLM gives to custom providers only."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self._route = route

    def embedding(self, *args: Any, **arguments: Any) -> EmbeddingResponse:
        """Serve a sync embedding; LiteLLM calls this by keyword."""
        del args
        prepared = self._route.prepare_embedding(arguments, is_async=False)
        logging_obj = arguments["logging_obj"]
        _log_request(logging_obj, prepared, arguments["input"])
        reply = _send(prepared)
        return _embedding(reply, prepared, arguments)

    async def aembedding(self, *args: Any, **arguments: Any) -> EmbeddingResponse:
        """Serve an async embedding; LiteLLM calls this by keyword."""
        del args
        prepared = self._route.prepare_embedding(arguments, is_async=True)
        logging_obj = arguments["logging_obj"]
        _log_request(logging_obj, prepared, arguments["input"])
        reply = await _asend(prepared)
        return _embedding(reply, prepared, arguments)


def _asked(model: str) -> str:
    return ROUTE_PREFIX + model


def _fields(optional_params: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(optional_params)
    extra_body = fields.pop("extra_body", None) or {}
    return {**fields, **extra_body}


def _call(ctx: Any) -> Call:
    stream_timeout = ctx.kwargs.get("stream_timeout")
    return Call(
        model=ctx.model,
        fields=_fields(ctx.optional_params),
        headers=ctx.headers,
        key=ctx.api_key,
        base_url=ctx.api_base,
        timeout=ctx.timeout,
        stream_timeout=None if stream_timeout is None else float(stream_timeout),
        max_retries=ctx.max_retries,
        verify=ctx.litellm_params.get("ssl_verify"),
        client=ctx.client,
        is_async=bool(ctx.acompletion),
        stop_asked=call_arguments(ctx.logging).get("stop"),
        only_deployment=router_group_size(ctx.litellm_params) == 1,
    )


# ---- chat and text


def _run(ctx: Any, prepared: Prepared, fill: Fill, messages: Any) -> Any:
    refresh_in_background_if_due(prepared.origin.base_url)
    _log_request(ctx.logging, prepared, messages)
    if ctx.acompletion:
        return _astream(ctx, prepared) if prepared.stream else _aplain(ctx, prepared, fill)
    return _stream(ctx, prepared) if prepared.stream else _plain(ctx, prepared, fill)


def _plain(ctx: Any, prepared: Prepared, fill: Fill) -> Any:
    return _filled(_send(prepared), prepared, fill, ctx)


async def _aplain(ctx: Any, prepared: Prepared, fill: Fill) -> Any:
    return _filled(await _asend(prepared), prepared, fill, ctx)


def _filled(reply: Reply, prepared: Prepared, fill: Fill, ctx: Any) -> Any:
    response = _read(reply, prepared.origin, fill)
    if not getattr(response, "usage", None) or not response.usage.total_tokens:
        _estimate_usage(response, ctx)
    _keep_headers(response, reply.headers)
    response._hidden_params[LIST_PRICE] = list_price_usd(prepared.facts, response.usage)  # noqa: SLF001
    _log_reply(ctx.logging, prepared, reply, ctx.messages)
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


def _stream(ctx: Any, prepared: Prepared) -> PassThroughStream:
    body = _send_for_stream(prepared)
    decoder = ChunkDecoder(_asked(ctx.model))
    silence_seconds = prepared.outgoing.limits.silence_seconds
    chunks = ChunkStream(body, decoder, prepared.origin, silence_seconds)
    chunks.wait_for_first()
    return _wrapped(ctx, chunks, prepared, body.headers)


async def _astream(ctx: Any, prepared: Prepared) -> PassThroughStream:
    body = await _asend_for_stream(prepared)
    decoder = ChunkDecoder(_asked(ctx.model))
    silence_seconds = prepared.outgoing.limits.silence_seconds
    chunks = AsyncChunkStream(body, decoder, prepared.origin, silence_seconds)
    await chunks.wait_for_first()
    return _wrapped(ctx, chunks, prepared, body.headers)


def _wrapped(
    ctx: Any, chunks: ChunkStream | AsyncChunkStream, prepared: Prepared, headers: httpx.Headers
) -> PassThroughStream:
    stream = PassThroughStream(
        completion_stream=chunks,
        model=_asked(ctx.model),
        logging_obj=ctx.logging,
        custom_llm_provider=PROVIDER,
        _response_headers=error_bodies.kept_headers(headers),
    )
    stream._hidden_params[UPSTREAM_MODEL] = chunks.decoder.upstream_model  # noqa: SLF001  # LiteLLM's documented place for metadata
    facts = prepared.facts
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


def _embedding(reply: Reply, prepared: Prepared, arguments: Mapping[str, Any]) -> EmbeddingResponse:
    blank, model = arguments["model_response"], _asked(arguments["model"])
    response: EmbeddingResponse = _read(
        reply, prepared.origin, lambda document: replies.fill_embedding(blank, document, model)
    )
    _keep_headers(response, reply.headers)
    _log_reply(arguments["logging_obj"], prepared, reply, arguments["input"])
    return response


# ---- the wire


def _send(prepared: Prepared) -> Reply:
    with _transport_failures(prepared.origin):
        reply = transport.send(prepared.outgoing)
    return _whole(reply, prepared.origin)


async def _asend(prepared: Prepared) -> Reply:
    with _transport_failures(prepared.origin):
        reply = await transport.asend(prepared.outgoing)
    return _whole(reply, prepared.origin)


def _send_for_stream(prepared: Prepared) -> ByteStream:
    with _transport_failures(prepared.origin):
        reply = transport.send(prepared.outgoing, stream=True)
    if isinstance(reply, ByteStream):
        return reply
    raise _failed(reply, prepared.origin)


async def _asend_for_stream(prepared: Prepared) -> AsyncByteStream:
    with _transport_failures(prepared.origin):
        reply = await transport.asend(prepared.outgoing, stream=True)
    if isinstance(reply, AsyncByteStream):
        return reply
    raise _failed(reply, prepared.origin)


class _transport_failures:  # noqa: N801  # used like a function
    """Turn the transport's exceptions into LiteLLM's."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, transport.StallError):
            raise errors.timed_out(self._origin, str(error)) from error
        if isinstance(error, transport.ConnectionBrokenError):
            raise errors.connection_failed(self._origin, str(error)) from error
        if isinstance(error, transport.UnsendableError):
            raise errors.refused(
                f"The request was not sent: {error}.", self._origin.model
            ) from None


def _whole(reply: Any, origin: Origin) -> Reply:
    if reply.status != _SUCCESS:
        raise _failed(reply, origin)
    return reply  # type: ignore[no-any-return]  # narrowed by the transport's contract


def _failed(reply: Reply, origin: Origin) -> Exception:
    failure = Failure(reply.status, error_bodies.error_text(reply.body), reply.headers)
    return errors.to_exception(failure, origin)


def _read(reply: Reply, origin: Origin, fill: Fill) -> Any:
    try:
        document = replies.decode(reply.body)
        if document.get("error") and "choices" not in document:
            text = error_bodies.message_of(document)
            raise errors.to_exception(
                Failure(error_bodies.status_of(document) or _SUCCESS, text, reply.headers), origin
            )
        return fill(document)
    except UnreadableReplyError as error:
        content_type = reply.headers.get("content-type", "")
        raise errors.unreadable_reply(origin, str(error), content_type, reply.headers) from error


# ---- what LiteLLM's users see beside the answer


def _keep_headers(response: Any, headers: httpx.Headers) -> None:
    kept = error_bodies.kept_headers(headers)
    response._response_headers = kept  # noqa: SLF001  # as LiteLLM's own providers do
    response._hidden_params["additional_headers"] = process_response_headers(kept)  # noqa: SLF001


def _log_request(logging_obj: Any, prepared: Prepared, input_: Any) -> None:
    logging_obj.pre_call(input=input_, api_key="", additional_args=prepared.loggable)


def _log_reply(logging_obj: Any, prepared: Prepared, reply: Reply, input_: Any) -> None:
    logging_obj.post_call(
        input=input_,
        api_key="",
        original_response=prepared.origin.scrub(reply.body.decode("utf-8", "replace")),
        additional_args=prepared.loggable,
    )
