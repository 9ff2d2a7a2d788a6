"""Work that LiteLLM would repeat for each call, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.llms.openai_like import dynamic_config
from litellm.llms.openai_like.json_loader import JSONProviderRegistry

import litellm_synthetic

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"


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
