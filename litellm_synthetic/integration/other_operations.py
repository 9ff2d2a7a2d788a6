"""LiteLLM's operations that Synthetic does not offer: images, audio, batches, files, and more.

LiteLLM would send them to Synthetic's base URL all the same, with OpenAI's key and organization.
Whatever is not known to be served is refused, so an operation of a later LiteLLM is too.
"""

from __future__ import annotations

import base64
import binascii
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.credentials import is_usable_key
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import local

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# LiteLLM's functions, and the module below `litellm` where the name is taken more than once: it has
# a `search` of the web and one of vector stores.
SERVED: Final[Mapping[str, str | None]] = {
    **dict.fromkeys(
        (
            "completion", "acompletion", "text_completion", "atext_completion",
            "embedding", "aembedding",
            "anthropic_messages", "anthropic_messages_handler",
            "responses", "aresponses", "_aresponses_websocket",
            # Translated to a completion.
            "generate_content", "agenerate_content",
            "generate_content_stream", "agenerate_content_stream",
        )
    ),
    "search": "search.main",
    "asearch": "search.main",
    # Translated to a response.
    "create": "interactions.main",
    "acreate": "interactions.main",
    # Made of calls of other operations, each of which is checked by itself.
    "query": "rag.main",
    "aquery": "rag.main",
    "ingest": "rag.main",
    "aingest": "rag.main",
    "send_message": "a2a_protocol.main",
    "asend_message": "a2a_protocol.main",
}  # fmt: skip  # one table, read as one
# Where its caller gave no key and there is none for Synthetic, LiteLLM takes OpenAI's.
_TAKES_OPENAI_KEY: Final = frozenset(("_aresponses_websocket",))
# The part of LiteLLM whose functions call no provider by themselves; MCP tools, for example.
_GATEWAY: Final = "proxy."
# Functions that LiteLLM builds in a loop and gives no name of their own.
_NAMELESS: Final = frozenset(("endpoint_func", "async_endpoint_func"))
# Where LiteLLM looks for a model beside the arguments themselves.
_NESTED: Final = frozenset(("session", "transcription_session"))
_ID_MARK: Final = f"custom_llm_provider:{PROVIDER};".encode()


def is_always_served(function: Callable[..., Any]) -> bool:
    """Tell whether a function's name alone says that Synthetic has what it does."""
    name = function.__name__
    return SERVED.get(name, "") is None and name not in _TAKES_OPENAI_KEY


def check_operation(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse a call of one of LiteLLM's public functions if it is for Synthetic, which lacks it.

    Args:
        function: LiteLLM's function, without decorators.
        arguments: the arguments of the call, by name.

    Raises:
        litellm.BadRequestError: the operation is not served; the message says which ones are.
    """
    name = function.__name__
    root, _, module = function.__module__.partition(".")
    if root != "litellm" or module.startswith(_GATEWAY):
        return
    if not is_served(name, module) and is_ours(arguments):
        raise _refusal(_public_name(name, module), arguments)
    if name in _TAKES_OPENAI_KEY and is_ours(arguments):
        _check_key(arguments)


def refuse_if_ours(name: str, arguments: Mapping[str, Any]) -> None:
    """Refuse a call of `litellm.<name>`, which Synthetic lacks, if it is for Synthetic.

    Raises:
        litellm.BadRequestError: it is.
    """
    if is_ours(arguments):
        raise _refusal(name, arguments)


def is_ours(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call's arguments lead LiteLLM to Synthetic.

    By the provider, the model's prefix, an id in which LiteLLM has put the provider, or the base
    URL, from which it concludes the provider where nothing else names one.
    """
    provider, model = arguments.get("custom_llm_provider"), arguments.get("model")
    if provider == PROVIDER or any(
        is_ours(value)
        for name, value in arguments.items()
        if name in _NESTED and hasattr(value, "items")
    ):
        return True
    if provider:
        return False
    if isinstance(model, str) and model.startswith(ROUTE_PREFIX):
        return True
    if any(name.endswith("_id") and _names_us(value) for name, value in arguments.items()):
        return True
    api_base = arguments.get("api_base") or arguments.get("base_url")
    return isinstance(api_base, str) and _concluded(model, api_base) == PROVIDER


def is_served(name: str, module: str) -> bool:
    """Tell whether Synthetic has what a function of a module below `litellm` does."""
    return name in SERVED and SERVED[name] in (None, module)


def _public_name(name: str, module: str) -> str:
    if name in _NAMELESS:
        return module.partition(".")[0]
    return name if hasattr(litellm, name) else f"{module.removesuffix('.main')}.{name}"


def _check_key(arguments: Mapping[str, Any]) -> None:
    model = arguments["model"]
    key = litellm.get_llm_provider(model=model, api_key=arguments.get("api_key"))[2]
    if not is_usable_key(key):
        raise local.no_key(model.removeprefix(ROUTE_PREFIX))


def _refusal(name: str, arguments: Mapping[str, Any]) -> Exception:
    model = arguments.get("model")
    return local.refused(
        f"Synthetic has no litellm.{name}; it has completion, text_completion, embedding, "
        "anthropic_messages, responses and search. Nothing was sent. Use another provider for "
        "this operation.",
        model.removeprefix(ROUTE_PREFIX) if isinstance(model, str) else "",
    )


def by_name(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return a call's arguments by name; what cannot be a call is left for LiteLLM to refuse."""
    if not args:
        return kwargs
    names = _names_in_order(function)
    if names is not None:  # nearly always; binding takes thirty times as long
        given = dict(zip(names, args, strict=False))
        is_call = len(args) <= len(names) and given.keys().isdisjoint(kwargs)
        return {**given, **kwargs} if is_call else kwargs
    try:
        arguments = _signature(function).bind_partial(*args, **kwargs)
    except TypeError:
        return kwargs
    return {**arguments.arguments, **kwargs}


@functools.cache
def _names_in_order(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names that positional arguments have, where any keyword may come beside them."""
    parameters = _signature(function).parameters.values()
    kind, kinds = inspect.Parameter, {parameter.kind for parameter in parameters}
    if kind.VAR_KEYWORD not in kinds or kinds & {kind.POSITIONAL_ONLY, kind.VAR_POSITIONAL}:
        return None
    return tuple(
        parameter.name for parameter in parameters if parameter.kind is kind.POSITIONAL_OR_KEYWORD
    )


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return what a function takes; some async ones hand `*args` on to the sync one."""
    signature = inspect.signature(function)
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        module = vars(sys.modules[function.__module__])
        sync = module.get(function.__name__.removeprefix("a"))
        if callable(sync) and sync is not function:
            return inspect.signature(sync)
    return signature


def _names_us(identifier: object) -> bool:
    """Tell whether LiteLLM wrote the provider into an id: `resp_`, `video_`, … and base64."""
    if not isinstance(identifier, str):
        return False
    encoded = identifier.rpartition("_")[2]
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=False)
    except (binascii.Error, ValueError):
        return False
    return _ID_MARK in decoded


def _concluded(model: object, api_base: str) -> str | None:
    if PROVIDER not in api_base.lower():
        return None
    try:
        return litellm.get_llm_provider(
            model=model if isinstance(model, str) else "", api_base=api_base
        )[1]
    except litellm.BadRequestError:  # it concludes nothing
        return None
