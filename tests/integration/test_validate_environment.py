"""`litellm.validate_environment` knows the key that `synthetic/…` needs."""

from __future__ import annotations

from typing import Any

import litellm
import litellm.utils
import pytest

import litellm_synthetic

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MISSING = {"keys_in_environment": False, "missing_keys": ["SYNTHETIC_API_KEY"]}
COMPLETE: dict[str, Any] = {"keys_in_environment": True, "missing_keys": []}
KEY = "syn_0123456789abcdef"

pytestmark = pytest.mark.usefixtures("registered")


@pytest.mark.parametrize("value", [None, "", "  ", "two words"])
def test_a_missing_or_unusable_key_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("SYNTHETIC_API_KEY", value)
    assert litellm.validate_environment(MODEL) == MISSING
    assert litellm.validate_environment(model=MODEL) == MISSING
    assert litellm.utils.validate_environment(MODEL, api_base="https://a.example") == MISSING


def test_another_vendors_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(litellm, "api_key", KEY)
    assert litellm.validate_environment(MODEL) == MISSING


def test_a_key_in_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_API_KEY", KEY)
    assert litellm.validate_environment(MODEL) == COMPLETE


def test_a_key_given_is_enough() -> None:
    assert litellm.validate_environment(MODEL, api_key=KEY) == COMPLETE
    assert litellm.validate_environment(MODEL, KEY) == COMPLETE
    assert litellm.validate_environment(MODEL, api_key="") == MISSING


@pytest.mark.parametrize("model", ["gpt-4o", "anthropic/claude-3-5-sonnet", "nobodys-model", None])
def test_other_providers_are_answered_as_before(model: str | None) -> None:
    ours = litellm.validate_environment(model)
    litellm_synthetic.unregister()
    assert litellm.validate_environment(model) == ours


def test_unregister_gives_the_function_back() -> None:
    litellm_synthetic.unregister()
    before = litellm.utils.validate_environment
    litellm_synthetic.register()
    original = litellm.validate_environment
    assert original is not before
    litellm_synthetic.unregister()
    assert litellm.validate_environment is before
    assert litellm.utils.validate_environment is before
    # Whoever has taken ours meanwhile gets LiteLLM's answer.
    assert original(MODEL) == before(MODEL)
