"""The callback that steers LiteLLM's Router around keys whose plan is empty.

An async Router asks it for the deployments that a call may go to (router.py:9109), streams and
retries included. A sync one never does, and is led to ask by `router_seams` and
`router_core_seams`. The names of the arguments are LiteLLM's, which passes them by keyword.
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
from litellm_synthetic.integration.router_seams import refused_pick
from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.choice import Choice, choose
from litellm_synthetic.quota.refusals import REFUSALS
from litellm_synthetic.quota.rest import RESTS, Rest
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from litellm_synthetic.quota.scope import Scope

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
        return _allowed(model, healthy_deployments, accounts, choice)

    @staticmethod
    def filter_deployments(
        deployments: list[Any], model: str, request_kwargs: Mapping[str, Any] | None
    ) -> list[Any]:
        """Do what `async_filter_deployments` does, for a sync call."""
        accounts = _accounts(model, deployments, request_kwargs)
        if not any(accounts):
            return deployments
        scopes = {account.scope: account for account in accounts if account is not None}
        SHARED.pull_sync(scopes)
        choice = _choice(scopes)
        while choice.trial is not None and not SHARED.claim_trial_sync(choice.trial):
            choice = _choice(scopes)  # another worker tries it
        return _allowed(model, deployments, accounts, choice)

    def pre_call_check(self, deployment: dict[str, Any]) -> dict[str, Any] | None:
        """Refuse a sync call for which no key was left, where Router takes a refusal only now."""
        del deployment
        if (refusal := refused_pick.get()) is not None:
            refused_pick.set(None)
            raise refusal
        return None


ROUTER: Final = QuotaRouter()
"""The one callback that steers Routers in this process."""


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


def _allowed(
    model: str, deployments: list[Any], accounts: Sequence[Account | None], choice: Choice
) -> list[Any]:
    """Return the deployments that a choice leaves, or raise the refusal that a call would get."""
    allowed = [
        deployment
        for deployment, account in zip(deployments, accounts, strict=True)
        if account is None or account.scope in choice.scopes
    ]
    if allowed:
        return allowed
    scopes = {account.scope: account for account in accounts if account is not None}
    _count(scopes)
    raise _refusal(model, scopes)


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
