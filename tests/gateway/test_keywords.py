"""Every keyword that LiteLLM knows, in the body of a hostile client: none moves a key."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from litellm.proxy import litellm_pre_call_utils
from litellm.proxy.auth import auth_utils

from litellm_synthetic.integration.compat import LITELLM_PARAMETERS
from litellm_synthetic.integration.tenant import OPERATORS_OWN
from litellm_synthetic.testing import SyntheticServer
from tests.gateway.running import LOADING, Proxy, put_beside_config, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
DEPLOYMENTS_KEY = "syn_of_the_deployment_0123456789abcdef"
OTHER_VENDORS_KEY = "sk-other-vendors-0123456789abcdef"
HELLO = [{"role": "user", "content": "hello"}]
# The client's own key is sent, as docs/security.md has it.
CLIENTS_OWN = {"api_key"}


def _documented() -> tuple[str, ...]:
    return tuple(re.findall(r"`([A-Za-z0-9_*-]+)`", DOCUMENT.read_text("utf-8")))


def _refused_or_removed_by_litellm() -> frozenset[str]:
    # Private names of the version that is installed; one that is gone shows up as a keyword that
    # is not documented.
    return frozenset(
        name
        for module, table in (
            (auth_utils, "_BANNED_REQUEST_BODY_PARAMS"),
            (litellm_pre_call_utils, "_UNTRUSTED_ROOT_CONTROL_FIELDS"),
            (litellm_pre_call_utils, "_CLIENT_PRICING_CONTROL_FIELDS"),
        )
        for name in getattr(module, table, ())
    )


def test_every_keyword_that_litellm_knows_is_documented() -> None:
    patterns = _documented()
    known = _refused_or_removed_by_litellm()
    missing = [
        name
        for name in sorted(LITELLM_PARAMETERS - known)
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    assert not missing, (
        f"LiteLLM has new keywords: {missing}. Find out what a client's body does with them, add "
        "them to OPERATORS_OWN in tenant.py where that moves a key, and to docs/security.md."
    )


def test_every_keyword_that_is_the_operators_is_documented() -> None:
    assert set(_documented()) >= OPERATORS_OWN


@dataclass(frozen=True)
class World:
    """Hold the proxy, and the other vendor that its environment has a key for."""

    proxy: Proxy
    other_vendor: SyntheticServer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("keywords")
    put_beside_config(folder, "issued_keys")
    with SyntheticServer(api_key=DEPLOYMENTS_KEY) as upstream, SyntheticServer() as other_vendor:
        params = {"model": "synthetic/syn:large:text", "api_key": DEPLOYMENTS_KEY}
        config = {
            **LOADING,
            "model_list": [{"model_name": "shop", "litellm_params": params}],
            "general_settings": {"custom_auth": "issued_keys.check"},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        }
        environment = {
            "OPENAI_API_KEY": OTHER_VENDORS_KEY,
            "OPENAI_API_BASE": other_vendor.openai_base,
            "OPENAI_BASE_URL": other_vendor.openai_base,
        }
        with run_proxy(folder, config, upstream, environment=environment) as proxy:
            yield World(proxy, other_vendor)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/chat/completions", "address"),
        ("/v1/messages", "address"),
        ("/v1/chat/completions", "true"),
        ("/v1/messages", "mapping"),
    ],
)
def test_no_keyword_moves_a_key(world: World, path: str, kind: str) -> None:
    address = world.other_vendor.openai_base
    values: dict[str, Any] = {
        "address": address,
        "true": True,
        "mapping": {"shop": "openai/gpt-4o", "api_base": address, "ssl_verify": False},
    }
    moved = []
    with world.proxy.client("sk-key-without-a-budget") as client:
        known = CLIENTS_OWN | _refused_or_removed_by_litellm()
        for keyword in sorted(LITELLM_PARAMETERS - known):
            world.proxy.upstream.reset()
            body = {"model": "shop", "messages": HELLO, "max_tokens": 500, keyword: values[kind]}
            reply = client.post(path, json=body)
            told = {one.headers.get("authorization") for one in world.proxy.upstream.requests}
            keys = [key for key in (DEPLOYMENTS_KEY, OTHER_VENDORS_KEY) if key in reply.text]
            if world.other_vendor.requests or told - {f"Bearer {DEPLOYMENTS_KEY}"} or keys:
                moved.append((keyword, reply.status_code, told, keys))
                world.other_vendor.reset()
        world.proxy.upstream.reset()
        body = {"model": "shop", "messages": HELLO, "max_tokens": 500}
        assert client.post(path, json=body).status_code == 200  # as before all that
    assert moved == []
