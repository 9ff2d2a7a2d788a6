"""Router's counting of what is used of a deployment's limits, left out where it has none.

After each call Router looks for limits on tokens and requests per minute (router.py:8862), twice in
an async one, and counts only where there is one. For the look it makes a pydantic model of the
deployment and a deep copy of the model's facts, some two hundred fields: a fifth of a call. Here
the same places are read as they are. Line numbers are those of LiteLLM 1.108.7; 1.102 looks in a
callback, and 1.110 remembers by itself.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from litellm_synthetic.integration.seams import Seams

# The limits of a deployment may stand in any of its three parts; LiteLLM looks for the last two
# there only (io_token_rate_limit_check.py:76).
_LIMITS: Final = ("tpm", "rpm", "itpm", "otpm")
_PARTS: Final = ("litellm_params", "model_info")
_LIMITS_OF_MODEL: Final = ("tpm", "rpm")


def count_limited_deployments_only(seams: Seams) -> None:
    """Have Router count the use of those deployments of ours that have a limit.

    LiteLLM's own function is asked first: nothing is left out before it has counted nothing for a
    deployment that was seen to have no limit here.
    """
    name = compat.usage_counter()
    if name is None:
        return

    def wrap(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        counts_nothing = False

        @functools.wraps(original)
        async def _increment_deployment_usage(self: Any, **usage: Any) -> Any:
            nonlocal counts_nothing
            if not seams.active or not _has_no_limit(self, usage.get("deployment_id")):
                return await original(self, **usage)
            if counts_nothing:
                return None
            counted = await original(self, **usage)
            counts_nothing = counted is None and usage.get("rpm_increment", 0) > 0
            return counted

        return _increment_deployment_usage

    seams.wrap((litellm.Router,), name, wrap, is_watched=False)


def _has_no_limit(router: Any, deployment_id: object) -> bool:
    """Tell whether a deployment is ours and known to have no limit; False wherever that is open."""
    deployment = _stored(router, deployment_id)
    if deployment is None:
        return False
    params, info = (deployment.get(part) for part in _PARTS)
    if type(params) is not dict or type(info) is not dict or not _is_ours(params):
        return False
    is_limited = any(
        part.get(name) is not None for part in (deployment, params, info) for name in _LIMITS
    )
    return not is_limited and _model_has_no_limit(router, deployment_id, params["model"])


def _stored(router: Any, deployment_id: object) -> dict[str, Any] | None:
    """Return a deployment as Router keeps it; None where that is not known."""
    if type(router) is not litellm.Router:  # another's class may look elsewhere
        return None
    at = getattr(router, "model_id_to_deployment_index_map", {}).get(deployment_id)
    stored = None if at is None else router.model_list[at]
    return stored if type(stored) is dict else None


def _is_ours(params: dict[str, Any]) -> bool:
    """Tell whether a deployment is of one model of ours; a pattern stands for many."""
    model = params.get("model")
    return (
        isinstance(model, str)
        and model.startswith(ROUTE_PREFIX)
        and "*" not in model
        and params.get("custom_llm_provider") in {None, PROVIDER}
    )


def _model_has_no_limit(router: Any, deployment_id: object, model: str) -> bool:
    # What LiteLLM has found out about a deployment by asking its server.
    discovered = getattr(router, "get_discovered_model_info", None)
    if discovered is not None and discovered(deployment_id):
        return False
    try:
        facts = litellm.get_model_info(model=model)
    except Exception:  # noqa: BLE001  # LiteLLM's own for a model that it does not know
        return False
    return all(facts.get(name) is None for name in _LIMITS_OF_MODEL)
