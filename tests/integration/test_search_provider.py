"""Synthetic as a search provider of LiteLLM, through LiteLLM's own public calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.llms.base_llm.search.transformation import SearchResponse

import litellm_synthetic
from litellm_synthetic.testing import fault

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Recorder

TOOLS: Any = [{"search_tool_name": "web", "litellm_params": {"search_provider": "synthetic"}}]


async def search(caller: Caller, **arguments: Any) -> Any:
    body = {"query": "foxes", "search_provider": "synthetic", **arguments}
    return await caller.litellm_search(**body)


async def test_litellm_searches_through_synthetic(
    caller: Caller, upstream: SyntheticServer
) -> None:
    answer = await search(caller)
    assert isinstance(answer, SearchResponse)
    assert [row.model_dump() for row in answer.results[:1]] == [
        {
            "title": "Result 1 for foxes",
            "url": "https://example.com/1",
            "snippet": "A made-up page about foxes.",
            "date": "2026-01-31",
            "last_updated": None,
        }
    ]
    request = upstream.last_request
    assert (request.path, request.json) == ("/v2/search", {"query": "foxes"})
    assert request.bearer == upstream.api_key
    assert "x-api-key" not in request.headers


async def test_the_provider_may_be_given_by_position(upstream: SyntheticServer) -> None:
    assert len(litellm.search("foxes", "synthetic", 1).results) == 1
    assert len((await litellm.asearch("foxes", "synthetic", 2)).results) == 2
    assert len(upstream.requests) == 2


async def test_highlights_dates_and_missing_titles_have_a_place(
    caller: Caller, upstream: SyntheticServer
) -> None:
    row = {"url": "https://a.example", "highlights": ["one", "two"], "published": "in spring"}
    upstream.set_search_results([row, "no row"])
    answer = await search(caller)
    (result,) = answer.results
    assert (result.title, result.snippet) == ("https://a.example", "one … two")
    assert result.date == "in spring"
    assert answer._hidden_params["skipped_results"] == 1  # noqa: SLF001


async def test_a_search_costs_nothing_and_callbacks_are_told_so(
    caller: Caller, upstream: SyntheticServer, recorder: Recorder
) -> None:
    answer = await search(caller)
    assert answer._hidden_params["response_cost"] == 0.0  # noqa: SLF001
    assert await recorder.settled_costs() == [0.0]
    assert upstream.requests


async def test_max_results_cuts_the_list(caller: Caller, upstream: SyntheticServer) -> None:
    assert len((await search(caller, max_results=2)).results) == 2
    assert upstream.last_request.json == {"query": "foxes"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": []},
        {"query": ["a", "b"]},
        {"query": ""},
        {"max_results": 0},
        {"max_results": True},
        {"country": "US"},
        {"search_domain_filter": ["a.example"]},
        {"max_tokens_per_page": 100},
    ],
    ids=str,
)
async def test_what_synthetic_cannot_do_is_refused(
    caller: Caller, upstream: SyntheticServer, arguments: dict[str, Any]
) -> None:
    with pytest.raises(litellm.BadRequestError) as excinfo:
        await search(caller, **arguments)
    assert excinfo.value.llm_provider == "synthetic"
    assert not upstream.requests


async def test_drop_params_leaves_filters_out(caller: Caller, upstream: SyntheticServer) -> None:
    answer = await search(caller, country="US", drop_params=True, query=["foxes"])
    assert len(answer.results) == 3
    assert upstream.last_request.json == {"query": "foxes"}


async def test_errors_come_as_for_the_packages_own_search(
    caller: Caller, upstream: SyntheticServer
) -> None:
    upstream.set_quotas({})
    with pytest.raises(litellm.PermissionDeniedError, match="Search needs a subscription"):
        await search(caller)
    upstream.set_search_results(fault("subscription_cap"))
    with pytest.raises(litellm.RateLimitError, match="250 searches an hour"):
        await search(caller)


async def test_the_environments_key_stays_with_its_origin(
    caller: Caller, upstream: SyntheticServer
) -> None:
    with pytest.raises(litellm.AuthenticationError, match="not sent to"):
        await search(caller, api_base=f"http://localhost:{upstream.port}")
    assert not upstream.requests


async def test_a_router_searches_whether_made_before_or_after_registering(
    synthetic_server: SyntheticServer,
) -> None:
    before = litellm.Router(model_list=[], search_tools=TOOLS)
    litellm_synthetic.register()
    after = litellm.Router(model_list=[], search_tools=TOOLS)
    for router in (before, after):
        answer = await router.asearch(query="foxes", search_tool_name="web")
        assert len(answer.results) == 3
    assert len(synthetic_server.requests) == 2


async def test_asearch_stays_litellms_own_function(caller: Caller) -> None:
    own = litellm.asearch
    litellm_synthetic.register()
    assert litellm.asearch is own
    with pytest.raises(litellm.APIConnectionError, match="no-such-engine"):
        await search(caller, search_provider="no-such-engine")


async def test_after_unregister_the_name_is_unknown_again(
    caller: Caller, upstream: SyntheticServer
) -> None:
    original = litellm.search
    litellm_synthetic.unregister()
    with pytest.raises(litellm.APIConnectionError, match="synthetic"):
        await search(caller)
    with pytest.raises(litellm.APIConnectionError, match="synthetic"):
        original(query="foxes", search_provider="synthetic")
    assert not upstream.requests


async def test_an_operators_price_per_search_wins(
    caller: Caller, upstream: SyntheticServer
) -> None:
    litellm.register_model({"synthetic/search": {"input_cost_per_query": 0.01}})
    try:
        answer = await search(caller)
        assert answer._hidden_params["response_cost"] == pytest.approx(0.01)  # noqa: SLF001
    finally:
        litellm.utils._runtime_registered_model_cost.pop("synthetic/search", None)  # noqa: SLF001
        litellm.model_cost.pop("synthetic/search", None)
    assert upstream.requests
