"""Seams around LiteLLM's `anthropic_messages`, which serve it over the Messages API itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import openai

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat, translated_messages
from litellm_synthetic.integration.call_log import MessagesRequest
from litellm_synthetic.integration.messages_errors import untranslatable

if TYPE_CHECKING:
    from litellm_synthetic.integration.compat import LlmProviders
    from litellm_synthetic.integration.seams import Seams

OnError = Callable[[Exception, Mapping[str, Any]], None]


def serve_messages(
    seams: Seams,
    answer: Callable[[MessagesRequest], Awaitable[Any]],
    goes_native: Callable[[str | None], bool],
    on_error: OnError,
) -> None:
    """Answer `anthropic_messages` for `synthetic` natively, where `goes_native(api_base)` says.

    `on_error` is told of what a call raises, native or translated, with the call's keywords.

    Whether messages are translated to a chat completion hangs on whether there is a config
    (utils.py:9164), which LiteLLM looks up by model and provider; the base URL is only known to
    the caller of that look-up. What follows it (llm_http_handler.py:2453) would post with
    Anthropic's key header, follow redirects, and need LiteLLM's proxy installed for a stream.
    The sync entry point has no native way in LiteLLM, so it stays translated.
    """
    is_native: ContextVar[bool] = ContextVar("is_native", default=False)
    module = compat.messages_module()

    def wrap_decision(decide: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(decide)
        def anthropic_messages_handler(*args: Any, **kwargs: Any) -> Any:
            if not kwargs.get("is_async") or not seams.serves(_provider_of(kwargs)):
                return decide(*args, **kwargs)
            token = is_native.set(goes_native(kwargs.get("api_base")))
            try:
                decision = decide(*args, **kwargs)
            finally:
                is_native.reset(token)
            return _watched(decision, kwargs, on_error)

        return anthropic_messages_handler

    def wrap_look_up(look_up: Callable[..., Any]) -> Callable[..., Any]:
        def get_provider_anthropic_messages_config(model: str, provider: LlmProviders) -> Any:
            if is_native.get() and seams.serves(provider):
                return compat.messages_config()
            return look_up(model=model, provider=provider)

        return get_provider_anthropic_messages_config

    def wrap_post(post: Callable[..., Any]) -> Callable[..., Any]:
        def post_messages(handler: Any, *args: Any, **kwargs: Any) -> Any:
            config = kwargs.get("anthropic_messages_provider_config")
            if seams.active and config is compat.messages_config():
                return answer(MessagesRequest(handler, kwargs))
            return post(handler, *args, **kwargs)

        return post_messages

    seams.wrap((module,), "anthropic_messages_handler", wrap_decision)
    translated_messages.note_headers(seams)
    seams.wrap(compat.PROVIDER_CONFIGS, "get_provider_anthropic_messages_config", wrap_look_up)
    seams.wrap((compat.BaseLLMHTTPHandler,), "anthropic_messages_handler", wrap_post)


def _watched(decision: Any, kwargs: Mapping[str, Any], on_error: OnError) -> Any:
    """Return a call, or its coroutine, that tells `on_error` of what it raises."""

    async def watched() -> Any:
        try:
            return await translated_messages.with_headers(decision, kwargs)
        except openai.APIError as error:  # every LiteLLM exception of a call is one
            on_error(error, kwargs)
            raise
        except ValueError as error:
            failure = untranslatable(error, str(kwargs.get("model")))
            if failure is None:
                raise
            raise failure from error

    return watched() if inspect.isawaitable(decision) else decision


def _provider_of(call: Mapping[str, Any]) -> object:
    model = call.get("model")
    if isinstance(model, str) and model.startswith(f"{PROVIDER}/"):
        return PROVIDER
    return call.get("custom_llm_provider")
