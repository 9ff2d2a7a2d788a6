"""The cost of calls: right to the token, streamed or not, cached or not, told once per call."""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.testing import Text, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import Recorder

pytestmark = pytest.mark.usefixtures("list_prices")
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
PRICED = [
    "hf:deepseek-ai/DeepSeek-V4.1-Flash",
    "syn:large:text",
    "hf:moonshotai/Kimi-K3",
    "zai-org/GLM-5.3",
]
PROMPT, OUTPUT, CACHED = 100_003, 7_001, 64_000


def _price(model_id: str) -> float:
    """Return the exact price of the usage above from the package's own facts, in USD."""
    model = load_bundled().find(model_id)
    assert model is not None
    prices = model.prices
    rates = (
        prices.input_usd_per_token,
        prices.cache_read_usd_per_token,
        prices.output_usd_per_token,
    )
    assert None not in rates
    total = sum(
        (
            Decimal(count) * rate
            for count, rate in zip((PROMPT - CACHED, CACHED, OUTPUT), rates, strict=True)
            if rate
        ),
        start=Decimal(0),
    )
    return float(total)


@pytest.mark.parametrize("model", PRICED)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_cost_is_exact_and_told_once(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder, model: str, *, stream: bool
) -> None:
    either_api.respond_with(Text("a b c", usage=Usage(PROMPT, OUTPUT, CACHED)))
    arguments = {"model": f"synthetic/{model}", "messages": MESSAGES}
    if stream:
        await caller.stream(**arguments)
    else:
        answer = await caller.completion(**arguments)
        assert answer._hidden_params["response_cost"] == pytest.approx(_price(model), rel=1e-12)  # noqa: SLF001
        assert litellm.completion_cost(answer) == pytest.approx(_price(model), rel=1e-12)
    assert await recorder.settled_costs() == [pytest.approx(_price(model), rel=1e-12)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_every_other_call_is_priced_once_too(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder, *, stream: bool
) -> None:
    model = "hf:moonshotai/Kimi-K3"
    either_api.respond_with(Text("a b c", usage=Usage(PROMPT, OUTPUT, CACHED)))
    answer = await caller.text_completion(model=f"synthetic/{model}", prompt="x", stream=stream)
    if stream:
        await caller.collect(answer)
    assert await recorder.settled_costs() == [pytest.approx(_price(model), rel=1e-12)]
    recorder.costs.clear()
    answer = await caller.responses(model=f"synthetic/{model}", input="x", stream=stream)
    if stream:
        await caller.collect(answer)
    assert await recorder.settled_costs() == [pytest.approx(_price(model), rel=1e-12)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("function", [litellm.text_completion, litellm.responses])
async def test_a_call_from_one_of_many_threads_is_told_once_too(
    upstream: SyntheticServer,
    recorder: Recorder,
    request: pytest.FixtureRequest,
    function: Callable[..., Any],
    *,
    stream: bool,
) -> None:
    # Threads that take turns this often find LiteLLM between its look and its note in one call of
    # five: it has two threads tell the callbacks of these calls (`log_success_one_at_a_time`).
    request.addfinalizer(functools.partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-5)
    upstream.respond_with(Text("a b c", usage=Usage(PROMPT, OUTPUT, CACHED)))
    name = "input" if function is litellm.responses else "prompt"

    def call(_: int) -> None:
        answer = function(model="synthetic/hf:moonshotai/Kimi-K3", stream=stream, **{name: "x"})
        if stream:
            assert list(answer)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(80)))
    price = pytest.approx(_price("hf:moonshotai/Kimi-K3"), rel=1e-12)
    assert await recorder.settled_costs() == [price] * 80


async def test_embeddings_cost_nothing(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder
) -> None:
    del either_api
    await caller.embedding(model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["a"])
    assert await recorder.settled_costs() == [0.0]


async def test_an_unknown_model_has_no_price_rather_than_a_false_one(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder
) -> None:
    either_api.respond_with(Text("ok"))
    answer = await caller.completion(model="synthetic/hf:a/Unknown", messages=MESSAGES)
    assert answer._hidden_params.get("response_cost") is None  # noqa: SLF001
    assert await recorder.settled_costs() == [None]
    with pytest.raises(Exception, match="mapped"):
        litellm.get_model_info("synthetic/hf:a/Unknown")


@pytest.mark.usefixtures("registered")
def test_model_info_tells_limits_and_capabilities() -> None:
    for name in ("synthetic/hf:moonshotai/Kimi-K3", "synthetic/moonshotai/Kimi-K3"):
        info = litellm.get_model_info(name)
        assert info["max_input_tokens"] == 524288
        assert info["max_output_tokens"] == 65536
        assert info["input_cost_per_token"] == 3e-06
        assert info["output_cost_per_token"] == 1.5e-05
        assert info["cache_read_input_token_cost"] == 4.5e-07
        assert litellm.supports_vision(name)
        assert litellm.supports_reasoning(name)
        assert litellm.supports_response_schema(name)
    assert "synthetic/hf:moonshotai/Kimi-K3" in litellm.models_by_provider["synthetic"]
    vectors = litellm.get_model_info("synthetic/hf:nomic-ai/nomic-embed-text-v1.5")
    assert vectors["output_vector_size"] == 768


async def test_a_price_that_the_caller_sets_wins(
    either_api: SyntheticServer, caller: Caller, recorder: Recorder
) -> None:
    either_api.respond_with(Text("a", usage=Usage(100, 10)))
    router = litellm.Router(
        model_list=[
            {
                "model_name": "m",
                "litellm_params": {
                    "model": "synthetic/hf:moonshotai/Kimi-K3",
                    "input_cost_per_token": 0.0,
                    "output_cost_per_token": 0.0,
                },
            }
        ]
    )
    await caller.router_completion(router, model="m", messages=MESSAGES)
    assert await recorder.settled_costs() == [0.0]
