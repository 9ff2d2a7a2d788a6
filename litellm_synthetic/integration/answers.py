"""What answers LiteLLM's calls and questions, each part loaded when it is first needed.

A program that registers the route and then calls another provider, or nobody, need not wait for
what reads Synthetic's replies. Python lets one thread load a module while the others wait for it.
What is made here twice by two threads that come at once keeps no state of its own.
"""
# ruff: noqa: PLC0415  # the imports are what the module is for

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.catalog.active import current_catalog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from litellm_synthetic.integration.call_log import MessagesRequest
    from litellm_synthetic.integration.completion_route import Route
    from litellm_synthetic.integration.messages_route import NativeMessages
    from litellm_synthetic.integration.operation_seams import OperationCheck
    from litellm_synthetic.integration.provider_config import SyntheticConfig, SyntheticListing
    from litellm_synthetic.quota.scope import Scope
    from litellm_synthetic.quota.slots import Leases


@cache
def _route() -> Route:
    from litellm_synthetic.integration.completion_route import Route

    return Route(current_catalog)


def chat(ctx: Any) -> Any:
    """Serve a chat completion; see `Route.chat`."""
    return _route().chat(ctx)


def text(ctx: Any) -> Any:
    """Serve a legacy completion; see `Route.text`."""
    return _route().text(ctx)


class EmbeddingHandler(litellm.CustomLLM):
    """Serve `embedding` and `aembedding`, which LiteLLM gives to custom providers only."""

    def embedding(self, *args: Any, **arguments: Any) -> litellm.EmbeddingResponse:
        """Serve a sync embedding; LiteLLM calls this by keyword."""
        del args
        return _route().embedding(arguments)

    async def aembedding(self, *args: Any, **arguments: Any) -> litellm.EmbeddingResponse:
        """Serve an async embedding; LiteLLM calls this by keyword."""
        del args
        return await _route().aembedding(arguments)


@cache
def _messages() -> NativeMessages:
    from litellm_synthetic.integration.messages_route import NativeMessages

    return NativeMessages(current_catalog)


def message(request: MessagesRequest) -> Awaitable[Any]:
    """Answer `anthropic_messages` over the Messages API; see `NativeMessages.answer`."""
    return _messages().answer(request)


def goes_native(api_base: str | None) -> bool:
    """Tell whether messages go to the Messages API; see `messages_route.goes_native`."""
    from litellm_synthetic.integration import messages_route

    return messages_route.goes_native(api_base)


def search() -> Callable[..., Any]:
    """Return what serves `litellm.search`."""
    from litellm_synthetic.integration.search_provider import search as serve

    return serve


@cache
def config() -> SyntheticConfig:
    """Return what says which parameters are supported, and how they map."""
    from litellm_synthetic.integration.provider_config import SyntheticConfig

    return SyntheticConfig(current_catalog)


@cache
def listing() -> SyntheticListing:
    """Return what lists models live, and counts tokens."""
    from litellm_synthetic.integration.provider_config import SyntheticListing

    return SyntheticListing(current_catalog)


@cache
def _admit() -> OperationCheck:
    from litellm_synthetic.integration.admission import admit as check

    return check


def admit(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Let a call through that is served; see `admission.admit`."""
    _admit()(function, args, kwargs)


def refuse_if_ours(name: str, arguments: Mapping[str, Any]) -> None:
    """Refuse a call that Synthetic lacks; see `other_operations.refuse_if_ours`."""
    from litellm_synthetic.integration import other_operations

    other_operations.refuse_if_ours(name, arguments)


def tell_rest(scope: Scope) -> None:
    """Tell other workers that a key rests now, or has stopped to; return at once."""
    from litellm_synthetic.integration.shared_state import SHARED

    SHARED.publish_soon(scope)


def leases() -> Leases:
    """Return what hands out slots over all workers."""
    from litellm_synthetic.integration.shared_slots import LEASES

    return LEASES
