"""Loaded into a proxy: keys with budgets, which LiteLLM otherwise keeps in a database.

The tests copy this file beside a proxy's config and name `issued_keys.check` as `custom_auth`.
LiteLLM checks and counts the budgets itself (`custom_auth_run_common_checks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litellm.proxy._types import UserAPIKeyAuth

if TYPE_CHECKING:
    from fastapi import Request

_BUDGETS: dict[str, dict[str, Any]] = {
    "sk-key-with-a-budget": {"max_budget": 1e-05},
    "sk-key-with-a-budget-for-streams": {"max_budget": 1e-05},
    "sk-key-with-a-budget-for-messages": {"max_budget": 1e-05},
    "sk-key-with-a-model-budget": {
        "model_max_budget": {"large": {"budget_limit": 1e-05, "time_period": "1d"}}
    },
    "sk-key-without-a-budget": {},
}


async def check(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Return what a key may spend, in USD."""
    del request
    if api_key not in _BUDGETS:
        raise PermissionError("this key was not issued")
    return UserAPIKeyAuth(api_key=api_key, user_id=api_key, **_BUDGETS[api_key])
