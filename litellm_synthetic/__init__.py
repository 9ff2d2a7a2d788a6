"""Make `synthetic/…` a first-class route in LiteLLM.

Importing this package does no I/O and changes nothing. LiteLLM itself is imported by `register()`,
because importing LiteLLM fetches its cost map over the network.

Public are the functions below, the classes `Quotas`, `KnownQuotas`, `SearchResults` and
`RefreshOutcome`, the exceptions `RefreshError` and `UnsupportedLiteLLMError`, the type `ModelId`,
and all of `litellm_synthetic.testing`. Everything else is internal and may change in any release.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from litellm_synthetic import testing as testing
    from litellm_synthetic.catalog.refresh import RefreshOutcome as RefreshOutcome
    from litellm_synthetic.client.search_results import SearchResults as SearchResults
    from litellm_synthetic.exceptions import RefreshError as RefreshError
    from litellm_synthetic.exceptions import UnsupportedLiteLLMError as UnsupportedLiteLLMError
    from litellm_synthetic.model_ids import ModelId
    from litellm_synthetic.quota.report import Quotas as Quotas
    from litellm_synthetic.quota.state import KnownQuotas as KnownQuotas

# The classes are public too, but not listed here: help() shows classes before the functions, which
# are what its readers look for.
__all__ = [
    "ModelId",
    "__version__",
    "aquotas",
    "arefresh",
    "asearch",
    "known_quotas",
    "quotas",
    "refresh",
    "register",
    "search",
    "unregister",
]

__version__: str

# Each is imported when it is first asked for, which keeps the import of the package free of cost.
_HOME_BY_NAME = {
    "KnownQuotas": "quota.state",
    "ModelId": "model_ids",
    "Quotas": "quota.report",
    "RefreshError": "exceptions",
    "RefreshOutcome": "catalog.refresh",
    "SearchResults": "client.search_results",
    "UnsupportedLiteLLMError": "exceptions",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # reads a file, so not at import

        return version("litellm-synthetic")
    from importlib import import_module  # noqa: PLC0415  # as cheap as it gets

    if name == "testing":
        return import_module(f"{__name__}.testing")
    if name in _HOME_BY_NAME:
        return getattr(import_module(f"{__name__}.{_HOME_BY_NAME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_HOME_BY_NAME, "testing"]


def register(*, steer: bool = False) -> None:
    """Make this package serve `synthetic/…` in the running process.

    Opens no socket. May be called any number of times, from any thread, before or after Routers
    exist. Every other provider behaves as before.

    Args:
        steer: whether LiteLLM's Routers pass over keys whose plan is used up (docs/quotas.md). A
            proxy that has `litellm_synthetic.proxy.route` among its callbacks does so anyway.

    Raises:
        litellm_synthetic.UnsupportedLiteLLMError: the installed LiteLLM lacks something that is
            needed; nothing has been changed.
    """
    from litellm_synthetic.integration import registration  # noqa: PLC0415  # imports LiteLLM

    registration.register(steer=steer)


def unregister() -> None:
    """Give LiteLLM back exactly as it was before `register`; do nothing if it wasn't called."""
    from litellm_synthetic.integration import registration  # noqa: PLC0415  # imports LiteLLM

    registration.unregister()


def refresh(*, base_url: str | None = None) -> "RefreshOutcome":
    """Fetch the list of models and put it in force; return what is new, changed and retired.

    Needs no key. Ends within 5 s. LiteLLM's limits and prices follow where the route is registered.

    Args:
        base_url: where to ask; by default `SYNTHETIC_API_BASE`, else Synthetic.

    Raises:
        litellm_synthetic.RefreshError: no usable list; the last table stays.
    """
    from litellm_synthetic.catalog import refresh as table_refresh  # noqa: PLC0415  # costs time where it is not used

    return table_refresh.refresh(base_url=base_url)


async def arefresh(*, base_url: str | None = None) -> "RefreshOutcome":
    """Do what `refresh` does without holding up the event loop."""
    from litellm_synthetic.catalog import refresh as table_refresh  # noqa: PLC0415  # as above

    return await table_refresh.arefresh(base_url=base_url)


def search(
    query: str,
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: "float | httpx.Timeout | None" = None,
) -> "SearchResults":
    """Search the web through Synthetic; needs a subscription, but not `register`.

    Args:
        query: what to look for.
        api_key: the key; by default `SYNTHETIC_API_KEY`, which goes to the origin of
            `SYNTHETIC_API_BASE` (else Synthetic's) only.
        api_base: a base URL of any of Synthetic's APIs; by default `SYNTHETIC_API_BASE`, else
            Synthetic's.
        timeout: seconds for the whole call with its retries, or an `httpx.Timeout`; 60 by default.

    Returns:
        The results, best first, and which rows of the reply had to be skipped.

    Raises:
        openai.APIError: every failure, as one of LiteLLM's own classes; docs/search.md lists them.
    """
    import litellm  # noqa: F401, PLC0415  # reads a .env file; the errors are its own

    from litellm_synthetic.client import search as web_search  # noqa: PLC0415  # for a search

    return web_search.search(query, api_key=api_key, api_base=api_base, timeout=timeout)


async def asearch(
    query: str,
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: "float | httpx.Timeout | None" = None,  # noqa: ASYNC109  # as in LiteLLM's calls
) -> "SearchResults":
    """Do what `search` does without holding up the event loop."""
    import litellm  # noqa: F401, PLC0415  # as above

    from litellm_synthetic.client import search as web_search  # noqa: PLC0415  # as above

    return await web_search.asearch(query, api_key=api_key, api_base=api_base, timeout=timeout)


def quotas(
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float = 30.0,
    max_retries: int | None = None,
) -> "Quotas | None":
    """Ask what is left of the plan. The question is free and needs no `register()`.

    Args:
        api_key: by default `SYNTHETIC_API_KEY`.
        api_base: any of the account's base URLs; the quotas lie beside it, at `…/v2/quotas`. By
            default `SYNTHETIC_API_BASE`, else Synthetic's.
        timeout: seconds for everything, retries included.
        max_retries: for broken connections, 408 and 5xx; 2 by default.

    Returns:
        What the service said; each part that it left out is None. None as a whole says that it
        reported no subscription, as with prepaid accounts. That means unknown, never unlimited.

    Raises:
        litellm.AuthenticationError: no key, or a refused one.
        openai.APIError: whatever else went wrong, as one of LiteLLM's exceptions.
    """
    import litellm  # noqa: F401, PLC0415  # as in `search`

    from litellm_synthetic.client import quotas as account  # noqa: PLC0415  # for the question

    return account.quotas(
        api_key=api_key, api_base=api_base, timeout=timeout, max_retries=max_retries
    )


async def aquotas(
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109  # LiteLLM's own name for it
    max_retries: int | None = None,
) -> "Quotas | None":
    """Do what `quotas` does without holding up the event loop."""
    import litellm  # noqa: F401, PLC0415  # as above

    from litellm_synthetic.client import quotas as account  # noqa: PLC0415  # as above

    return await account.aquotas(
        api_key=api_key, api_base=api_base, timeout=timeout, max_retries=max_retries
    )


def known_quotas(
    *, api_key: str | None = None, api_base: str | None = None
) -> "KnownQuotas | None":
    """Return the latest that any reply told of a plan, with its age; nothing is sent.

    Every reply brings it: plain, streamed or failed, of a call, a search, a token count or
    `quotas()`, sync and async. Where a proxy's workers share a Redis, theirs count as well.

    Args:
        api_key: whose plan; by default that of `SYNTHETIC_API_KEY`.
        api_base: where, by its origin; by default that of `SYNTHETIC_API_BASE`, else Synthetic's.

    Returns:
        None where no reply has told anything yet. `quotas` in it is None where the last one
        reported no subscription. Both mean unknown, never unlimited.

    Raises:
        ValueError: no key is set, or key or base URL cannot be right; the message says which.
    """
    from litellm_synthetic.quota import latest  # noqa: PLC0415  # costs time where it is not used

    return latest.known_quotas(api_key=api_key, api_base=api_base)
