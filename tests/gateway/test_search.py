"""Search tools of a real proxy that ask Synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import KeyEcho
from tests.gateway.running import LOADING, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG: dict[str, Any] = {
    **LOADING,
    "model_list": [
        {"model_name": "large", "litellm_params": {"model": "synthetic/syn:large:text"}},
    ],
    "search_tools": [
        {
            "search_tool_name": "web",
            "litellm_params": {
                "search_provider": "synthetic",
                "api_key": "os.environ/SYNTHETIC_API_KEY",
            },
        },
        {
            "search_tool_name": "elsewhere",
            "litellm_params": {
                "search_provider": "synthetic",
                "api_base": "https://elsewhere.example/v2",
            },
        },
    ],
    "router_settings": {"num_retries": 0},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("search")
    with run_proxy(folder, CONFIG) as proxy:
        yield proxy


@pytest.fixture
def searching(running: Proxy) -> Proxy:
    running.upstream.reset()
    return running


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/search/web", {}), ("/search", {"search_tool_name": "web"})],
)
def test_a_search_tool_answers_at_no_cost(
    searching: Proxy, path: str, body: dict[str, str]
) -> None:
    with searching.client() as client:
        reply = client.post(path, json={"query": "foxes", "max_results": 2, **body})
    assert reply.status_code == 200, reply.text
    assert [row["url"] for row in reply.json()["results"]] == [
        "https://example.com/1",
        "https://example.com/2",
    ]
    assert reply.json()["results"][0]["date"] == "2026-01-31"
    # LiteLLM leaves `x-litellm-response-cost` out where it is 0.
    assert float(reply.headers["x-litellm-response-cost-original"]) == 0.0
    request = searching.upstream.last_request
    assert (request.path, request.json) == ("/v2/search", {"query": "foxes"})
    assert request.bearer == searching.upstream.api_key
    assert "x-api-key" not in request.headers


def test_an_account_without_a_subscription_is_told_so(searching: Proxy) -> None:
    searching.upstream.set_quotas({})
    with searching.client() as client:
        reply = client.post("/v1/search/web", json={"query": "foxes"})
    assert reply.status_code == 403
    assert "Search needs a subscription" in reply.text


def test_a_client_of_the_proxy_cannot_send_the_key_elsewhere(searching: Proxy) -> None:
    elsewhere = f"http://localhost:{searching.upstream.port}/v2"
    with searching.client() as client:
        reply = client.post("/v1/search/web", json={"query": "foxes", "api_base": elsewhere})
    # LiteLLM's own refusal. Where its database client, prisma, isn't installed, making it fails.
    assert reply.status_code in {401, 500}, reply.text
    assert not searching.upstream.requests


def test_a_tool_elsewhere_needs_a_key_of_its_own(searching: Proxy) -> None:
    with searching.client() as client:
        reply = client.post("/v1/search/elsewhere", json={"query": "foxes"})
    assert reply.status_code == 401
    assert "is not sent to https://elsewhere.example/v2" in reply.text


def test_the_key_is_neither_in_the_reply_nor_in_the_log(searching: Proxy) -> None:
    searching.upstream.set_search_results(KeyEcho())
    with searching.client() as client:
        reply = client.post("/v1/search/web", json={"query": "foxes"})
    assert reply.status_code == 401
    assert searching.upstream.api_key not in reply.text
    assert searching.upstream.api_key not in searching.log.read_text()


def test_the_tools_are_listed_with_their_provider(searching: Proxy) -> None:
    with searching.client() as client:
        ids = client.get("/v1/search/tools").json()["data"]
    assert {(one["search_tool_name"], one["search_provider"]) for one in ids} == {
        ("web", "synthetic"),
        ("elsewhere", "synthetic"),
    }
