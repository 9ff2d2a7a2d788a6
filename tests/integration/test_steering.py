"""Routers pass over keys whose plan is empty, and refuse at once when none is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest

import litellm_synthetic
from litellm_synthetic.integration.quota_question import QUESTIONS, Questions
from litellm_synthetic.quota.clock import Clock
from litellm_synthetic.quota.refusals import REFUSALS
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing import Account, SyntheticServer, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.caller import Caller
    from tests.conftest import NewRouter

MODEL = "synthetic/hf:zai-org/GLM-5.3"
EMBEDDING = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
FIRST, SECOND, PREPAID = (f"syn_{name}_0123456789" for name in ("first", "second", "prepaid"))
TICK_SECONDS = 900


class Time:
    """The time of the client and of the service, which a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.clock = Clock(lambda: self.now, lambda: self.now)

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(STATE, "clock", moved.clock)
    return moved


@pytest.fixture
def service(time: Time) -> Iterator[SyntheticServer]:
    with SyntheticServer(clock=lambda: time.now) as server:
        yield server


@pytest.fixture
def steered(new_router: NewRouter, monkeypatch: pytest.MonkeyPatch) -> NewRouter:
    """Steer Routers; the free question is asked only where a test asks for it."""
    monkeypatch.setattr(Questions, "ask_soon", lambda *_: None)
    REFUSALS.forget()
    litellm_synthetic.register(steer=True)
    return new_router


def deployment(server: SyntheticServer, key: str, *, name: str = "m", model: str = MODEL) -> Any:
    params = {"model": model, "api_key": key, "api_base": server.openai_base}
    return {"model_name": name, "litellm_params": params}


def plan(requests: float = 3, **facts: Any) -> Account:
    return Account(requests=requests, credits_usd=24, **facts)


def keys_of(server: SyntheticServer) -> list[str | None]:
    return [each.bearer for each in server.requests if each.method == "POST"]


def refusals(*accounts: Account) -> int:
    return sum(account.refusals for account in accounts)


async def ask(caller: Caller, router: litellm.Router, **asked: Any) -> Any:
    return await caller.router_completion(router, **{"model": "m", "messages": HELLO, **asked})


async def served(caller: Caller, router: litellm.Router, count: int) -> int:
    """Return how many of so many calls were served."""
    number = 0
    for _ in range(count):
        try:
            await ask(caller, router)
            number += 1
        except litellm.RateLimitError:
            pass
    return number


async def test_a_key_whose_plan_is_empty_is_passed_over(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    first, second = plan(3), plan(50)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    assert await served(caller, router, 30) == 30
    assert refusals(first, second) <= 1
    assert first.calls + second.calls == 30


async def _chat_stream(caller: Caller, router: Any) -> None:
    await caller.collect(await ask(caller, router, stream=True))


async def _text(_: Caller, router: Any) -> None:
    # The sync form asks for a model of the group's name, whoever the provider.
    await router.atext_completion(model="m", prompt="hello")


async def _response(caller: Caller, router: Any) -> None:
    asked = {"model": "m", "input": "hello"}
    if caller.is_async:
        await router.aresponses(**asked)
    else:
        router.responses(**asked)


async def _message(_: Caller, router: Any) -> None:
    await router.aanthropic_messages(model="m", messages=HELLO, max_tokens=50)


@pytest.mark.parametrize("call", [ask, _chat_stream, _text, _response, _message])
async def test_every_kind_of_call_passes_over_an_empty_key(
    service: SyntheticServer, steered: NewRouter, caller: Caller, call: Any
) -> None:
    first, second = plan(2), plan(50)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    for _ in range(16):
        await call(caller, router)
    assert refusals(first, second) <= 1
    assert first.calls + second.calls == 16


async def test_a_call_that_meets_the_cap_moves_on_to_a_sibling(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    first, second = plan(0.5), plan(50)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    assert await served(caller, router, 16) == 16
    assert first.refusals <= 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from 1.109 on, of both questions
async def test_a_router_answers_questions_as_it_does_without_us(
    service: SyntheticServer, steered: NewRouter
) -> None:
    router: Any = steered([deployment(service, FIRST)])
    error: Any = litellm.BadRequestError("no", "m", "openai")
    with pytest.raises(litellm.BadRequestError):
        router.should_retry_this_error(error, healthy_deployments=[{}, {}])
    router.routing_strategy_pre_call_checks({"model_info": {"id": "x"}})


async def test_with_every_plan_empty_a_call_is_refused_here_at_once(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    first, second = plan(2), plan(2)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    assert await served(caller, router, 20) == 4
    sent = len(service.requests)
    with pytest.raises(litellm.RateLimitError, match="Nothing was sent") as caught:
        await ask(caller, router)
    error: Any = caught.value
    assert "5-hour requests are used up (0 of 2 left) and gain 0.1 in 15 min" in str(error)
    assert error.headers == {"retry-after": "900", "x-should-retry": "false"}
    assert len(service.requests) == sent
    assert refusals(first, second) <= 2


async def test_a_single_deployment_is_refused_here_too(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    only = plan(2)
    service.serve_accounts({FIRST: only})
    router = steered([deployment(service, FIRST)])
    assert await served(caller, router, 10) == 2
    assert only.refusals <= 1


async def test_each_call_that_is_refused_here_is_counted_once(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    first, second = plan(2), plan(2)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    await served(caller, router, 10)
    sent = first.calls + second.calls + refusals(first, second)
    REFUSALS.forget()
    assert await served(caller, router, 5) == 0
    assert first.calls + second.calls + refusals(first, second) == sent
    assert list(REFUSALS.counts().values()) == [5, 5]


async def test_three_models_on_one_key_rest_together(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    account = plan(3)
    service.serve_accounts({FIRST: account})
    models = [MODEL, "synthetic/syn:large:text", "synthetic/syn:small:text"]
    names = ["a", "b", "c"]
    router = steered(
        [deployment(service, FIRST, name=n, model=m) for n, m in zip(names, models, strict=True)]
    )
    for _ in range(5):
        for name in names:
            try:
                await ask(caller, router, model=name)
            except litellm.RateLimitError:
                continue
    assert account.calls == 3
    assert account.refusals <= 1


async def test_embeddings_are_spared(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    service.serve_accounts({FIRST: plan(1)})
    router = steered(
        [deployment(service, FIRST), deployment(service, FIRST, name="e", model=EMBEDDING)]
    )
    await served(caller, router, 3)
    asked: dict[str, Any] = {"model": "e", "input": ["hello"]}
    reply = await router.aembedding(**asked) if caller.is_async else router.embedding(**asked)
    assert len(reply.data) == 1


async def test_one_call_tries_the_key_at_its_tick(
    service: SyntheticServer, steered: NewRouter, caller: Caller, time: Time
) -> None:
    account = plan(20)
    service.serve_accounts({FIRST: account})
    router = steered([deployment(service, FIRST)])
    assert await served(caller, router, 25) == 20
    before = account.refusals
    time.pass_(TICK_SECONDS)
    assert await served(caller, router, 5) == 1  # a tick of 5 % of 20
    assert account.refusals == before


async def test_a_crowd_at_the_tick_sends_one_call(
    service: SyntheticServer, steered: NewRouter, time: Time
) -> None:
    account = plan(2, requests_per_call=1)
    service.serve_accounts({FIRST: account})
    router = steered([deployment(service, FIRST)], num_retries=0)
    for _ in range(3):
        await asyncio.gather(router.acompletion(model="m", messages=HELLO), return_exceptions=True)
    sent = len(keys_of(service))
    time.pass_(TICK_SECONDS)  # brings a tenth of a request, too little
    crowd = [router.acompletion(model="m", messages=HELLO) for _ in range(20)]
    replies = await asyncio.gather(*crowd, return_exceptions=True)
    assert all(isinstance(each, litellm.RateLimitError) for each in replies)
    assert len(keys_of(service)) == sent + 1


async def test_the_plan_goes_first_and_the_prepaid_key_when_it_is_empty(
    service: SyntheticServer, steered: NewRouter
) -> None:
    first, prepaid = plan(10), Account(requests=None, credits_usd=5)
    service.serve_accounts({FIRST: first, PREPAID: prepaid})
    router = steered([deployment(service, FIRST), deployment(service, PREPAID)])
    await router.acompletion(model="m", messages=HELLO, api_key=PREPAID)
    for _ in range(20):
        await router.acompletion(model="m", messages=HELLO)
    assert first.calls == 10
    assert prepaid.calls == 11


async def test_of_two_plans_the_one_with_more_left_goes_first(
    service: SyntheticServer, steered: NewRouter
) -> None:
    first, second = plan(100), plan(100)
    service.serve_accounts({FIRST: first, SECOND: second})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    await router.acompletion(model="m", messages=HELLO, api_key=SECOND)
    for _ in range(40):
        await router.acompletion(model="m", messages=HELLO, api_key=FIRST)
    for _ in range(30):
        await router.acompletion(model="m", messages=HELLO)
    assert second.calls == 31


async def test_a_402_moves_on_to_a_sibling_and_the_key_rests_longer_each_time(
    service: SyntheticServer, steered: NewRouter, time: Time
) -> None:
    poor, rich = Account(None, credits_usd=0), Account(None, credits_usd=5)
    service.serve_accounts({FIRST: poor, SECOND: rich})
    router = steered([deployment(service, FIRST), deployment(service, SECOND)])
    for _ in range(20):
        await router.acompletion(model="m", messages=HELLO)
    assert rich.calls == 20
    assert poor.refusals <= 1
    alone = steered([deployment(service, FIRST, name="poor")])
    waits = []
    for _ in range(7):
        with pytest.raises(openai.APIError) as caught:
            await alone.acompletion(model="poor", messages=HELLO)
        error: Any = caught.value
        assert error.status_code == 402
        waits.append(int(error.headers["retry-after"]))
        time.pass_(int(error.headers["retry-after"]) + 61)
    assert waits == [60, 120, 240, 480, 600, 600, 600]


async def test_what_is_refused_here_goes_to_the_fallback(
    service: SyntheticServer, steered: NewRouter, caller: Caller
) -> None:
    service.serve_accounts({FIRST: plan(1), SECOND: plan(20)})
    router = steered(
        [deployment(service, FIRST), deployment(service, SECOND, name="spare")],
        fallbacks=[{"m": ["spare"]}],
    )
    assert await served(caller, router, 8) == 8


async def test_an_early_end_of_the_rest_is_noticed_by_the_free_question(
    service: SyntheticServer, new_router: NewRouter, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    ask_soon = Questions.ask_soon

    def ask_and_keep(self: Questions, account: Any) -> Any:
        thread = ask_soon(self, account)
        asked.append(thread)
        return thread

    monkeypatch.setattr(Questions, "ask_soon", ask_and_keep)
    litellm_synthetic.register(steer=True)
    account = plan(2)
    service.serve_accounts({FIRST: account})
    router = new_router([deployment(service, FIRST)], num_retries=0)
    for _ in range(4):
        await asyncio.gather(router.acompletion(model="m", messages=HELLO), return_exceptions=True)
    for thread in filter(None, asked):  # a question under way would see the upgrade
        await asyncio.to_thread(thread.join)
    account.requests, account._left = 100, 90  # noqa: SLF001  # an upgrade
    time.pass_(61)
    with pytest.raises(litellm.RateLimitError):
        await router.acompletion(model="m", messages=HELLO)
    for thread in filter(None, asked):
        await asyncio.to_thread(thread.join)
    await router.acompletion(model="m", messages=HELLO)
    questions = [each for each in service.requests if each.route == "/v2/quotas"]
    assert 1 <= len(questions) <= 2
    QUESTIONS.forget()


async def test_steering_can_be_turned_off(
    service: SyntheticServer, steered: NewRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_STEER", "off")
    account = plan(1)
    service.serve_accounts({FIRST: account})
    router = steered([deployment(service, FIRST)], num_retries=0)
    for _ in range(4):
        await asyncio.gather(router.acompletion(model="m", messages=HELLO), return_exceptions=True)
    assert account.refusals == 3


async def test_other_providers_in_the_group_stay(
    service: SyntheticServer, steered: NewRouter
) -> None:
    service.serve_accounts({FIRST: plan(1)})
    other = {
        "model_name": "m",
        "litellm_params": {"model": "openai/x", "api_key": "x", "mock_response": "other"},
    }
    router = steered([deployment(service, FIRST), other])
    for _ in range(12):
        await router.acompletion(model="m", messages=HELLO)


@pytest.mark.parametrize("name", ["invalid_key", "model_retired", "payment_required"])
async def test_the_second_caller_reads_the_first_error(
    service: SyntheticServer, new_router: NewRouter, caller: Caller, name: Any
) -> None:
    service.respond_with(fault(name))
    router = new_router([deployment(service, FIRST), deployment(service, SECOND)], num_retries=1)
    errors: list[Any] = []
    for _ in range(4):
        with pytest.raises(Exception, match="Synthetic answered") as caught:
            await ask(caller, router)
        errors.append(caught.value)
    assert {error.status_code for error in errors} <= {401, 402, 404}
