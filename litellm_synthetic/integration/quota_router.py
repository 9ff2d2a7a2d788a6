"""The callback that steers LiteLLM's Router around keys whose plan is empty.

An async Router asks it for the deployments that a call may go to (router.py:9109), streams and
retries included. A sync one never does; it asks before it sends to the deployment that it has
picked (router.py:9039), and picks again when that is refused. The names of the arguments are
LiteLLM's, which passes them by keyword.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.config import settings
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import plan
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.deployments import Account, account_of, is_spared
from litellm_synthetic.integration.plan_headers import fill_request_limits
from litellm_synthetic.integration.quota_question import QUESTIONS
from litellm_synthetic.integration.router_seams import picking_router
from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.choice import Choice, choose
from litellm_synthetic.quota.refusals import REFUSALS
from litellm_synthetic.quota.rest import RESTS, Rest
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from litellm_synthetic.quota.scope import Scope

# How often a sync Router picks again, at random, before it gives up. So many times the number of
# deployments finds the only one that has room; a pick takes about a millisecond.
_PICKS_PER_DEPLOYMENT: Final = 30
_log: Final = logging.getLogger("litellm_synthetic")


def is_on() -> bool:
    """Tell whether calls are steered, as `SYNTHETIC_STEER` says."""
    return settings.STEER.value() != "off"


class QuotaRouter(compat.CustomLogger):
    """Pass over the deployments of keys that rest; the plan with most left goes first.

    After a call it fills what LiteLLM's gauges read of the plan.
    """

    hears_chunks = False  # so that nobody is told of a sync stream's chunks for its sake

    async def async_logging_hook(
        self, kwargs: dict[str, Any], result: Any, call_type: str
    ) -> tuple[dict[str, Any], Any]:
        """Fill the limits that gauges read; LiteLLM calls it before it tells any callback."""
        del call_type
        fill_request_limits(kwargs)
        return kwargs, result

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[Any],
        messages: list[Any] | None,
        request_kwargs: dict[str, Any] | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict[str, Any]]:
        """Return the deployments that a call may go to, or raise the refusal that it would get."""
        del messages, parent_otel_span
        accounts = _accounts(model, healthy_deployments, request_kwargs)
        if not any(accounts):
            return healthy_deployments
        scopes = {account.scope: account for account in accounts if account is not None}
        await SHARED.pull(scopes)
        choice = _choice(scopes)
        while choice.trial is not None and not await SHARED.claim_trial(choice.trial):
            choice = _choice(scopes)  # another worker tries it
        allowed = choice.scopes
        chosen = [
            deployment
            for deployment, account in zip(healthy_deployments, accounts, strict=True)
            if account is None or account.scope in allowed
        ]
        if chosen:
            return chosen
        _count(scopes)
        raise _refusal(model, scopes)

    def pre_call_check(self, deployment: dict[str, Any]) -> dict[str, Any] | None:
        """Refuse a deployment that another is to be picked for, by a sync Router, or none at all.

        A sync Router picks at random, and picks again after a refusal.
        """
        group = _group_of(deployment)
        accounts = _accounts(str(deployment.get("model_name")), group, None)
        scopes = {account.scope: account for account in accounts if account is not None}
        account = account_of(deployment)
        if account is None or account.scope not in scopes:
            return None
        SHARED.pull_sync(scopes)
        choice = _choice(scopes)
        if account.scope in choice.scopes:
            return None
        if choice.trial is not None:
            RESTS.give_back(choice.trial)  # it is not this deployment that tries
        error: Any = _refusal(str(deployment.get("model_name")), scopes)
        if not choice.scopes and None not in accounts:
            _count(scopes)
        else:
            error.num_retries = _PICKS_PER_DEPLOYMENT * len(group)
        raise error


ROUTER: Final = QuotaRouter()
"""The one callback that steers Routers in this process."""


def _group_of(deployment: dict[str, Any]) -> list[Any]:
    """Return the deployments among which a sync Router has picked."""
    router = picking_router.get()
    group = None if router is None else router.get_model_list(deployment.get("model_name"))
    return list(group or [deployment])


def _accounts(
    model: str, deployments: Sequence[Any], request_kwargs: Mapping[str, Any] | None
) -> list[Account | None]:
    """Return the account of each deployment that is steered; None for the others."""
    # A client's own key is not the deployments'.
    if not is_on() or (request_kwargs or {}).get("api_key"):
        return []
    accounts = [
        account_of(each) if isinstance(each, dict) and not is_spared(each, model) else None
        for each in deployments
    ]
    return accounts if any(accounts) else []


def _choice(scopes: Mapping[str, Account]) -> Choice:
    choice = choose(scopes, STATE, RESTS, plan_first=settings.STEER.value() == "plan-first")
    curious = choice.resting | (choice.unknown if len(scopes) > 1 else frozenset())
    for scope in curious:
        QUESTIONS.ask_soon(scopes[scope])
    return choice


def _count(scopes: Iterable[Scope]) -> None:
    """Count a call that goes nowhere, for each key that could have served it."""
    for scope in scopes:
        REFUSALS.note(scope)


def _refusal(model: str, scopes: Mapping[str, Account]) -> Exception:
    rests = {scope: rest for scope in scopes if (rest := RESTS.resting(scope)) is not None}
    rests = rests or {next(iter(scopes)): Rest("cap", STATE.clock.now(), 0.0)}
    base_url = next(iter(scopes.values())).base_url
    shown = model.removeprefix(ROUTE_PREFIX)
    _log.debug("a call for %s is refused here: %d keys of %s rest", shown, len(rests), PROVIDER)
    return plan.refusal(shown, base_url, rests)
