"""A proxy's clients: limits on what the body of a request may decide.

LiteLLM's Router lays the fields of a body over those of the deployment (router.py:3945), so behind
it the two look alike. The proxy keeps the body in `proxy_server_request`, which a client cannot set
(litellm_pre_call_utils.py:2389). A keyword that is named there counts as the client's, also where a
hook of the operator's has put it in. docs/security.md says what follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import local
from litellm_synthetic.integration.other_operations import is_ours
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES

# How the connection is made, and whose: each would send the operator's key past a check of the
# certificate, or to somebody else, or somebody else's key to Synthetic.
OPERATORS_OWN: Final = frozenset(
    (
        "ssl_verify", "ssl_certificate", "ssl_security_level", "ssl_ecdh_curve", "verify", "cert",
        "client", "shared_session", "http_client",
        "custom_llm_provider", "deployment_id", "azure", "use_litellm_proxy", "use_xai_oauth",
        "litellm_credential_name", "model_alias_map",
    )
)  # fmt: skip  # one set, read as one
# LiteLLM refuses them in a body unless the operator allows them (auth_utils.py:374).
_DESTINATIONS: Final = frozenset(("api_base", "base_url"))
# Their entries may be mappings that are laid over the call (fallback_event_handlers.py:772).
_NESTED: Final = frozenset(
    (
        "fallbacks", "context_window_fallbacks", "content_policy_fallbacks",
        "router_settings_override",
    )
)  # fmt: skip  # as above
_HEADERS: Final = ("headers", "extra_headers")


def restrain(kwargs: dict[str, Any]) -> None:
    """Hold the keywords of a call that a proxy's client made to what clients may decide.

    Args:
        kwargs: the call's own keywords, changed in place: retries that a client asks for are cut
            to the default, and its headers carry no `Authorization`.

    Raises:
        litellm.BadRequestError: the body names a keyword that is the operator's, or a base URL
            without a key, or the credentials are those of another provider's deployment. The
            message names the keyword, never its value.
    """
    request = kwargs.get("proxy_server_request")
    if not isinstance(request, Mapping) or not _concerns_us(kwargs):
        return
    keywords = _named(kwargs, request)
    if forbidden := sorted(keywords & OPERATORS_OWN):
        raise _refusal(
            f"{', '.join(forbidden)} in the body of a request is the operator's to set, in the "
            "deployment's litellm_params or in the environment. Leave it out.",
            kwargs,
        )
    if keywords & _DESTINATIONS and not _has_own_key(kwargs, request):
        raise _refusal(
            "A base URL in the body of a request needs a key beside it; the operator's goes to the "
            "operator's base URL only. Add api_key, or leave the base URL out.",
            kwargs,
        )
    if (provider := _deployment_provider(kwargs)) not in (None, PROVIDER):
        raise _refusal(
            f"The deployment is one of {provider}, and its credentials are not sent to Synthetic. "
            "Ask for a deployment of a synthetic/ model.",
            kwargs,
        )
    _cut_retries(kwargs, keywords)
    _drop_authorization(kwargs, keywords)


def _concerns_us(kwargs: Mapping[str, Any]) -> bool:
    """Tell whether a call is for Synthetic, or would be if the body named no other provider."""
    model = kwargs.get("model")
    return (
        (isinstance(model, str) and model.startswith(ROUTE_PREFIX))
        or kwargs.get("search_provider") == PROVIDER
        or is_ours(kwargs)
    )


def _named(kwargs: Mapping[str, Any], request: Mapping[str, Any]) -> frozenset[str]:
    """Return the keywords that the body names; all of them where that is unknown."""
    body = request.get("body")
    keywords = frozenset(_keys(body) if isinstance(body, Mapping) else kwargs)
    # A proxy puts the provider of a search tool there itself (search_endpoints/endpoints.py:173).
    return keywords - {"custom_llm_provider"} if "search_provider" in kwargs else keywords


def _keys(body: Mapping[str, Any]) -> Iterator[str]:
    yield from body
    waiting: list[Any] = [body[name] for name in _NESTED if name in body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield from value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _has_own_key(kwargs: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Tell whether base URL and key come from one hand: the client's, or a team's credential.

    LiteLLM lays a team's credential into the request as if the client had (:2880), so it is known
    by its values.
    """
    if "api_key" in (request.get("credential_fields") or ()):
        return True
    pair = kwargs.get("api_base"), kwargs.get("api_key")
    credentials = (one.credential_values for one in litellm.credential_list)
    return all(pair) and any(
        pair == (one.get("api_base"), one.get("api_key")) for one in credentials
    )


def _deployment_provider(kwargs: Mapping[str, Any]) -> str | None:
    """Return whose deployment a key is from; Router notes it in the metadata (router.py:4225)."""
    if not kwargs.get("api_key"):
        return None
    for name in ("litellm_metadata", "metadata"):
        metadata = kwargs.get(name)
        model = metadata.get("deployment") if isinstance(metadata, Mapping) else None
        if not isinstance(model, str):
            continue
        try:
            provider = litellm.get_llm_provider(model=model)[1]
        except litellm.BadRequestError:  # a deployment that names its provider beside the model
            continue
        if provider != PROVIDER:
            return provider
    return None


def _cut_retries(kwargs: dict[str, Any], keywords: frozenset[str]) -> None:
    max_retries = kwargs.get("max_retries")
    if "max_retries" in keywords and isinstance(max_retries, int | float):
        kwargs["max_retries"] = min(max_retries, DEFAULT_MAX_RETRIES)


def _drop_authorization(kwargs: dict[str, Any], keywords: frozenset[str]) -> None:
    """Take `Authorization` out of a client's headers; a key of its own goes into `api_key`."""
    for name in _HEADERS:
        headers = kwargs.get(name)
        # `headers` is not in the snapshot of a body, so whoever set it is unknown.
        if isinstance(headers, Mapping) and (name == "headers" or name in keywords):
            kwargs[name] = {
                key: value
                for key, value in headers.items()
                if str(key).strip().lower() != "authorization"
            }


def _refusal(message: str, kwargs: Mapping[str, Any]) -> Exception:
    model = kwargs.get("model")
    return local.refused(
        message, model.removeprefix(ROUTE_PREFIX) if isinstance(model, str) else ""
    )
