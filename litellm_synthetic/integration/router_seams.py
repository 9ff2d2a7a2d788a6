"""Places in LiteLLM's Router where a refusal of the plan is treated as what it is.

They are methods and functions that Router looks up by name, so they are taken over like the others.
Since 1.110 none of them is asked; see `router_core_seams`.
What knows plans is loaded with the callback that steers, or at the first refusal.
"""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from litellm_synthetic.integration.seams import Seams

_sync_pick: Final[ContextVar[tuple[str, Any] | None]] = ContextVar("_sync_pick", default=None)
PAYMENT_REQUIRED: Final = 402
# What does not pass by itself: a bad key, a missing payment, a model that is gone.
LASTING: Final = frozenset((401, PAYMENT_REQUIRED, 404))
_STEERING: Final = "litellm_synthetic.integration.quota_router"
# The keys of a plan rest by what is known of it, so Router need not pass them over for long.
MAX_COOLDOWN_SECONDS: Final = 60.0
refused_pick: Final[ContextVar[Exception | None]] = ContextVar("refused_pick", default=None)
"""The refusal of the sync call that is about to be made, where it could not be raised at once."""


def is_steered() -> bool:
    """Tell whether a Router's calls are steered in this process."""
    steering = sys.modules.get(_STEERING)
    return (
        steering is not None
        and steering.is_on()
        and any(isinstance(each, steering.QuotaRouter) for each in litellm.callbacks)
    )


def keep_the_first_error(seams: Seams) -> None:
    """Leave the last deployment of a group out of cooldowns that would hide why it fails.

    Router cools a deployment down for a 401, a 404 and a cap (router.py:8603), also where there is
    no other one. The next caller then reads "No deployments available" instead of "Invalid API
    Key". Where calls are steered, caps and missing payments lead to no cooldown at all: the key
    rests, and by better knowledge.
    """

    def wrap(original: Callable[..., bool]) -> Callable[..., bool]:
        @functools.wraps(original)
        def set_cooldown_deployments(*args: Any, **kwargs: Any) -> bool:
            error = kwargs.get("original_exception")
            if seams.active and getattr(error, "llm_provider", None) == PROVIDER:
                router, deployment = kwargs.get("litellm_router_instance"), kwargs.get("deployment")
                if is_of_plan(error) and is_steered():
                    return False
                if (is_of_plan(error) or _status(error) in LASTING) and _is_last(
                    router, deployment
                ):
                    return False
                told = kwargs.get("time_to_cooldown")
                if is_of_plan(error) and isinstance(told, int | float):
                    kwargs["time_to_cooldown"] = min(told, MAX_COOLDOWN_SECONDS)
            return original(*args, **kwargs)

        return set_cooldown_deployments

    module, _ = compat.python_router() or (None, "")
    for name in ("set_cooldown_deployments", "_set_cooldown_deployments"):  # the second until 1.108
        if hasattr(module, name):
            seams.wrap((module,), name, wrap, is_watched=False)


def move_on_after_402(seams: Seams) -> None:
    """Have a call whose key cannot pay go to a deployment with another key.

    Router raises whatever is not worth a second request to the same server at once
    (router.py:8657), and so never asks a sibling after a 402.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def should_retry_this_error(self: Any, error: Exception, *args: Any, **kwargs: Any) -> Any:
            if (
                seams.active
                and _status(error) == PAYMENT_REQUIRED
                and getattr(error, "llm_provider", None) == PROVIDER
                and is_steered()
                and any_awake(kwargs.get("healthy_deployments") or ())
            ):
                return True
            return original(self, error, *args, **kwargs)

        return should_retry_this_error

    if (router := compat.python_router()) is not None:
        seams.wrap(router, "should_retry_this_error", wrap, is_watched=False)


def filter_sync_picks(seams: Seams) -> None:
    """Have a sync call pass over keys that rest, as an async one does.

    Router runs the callbacks' filters for async calls only. A sync pick leaves out what is cooling
    down (router.py:15391 in 1.108.7), and there what rests is left out too.
    """

    def wrap_pick(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def get_available_deployment(self: Any, model: str, *args: Any, **kwargs: Any) -> Any:
            pick = (model, kwargs.get("request_kwargs")) if seams.active and is_steered() else None
            token = _sync_pick.set(pick)
            try:
                return original(self, model, *args, **kwargs)
            finally:
                _sync_pick.reset(token)

        return get_available_deployment

    def wrap_filter(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _filter_cooldown_deployments(self: Any, *args: Any, **kwargs: Any) -> Any:
            remaining = original(self, *args, **kwargs)
            pick = _sync_pick.get()
            if pick is None:
                return remaining
            from litellm_synthetic.integration.quota_router import QuotaRouter  # noqa: PLC0415  # loaded, as it steers

            return QuotaRouter.filter_deployments(remaining, *pick)

        return _filter_cooldown_deployments

    if (router := compat.python_router()) is not None:
        seams.wrap(router, "get_available_deployment", wrap_pick, is_watched=False)
        seams.wrap(router, "_filter_cooldown_deployments", wrap_filter, is_watched=False)


def is_of_plan(error: object) -> bool:
    """Tell whether an error says that the plan is used up or not paid."""
    from litellm_synthetic.errors.plan import SHOULD_RETRY  # noqa: PLC0415  # for a failed call

    headers = getattr(error, "headers", None)
    return isinstance(headers, dict) and headers.get(SHOULD_RETRY) == "false"


def _status(error: object) -> object:
    return getattr(error, "status_code", None)


def _is_last(router: Any, deployment: object) -> bool:
    """Tell whether every other deployment of a group is cooling down, or there is none."""
    group = router.get_model_group(id=deployment) or []
    others = {str(each["model_info"]["id"]) for each in group} - {str(deployment)}
    return not others - set(compat.cooling_down(router))


def any_awake(deployments: Iterable[Any]) -> bool:
    """Tell whether any deployment of a group has a key that does not rest."""
    from litellm_synthetic.integration.deployments import account_of  # noqa: PLC0415  # as above
    from litellm_synthetic.quota.rest import RESTS  # noqa: PLC0415  # as above

    accounts = (account_of(each) for each in deployments if isinstance(each, dict))
    return any(account is None or RESTS.rest(account.scope) is None for account in accounts)
