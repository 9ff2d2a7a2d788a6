"""Seams around LiteLLM's public functions: those that Synthetic lacks, and the check for keys."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from litellm_synthetic.integration.seams import Seams

OperationCheck = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], None]
UndecoratedCheck = Callable[[str, Mapping[str, Any]], None]


def check_operations(seams: Seams, check: OperationCheck) -> None:
    """Have every call that passes LiteLLM's `client` decorator checked before it does anything.

    The decorator hands each call's function and arguments to the function that prints them
    when debugging is on (utils.py:1721, :1987), first of all, by its global name. So one place
    covers every decorated function, whoever has taken it before us, a Router's included. The
    mapping of keywords is the decorator's own, so a check may change it.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def print_args_passed_to_litellm(
            original_function: Callable[..., Any], args: Any, kwargs: Any
        ) -> Any:
            if seams.active:
                if _names_us(args, kwargs):
                    seams.serves(PROVIDER)  # what a call needs is in place before it begins
                check(original_function, args, kwargs)
            return original(original_function, args, kwargs)

        return print_args_passed_to_litellm

    seams.wrap((compat.utils,), "print_args_passed_to_litellm", wrap)


def _names_us(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    model = kwargs.get("model") or (args[0] if args else None)
    is_route = isinstance(model, str) and model.startswith(ROUTE_PREFIX)
    return is_route or kwargs.get("custom_llm_provider") == PROVIDER


def check_undecorated_operations(seams: Seams, check: UndecoratedCheck) -> None:
    """Have the operations checked that LiteLLM left without its `client` decorator.

    A module that has imported one by name gets ours in its place. A Router keeps the async ones,
    which call the sync ones by their global names.
    """
    calls = compat.undecorated_calls()
    for module_name, holder in list(sys.modules.items()):
        # A third of all modules are the types of OpenAI's SDK, which does not know LiteLLM.
        if module_name.startswith("openai."):
            continue
        members = getattr(holder, "__dict__", {})
        if members.keys().isdisjoint(calls):  # nearly all of thousands
            continue
        for name, call in calls.items():
            if members.get(name) is call:
                wrap = functools.partial(_checked, seams, name, check)
                seams.wrap((holder,), name, wrap, is_watched=False)
    _check_rust_operations(seams, check)


@functools.cache  # one function under all its names, as in LiteLLM
def _checked(
    seams: Seams, name: str, check: UndecoratedCheck, original: Callable[..., Any]
) -> Callable[..., Any]:
    if not getattr(inspect.unwrap(original), "__module__", "").startswith("litellm."):
        return original  # the holder has put something else there by now

    @functools.cache
    def parameters() -> tuple[str, ...]:
        names = tuple(inspect.signature(original).parameters)
        # OCR takes anything, and hands it on (ocr/main.py:46 in 1.102.4).
        return ("model",) if names == ("args", "kwargs") else names

    def look(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if seams.active:
            check(name, {**dict(zip(parameters(), args, strict=False)), **kwargs})

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

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _native_request(itself: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
            if seams.active:
                check(itself.route.value, {**({"model": args[0]} if args else {}), **kwargs})
            return original(itself, args, kwargs)

        return _native_request

    dispatch = compat.rust_dispatch()
    if hasattr(dispatch, "_native_request"):
        seams.wrap((dispatch,), "_native_request", wrap, is_watched=False)


def name_missing_key(seams: Seams, variable: str, is_usable: Callable[[str | None], bool]) -> None:
    """Have `litellm.validate_environment` know the key that `synthetic` needs.

    Its chain of branches leaves JSON providers out (utils.py:6955), so nothing seems missing.
    """

    @functools.cache  # one function under both names, as in LiteLLM
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def validate_environment(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            arguments = inspect.signature(original).bind(*args, **kwargs).arguments
            if not seams.active or not arguments.get("model"):
                return answer
            try:
                _, provider, key, _ = litellm.get_llm_provider(
                    model=arguments["model"], api_key=arguments.get("api_key")
                )
            except litellm.BadRequestError:  # no provider has such a model
                return answer
            if provider != PROVIDER:
                return answer
            missing = [] if is_usable(key) else [variable]
            return {**answer, "keys_in_environment": not missing, "missing_keys": missing}

        return validate_environment

    litellm.validate_environment  # noqa: B018  # LiteLLM imports it when it is first asked for
    for owner in (compat.utils, litellm):
        seams.wrap((owner,), "validate_environment", wrap, is_watched=False)
