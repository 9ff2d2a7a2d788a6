"""A proxy tells its clients when to come back, and nothing else of the operator's plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.integration.proxy_replies import MAX_UNPAID_RETRY_AFTER_SECONDS
from litellm_synthetic.testing import Account, SyntheticServer, fault
from tests.gateway.running import LOADING, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

HELLO = [{"role": "user", "content": "hello"}]
PLAN = "syn_plan_0123456789"
UNPAID = "syn_unpaid_0123456789"
OTHER = "syn_other_0123456789"  # of no plan that an earlier test has spent
CONFIG: dict[str, Any] = {
    **LOADING,
    "model_list": [
        {
            "model_name": name,
            "litellm_params": {"model": "synthetic/syn:large:text", "api_key": key},
        }
        for name, key in (("alone", PLAN), ("unpaid", UNPAID), ("twins", OTHER), ("twins", OTHER))
    ],
    "router_settings": {"num_retries": 1},
}
PATHS = ["/v1/chat/completions", "/v1/messages"]


@pytest.fixture(scope="module", params=["0", "1"], ids=["hidden", "shared"])
def running_proxy(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Proxy, bool]]:
    """Run a proxy whose clients see the operator's plan, or don't."""
    folder = tmp_path_factory.mktemp("plan")
    environment = {"SYNTHETIC_SHARE_QUOTAS": request.param}
    with (
        SyntheticServer() as upstream,
        run_proxy(folder, CONFIG, upstream, environment=environment) as proxy,
    ):
        yield proxy, request.param == "1"


def post(proxy: Proxy, path: str, model: str, **fields: Any) -> httpx.Response:
    body = {"model": model, "messages": HELLO, "max_tokens": 50, **fields}
    with proxy.client() as client:
        return client.post(path, json=body)


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_shows_the_plan_only_where_it_is_shared(
    running_proxy: tuple[Proxy, bool], path: str
) -> None:
    proxy, is_shared = running_proxy
    proxy.upstream.reset()
    proxy.upstream.serve_accounts({PLAN: Account(500, 24)})
    reply = post(proxy, path, "alone")
    assert reply.status_code == 200
    assert ("x-synthetic-quotas" in reply.headers) is is_shared
    assert reply.headers.get("x-ratelimit-limit-requests") == ("500" if is_shared else None)
    assert reply.headers.get("x-ratelimit-remaining-requests") == ("499" if is_shared else None)
    assert "llm_provider-x-synthetic-quotas" not in reply.headers


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", PATHS)
def test_a_spent_plan_tells_clients_to_stop_and_when_to_come_back(
    running_proxy: tuple[Proxy, bool], path: str, *, stream: bool
) -> None:
    proxy, is_shared = running_proxy
    proxy.upstream.reset()
    proxy.upstream.serve_accounts({PLAN: Account(0.5, 24)})
    for _ in range(3):
        reply = post(proxy, path, "alone", stream=stream)
        assert reply.status_code == 429, reply.text
        assert "5-hour requests" in reply.text
        assert 1 <= int(reply.headers["retry-after"]) <= 901  # Date has whole seconds
        assert reply.headers["x-should-retry"] == "false"
        assert is_shared or not any("synthetic-quotas" in name for name in reply.headers)
    calls = [each for each in proxy.upstream.requests if each.method == "POST"]
    assert len(calls) <= 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", PATHS)
def test_a_client_whose_key_cannot_pay_shows_the_text_soon(
    running_proxy: tuple[Proxy, bool], path: str, *, stream: bool
) -> None:
    proxy, _ = running_proxy
    proxy.upstream.reset()
    proxy.upstream.serve_accounts({UNPAID: Account(None, 0)})
    for _ in range(3):
        reply = post(proxy, path, "unpaid", stream=stream)
        assert reply.status_code == 402, reply.text
        assert "lack of payment" in reply.text or "Insufficient quota" in reply.text
        assert 1 <= int(reply.headers["retry-after"]) <= MAX_UNPAID_RETRY_AFTER_SECONDS
        assert reply.headers["x-should-retry"] == "false"
    calls = [each for each in proxy.upstream.requests if each.method == "POST"]
    assert len(calls) <= 1


@pytest.mark.parametrize("name", ["invalid_key", "model_retired"])
@pytest.mark.parametrize("path", PATHS)
def test_the_second_client_reads_the_first_error(
    running_proxy: tuple[Proxy, bool], path: str, name: Any
) -> None:
    proxy, _ = running_proxy
    proxy.upstream.reset()
    proxy.upstream.respond_with(fault(name))
    replies = [post(proxy, path, "twins") for _ in range(3)]
    assert {reply.status_code for reply in replies} == {401 if name == "invalid_key" else 404}
    assert all("Synthetic answered" in reply.text for reply in replies)
