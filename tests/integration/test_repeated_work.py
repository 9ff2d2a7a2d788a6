"""Work that LiteLLM would repeat for each call, counted."""

from __future__ import annotations

import importlib
import pickle
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.llms.openai_like import dynamic_config
from litellm.llms.openai_like.json_loader import JSONProviderRegistry
from litellm.types.utils import LlmProviders

import litellm_synthetic
from tests.integration.litellm_calls import forget_row

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
_BRIDGE = "litellm.responses.bridge_check"
needs_bridge = pytest.mark.skipif(
    find_spec(_BRIDGE) is None, reason="this LiteLLM looks at the facts of a model elsewhere"
)


@pytest.fixture
def slugs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of providers that a config class has been made for so far."""
    made: list[str] = []
    original = dynamic_config.create_config_class

    def counting(provider: Any) -> Any:
        made.append(provider.slug)
        return original(provider)

    monkeypatch.setattr(dynamic_config, "create_config_class", counting)
    return made


async def test_our_config_class_is_made_once_for_many_calls(
    slugs: list[str], synthetic_server: SyntheticServer, caller: Caller
) -> None:
    del synthetic_server
    litellm_synthetic.register()
    for _ in range(3):
        await caller.completion(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    assert slugs == ["synthetic"]


def test_a_reload_of_litellms_table_makes_the_class_again(
    slugs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    litellm_synthetic.register()
    entry: Any = JSONProviderRegistry.get("synthetic")
    other = type(entry)("synthetic", {**vars(entry), "base_url": "https://other.example/v1"})
    first = litellm.get_llm_provider(MODEL)
    monkeypatch.setitem(JSONProviderRegistry._providers, "synthetic", other)  # noqa: SLF001  # reloaded
    second = litellm.get_llm_provider(MODEL)
    assert slugs == ["synthetic", "synthetic"]
    assert first[3] != second[3] == "https://other.example/v1"


def test_classes_of_other_providers_are_made_as_ever(slugs: list[str]) -> None:
    litellm_synthetic.register()
    name = next(slug for slug in JSONProviderRegistry.list_providers() if slug != "synthetic")
    for _ in range(2):
        litellm.get_llm_provider(f"{name}/model")
    assert slugs == [name, name]


def test_after_unregister_litellm_makes_its_class_each_time_again(slugs: list[str]) -> None:
    litellm_synthetic.register()
    litellm_synthetic.unregister()
    for _ in range(2):
        litellm.get_llm_provider(MODEL)
    assert slugs == ["synthetic", "synthetic"]


@needs_bridge
def test_the_facts_of_a_model_are_put_together_once_for_many_calls(
    monkeypatch: pytest.MonkeyPatch, synthetic_server: SyntheticServer
) -> None:
    del synthetic_server
    litellm_synthetic.register()
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # what LiteLLM has kept
    made: list[str] = []
    original = litellm.utils.get_model_info_helper

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs["model"])
        return original(*args, **kwargs)

    monkeypatch.setattr(litellm.utils, "get_model_info_helper", counting)
    litellm.completion(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    litellm.completion(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    assert made.count(MODEL.removeprefix("synthetic/")) == 1


@needs_bridge
def test_a_mode_that_a_user_registers_is_seen_by_the_next_call() -> None:
    litellm_synthetic.register()
    bridge = importlib.import_module(_BRIDGE)
    said = {"model": MODEL.removeprefix("synthetic/"), "custom_llm_provider": "synthetic"}
    before = dict(litellm.model_cost[MODEL])
    assert bridge.responses_api_bridge_check(**said)[0]["mode"] == "chat"
    try:
        litellm.register_model({MODEL: {**before, "mode": "responses"}})
        assert bridge.responses_api_bridge_check(**said)[0]["mode"] == "responses"
    finally:
        forget_row(MODEL)


@needs_bridge
def test_what_a_caller_writes_into_the_facts_is_its_own() -> None:
    litellm_synthetic.register()
    bridge = importlib.import_module(_BRIDGE)
    said = {"model": MODEL.removeprefix("synthetic/"), "custom_llm_provider": "synthetic"}
    bridge.responses_api_bridge_check(**said)[0]["mode"] = "responses"
    assert bridge.responses_api_bridge_check(**said)[0]["mode"] == "chat"


def test_every_provider_keeps_its_name() -> None:
    litellm_synthetic.unregister()
    before = {member.name: member.value for member in LlmProviders}
    litellm_synthetic.register()
    assert {member.name: member.value for member in LlmProviders} == before
    assert LlmProviders("openai").value == "openai"
    assert pickle.loads(pickle.dumps(LlmProviders.SYNTHETIC)) is LlmProviders.SYNTHETIC  # noqa: S301
    litellm_synthetic.unregister()
    assert "value" not in vars(LlmProviders)
