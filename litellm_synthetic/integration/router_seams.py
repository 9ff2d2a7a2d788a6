"""Places in LiteLLM's Router where a refusal of the plan is treated as what it is.

Both are methods and functions that Router looks up by name, so they are taken over like the others.
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

_PAYMENT_REQUIRED: Final = 402
# What does not pass by itself: a bad key, a missing payment, a model that is gone.
_LASTING: Final = frozenset((401, _PAYMENT_REQUIRED, 404))
_STEERING: Final = "litellm_synthetic.integration.quota_router"
# The keys of a plan rest by what is known of it, so Router need not pass them over for long.
MAX_COOLDOWN_SECONDS: Final = 60.0
picking_router: Final[ContextVar[Any]] = ContextVar("picking_router", default=None)
"""The sync Router that asks about a deployment; LiteLLM does not say which one it is."""


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
                if (is_of_plan(error) or _status(error) in _LASTING) and _is_last(
                    router, deployment
                ):
                    return False
                told = kwargs.get("time_to_cooldown")
                if is_of_plan(error) and isinstance(told, int | float):
                    kwargs["time_to_cooldown"] = min(told, MAX_COOLDOWN_SECONDS)
            return original(*args, **kwargs)

        return set_cooldown_deployments

    for name in ("set_cooldown_deployments", "_set_cooldown_deployments"):  # the second until 1.108
        if hasattr(compat.router, name):
            seams.wrap((compat.router,), name, wrap, is_watched=False)


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
                and _status(error) == _PAYMENT_REQUIRED
                and getattr(error, "llm_provider", None) == PROVIDER
                and is_steered()
                and _any_awake(kwargs.get("healthy_deployments") or ())
            ):
                return True
            return original(self, error, *args, **kwargs)

        return should_retry_this_error

    if hasattr(litellm.Router, "should_retry_this_error"):
        seams.wrap((litellm.Router,), "should_retry_this_error", wrap, is_watched=False)


def tell_the_router(seams: Seams) -> None:
    """Have the callback know which sync Router asks it about a deployment (router.py:9039)."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def routing_strategy_pre_call_checks(self: Any, *args: Any, **kwargs: Any) -> Any:
            token = picking_router.set(self if seams.active else None)
            try:
                return original(self, *args, **kwargs)
            finally:
                picking_router.reset(token)

        return routing_strategy_pre_call_checks

    if hasattr(litellm.Router, "routing_strategy_pre_call_checks"):
        seams.wrap((litellm.Router,), "routing_strategy_pre_call_checks", wrap, is_watched=False)


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


def _any_awake(deployments: Iterable[Any]) -> bool:
    from litellm_synthetic.integration.deployments import account_of  # noqa: PLC0415  # as above
    from litellm_synthetic.quota.rest import RESTS  # noqa: PLC0415  # as above

    accounts = (account_of(each) for each in deployments if isinstance(each, dict))
    return any(account is None or RESTS.rest(account.scope) is None for account in accounts)
