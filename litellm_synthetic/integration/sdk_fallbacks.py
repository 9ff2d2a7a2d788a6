"""The fallbacks of a call without a Router, each asked with the credentials of its own vendor.

LiteLLM asks every model with the arguments of the first, its key and its base URL among them
(fallback_utils.py:46, utils.py:2010), so that one vendor gets another's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.errors import local
from litellm_synthetic.integration.other_operations import is_ours

if TYPE_CHECKING:
    from collections.abc import Callable

_FUNCTIONS: Final = frozenset(("completion", "acompletion"))
FALLBACKS: Final = frozenset(("fallbacks", "context_window_fallback_dict"))
"""The keywords of a call that name other models."""
_OF_ONE_VENDOR: Final = (
    "api_key", "api_base", "base_url", "api_version", "organization", "client",
)  # fmt: skip  # one list, read as one
_HEADERS: Final = ("headers", "extra_headers")
_CREDENTIAL_HEADERS: Final = frozenset(("authorization", "api-key", "x-api-key"))


def keep_credentials_apart(
    function: Callable[..., Any], call: Mapping[str, Any], kwargs: dict[str, Any]
) -> None:
    """Have no fallback of a call carry Synthetic's credentials elsewhere, or another's here.

    A fallback that brings its own keeps them; one that brings none gets those of its environment.

    Args:
        function: LiteLLM's function, without decorators.
        call: the arguments of the call, by name.
        kwargs: the call's own keywords, of which `fallbacks` is replaced.

    Raises:
        litellm.BadRequestError: `context_window_fallback_dict`, which has no place for a key, names
            another vendor's model beside a key or a base URL.
    """
    fallbacks, by_window = kwargs.get("fallbacks"), kwargs.get("context_window_fallback_dict")
    if not (fallbacks or by_window) or function.__name__ not in _FUNCTIONS:
        return
    if isinstance(fallbacks, list):
        kwargs["fallbacks"] = [_with_own_credentials(one, call) for one in fallbacks]
    if isinstance(by_window, Mapping):
        _check_target(by_window.get(call.get("model")), call)


def _with_own_credentials(fallback: Any, call: Mapping[str, Any]) -> Any:
    own = dict(fallback) if isinstance(fallback, Mapping) else {"model": fallback}
    if not _is_other_vendors(own, call):
        return fallback
    withheld: dict[str, Any] = {name: None for name in _OF_ONE_VENDOR if call.get(name) is not None}
    for name in _HEADERS:
        headers = call.get(name)
        if isinstance(headers, Mapping):
            withheld[name] = {
                key: value
                for key, value in headers.items()
                if str(key).strip().lower() not in _CREDENTIAL_HEADERS
            }
    return {**withheld, **own} if withheld else fallback


def _check_target(target: Any, call: Mapping[str, Any]) -> None:
    brought = [name for name in _OF_ONE_VENDOR if call.get(name) is not None]
    if target is None or not brought or not _is_other_vendors({"model": target}, call):
        return
    model = str(call.get("model"))
    raise local.refused(
        f"context_window_fallback_dict would send {', '.join(brought)} of {model} to another "
        f"vendor with {target}. Nothing was sent. Use fallbacks=, or put the credentials into the "
        "environment.",
        model.removeprefix(ROUTE_PREFIX),
    )


def _is_other_vendors(own: Mapping[str, Any], call: Mapping[str, Any]) -> bool:
    """Tell whether exactly one of a call and its fallback is for Synthetic."""
    names = ("custom_llm_provider", "api_base", "base_url")
    model = own.get("model") or call.get("model")
    # A provider that the call names is that of its fallbacks, too; a base URL is not, any more.
    provider = own.get("custom_llm_provider") or call.get("custom_llm_provider")
    here = is_ours({"model": call.get("model"), **{name: call.get(name) for name in names}})
    there = is_ours(
        {**{name: own.get(name) for name in names}, "model": model, "custom_llm_provider": provider}
    )
    return here is not there
