"""Search the web through Synthetic: where to, with which key, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.client import exchange
from litellm_synthetic.client.body import encode_body
from litellm_synthetic.client.call import Call, key_of, verify_of
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.client.request import Prepared, outgoing
from litellm_synthetic.config import settings
from litellm_synthetic.config.endpoint import Endpoint, InvalidBaseURLError, is_same_host
from litellm_synthetic.config.ids import SEARCH
from litellm_synthetic.config.variable import stripped
from litellm_synthetic.errors import local
from litellm_synthetic.errors.failure import Origin
from litellm_synthetic.errors.plan import BILLING_URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from litellm_synthetic.client.search_results import SearchResults
    from litellm_synthetic.config.credentials import Secret
    from litellm_synthetic.transport.client import Reply

DEFAULT_TIMEOUT_SECONDS: Final = 60.0
_NATIVE_SUFFIX: Final = "/v2"
# Documented: subscription only, 250 an hour. Which status an account without one gets is not known.
_SUBSCRIPTION: Final = (
    "Search needs a subscription, which gives 250 searches an hour; prepaid credit is not enough. "
    f"Plan and usage: {BILLING_URL}"
)
_TRY_AGAIN: Final = "Try again."


def search(
    query: str,
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float | httpx.Timeout | None = None,
) -> SearchResults:
    """Search the web; see `litellm_synthetic.search`."""
    prepared = prepare(query, api_key=api_key, api_base=api_base, timeout=timeout)
    return results_of(exchange.send(prepared), prepared)


async def asearch(
    query: str,
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float | httpx.Timeout | None = None,  # noqa: ASYNC109  # as in LiteLLM's calls
) -> SearchResults:
    """Do what `search` does, on the running event loop."""
    prepared = prepare(query, api_key=api_key, api_base=api_base, timeout=timeout, is_async=True)
    return results_of(await exchange.asend(prepared), prepared)


def prepare(  # noqa: PLR0913  # LiteLLM's arguments of a search
    query: object,
    *,
    api_key: str | None,
    api_base: str | None,
    timeout: float | httpx.Timeout | None,
    headers: Mapping[str, Any] | None = None,
    is_async: bool = False,
) -> Prepared:
    """Return the request of a search, which passed every check.

    Raises:
        litellm.AuthenticationError: no key, an unusable one, or one for another origin.
        litellm.BadRequestError: no query, or a base URL beside which no search is known to lie.
    """
    if not isinstance(query, str) or not query.strip():
        raise local.refused("The query must be a text that is not blank.", SEARCH)
    endpoint = _endpoint(api_base)
    key = api_key or settings.API_KEY.text(read_secret)
    if key and not api_key and stripped(api_base):
        _check_origin(endpoint, _endpoint(None))
    call = Call(
        model=SEARCH,
        fields={},
        headers=headers,
        key=key,
        base_url=None,
        timeout=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout,
        is_async=is_async,
    )
    secret = key_of(call)
    body = {"query": query}
    url = endpoint.url("search")
    return Prepared(
        outgoing=outgoing(call, secret, url, encode_body(body, SEARCH), verify=verify_of(call)),
        origin=_origin(endpoint, secret),
        body=body,
        stream=False,
    )


def results_of(reply: Reply, prepared: Prepared) -> SearchResults:
    """Return the results in a reply.

    Raises:
        litellm.APIError: the reply holds none that can be used; 502.
    """
    from litellm_synthetic.client.search_results import read_results  # noqa: PLC0415  # for a search

    query = prepared.body["query"]
    results: SearchResults = exchange.read(
        reply, prepared.origin, lambda document, _: read_results(document, query)
    )
    return results


def _endpoint(base_url: str | None) -> Endpoint:
    """Return where search lies for a base URL of any API, or for `…/v2` itself."""
    try:
        endpoint = settings.endpoint(base_url, look_up=read_secret)
    except InvalidBaseURLError as error:
        raise local.refused(f"{error}.", SEARCH) from error
    native = endpoint.base_url.removesuffix("/search")
    if native.endswith(_NATIVE_SUFFIX):
        return Endpoint(native, "v2")
    beside = endpoint.beside("v2")
    if beside is None:
        raise local.refused(
            f"Where search lies beside {endpoint.base_url} is not known. Give the base URL that "
            "ends in /v2, where search is …/v2/search.",
            SEARCH,
        )
    return beside


def _check_origin(target: Endpoint, own: Endpoint) -> None:
    """Keep the environment's key from a server that only this call names.

    LiteLLM's own search providers have the same rule.
    """
    if not is_same_host(target.base_url, own.base_url):
        raise local.no_key(
            SEARCH,
            f"{settings.API_KEY.name} is the key for {own.base_url} and is not sent to "
            f"{target.base_url}. Pass api_key= with api_base=, or set "
            f"{settings.API_BASE.name} too.",
        )


def _origin(endpoint: Endpoint, key: Secret) -> Origin:
    return Origin(
        model=SEARCH,
        base_url=endpoint.base_url,
        key=key,
        remedies={
            402: f"{_SUBSCRIPTION}.",
            403: f"{_SUBSCRIPTION}.",
            404: f"{_SUBSCRIPTION}; otherwise check the base URL, {endpoint.base_url}.",
            429: f"{_SUBSCRIPTION}.",
            504: _TRY_AGAIN,
            524: _TRY_AGAIN,
        },
        or_else="",
    )
