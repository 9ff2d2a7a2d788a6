"""The model table as LiteLLM's users meet it: limits, prices, listings, and their keeping fresh."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.litellm_core_utils.get_model_cost_map import adopt_model_cost_map

import litellm_synthetic
from litellm_synthetic.catalog import active, advice
from litellm_synthetic.catalog.advice import usable_models
from litellm_synthetic.testing import Text, Usage, fault
from tests.background_work import end_of_refreshes
from tests.caller import text_of

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Recorder

pytestmark = pytest.mark.usefixtures("list_prices")
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
KIMI = "synthetic/hf:moonshotai/Kimi-K3"


def _row(model_id: str, **changes: Any) -> dict[str, Any]:
    """Return an entry of the models list as the API gives it."""
    entry = {
        "id": model_id,
        "name": model_id.removeprefix("hf:"),
        "hugging_face_id": model_id.removeprefix("hf:"),
        "context_length": 100_000,
        "max_output_length": 10_000,
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "supported_features": ["tools", "json_mode", "structured_outputs", "reasoning"],
        "reasoning_parameters": {"efforts": ["low", "high"]},
        "pricing": {
            "prompt": "$0.000001",
            "completion": "$0.000002",
            "input_cache_reads": "$0.0000001",
            "input_cache_writes": "0",
        },
    }
    return {**entry, **changes}


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch, upstream: SyntheticServer) -> SyntheticServer:
    """Allow the list to be fetched, by whoever asks for it or when it is due."""
    monkeypatch.setenv("SYNTHETIC_CATALOG", "auto")
    active.forget()
    return upstream


def test_a_refresh_reaches_everything_that_litellm_knows(fetching: SyntheticServer) -> None:
    fetching.set_models([_row("hf:moonshotai/Kimi-K3"), _row("hf:new/Model-1")])
    outcome = litellm_synthetic.refresh()
    assert "hf:new/Model-1" in outcome.added
    assert "hf:zai-org/GLM-5.3" in outcome.retired
    info = litellm.get_model_info("synthetic/new/Model-1")
    assert (info["max_input_tokens"], info["max_output_tokens"]) == (100_000, 10_000)
    assert info["input_cost_per_token"] == 1e-06
    assert info["cache_read_input_token_cost"] == 1e-07
    assert litellm.get_model_info(KIMI)["input_cost_per_token"] == 1e-06
    ids = litellm.models_by_provider["synthetic"]
    assert "synthetic/hf:new/Model-1" in ids
    assert "synthetic/hf:zai-org/GLM-5.3" not in ids
    assert "deprecation_date" in litellm.model_cost["synthetic/hf:zai-org/GLM-5.3"]


async def test_a_refreshed_price_is_what_a_call_costs(
    fetching: SyntheticServer, caller: Caller
) -> None:
    fetching.set_models([_row("hf:new/Model-1")])
    await litellm_synthetic.arefresh()
    fetching.enqueue(Text("a", usage=Usage(1000, 100, cached_tokens=600)))
    answer = await caller.completion(model="synthetic/hf:new/Model-1", messages=MESSAGES)
    expected = 400 * 1e-06 + 600 * 1e-07 + 100 * 2e-06
    assert answer._hidden_params["response_cost"] == pytest.approx(expected, rel=1e-12)  # noqa: SLF001


def test_litellms_own_reload_loses_nothing(fetching: SyntheticServer) -> None:
    before = litellm.model_cost.items()
    adopt_model_cost_map({name: row for name, row in before if "synthetic/" not in name})
    assert litellm.get_model_info(KIMI)["input_cost_per_token"] == 3e-06
    fetching.set_models([_row("hf:moonshotai/Kimi-K3")])
    litellm_synthetic.refresh()
    assert litellm.get_model_info(KIMI)["input_cost_per_token"] == 1e-06
    litellm_synthetic.unregister()
    assert not [name for name in litellm.model_cost if name.startswith("synthetic/")]


def test_what_a_user_registered_wins_over_a_refresh(fetching: SyntheticServer) -> None:
    litellm.register_model({KIMI: {"litellm_provider": "synthetic", "input_cost_per_token": 7e-06}})
    try:
        fetching.set_models([_row("hf:moonshotai/Kimi-K3")])
        litellm_synthetic.refresh()
        info = litellm.get_model_info(KIMI)
        assert info["input_cost_per_token"] == 7e-06
        assert info["output_cost_per_token"] == 2e-06
    finally:
        litellm_synthetic.unregister()
        litellm.model_cost.pop(KIMI, None)
        litellm.utils._runtime_registered_model_cost.pop(KIMI, None)  # noqa: SLF001


async def test_a_long_prompt_costs_what_its_tier_says(
    fetching: SyntheticServer, caller: Caller
) -> None:
    prices = {"prompt": "$0.000001", "completion": "$0.000002", "input_cache_reads": "$0.0000001"}
    long = {"prompt": "$0.000004", "completion": "$0.000018", "min_context": 1_000}
    fetching.set_models([_row("hf:moonshotai/Kimi-K3", pricing={**prices, "tiers": [long]})])
    litellm_synthetic.refresh()
    for prompt, expected in ((999, 999e-6 + 100 * 2e-6), (1_000, 4e-3 + 100 * 18e-6)):
        fetching.respond_with(Text("a", usage=Usage(prompt, 100)))
        answer = await caller.completion(model=KIMI, messages=MESSAGES)
        hidden = answer._hidden_params  # noqa: SLF001  # LiteLLM's documented place
        assert hidden["response_cost"] == pytest.approx(expected, rel=1e-12)
        assert hidden["list_price_usd"] == pytest.approx(expected, rel=1e-12)


def test_offline_valid_models_are_those_of_the_table_in_force(
    monkeypatch: pytest.MonkeyPatch, registered: None
) -> None:
    del registered
    monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
    monkeypatch.setenv("SYNTHETIC_API_KEY", "syn_made_up")

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    table_models = usable_models(active.current_table().catalog)

    def listed(**body: str) -> list[str]:
        # LiteLLM keeps a list for as long as nothing about the question changes.
        return litellm.get_valid_models(
            check_provider_endpoint=True, custom_llm_provider="synthetic", **body
        )

    assert listed(api_key="syn_offline") == table_models
    # The bundled table, where nothing else is known.
    assert listed(api_base="https://gateway.example/openai/v1") == table_models
    monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", "syn:*")
    assert listed(api_key="syn_allowed") == [one for one in table_models if "syn:" in one]


def test_get_valid_models_lists_the_table_and_live_if_asked(fetching: SyntheticServer) -> None:
    valid = litellm.get_valid_models(custom_llm_provider="synthetic")
    assert KIMI in valid
    assert not fetching.requests
    fetching.set_models([_row("hf:new/Model-1")])
    live = litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider="synthetic")
    assert "synthetic/hf:new/Model-1" in live
    assert KIMI not in live
    assert "authorization" not in fetching.last_request.headers


async def test_the_first_call_refreshes_once_and_is_not_held_up(
    fetching: SyntheticServer, caller: Caller
) -> None:
    fetching.set_models([_row("hf:moonshotai/Kimi-K3", context_length=77_777)])
    for _ in range(3):
        await caller.completion(model=KIMI, messages=MESSAGES)
    end_of_refreshes()
    assert litellm.get_model_info(KIMI)["max_input_tokens"] == 77_777
    fetches = [one for one in fetching.requests if one.path.endswith("/models")]
    assert len(fetches) == 1


async def test_offline_fetches_nothing(upstream: SyntheticServer, caller: Caller) -> None:
    await caller.completion(model=KIMI, messages=MESSAGES)
    end_of_refreshes()
    assert not [one for one in upstream.requests if one.path.endswith("/models")]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_on_a_subscription_calls_cost_nothing_and_the_list_price_stays_visible(
    synthetic_server: SyntheticServer,
    caller: Caller,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stream: bool,
) -> None:
    monkeypatch.setenv("SYNTHETIC_BILLING", "subscription")
    litellm_synthetic.register()
    synthetic_server.enqueue(Text("a b", usage=Usage(1000, 100, cached_tokens=600)))
    answer = await caller.completion(model=KIMI, messages=MESSAGES, stream=stream)
    if stream:
        assert text_of(await caller.collect(answer)) == "a b"
    else:
        assert answer._hidden_params["response_cost"] == 0.0  # noqa: SLF001
        assert litellm.completion_cost(answer) == 0.0
    rows = 400 * 3e-06 + 600 * 4.5e-07 + 100 * 1.5e-05
    assert answer._hidden_params["list_price_usd"] == pytest.approx(rows, rel=1e-12)  # noqa: SLF001
    assert await recorder.settled_costs() == [0.0]
    row = litellm.model_cost[KIMI]
    assert row["metadata"]["list_price"]["input_cost_per_token"] == 3e-06


async def test_only_allowed_models_are_called_and_listed(
    synthetic_server: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", "syn:*, hf:zai-org/*")
    litellm_synthetic.register()
    await caller.completion(model="synthetic/zai-org/GLM-5.3", messages=MESSAGES)
    before = len(synthetic_server.requests)
    for call in (
        caller.completion(model=KIMI, messages=MESSAGES),
        caller.completion(model=KIMI, messages=MESSAGES, stream=True),
        caller.embedding(model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["a"]),
    ):
        with pytest.raises(litellm.BadRequestError, match="SYNTHETIC_ALLOWED_MODELS"):
            await call
    assert len(synthetic_server.requests) == before
    ids = litellm.get_valid_models(custom_llm_provider="synthetic")
    assert "synthetic/syn:large:text" in ids
    assert KIMI not in ids


async def test_a_retired_id_is_warned_of_once_and_still_called(
    upstream: SyntheticServer,
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(advice, "_warned_of", set())
    upstream.respond_with(fault("model_retired"))
    for _ in range(2):
        with pytest.raises(litellm.NotFoundError, match="retired, last seen on"):
            await caller.completion(model="synthetic/hf:zai-org/GLM-4.6", messages=MESSAGES)
    assert len(upstream.requests) == 2
    warned = [one for one in caplog.records if one.name == "litellm_synthetic"]
    assert [one.levelno for one in warned] == [logging.WARNING]
    assert "hf:zai-org/GLM-4.6 is retired" in warned[0].getMessage()


@pytest.mark.parametrize(
    "model", ["synthetic/syn:small:text", "synthetic/hf:zai-org/GLM-4.7-Flash"]
)
async def test_router_limits_hold_for_aliases_too(
    upstream: SyntheticServer, caller: Caller, model: str
) -> None:
    long = [{"role": "user", "content": "word " * 210_000}]
    deployments: list[Any] = [
        {"model_name": "small", "litellm_params": {"model": model}},
        {"model_name": "large", "litellm_params": {"model": "synthetic/syn:large:text"}},
    ]
    strict = litellm.Router(model_list=deployments, enable_pre_call_checks=True, num_retries=0)
    with pytest.raises(litellm.ContextWindowExceededError):
        await caller.router_completion(strict, model="small", messages=long)
    assert not upstream.requests
    falling_back = litellm.Router(
        model_list=deployments,
        enable_pre_call_checks=True,
        num_retries=0,
        context_window_fallbacks=[{"small": ["large"]}],
    )
    await caller.router_completion(falling_back, model="small", messages=long)
    assert [one.json["model"] for one in upstream.requests] == ["syn:large:text"]


def test_an_unknown_id_gets_no_invented_limits(upstream: SyntheticServer) -> None:
    del upstream
    with pytest.raises(Exception, match="mapped"):
        litellm.get_model_info("synthetic/hf:someone/Unknown-1")
    assert "synthetic/hf:someone/Unknown-1" not in litellm.model_cost
