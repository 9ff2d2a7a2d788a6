"""The same places in the Router of LiteLLM 1.110, whose core is in Rust.

It asks the host, which is Python, which of a group's deployments a call may go to, and has the host
describe each failure; cooldowns and retries follow from that description. Line numbers are those
of LiteLLM 1.110.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import openai

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.router_seams import (
    LASTING,
    MAX_COOLDOWN_SECONDS,
    PAYMENT_REQUIRED,
    any_awake,
    is_of_plan,
    is_steered,
    refused_pick,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.integration.seams import Seams

# A failure that is worth another request at once: with neither a time to wait for nor a number of
# retries of its own, and of no deployment, so that none is cooled down.
_MOVES_ON: Final = {"status": 500, "retry_after": None, "num_retries": None}
_OUTSIDE: Final = {"outside_deployment": True}


def filter_sync_picks(seams: Seams) -> None:
    """Have a sync call pass over keys that rest, as an async one does.

    Only async calls run the callbacks' filters; of a sync one the core asks for them too, and the
    host answers with all there are (router_rust/core.py:3496). The core takes no refusal there, so
    it is raised where the pick is checked.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _answer_select_sync(self: Any, step: Any, request: Any, *inputs: Any) -> Any:
            answer = original(self, step, request, *inputs)
            if not seams.active or step.get("stage") != "callback_filters" or not is_steered():
                return answer
            from litellm_synthetic.integration.quota_router import QuotaRouter  # noqa: PLC0415  # loaded, as it steers

            records = self._records_of(step["candidates"])
            refused_pick.set(None)
            try:
                kept = QuotaRouter.filter_deployments(records, str(step["model_group"]), request)
            except openai.APIError as refusal:
                refused_pick.set(refusal)
                return answer
            ids = {str(each["model_info"]["id"]) for each in kept}
            return [each for each in step["candidates"] if str(each) in ids]

        return _answer_select_sync

    core = compat.router_core()
    if hasattr(getattr(core, "RustCore", None), "_answer_select_sync"):
        seams.wrap((core, "RustCore"), "_answer_select_sync", wrap, is_watched=False)


def describe_failures(seams: Seams) -> None:
    """Have the core take a refusal of the plan, and what does not pass, for what they are.

    `_failed` tells it what became of an attempt (router_rust/core.py:5014); `outside_deployment` is
    what LiteLLM says of failures that are not the deployment's own.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _failed(self: Any, step: Any, deployment: Any, call: Any, error: Any) -> Any:
            failure = original(self, step, deployment, call, error)
            if not seams.active or getattr(error, "llm_provider", None) != PROVIDER:
                return failure
            return {**failure, **_described(self._core, step, error, failure)}

        return _failed

    core = compat.router_core()
    if hasattr(getattr(core, "_Driver", None), "_failed"):
        seams.wrap((core, "_Driver"), "_failed", wrap, is_watched=False)


def _described(
    core: Any, step: Mapping[str, Any], error: Exception, failure: Mapping[str, Any]
) -> Mapping[str, Any]:
    status, of_plan = getattr(error, "status_code", None), is_of_plan(error)
    if of_plan and is_steered():
        moves_on = status == PAYMENT_REQUIRED and any_awake(_group(core, step))
        return _OUTSIDE | _MOVES_ON if moves_on else _OUTSIDE
    if (of_plan or status in LASTING) and _is_last(core, step):
        return _OUTSIDE
    told = failure.get("retry_after")
    if of_plan and isinstance(told, int | float):
        return {"retry_after": min(told, MAX_COOLDOWN_SECONDS)}
    return {}


def _group(core: Any, step: Mapping[str, Any]) -> list[Any]:
    """Return the deployments of the group that an attempt was made for, also those passed over."""
    name = str(step.get("model_group"))
    return list(core._hosted._core_get_model_list(model_name=name) or ())  # noqa: SLF001  # the host's own registry


def _is_last(core: Any, step: Mapping[str, Any]) -> bool:
    """Tell whether every other deployment of a group is cooling down, or there is none."""
    others = {str(each) for each in step.get("candidate_ids") or ()} - {str(step["deployment_id"])}
    cooling = core._cooldowns.get_active_cooldowns(sorted(others), None)  # noqa: SLF001  # as the core's host reads it
    return not others - {model_id for model_id, _ in cooling}
