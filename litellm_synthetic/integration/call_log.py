"""LiteLLM's log of a call: what the caller asked for, and how the call or its stream ended.

Line numbers are those of LiteLLM 1.108.7.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    import httpx

    from litellm_synthetic.integration.compat import BaseLLMHTTPHandler


def call_arguments(logging_obj: Any) -> Mapping[str, Any]:
    """Return the keyword arguments of the public call behind a logging object.

    `embedding()` hands custom providers no headers, and `completion()` cuts `stop` to four entries
    before anybody sees it (utils.py:8897). The only place that keeps what the caller said is the
    caching handler that the `client` decorator hangs on the logging object (utils.py:1811).
    """
    handler = getattr(logging_obj, "_llm_caching_handler", None)
    arguments = getattr(handler, "request_kwargs", None)
    return arguments if isinstance(arguments, dict) else {}


def log_success_one_at_a_time(logging_obj: Any) -> None:
    """Let no two threads run this call's success handler at once.

    `text_completion` and `responses` call `completion` within, and the decorators of both give the
    same handler to a pool of threads (utils.py:1966, litellm_logging.py:4294). It looks whether it
    has told the callbacks before it begins, and notes that it has near its end
    (litellm_logging.py:3016, :3133): on a busy machine both threads tell them.
    """
    if logging_obj.call_type in {"completion", "acompletion"}:
        return  # nothing within, so the handler is given to the pool once
    handler, turn = logging_obj.success_handler, threading.RLock()

    def success_handler(*args: Any, **kwargs: Any) -> Any:
        with turn:
            return handler(*args, **kwargs)

    logging_obj.success_handler = success_handler


def router_group_size(litellm_params: Mapping[str, Any]) -> int | None:
    """Return how many deployments Router has for the model of this call; None outside of Router.

    Router notes it in the call's metadata (router.py:8408), whose name depends on the kind of call.
    """
    for name in ("metadata", "litellm_metadata"):
        size = litellm_params.get(name)
        if isinstance(size, Mapping) and isinstance(size.get("model_group_size"), int):
            return int(size["model_group_size"])
    return None


# What LiteLLM calls with each chunk of a sync stream: of the callbacks for sync calls, and of those
# for async ones (litellm_logging.py:3411, :3789).
_HOOKS_OF_CHUNKS: Final = ("log_stream_event", "logging_hook")
_ASYNC_HOOKS_OF_CHUNKS: Final = ("async_log_stream_event", "async_logging_hook")


def hears_chunks(logging_obj: Any) -> bool:
    """Tell whether a callback of this call wants to know of every chunk of a sync stream.

    Functions are told of every chunk, and so are some of LiteLLM's integrations by name; a class
    only if it overrides one of the hooks. Functions among the async callbacks hear of the whole.
    """
    sync = (*litellm.success_callback, *(logging_obj.dynamic_success_callbacks or ()))
    if any(
        _overrides(each, _HOOKS_OF_CHUNKS) if isinstance(each, compat.CustomLogger) else True
        for each in sync
    ):
        return True
    dynamic = logging_obj.dynamic_async_success_callbacks or ()
    return any(
        _overrides(each, _ASYNC_HOOKS_OF_CHUNKS)
        if isinstance(each, compat.CustomLogger)
        else each == "openmeter"
        for each in (*litellm._async_success_callback, *dynamic)  # noqa: SLF001  # no public name
    )


def has_listeners(logging_obj: Any) -> bool:
    """Tell whether any callback hears of this call's success, a proxy's own hooks among them."""
    return bool(
        litellm.callbacks
        or litellm.success_callback
        or litellm._async_success_callback  # noqa: SLF001  # no public name
        or logging_obj.dynamic_success_callbacks
        or logging_obj.dynamic_async_success_callbacks
        or getattr(logging_obj, "_on_deferred_stream_complete", None) is not None
    )


def _overrides(callback: object, names: tuple[str, ...]) -> bool:
    return getattr(callback, "hears_chunks", True) is not False and any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(compat.CustomLogger, name)
        for name in names
    )


class MessagesRequest:
    """LiteLLM's arguments for the transport of a native `anthropic_messages` call.

    Attributes:
        model: the id without `synthetic/`.
        messages: after LiteLLM's own clean-up and its users' hooks.
        parameters: those of the Messages API that LiteLLM knows.
        kwargs: everything else that was said, LiteLLM's own among it.
        litellm_params: LiteLLM's own, those of a deployment included.
        logging_obj: LiteLLM's log of this call.
    """

    def __init__(self, handler: BaseLLMHTTPHandler, call: Mapping[str, Any]) -> None:
        self._handler = handler
        self._call = call
        self.model: str = call["model"]
        self.messages: list[Any] = call["messages"]
        self.parameters: dict[str, Any] = call["anthropic_messages_optional_request_params"]
        self.kwargs: dict[str, Any] = call.get("kwargs") or {}
        self.litellm_params: Mapping[str, Any] = dict(call["litellm_params"])
        self.logging_obj: Any = call["logging_obj"]
        self.api_key: str | None = call.get("api_key")
        self.api_base: str | None = call.get("api_base")
        self.client: Any = call.get("client")
        self.stream = bool(call.get("stream"))

    def __repr__(self) -> str:
        return f"MessagesRequest(model={self.model!r}, stream={self.stream})"

    def begin_log(self) -> None:
        """Tell LiteLLM's log what the call is, as its own transport does before it sends."""
        self.logging_obj.update_from_kwargs(
            kwargs=self.kwargs,
            model=self.model,
            optional_params=dict(self.parameters),
            litellm_params={
                "preset_cache_key": None,
                "stream_response": {},
                "model_info": self.kwargs.get("model_info"),
                **self.parameters,
            },
            custom_llm_provider=PROVIDER,
        )
        self.logging_obj.stream = self.stream
        self.logging_obj.model_call_details["stream"] = self.stream

    def log_whole(self, reply: httpx.Response) -> None:
        """Give LiteLLM's log the reply that it reads usage and price from.

        Its Anthropic transformation does (litellm_logging.py:4548), so the usage has to add up.
        """
        self.logging_obj.model_call_details["httpx_response"] = reply

    async def finish(self, message: dict[str, Any]) -> Any:
        """Return what LiteLLM's hooks for agentic loops make of a whole message.

        Its own transport calls them at this point (llm_http_handler.py:2485); a gateway's web
        search interception lives there.
        """
        names = inspect.signature(self._handler._finalize_anthropic_messages_response).parameters  # noqa: SLF001  # as above
        headers = {
            "initial_response": message,
            "model": self.model,
            "messages": self.messages,
            "anthropic_messages_provider_config": self._call["anthropic_messages_provider_config"],
            "anthropic_messages_optional_request_params": self.parameters,
            "logging_obj": self.logging_obj,
            "custom_llm_provider": PROVIDER,
            "api_key": self.api_key,  # of 1.102.4; later it is among the kwargs
            "kwargs": {**self.kwargs, **self._where()},
        }
        return await self._handler._finalize_anthropic_messages_response(  # noqa: SLF001  # as above
            **{name: value for name, value in headers.items() if name in names}
        )

    def _where(self) -> dict[str, Any]:
        where = {"api_key": self.api_key, "api_base": self.api_base}
        return {name: value for name, value in where.items() if value}


def log_stream_end(
    logging_obj: Any, response: Any, started_at: datetime, *, was_abandoned: bool
) -> None:
    """Log a finished stream with the response that it added up to.

    A proxy may hold the log back until its own hooks have run (common_request_processing.py:3966),
    but for a caller who left.
    """
    details = logging_obj.model_call_details
    details["complete_streaming_response"] = response
    work = logging_obj.dispatch_success_handlers(
        result=response,
        start_time=started_at,
        end_time=datetime.now(),  # noqa: DTZ005  # LiteLLM's own times are naive
        cache_hit=False,
        prefer_async_handlers=True,
    )
    if not was_abandoned and getattr(logging_obj, "_on_deferred_stream_complete", None) is not None:
        logging_obj._deferred_stream_complete_args = (work,)  # noqa: SLF001  # as above
    else:
        _log_soon(work)


def log_left_stream(logging_obj: Any, assemble: Callable[[], Any], *, is_async: bool) -> None:
    """Log a completion's stream that its reader left, with what had come, once.

    LiteLLM's proxy does the same for a client that disconnects (common_request_processing.py:521);
    whoever comes second finds it done.

    Args:
        logging_obj: LiteLLM's log of the call.
        assemble: returns the response that the chunks add up to, None for none.
        is_async: whether it is the stream of an async call.
    """

    async def log() -> None:
        response = assemble()
        if response is not None:
            await logging_obj.dispatch_success_handlers(
                result=response,
                start_time=None,
                end_time=None,
                cache_hit=False,
                prefer_async_handlers=True,
            )

    def log_sync() -> None:
        response = assemble()
        if response is not None:
            logging_obj.success_handler(response, None, None, False)  # noqa: FBT003  # no cache hit

    if not is_async:
        compat.executor.submit(log_sync)
        return
    _log_soon(log())


def _log_soon(work: Coroutine[Any, Any, Any]) -> None:
    """Log on LiteLLM's worker; in a thread where a stream was dropped without an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        compat.executor.submit(asyncio.run, work)
    else:
        compat.log_in_background(work)


def log_stream_failure(logging_obj: Any, error: BaseException, started_at: datetime) -> None:
    """Log a stream that broke; LiteLLM does so itself only for calls that fail before they open."""
    ended_at = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
    text = "".join(traceback.format_exception_only(error))
    work = logging_obj.async_failure_handler(error, text, started_at, ended_at)
    compat.log_in_background(work)
    logging_obj.failure_handler(error, text, started_at, ended_at)
