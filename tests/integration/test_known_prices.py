"""Plain calls cost what LiteLLM makes of them, to the last bit, whoever adds it up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import litellm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litellm import cost_calculator
from litellm.litellm_core_utils.litellm_logging import Logging

import litellm_synthetic
from litellm_synthetic.chat.usage import to_usage
from litellm_synthetic.integration.stream_wrapper import PassThroughStream
from litellm_synthetic.messages.passthrough_stream import MessageStream
from tests.integration.litellm_calls import forget_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Recorder

MODEL: Final = "synthetic/hf:zai-org/GLM-5.3"
_ASKED: Final[dict[str, Any]] = {"messages": [{"role": "user", "content": "hello"}]}
_COUNTS: Final = st.integers(0, 2_000_000)
_USAGES: Final = st.fixed_dictionaries(
    {"prompt_tokens": _COUNTS, "completion_tokens": _COUNTS},
    optional={
        "prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": _COUNTS}),
        "reasoning_tokens": _COUNTS,
        "completion_tokens_details": st.fixed_dictionaries(
            {"reasoning_tokens": _COUNTS}, optional={"text_tokens": _COUNTS}
        ),
    },
)


@st.composite
def _streamed_usages(draw: st.DrawFn) -> dict[str, Any]:
    """Return a usage as LiteLLM puts it together from a stream: it counts the text as well."""
    reasoning, text = draw(_COUNTS), draw(_COUNTS)
    return {
        "prompt_tokens": draw(_COUNTS),
        "completion_tokens": reasoning + text,
        "completion_tokens_details": {"reasoning_tokens": reasoning, "text_tokens": text},
    }


def _priced(usage: dict[str, Any], **said: Any) -> tuple[float, dict[str, Any]]:
    response = litellm.ModelResponse(model=MODEL, usage=to_usage(usage))
    response._hidden_params["custom_llm_provider"] = "synthetic"  # noqa: SLF001  # as in a call
    log = Logging(MODEL, [], False, "completion", datetime.now(), "1", "1")  # noqa: DTZ005, FBT003  # LiteLLM's
    cost = cost_calculator.completion_cost(
        **{
            "completion_response": response,
            "model": MODEL,
            "custom_llm_provider": "synthetic",
            "call_type": "completion",
            "optional_params": {},
            "litellm_logging_obj": log,
            "standard_built_in_tools_params": {"web_search_options": None, "file_search": None},
            **said,
        }
    )
    return cost, {"breakdown": log.cost_breakdown, "rates": log.billed_token_rates}


def _as_litellm_alone(usage: dict[str, Any], **said: Any) -> tuple[float, dict[str, Any]]:
    """Price a call with LiteLLM's own function, on the rows that are in force now."""
    ours = cost_calculator.completion_cost
    cost_calculator.completion_cost = ours.__wrapped__  # type: ignore[attr-defined]
    try:
        return _priced(usage, **said)
    finally:
        cost_calculator.completion_cost = ours


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield the list of models that LiteLLM itself has priced."""
    made: list[str] = []
    original = cost_calculator.cost_per_token

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs["model"])
        return original(*args, **kwargs)

    monkeypatch.setattr(cost_calculator, "cost_per_token", counting)
    litellm_synthetic.unregister()
    litellm_synthetic.register()
    yield made
    litellm_synthetic.unregister()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_USAGES | _streamed_usages())
def test_any_usage_costs_what_litellm_makes_of_it(usage: dict[str, Any]) -> None:
    litellm_synthetic.register()
    _priced(usage)
    assert _priced(usage) == _as_litellm_alone(usage)


def test_litellm_prices_the_first_call_of_a_kind_only(lookups: list[str]) -> None:
    for count in range(1, 20):
        _priced({"prompt_tokens": count, "completion_tokens": 7 * count})
    assert len(lookups) == 1


async def test_litellm_prices_the_first_stream_of_a_kind_only(
    synthetic_server: SyntheticServer,
    caller: Caller,
    recorder: Recorder,
    lookups: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del synthetic_server
    monkeypatch.setenv("SYNTHETIC_BILLING", "list-price")  # the stand-in's key is on a plan
    for _ in range(3):
        await caller.stream(model=MODEL, **_ASKED)
    costs = await recorder.settled_costs()
    assert costs[0]
    assert costs == [costs[0]] * 3
    assert len(lookups) == len({*lookups}) * 2  # the unread stream, and what it came to


@pytest.mark.parametrize(
    "said",
    [
        {"service_tier": "priority"},
        {"optional_params": {"service_tier": "priority"}},
        {"data_residency": "eu"},
        {"standard_built_in_tools_params": {"web_search_options": {"search_context_size": "low"}}},
        {"custom_pricing": True},
        {"base_model": MODEL},
        {"custom_cost_per_token": {"input_cost_per_token": 1.0, "output_cost_per_token": 2.0}},
    ],
)
def test_whatever_else_a_price_hangs_on_is_left_to_litellm(
    said: dict[str, Any], lookups: list[str]
) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    _priced(usage)
    before = len(lookups)
    ours = _priced(usage, **said)
    assert ours == _as_litellm_alone(usage, **said)
    assert len(lookups) in {before, before + 2}  # both ways alike


def test_a_price_that_a_user_registers_counts_from_the_next_call() -> None:
    litellm_synthetic.register()
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    before = dict(litellm.model_cost[MODEL])
    first, _ = _priced(usage)
    try:
        litellm.register_model({MODEL: {**before, "input_cost_per_token": 1.0}})
        second, figures = _priced(usage)
        assert (second, figures) == _as_litellm_alone(usage)
        assert second > first
        tiers = [{"range": [0, 50], "input_cost_per_token": 3.0, "output_cost_per_token": 1.0}]
        litellm.register_model({MODEL: {**before, "tiered_pricing": tiers}})
        assert _priced(usage) == _as_litellm_alone(usage)
    finally:
        forget_row(MODEL)


@pytest.mark.parametrize("setting", ["cost_discount_config", "cost_margin_config"])
def test_discounts_and_margins_count(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    litellm_synthetic.register()
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    before, _ = _priced(usage)
    monkeypatch.setattr(litellm, setting, {"synthetic": 0.5})
    after, _ = _priced(usage)
    assert after == _as_litellm_alone(usage)[0] != before


async def test_callbacks_hear_the_same_breakdown_of_every_call(
    synthetic_server: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    del synthetic_server
    monkeypatch.setenv("SYNTHETIC_BILLING", "list-price")  # the stand-in's key is on a plan
    litellm_synthetic.register()
    replies = [await caller.completion(model=MODEL, **_ASKED) for _ in range(3)]
    costs = [reply._hidden_params["response_cost"] for reply in replies]  # noqa: SLF001
    assert len({*costs}) == 1
    assert costs[0] == litellm.completion_cost(replies[0], model=MODEL) > 0


@pytest.mark.parametrize("kind", ["completion", "acompletion", "anthropic_messages"])
def test_a_stream_that_is_not_read_yet_costs_what_litellm_says(
    kind: str, lookups: list[str]
) -> None:
    stream: Any = object.__new__(
        MessageStream if kind == "anthropic_messages" else PassThroughStream
    )
    said = {"completion_response": stream, "call_type": kind}
    ours = [_priced({}, **said) for _ in range(5)]
    assert len(lookups) == 1
    assert ours == [_as_litellm_alone({}, **said)] * 5
    assert ours[0][0] == 0
