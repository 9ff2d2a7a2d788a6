"""A proxy's client decides nothing that is the operator's."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from litellm.types.utils import CredentialItem

from litellm_synthetic.integration.tenant import OPERATORS_OWN, restrain

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
OTHER = "openai/gpt-4o"


def _call(body: Any, *credential_fields: str, **kwargs: Any) -> dict[str, Any]:
    """Return the keywords of a call as a proxy's Router makes it."""
    request = {"body": body, "credential_fields": credential_fields}
    return {"model": MODEL, "proxy_server_request": request, **kwargs}


def _message(call: dict[str, Any]) -> str:
    with pytest.raises(litellm.BadRequestError) as excinfo:
        restrain(call)
    assert excinfo.value.status_code == 400
    assert excinfo.value.llm_provider == "synthetic"
    return str(excinfo.value)


@pytest.mark.parametrize("keyword", sorted(OPERATORS_OWN))
def test_a_keyword_in_the_body_is_refused_without_its_value(keyword: str) -> None:
    message = _message(_call({"model": "m", keyword: "the-value"}, **{keyword: "the-value"}))
    assert f"{keyword} in the body" in message
    assert "the-value" not in message


@pytest.mark.parametrize("keyword", sorted(OPERATORS_OWN))
def test_the_deployments_own_keyword_is_kept(keyword: str) -> None:
    call = _call({"model": "m"}, **{keyword: "synthetic"})
    restrain(call)
    assert call[keyword] == "synthetic"


@pytest.mark.parametrize("keyword", sorted(OPERATORS_OWN))
def test_a_caller_of_the_sdk_decides_for_itself(keyword: str) -> None:
    call = {"model": MODEL, keyword: "synthetic", "max_retries": 50}
    restrain(call)
    assert call == {"model": MODEL, keyword: "synthetic", "max_retries": 50}


@pytest.mark.parametrize("body", [None, "text", 1, []])
def test_a_body_that_cannot_be_read_counts_as_naming_everything(body: Any) -> None:
    assert "ssl_verify" in _message(_call(body, ssl_verify=False))


@pytest.mark.parametrize(
    "nested",
    [
        {"fallbacks": [{"model": "m", "ssl_verify": False}]},
        {"context_window_fallbacks": [{"m": [{"model": "m", "ssl_verify": False}]}]},
        {"router_settings_override": {"fallbacks": [{"model": "m", "ssl_verify": False}]}},
    ],
)
def test_a_fallbacks_keyword_is_the_clients(nested: dict[str, Any]) -> None:
    assert "ssl_verify" in _message(_call({"model": "m", **nested}, ssl_verify=False))


def test_another_providers_call_is_left_alone() -> None:
    call = _call({"ssl_verify": False}, ssl_verify=False, max_retries=50) | {"model": OTHER}
    restrain(call)
    assert (call["ssl_verify"], call["max_retries"]) == (False, 50)


def test_a_provider_that_the_body_names_is_refused_either_way() -> None:
    body = {"custom_llm_provider": "openai"}
    assert "custom_llm_provider" in _message(_call(body, custom_llm_provider="openai"))
    body = {"custom_llm_provider": "synthetic"}
    call = _call(body, custom_llm_provider="synthetic") | {"model": "gpt-4o"}
    assert "custom_llm_provider" in _message(call)


def test_a_search_tools_provider_is_the_proxys() -> None:
    body = {"query": "x", "custom_llm_provider": "synthetic"}
    restrain(_call(body, search_provider="synthetic", custom_llm_provider="synthetic"))


@pytest.mark.parametrize("name", ["api_base", "base_url"])
def test_a_base_url_comes_with_its_own_key(name: str) -> None:
    body = {name: "https://elsewhere.example"}
    assert "api_key" in _message(_call(body, api_key="the-deployments", **body))
    restrain(_call(body, "api_key", api_key="the-clients", **body))


def test_a_teams_credential_may_bring_both(monkeypatch: pytest.MonkeyPatch) -> None:
    team: dict[str, object] = {"api_base": "https://team.example", "api_key": "the-teams"}
    credential = CredentialItem(credential_name="t", credential_info={}, credential_values=team)
    monkeypatch.setattr(litellm, "credential_list", [credential])
    body = {"api_base": "https://team.example"}
    restrain(_call(body, **team))
    assert "api_key" in _message(_call(body, **{**team, "api_key": "the-deployments"}))


@pytest.mark.parametrize("name", ["metadata", "litellm_metadata"])
def test_another_providers_deployment_lends_no_key(name: str) -> None:
    notes = {name: {"deployment": OTHER}}
    assert "openai" in _message(_call({"model": "m"}, api_key="the-deployments", **notes))
    restrain(_call({"model": "m"}, **notes))  # Synthetic's key is the environment's
    notes = {name: {"deployment": "synthetic/*"}}
    restrain(_call({"model": "m"}, api_key="the-deployments", **notes))
    notes = {name: {"deployment": "hf:zai-org/GLM-5.3"}}
    restrain(_call({"model": "m"}, api_key="the-deployments", **notes))


@pytest.mark.parametrize(("body", "result"), [(50, 2), (1, 1), (0, 0), (None, None), ("x", "x")])
def test_retries_are_cut_to_the_default(body: Any, result: Any) -> None:
    call = _call({"max_retries": body}, max_retries=body)
    restrain(call)
    assert call["max_retries"] == result
    deployments = _call({}, max_retries=50)
    restrain(deployments)
    assert deployments["max_retries"] == 50


def test_a_clients_headers_authorize_nothing_and_the_deployments_do() -> None:
    headers = {"Authorization": "Bearer x", " authorization": "y", "x-kept": "yes"}
    call = _call({"extra_headers": headers}, extra_headers=headers, headers=headers)
    restrain(call)
    assert call["extra_headers"] == call["headers"] == {"x-kept": "yes"}
    assert "Authorization" in headers  # the caller's own is not touched
    deployments = _call({}, extra_headers=headers)
    restrain(deployments)
    assert deployments["extra_headers"] == headers
