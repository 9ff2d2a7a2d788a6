"""Seams around LiteLLM's public functions: those that Synthetic lacks, and the check for keys."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import litellm
import litellm.utils

from litellm_synthetic.config.ids import PROVIDER

if TYPE_CHECKING:
    from litellm_synthetic.integration.seams import Seams

# Public calls without LiteLLM's `client` decorator that reach a provider.
UNDECORATED: Final[dict[str, set[str]]] = {
    "litellm.main": {"moderation"},
    "litellm.batches.main": {"cancel_batch", "acancel_batch"},
    "litellm.fine_tuning.main": {"list_fine_tuning_jobs", "alist_fine_tuning_jobs"},
    "litellm.realtime_api.main": {"realtime_health_check"},
    "litellm.assistants.main": {
        "get_assistants", "aget_assistants", "create_assistants", "acreate_assistants",
        "delete_assistant", "adelete_assistant", "create_thread", "acreate_thread",
        "get_thread", "aget_thread", "add_message", "a_add_message",
        "get_messages", "aget_messages", "run_thread", "arun_thread",
        "run_thread_stream", "arun_thread_stream",
    },
}  # fmt: skip  # one table, read as one

OperationCheck = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], None]
UndecoratedCheck = Callable[[str, Mapping[str, Any]], None]


def check_operations(seams: Seams, check: OperationCheck) -> None:
    """Have every call that passes LiteLLM's `client` decorator checked before it does anything.

    The decorator hands each call's function and arguments to the function that prints them
    when debugging is on (utils.py:1721, :1987), first of all, by its global name. So one place
    covers every decorated function, whoever has taken it before us, a Router's included. The
    mapping of keywords is the decorator's own, so a check may change it.
    """
    original: Callable[..., Any] = litellm.utils.print_args_passed_to_litellm

    @functools.wraps(original)
    def print_args_passed_to_litellm(
        original_function: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        if seams.active:
            check(original_function, args, kwargs)
        return original(original_function, args, kwargs)

    seams.replace(litellm.utils, "print_args_passed_to_litellm", print_args_passed_to_litellm)


def check_undecorated_operations(seams: Seams, check: UndecoratedCheck) -> None:
    """Have the operations checked that LiteLLM left without its `client` decorator.

    A module that has imported one by name gets ours in its place. A Router keeps the async ones,
    which call the sync ones by their global names.
    """
    replacements: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}
    for module, names in UNDECORATED.items():
        home = vars(import_module(module))
        for name in names & home.keys():  # versions differ
            replacements[name] = (home[name], _checked(seams, name, home[name], check))
    for holder in list(sys.modules.values()):
        for name in getattr(holder, "__dict__", {}).keys() & replacements.keys():
            original, replacement = replacements[name]
            if vars(holder)[name] is original:
                seams.replace(holder, name, replacement)
    _check_rust_operations(seams, check)


def _checked(
    seams: Seams, name: str, original: Callable[..., Any], check: UndecoratedCheck
) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def look(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if seams.active:
            check(name, {**dict(zip(signature.parameters, args, strict=False)), **kwargs})

    @functools.wraps(original)
    def checked(*args: Any, **kwargs: Any) -> Any:
        look(args, kwargs)
        return original(*args, **kwargs)

    @functools.wraps(original)
    async def achecked(*args: Any, **kwargs: Any) -> Any:
        look(args, kwargs)
        return await original(*args, **kwargs)

    return achecked if inspect.iscoroutinefunction(original) else checked


def _check_rust_operations(seams: Seams, check: UndecoratedCheck) -> None:
    """Have the operations checked that LiteLLM has in Rust only, such as OCR (ocr/dispatch.py).

    They pass neither the decorator nor Python's sockets. Calls that have a form in Python do not
    come through here (rust_bridge/dispatch.py:48).
    """
    try:
        dispatch: Any = import_module("litellm.rust_bridge.dispatch").PublicDispatch
    except ImportError:  # before 1.106, where they have a Python form that is decorated
        return
    original = dispatch._native_request  # noqa: SLF001  # no public way in

    @functools.wraps(original)
    def _native_request(itself: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if seams.active:
            check(itself.route.value, {**({"model": args[0]} if args else {}), **kwargs})
        return original(itself, args, kwargs)

    seams.replace(dispatch, "_native_request", _native_request)


def name_missing_key(seams: Seams, variable: str, is_usable: Callable[[str | None], bool]) -> None:
    """Have `litellm.validate_environment` know the key that `synthetic` needs.

    Its chain of branches leaves JSON providers out (utils.py:6955), so nothing seems missing.
    """
    original: Callable[..., Any] = litellm.utils.validate_environment

    @functools.wraps(original)
    def validate_environment(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        asked = inspect.signature(original).bind(*args, **kwargs).arguments
        if not seams.active or not asked.get("model"):
            return answer
        try:
            _, provider, key, _ = litellm.get_llm_provider(
                model=asked["model"], api_key=asked.get("api_key")
            )
        except litellm.BadRequestError:  # no provider has such a model
            return answer
        if provider != PROVIDER:
            return answer
        missing = [] if is_usable(key) else [variable]
        return {**answer, "keys_in_environment": not missing, "missing_keys": missing}

    litellm.validate_environment  # noqa: B018  # LiteLLM imports it when it is first asked for
    for owner in (litellm.utils, litellm):
        seams.replace(owner, "validate_environment", validate_environment)
