"""The proxy that most tests of the gateway share."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

from tests.forks import import_too
from tests.gateway.running import LOADING, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

# The proxy is an extra of LiteLLM; `tox run -e gateway` installs it.
collect_ignore_glob = [] if importlib.util.find_spec("apscheduler") else ["test_*.py"]

import_too("litellm.proxy.proxy_server", "litellm.proxy.proxy_cli")

CONFIG: dict[str, Any] = {
    **LOADING,
    "model_list": [
        {"model_name": "small", "litellm_params": {"model": "synthetic/syn:small:text"}},
        {"model_name": "alone", "litellm_params": {"model": "synthetic/syn:small:text"}},
        {"model_name": "large", "litellm_params": {"model": "synthetic/syn:large:text"}},
        {"model_name": "vision", "litellm_params": {"model": "synthetic/syn:large:vision"}},
        {
            "model_name": "vectors",
            "litellm_params": {"model": "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"},
        },
        {
            "model_name": "own",
            "litellm_params": {"model": "synthetic/hf:moonshotai/Kimi-K3"},
            "model_info": {"max_input_tokens": 1000, "input_cost_per_token": 9e-06},
        },
        {"model_name": "synthetic/*", "litellm_params": {"model": "synthetic/*"}},
    ],
    "router_settings": {
        "enable_pre_call_checks": True,
        "context_window_fallbacks": [{"small": ["large"]}],
        "num_retries": 0,
        # A test's failure must not cool the next test's model down.
        "disable_cooldowns": True,
    },
}
# Nor may its spent plan rest the next test's key.
UNSTEERED = {"SYNTHETIC_STEER": "off"}


@pytest.fixture(scope="session", params=["native", "translate"])
def running_messages_proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Run a proxy for each of the two ways in which `/v1/messages` is served."""
    folder = tmp_path_factory.mktemp(f"proxy-{request.param}")
    settings = {**UNSTEERED, "SYNTHETIC_MESSAGES": request.param}
    with run_proxy(folder, CONFIG, environment=settings) as proxy:
        yield proxy


@pytest.fixture
def messages_proxy(running_messages_proxy: Proxy) -> Proxy:
    """Give a test a proxy of either way, with an upstream that has heard nothing yet."""
    running_messages_proxy.upstream.reset()
    return running_messages_proxy


@pytest.fixture(scope="session")
def running_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run one proxy for the session."""
    folder = tmp_path_factory.mktemp("proxy")
    with run_proxy(folder, CONFIG, environment=UNSTEERED) as proxy:
        yield proxy


@pytest.fixture
def proxy(running_proxy: Proxy) -> Proxy:
    """Give a test the proxy, with an upstream that has heard nothing yet."""
    running_proxy.upstream.reset()
    return running_proxy
