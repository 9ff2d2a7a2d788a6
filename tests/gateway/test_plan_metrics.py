"""LiteLLM's own gauge of what is left shows the plan, for each kind of call through a proxy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import Account, SyntheticServer
from tests.gateway.running import LOADING, Proxy, run_proxy
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = [{"role": "user", "content": "hello"}]
KINDS = [
    (path, stream) for path in ("/v1/chat/completions", "/v1/messages") for stream in (False, True)
]
NAMES = [f"{path.rpartition('/')[2]}-{'stream' if stream else 'plain'}" for path, stream in KINDS]
CONFIG: dict[str, Any] = {
    "litellm_settings": {
        "callbacks": [*LOADING["litellm_settings"]["callbacks"], "prometheus"],
        "require_auth_for_metrics_endpoint": False,
    },
    "model_list": [
        {
            "model_name": name,
            "litellm_params": {"model": "synthetic/syn:large:text", "api_key": f"syn_{name}"},
        }
        for name in NAMES
    ],
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy with LiteLLM's metrics."""
    with (
        SyntheticServer() as upstream,
        run_proxy(tmp_path_factory.mktemp("metrics"), CONFIG, upstream) as proxy,
    ):
        upstream.serve_accounts(
            {f"syn_{name}": Account(requests=500, credits_usd=24) for name in NAMES}
        )
        yield proxy


@pytest.mark.parametrize(("kind", "name"), list(zip(KINDS, NAMES, strict=True)), ids=NAMES)
def test_litellms_gauge_shows_what_is_left_of_the_plan(
    measured: Proxy, kind: tuple[str, bool], name: str
) -> None:
    path, stream = kind
    body = {"model": name, "messages": HELLO, "max_tokens": 50, "stream": stream}
    gauge = re.compile(
        rf'^litellm_remaining_requests_metric{{[^}}]*model_group="{name}".*}} (\S+)', re.MULTILINE
    )
    with measured.client() as client:
        reply = client.post(path, json=body)
        assert reply.status_code == 200, reply.text
        assert not any(
            header.startswith("x-ratelimit-") and "requests" in header for header in reply.headers
        )

        def left() -> str | None:
            shown = gauge.search(client.get("/metrics/").text)
            return None if shown is None else shown[1]

        wait_until(lambda: left() is not None, lambda: client.get("/metrics/").text)
        # The call took one request of 500; its cent is a smaller part of the $24.
        assert left() == "499.0"
