"""Deployments of LiteLLM's Router, as far as a plan goes: whose key, and what a cap spares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import litellm

from litellm_synthetic.catalog import active
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import InvalidKeyError, Secret, parse_key
from litellm_synthetic.config.endpoint import InvalidBaseURLError
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.quota.scope import Scope, scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Account:
    """Name the key that a deployment uses, and where."""

    scope: Scope
    base_url: str
    key: Secret = field(repr=False)


def account_of(deployment: Mapping[str, Any]) -> Account | None:
    """Return the account of a deployment of ours; None for one of another provider.

    None also where key or base URL cannot be right: the call will say so.
    """
    params = deployment.get("litellm_params") or {}
    model = params.get("model")
    is_ours = isinstance(model, str) and model.startswith(ROUTE_PREFIX)
    if not is_ours and params.get("custom_llm_provider") != PROVIDER:
        return None
    stored = _stored(params.get("litellm_credential_name"))
    text = params.get("api_key") or stored.get("api_key") or settings.API_KEY.text(read_secret)
    base_url = params.get("api_base") or params.get("base_url") or stored.get("api_base")
    try:
        key = parse_key(text if isinstance(text, str) else None)
        endpoint = settings.endpoint(base_url, look_up=read_secret)
    except (InvalidKeyError, InvalidBaseURLError):
        return None
    if key is None:
        return None
    return Account(scope_of(key, endpoint.base_url), endpoint.base_url, key)


def _stored(name: object) -> Mapping[str, Any]:
    """Return the values of a credential that the operator has stored under a name."""
    if not isinstance(name, str):
        return {}
    return next(
        (one.credential_values for one in litellm.credential_list if one.credential_name == name),
        {},
    )


def is_spared(deployment: Mapping[str, Any], requested: str | None = None) -> bool:
    """Tell whether a cap leaves a deployment's calls alone: embeddings.

    Args:
        deployment: the deployment.
        requested: the model that was asked for, which a wildcard deployment does not name.
    """
    params = deployment.get("litellm_params") or {}
    model = str(params.get("model") or "").removeprefix(ROUTE_PREFIX)
    if "*" in model:
        model = (requested or "").removeprefix(ROUTE_PREFIX)
    facts = active.current_table().catalog.find(model)
    mode = (deployment.get("model_info") or {}).get("mode")
    return mode == "embedding" or (facts is not None and facts.kind == "embedding")
