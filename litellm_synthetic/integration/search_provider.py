"""Synthetic as a search provider of LiteLLM: `litellm.search(…, search_provider="synthetic")`.

The proxy's `search_tools` and the Router come the same way.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.client import exchange
from litellm_synthetic.client import search as web_search
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX, SEARCH
from litellm_synthetic.errors.bodies import kept_headers
from litellm_synthetic.errors.local import refused, unsupported
from litellm_synthetic.integration.compat import SearchResponse
from litellm_synthetic.integration.compat import SearchResult as LiteLLMSearchResult

if TYPE_CHECKING:
    import httpx

    from litellm_synthetic.client.request import Prepared
    from litellm_synthetic.client.search_results import SearchResult, SearchResults
    from litellm_synthetic.transport.client import Reply

SEARCH_MODEL: Final = ROUTE_PREFIX + SEARCH
# What `SearchResponse._hidden_params` calls the number of rows that could not be used.
SKIPPED_RESULTS: Final = "skipped_results"
_BETWEEN_HIGHLIGHTS: Final = " … "
_log: Final = logging.getLogger("litellm_synthetic")


def search(  # noqa: PLR0913, PLR0917  # LiteLLM's signature
    query: str | list[str],
    search_provider: str,  # noqa: ARG001  # LiteLLM's signature; it is ours
    max_results: int | None = None,
    search_domain_filter: list[str] | None = None,
    max_tokens_per_page: int | None = None,
    country: str | None = None,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float | httpx.Timeout | None = None,
    extra_headers: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Serve `litellm.search`, and `litellm.asearch`, which calls it with `asearch=True`.

    `max_results` cuts the list; the other filters are refused, because Synthetic has none, or left
    out with `drop_params`. Keywords beside these steer LiteLLM and are not sent.

    Returns:
        A `SearchResponse`, or a coroutine of one for `asearch`.
    """
    logging_obj = kwargs.pop("litellm_logging_obj")
    is_async = kwargs.pop("asearch", False) is True
    may_drop = kwargs.get("drop_params") is True or litellm.drop_params is True
    if not may_drop:
        _refuse_filters(
            search_domain_filter=search_domain_filter,
            max_tokens_per_page=max_tokens_per_page,
            country=country,
        )
    prepared = web_search.prepare(
        _one_query(query),
        api_key=api_key,
        api_base=api_base,
        timeout=timeout,
        headers=extra_headers,
        is_async=is_async,
    )
    limit = _limit(max_results)
    logging_obj.update_from_kwargs(
        kwargs=kwargs,
        model=SEARCH_MODEL,
        optional_params={} if limit is None else {"max_results": limit},
        litellm_params={
            "litellm_call_id": kwargs.get("litellm_call_id"),
            "api_base": prepared.outgoing.url,
            # A price that an operator gives a search tool; LiteLLM reads it here from 1.109 on.
            "input_cost_per_query": kwargs.get("input_cost_per_query"),
        },
        custom_llm_provider=PROVIDER,
    )
    logging_obj.pre_call(
        input=prepared.body["query"], api_key="", additional_args=prepared.loggable
    )
    if is_async:
        return _aserve(prepared, limit, logging_obj)
    return _response(exchange.send(prepared), prepared, limit, logging_obj)


async def _aserve(prepared: Prepared, limit: int | None, logging_obj: Any) -> SearchResponse:
    return _response(await exchange.asend(prepared), prepared, limit, logging_obj)


def _refuse_filters(**filters: Any) -> None:
    names = [name for name, value in filters.items() if value is not None]
    if names:
        raise unsupported(
            f"Synthetic's search takes no {', '.join(names)}. Leave it out, or set "
            "drop_params=True.",
            SEARCH,
        )


def _one_query(query: object) -> object:
    if not isinstance(query, list):
        return query
    if len(query) != 1:
        raise refused(
            "Synthetic's search takes one query at a time; call it once for each.", SEARCH
        )
    return query[0]


def _limit(max_results: object) -> int | None:
    if max_results is None:
        return None
    if isinstance(max_results, bool) or not isinstance(max_results, int) or max_results < 1:
        raise refused("max_results must be a whole number from 1.", SEARCH)
    return max_results


def _response(
    reply: Reply, prepared: Prepared, limit: int | None, logging_obj: Any
) -> SearchResponse:
    results = web_search.results_of(reply, prepared)
    logging_obj.post_call(
        input=results.query,
        api_key="",
        original_response=prepared.origin.scrub(reply.body.decode("utf-8", "replace")),
        additional_args=prepared.loggable,
    )
    response = _as_litellm(results, limit)
    response._hidden_params = {  # noqa: SLF001  # LiteLLM's documented place for metadata
        SKIPPED_RESULTS: len(results.skipped),
        "additional_headers": litellm.process_response_headers(
            kept_headers(reply.headers, prepared.origin.scrub)
        ),
    }
    return response


def _as_litellm(results: SearchResults, limit: int | None) -> SearchResponse:
    if results.skipped:
        first = results.skipped[0]
        _log.warning(
            "%d of the results of a search cannot be used and were skipped; row %d: %s",
            len(results.skipped), first.index, first.reason,
        )  # fmt: skip  # the text, then what goes into it
    return SearchResponse(results=[_row(each) for each in results.results[:limit]], object="search")


def _row(result: SearchResult) -> LiteLLMSearchResult:
    """Return a result as LiteLLM has it: always a title and a snippet, and a date as YYYY-MM-DD."""
    published = result.published
    return LiteLLMSearchResult(
        title=result.title or result.url,
        url=result.url,
        snippet=result.text or _BETWEEN_HIGHLIGHTS.join(result.highlights),
        date=published.date().isoformat() if published is not None else result.published_text,
        last_updated=None,
    )
