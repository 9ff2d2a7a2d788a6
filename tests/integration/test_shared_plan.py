"""Workers share what they know of plans through LiteLLM's Redis, a real one.

A second worker is played by this process once it has forgotten everything.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from litellm.caching.redis_cache import RedisCache

import litellm_synthetic
from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.integration.quota_question import Questions
from litellm_synthetic.integration.shared_state import SHARED
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing import Account, SyntheticServer
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.quota.samples import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import litellm

    from tests.conftest import NewRouter

pytestmark = needs_redis
KEY = "syn_shared_0123456789"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]


@pytest.fixture
def service() -> Iterator[SyntheticServer]:
    with SyntheticServer() as server:
        yield server


@pytest.fixture
def router(
    service: SyntheticServer, new_router: NewRouter, monkeypatch: pytest.MonkeyPatch
) -> litellm.Router:
    monkeypatch.setattr(Questions, "ask_soon", lambda *_: None)
    litellm_synthetic.register(steer=True)
    params = {
        "model": "synthetic/hf:zai-org/GLM-5.3",
        "api_key": KEY,
        "api_base": service.openai_base,
    }
    return new_router([{"model_name": "m", "litellm_params": params}], num_retries=0)


def use(redis: RedisServer) -> None:
    """Share over this Redis, through LiteLLM's own cache object."""
    SHARED.redis = RedisCache(host="127.0.0.1", port=redis.port, socket_timeout=1)


async def told() -> None:
    """Wait until everything that was to be told has been."""
    while SHARED.pending:
        await asyncio.gather(*SHARED.pending)


def become_another_worker(redis: RedisServer) -> None:
    STATE.forget()
    RESTS.forget()
    SHARED.forget()
    use(redis)


async def refusals(router: litellm.Router, count: int) -> list[Any]:
    calls = [router.acompletion(model="m", messages=HELLO) for _ in range(count)]
    replies = [await asyncio.gather(call, return_exceptions=True) for call in calls]
    return [reply for [reply] in replies if isinstance(reply, Exception)]


async def test_the_second_worker_learns_before_its_first_failure(
    redis: RedisServer, service: SyntheticServer, router: litellm.Router
) -> None:
    use(redis)
    account = Account(requests=1.5, credits_usd=24)
    service.serve_accounts({KEY: account})
    assert len(await refusals(router, 3)) == 2
    await told()
    sent = len(service.requests)
    become_another_worker(redis)
    [error] = await refusals(router, 1)
    assert "Nothing was sent" in str(error)
    assert 1 <= int(error.headers["retry-after"]) <= 901  # Date has whole seconds
    assert len(service.requests) == sent
    known = litellm_synthetic.known_quotas(api_key=KEY, api_base=service.openai_base)
    assert known is not None
    assert known.tightest is not None


async def test_a_redis_that_dies_fails_no_request_and_is_logged_once(
    redis: RedisServer,
    service: SyntheticServer,
    router: litellm.Router,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("litellm_synthetic.integration.shared_state.READ_SECONDS", 0.0)
    use(redis)
    service.serve_accounts({KEY: Account(requests=500, credits_usd=24)})
    assert await refusals(router, 2) == []
    redis.kill()
    with caplog.at_level(logging.WARNING, "litellm_synthetic"):
        assert await refusals(router, 5) == []
    lines = [each for each in caplog.records if "Redis cannot be reached" in each.message]
    assert len(lines) == 1


@pytest.mark.parametrize(
    "value",
    ["x", "[]", "7", "null", '{"reason": "cap"}', '{"reason": 7, "refusals": "many"}', "{" * 5000],
)
async def test_a_hostile_value_in_redis_does_no_harm(
    redis: RedisServer, service: SyntheticServer, router: litellm.Router, value: str
) -> None:
    use(redis)
    service.serve_accounts({KEY: Account(requests=500, credits_usd=24)})
    scope = scope_of(Secret(KEY), service.openai_base)
    for kind in ("report", "rest"):
        SHARED.redis.redis_client.set(f"litellm_synthetic:plan:{kind}:{scope}", value)
    assert await refusals(router, 2) == []


async def test_an_entry_is_as_old_as_redis_says_whatever_the_writers_clock_said(
    redis: RedisServer, service: SyntheticServer
) -> None:
    use(redis)
    scope = scope_of(Secret(KEY), service.openai_base)
    client = SHARED.redis.redis_client
    report = {"text": newest(), "date": "Tue, 25 Aug 2026 01:07:00 GMT"}
    await SHARED.redis.async_set_cache(f"litellm_synthetic:plan:report:{scope}", report, ttl=3000)
    await SHARED.pull([scope])
    known = STATE.known(scope)
    assert known is not None
    assert known.age_seconds == pytest.approx(600, abs=30)
    assert client.ttl(f"litellm_synthetic:plan:report:{scope}") <= 3000


async def test_the_one_trial_of_a_key_is_that_of_all_workers_sync_and_async(
    redis: RedisServer, service: SyntheticServer
) -> None:
    use(redis)
    scope = scope_of(Secret(KEY), service.openai_base)
    assert SHARED.claim_trial_sync(scope)
    become_another_worker(redis)
    assert not SHARED.claim_trial_sync(scope)
    assert not await SHARED.claim_trial(scope)
    redis.kill()
    assert SHARED.claim_trial_sync(scope)  # each goes by what it knows


async def test_workers_share_again_once_redis_is_back(
    redis: RedisServer, service: SyntheticServer, router: litellm.Router
) -> None:
    use(redis)
    redis.kill()
    service.serve_accounts({KEY: Account(requests=1.5, credits_usd=24)})
    assert await refusals(router, 1) == []
    await told()
    redis.start()
    use(redis)  # as LiteLLM's own connection recovers
    assert len(await refusals(router, 2)) == 2
    await told()
    sent = len(service.requests)
    become_another_worker(redis)
    assert len(await refusals(router, 1)) == 1
    assert len(service.requests) == sent
