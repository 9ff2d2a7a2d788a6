"""A call costs what its key pays: nothing on a plan, list price on a prepaid account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger

import litellm_synthetic
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing import Account, SyntheticServer, Text, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.caller import Caller
    from tests.conftest import Recorder

MODEL = "hf:moonshotai/Kimi-K3"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
USAGE = Usage(1000, 100, cached_tokens=400)
# USD 3 in, 0.45 from the cache and 15 out, per million tokens.
LIST_PRICE = 600 * 3e-06 + 400 * 4.5e-07 + 100 * 1.5e-05
PREPAID: dict[str, Any] = {}
PLAN = {"rollingFiveHourLimit": {"remaining": 400, "max": 500, "limited": False}}
# What a report says, and what a call then costs, by setting; None leaves the header out.
COSTS = [
    (PLAN, "metered", 0.0),
    (PLAN, "subscription", 0.0),
    (PLAN, "list-price", LIST_PRICE),
    (PREPAID, "metered", LIST_PRICE),
    (PREPAID, "subscription", LIST_PRICE),
    (PREPAID, "list-price", LIST_PRICE),
    (None, "metered", LIST_PRICE),
    (None, "subscription", 0.0),
    (None, "list-price", LIST_PRICE),
]
KINDS = ["plain", "stream", "text", "text stream", "responses", "responses stream"]


@pytest.fixture(params=[each[:2] for each in COSTS], ids=lambda each: f"{_name(each[0])}-{each[1]}")
def billed(
    request: pytest.FixtureRequest, either_api: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[float]:
    """Set what a key reports and how the unknown is billed; give what a call then costs."""
    report, mode = request.param
    monkeypatch.setenv("SYNTHETIC_BILLING", mode)
    litellm_synthetic.unregister()
    litellm_synthetic.register()
    STATE.forget()
    either_api.respond_with(Text("a b c", usage=USAGE))
    either_api.set_quotas(report)
    yield next(cost for *case, cost in COSTS if case == [report, mode])
    STATE.forget()


def _name(report: dict[str, Any] | None) -> str:
    return "unknown" if report is None else "plan" if report else "prepaid"


async def _call(caller: Caller, kind: str) -> Any:
    model, stream = f"synthetic/{MODEL}", kind.endswith("stream")
    if kind.startswith("text"):
        answer = await caller.text_completion(model=model, prompt="x", stream=stream)
    elif kind.startswith("responses"):
        answer = await caller.responses(model=model, input="x", stream=stream)
    elif stream:
        return await caller.stream(model=model, messages=HELLO)
    else:
        return await caller.completion(model=model, messages=HELLO)
    return await caller.collect(answer) if stream else answer


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_costs_what_its_key_pays(
    billed: float, caller: Caller, recorder: Recorder, kind: str
) -> None:
    answer = await _call(caller, kind)
    assert await recorder.settled_costs() == [pytest.approx(billed, rel=1e-9)]
    if kind == "plain":
        hidden = answer._hidden_params  # noqa: SLF001  # LiteLLM's documented place for metadata
        assert hidden["response_cost"] == pytest.approx(billed, rel=1e-9)
        assert hidden["list_price_usd"] == pytest.approx(LIST_PRICE, rel=1e-9)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_native_message_costs_what_its_key_pays(
    billed: float, recorder: Recorder, *, stream: bool
) -> None:
    reply: Any = await litellm.anthropic_messages(
        model=f"synthetic/{MODEL}", messages=HELLO, max_tokens=500, stream=stream
    )
    if stream:
        async for _ in reply:
            pass
    assert await recorder.settled_costs() == [pytest.approx(billed, rel=1e-9)]


async def test_callbacks_find_the_list_price_beside_what_a_plan_costs(
    upstream: SyntheticServer,
    caller: Caller,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Any] = []
    upstream.respond_with(Text("a b c", usage=USAGE))
    upstream.set_quotas(PLAN)

    class Listener(CustomLogger):
        def log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
            told.append(kwargs.get("list_price_usd"))

        async def async_log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
            told.append(kwargs.get("list_price_usd"))

    listener = Listener()
    litellm.callbacks.append(listener)
    try:
        await caller.completion(model=f"synthetic/{MODEL}", messages=HELLO)
        await caller.stream(model=f"synthetic/{MODEL}", messages=HELLO)
        assert await recorder.settled_costs() == [0.0, 0.0]
    finally:
        litellm.callbacks.remove(listener)
    assert told
    assert "priced at $0" not in caplog.text
    assert all(price == pytest.approx(LIST_PRICE, rel=1e-9) for price in told)


async def test_a_price_of_the_deployments_own_wins_over_the_plan(
    upstream: SyntheticServer, caller: Caller, recorder: Recorder
) -> None:
    upstream.respond_with(Text("a", usage=Usage(100, 10)))
    upstream.set_quotas(PLAN)
    own = {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}
    router = litellm.Router(
        model_list=[
            {"model_name": "m", "litellm_params": {"model": f"synthetic/{MODEL}", **own}},
        ]
    )
    await caller.router_completion(router, model="m", messages=HELLO)
    assert await recorder.settled_costs() == [pytest.approx(100e-06 + 20e-06)]


async def test_a_router_bills_each_call_by_the_key_that_served_it(
    upstream: SyntheticServer, caller: Caller, recorder: Recorder
) -> None:
    plan, prepaid = "syn_billed_plan_0123456789", "syn_billed_prepaid_0123456789"
    upstream.respond_with(Text("a b c", usage=USAGE))
    upstream.serve_accounts({plan: Account(500, 24), prepaid: Account(None, 24)})
    router = litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": {"model": f"synthetic/{MODEL}", "api_key": key}}
            for name, key in (("plan", plan), ("prepaid", prepaid))
        ]
    )
    for name in ("plan", "prepaid"):
        await caller.router_completion(router, model=name, messages=HELLO)
    costs = await recorder.settled_costs()
    assert sorted(cost or 0.0 for cost in costs) == [0.0, pytest.approx(LIST_PRICE, rel=1e-9)]
