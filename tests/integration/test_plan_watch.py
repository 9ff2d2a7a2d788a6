"""Gauges and alerts of a plan on a proxy, through LiteLLM's own metrics and alerting."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from litellm.caching.caching import DualCache

from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.integration import plan_watch
from litellm_synthetic.integration.plan_watch import PlanWatch
from litellm_synthetic.quota.refusals import REFUSALS
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing.quotas import header_value, newest_form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ProxyLogging: Any = pytest.importorskip(
    "litellm.proxy.utils",
    reason="LiteLLM's proxy is not installed; the environment gateway runs this file",
    exc_type=ImportError,
).ProxyLogging

KEY = "syn_made_up_0123456789"
SCOPE = scope_of(Secret(KEY), "https://api.synthetic.new/openai/v1")


@pytest.fixture(autouse=True)
def plan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SYNTHETIC_KEY_OF_TEAM", KEY)
    STATE.forget()
    yield
    STATE.forget()


def reported(**options: Any) -> None:
    now = STATE.clock.now().wall
    STATE.note_text(SCOPE, header_value(newest_form(now, **options)), None)


class Webhook:
    """What LiteLLM's alerting has posted."""

    def __init__(self, alerting: ProxyLogging) -> None:
        self.texts: list[str] = []
        self._alerting = alerting

    async def take(self, request: web.Request) -> web.Response:
        self.texts.append((await request.json())["text"])
        return web.Response(text="ok")

    async def after_look(self, watch: PlanWatch) -> list[str]:
        self.texts.clear()
        await watch.look()
        slack: Any = self._alerting.slack_alerting_instance
        await slack.flush_queue()
        return self.texts


@pytest_asyncio.fixture
async def webhook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    """Have LiteLLM's own alerting post to a server of this test."""
    cache: Any = DualCache()
    alerting = ProxyLogging(user_api_key_cache=cache)
    hook = Webhook(alerting)
    application = web.Application()
    application.router.add_post("/hook", hook.take)
    async with TestServer(application) as server:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", str(server.make_url("/hook")))
        alerting.update_values(alerting=["slack"])
        module = SimpleNamespace(proxy_logging_obj=alerting, llm_router=None)
        monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", module)
        yield hook


async def test_an_empty_plan_is_told_once_and_its_recovery_once(webhook: Webhook) -> None:
    watch = PlanWatch()
    reported()
    assert await webhook.after_look(watch) == []
    reported(limited=True)
    (text,) = await webhook.after_look(watch)
    assert "Synthetic plan of SYNTHETIC_KEY_OF_TEAM: the 5-hour requests are used up" in text
    assert KEY not in text
    assert await webhook.after_look(watch) == []
    reported()
    (text,) = await webhook.after_look(watch)
    assert "last again" in text
    assert await webhook.after_look(watch) == []


async def test_of_several_workers_one_tells(webhook: Webhook) -> None:
    first, second = PlanWatch(), PlanWatch()
    reported(limited=True)
    assert len(await webhook.after_look(first)) == 1
    assert await webhook.after_look(second) == []
    reported()
    assert len(await webhook.after_look(second)) == 1
    assert await webhook.after_look(first) == []


async def test_a_place_that_cannot_be_written_sends_all_the_same(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_CACHE_DIR", "/proc/nowhere")
    reported(limited=True)
    assert len(await webhook.after_look(PlanWatch())) == 1


async def test_without_alerting_nothing_is_sent_and_nothing_fails() -> None:
    reported(limited=True)
    await PlanWatch().look()


async def test_the_gauges_are_beside_those_of_litellm() -> None:
    prometheus = pytest.importorskip("prometheus_client")
    watch = PlanWatch()
    reported(requests_used=136)
    REFUSALS.forget()
    REFUSALS.note(SCOPE)
    await watch.look()
    await watch.look()
    text = prometheus.generate_latest(prometheus.REGISTRY).decode()
    labels = '{bucket="five_hours",key_alias="SYNTHETIC_KEY_OF_TEAM",unit="requests"}'
    assert f"litellm_synthetic_plan_remaining{labels} 364.0" in text
    assert f"litellm_synthetic_plan_limit{labels} 500.0" in text
    assert f"litellm_synthetic_plan_next_gain{labels} 25.0" in text
    assert f"litellm_synthetic_plan_next_gain_timestamp_seconds{labels}" in text
    assert 'litellm_synthetic_plan_capped_seconds{key_alias="SYNTHETIC_KEY_OF_TEAM"} 0.0' in text
    refused = 'litellm_synthetic_plan_refused_locally_total{key_alias="SYNTHETIC_KEY_OF_TEAM"} 1.0'
    assert refused in text
    assert KEY not in text
    reported(limited=True)
    await watch.look()
    text = prometheus.generate_latest(prometheus.REGISTRY).decode()
    assert f"litellm_synthetic_plan_remaining{labels} 0.0" in text
    (capped,) = [
        line for line in text.splitlines() if line.startswith("litellm_synthetic_plan_cap")
    ]
    assert 0 < float(capped.split()[-1]) <= 901


async def test_it_looks_by_itself_on_the_loop_and_ends_when_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()
    monkeypatch.setattr(plan_watch, "INTERVAL_SECONDS", 0.0)
    watch = PlanWatch()

    async def look() -> None:
        looks.put_nowait(None)
        raise ValueError("one bad look")

    monkeypatch.setattr(watch, "look", look)
    watch.start()
    watch.start()
    await looks.get()
    await looks.get()  # a look that failed was not the last
    watch.stop()


def test_without_a_loop_nothing_begins() -> None:
    PlanWatch().start()
