"""Two proxies on one Redis, started on the scaled example's own config."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from litellm_synthetic.testing import RawJSON, SyntheticServer, Text
from tests.gateway.redis_server import RedisServer, needs_redis
from tests.gateway.running import Proxy, run_proxy
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import httpx

    from litellm_synthetic.testing import RecordedRequest, Reply

pytestmark = needs_redis

EXAMPLE = Path(__file__).parents[2] / "examples" / "proxy" / "scaled" / "config.yaml"
GLM, KIMI = "hf:zai-org/GLM-5.3", "hf:moonshotai/Kimi-K3"
# Outlasts any test, on a busy machine too.
LONG_SECONDS = 3000
# So many calls all go to one of two deployments by chance once in 65,536 runs.
MANY = 16
_numbers = itertools.count()


@dataclass(frozen=True)
class Fleet:
    """Hold two proxies, their Redis and their upstream."""

    first: httpx.Client
    second: httpx.Client
    redis: RedisServer
    upstream: SyntheticServer
    proxies: tuple[Proxy, Proxy]

    @property
    def clients(self) -> tuple[httpx.Client, httpx.Client]:
        return (self.first, self.second)


@contextlib.contextmanager
def run_fleet(
    folder: Path, config: Mapping[str, Any] | Path, redis: RedisServer
) -> Iterator[Fleet]:
    with SyntheticServer() as upstream, contextlib.ExitStack() as stack:

        def started(name: str) -> contextlib.AbstractContextManager[Proxy]:
            (folder / name).mkdir()
            running = run_proxy(folder / name, config, upstream, environment=redis.environment)
            return contextlib.nullcontext(stack.enter_context(running))

        # Starting is most of what these tests wait for, so both start at once.
        with ThreadPoolExecutor(2) as pool:
            first, second = (one.__enter__() for one in pool.map(started, ("first", "second")))
        clients = [stack.enter_context(proxy.client()) for proxy in (first, second)]
        yield Fleet(clients[0], clients[1], redis, upstream, (first, second))


@pytest.fixture(scope="module")
def running_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with RedisServer(folder) as redis, run_fleet(folder, EXAMPLE, redis) as fleet:
        yield fleet


@pytest.fixture
def fleet(running_fleet: Fleet) -> Fleet:
    """Give a test the fleet with an upstream that has heard nothing; nothing is cooled down."""
    running_fleet.upstream.reset()
    return running_fleet


@pytest.fixture
def own_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Give a test a fleet that it may leave with a model cooled down."""
    with RedisServer(tmp_path) as redis, run_fleet(tmp_path, EXAMPLE, redis) as fleet:
        yield fleet


def fresh_prompt() -> str:
    """Return a question that no proxy has in its cache."""
    return f"question {next(_numbers)}"


def chat(client: httpx.Client, prompt: str = "hello", **more: Any) -> httpx.Response:
    body = {"model": "coder", "messages": [{"role": "user", "content": prompt}], **more}
    return client.post("/v1/chat/completions", json=body)


def cached_chat(client: httpx.Client, prompt: str) -> str:
    """Return the id of the answer to a call that asks for the cache."""
    reply = chat(client, prompt, cache={"use-cache": True})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def share_answers(fleet: Fleet) -> bool:
    prompt = fresh_prompt()
    answer = cached_chat(fleet.first, prompt)
    return answer == cached_chat(fleet.second, prompt)


def _wait_until_shared(fleet: Fleet) -> None:
    wait_until(lambda: share_answers(fleet), lambda: "the proxies do not share answers")


def _models(fleet: Fleet, since: int = 0) -> list[str]:
    return [one.json["model"] for one in fleet.upstream.requests[since:]]


def _served_by(fleet: Fleet, index: int) -> set[str]:
    """Return the models that one proxy's next calls go to."""
    since = len(fleet.upstream.requests)
    for _ in range(MANY):
        reply = chat(fleet.clients[index])
        assert reply.status_code == 200, reply.text
    return set(_models(fleet, since))


def _wait_until_served_by(fleet: Fleet, index: int, models: set[str]) -> None:
    wait_until(
        lambda: _served_by(fleet, index) == models,
        lambda: f"proxy {index} does not come to {models} alone",
    )


def cool_down(fleet: Fleet, model: str, seconds: int = LONG_SECONDS) -> None:
    """Let one model refuse calls until the first proxy has met it, and answer again."""

    def reply(request: RecordedRequest) -> Reply:
        if request.json["model"] != model:
            return Text("fine")
        body = {"error": "max 4 parallel requests per model"}
        return RawJSON(429, body, {"Retry-After": str(seconds)})

    fleet.upstream.respond_with(reply)
    for _ in range(MANY):
        chat(fleet.first)
    assert model in _models(fleet)
    fleet.upstream.reset()


@pytest.mark.parametrize("model", [GLM, KIMI])
def test_what_one_proxy_cooled_down_the_other_avoids(own_fleet: Fleet, model: str) -> None:
    cool_down(own_fleet, model)
    for index in (0, 1):
        _wait_until_served_by(own_fleet, index, {GLM, KIMI} - {model})


def test_a_cooldown_ends_on_both_proxies(own_fleet: Fleet) -> None:
    cool_down(own_fleet, GLM, seconds=6)
    for index in (0, 1):
        _wait_until_served_by(own_fleet, index, {GLM, KIMI})


def test_an_answer_cached_by_one_proxy_is_served_by_the_other(fleet: Fleet) -> None:
    fleet.redis.forget()
    prompt = fresh_prompt()
    answer = cached_chat(fleet.first, prompt)
    wait_until(fleet.redis.has_answers, lambda: "the answer is not cached")
    assert cached_chat(fleet.second, prompt) == answer
    assert len(fleet.upstream.requests) == 1


def test_a_streamed_answer_is_served_from_the_cache_whole(fleet: Fleet) -> None:
    fleet.redis.forget()
    prompt = fresh_prompt()
    body: dict[str, Any] = {"stream": True, "cache": {"use-cache": True}}
    texts = []
    for client in fleet.clients:
        texts.append(_streamed_text(chat(client, prompt, **body).iter_lines()))
        wait_until(fleet.redis.has_answers, lambda: "the answer is not cached")
    assert texts[0] == texts[1] != ""
    assert len(fleet.upstream.requests) == 1


def test_nothing_is_cached_unless_the_call_asks_for_it(fleet: Fleet) -> None:
    prompt = fresh_prompt()
    ids = [chat(client, prompt).json()["id"] for client in (*fleet.clients, *fleet.clients)]
    assert len(set(ids)) == len(fleet.upstream.requests) == 4


def _streamed_text(lines: Iterable[str]) -> str:
    events = [line[6:] for line in lines if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    deltas = [json.loads(one)["choices"] for one in events]
    return "".join(choice["delta"].get("content") or "" for each in deltas for choice in each)


def _every_kind_of_call(client: httpx.Client) -> Iterator[tuple[str, float]]:
    """Make each kind of call, and yield its name and the seconds it took."""
    asks = {"model": "coder", "messages": [{"role": "user", "content": fresh_prompt()}]}
    kinds: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("chat", "/v1/chat/completions", asks),
        ("stream", "/v1/chat/completions", {**asks, "stream": True}),
        ("cached", "/v1/chat/completions", {**asks, "cache": {"use-cache": True}}),
        ("embeddings", "/v1/embeddings", {"model": "vectors", "input": "hello"}),
        ("messages", "/v1/messages", {**asks, "max_tokens": 50}),
    )
    for name, path, body in kinds:
        start = time.perf_counter()
        reply = client.post(path, json=body)
        seconds = time.perf_counter() - start
        assert reply.status_code == 200, (name, reply.text)
        if name == "stream":
            assert _streamed_text(reply.iter_lines())
        yield name, seconds


@pytest.mark.parametrize("fault", ["killed", "hanging"])
def test_a_redis_that_dies_takes_no_request_down(own_fleet: Fleet, fault: str) -> None:
    fleet = own_fleet
    for client in fleet.clients:
        list(_every_kind_of_call(client))  # a worker's first call of a kind imports its modules
    if fault == "killed":
        fleet.redis.kill()
    else:
        fleet.redis.hang()
    try:
        rounds = [
            [count for client in fleet.clients for count in _every_kind_of_call(client)]
            for _ in range(4)
        ]
        # A load balancer must not take every proxy out because of it.
        assert all(client.get("/health/readiness").is_success for client in fleet.clients)
    finally:
        if fault == "killed":
            fleet.redis.start()
        else:
            fleet.redis.go_on()
    slowest = max(seconds for each in rounds for _, seconds in each)
    calls = sum(map(len, rounds))
    print(f"Redis {fault}: slowest of {calls} calls {slowest:.2f} s")  # noqa: T201  # pytest -rP
    _wait_until_shared(fleet)
    cool_down(fleet, GLM)
    _wait_until_served_by(fleet, 1, {KIMI})


def test_a_call_asks_a_hanging_redis_for_half_a_second_at_most_each_time() -> None:
    # A call asks it several times; LiteLLM's own 5 seconds would make it wait for ten.
    cache = yaml.safe_load(EXAMPLE.read_text())["litellm_settings"]["cache_params"]
    assert cache["socket_timeout"] == cache["socket_connect_timeout"] == 0.5


def test_a_stream_under_way_when_redis_dies_arrives_whole(fleet: Fleet) -> None:
    text = "".join(f" word{number}" for number in range(20))
    fleet.upstream.respond_with(Text(text, chunks=20, delay_seconds=0.05))
    body = {"model": "coder", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with contextlib.ExitStack() as stack:
        replies = [
            stack.enter_context(client.stream("POST", "/v1/chat/completions", json=body))
            for client in fleet.clients
        ]
        lines = [reply.iter_lines() for reply in replies]
        begun = [next(one) for one in lines]
        fleet.redis.kill()
        try:
            texts = [
                _streamed_text([first, *rest]) for first, rest in zip(begun, lines, strict=True)
            ]
        finally:
            fleet.redis.start()
    assert texts == [text, text]
    _wait_until_shared(fleet)


def test_proxies_start_without_redis_and_share_once_it_is_there(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    with run_fleet(tmp_path, EXAMPLE, redis) as fleet:
        for client in fleet.clients:
            assert [name for name, _ in _every_kind_of_call(client)]
        with redis:
            _wait_until_shared(fleet)


@pytest.fixture(scope="module")
def limited_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Run the example with an rpm that is soon reached, and the budget that it has as a comment."""
    folder = tmp_path_factory.mktemp("limited")
    config = yaml.safe_load(EXAMPLE.read_text())
    vectors = next(one for one in config["model_list"] if one["model_name"] == "vectors")
    vectors["litellm_params"]["rpm"] = 6
    config["router_settings"]["provider_budget_config"] = {
        "synthetic": {"budget_limit": 0.001, "time_period": "1d"}
    }
    with RedisServer(folder) as redis, run_fleet(folder, config, redis) as fleet:
        yield fleet


def test_a_deployments_rpm_is_that_of_all_proxies_together(limited_fleet: Fleet) -> None:
    # LiteLLM counts per minute of the clock, and the calls are to fall into one.
    if (second := time.time() % 60) > 40:
        time.sleep(60.5 - second)
    body = {"model": "vectors", "input": "hello"}
    statuses = [
        client.post("/v1/embeddings", json=body).status_code
        for _ in range(5)
        for client in limited_fleet.clients
    ]
    assert statuses == [200] * 6 + [429] * 4
    assert len(limited_fleet.upstream.requests) == 6


def test_a_budget_is_that_of_all_proxies_together(limited_fleet: Fleet) -> None:
    spend = 0.0
    for _ in range(50):
        reply = chat(limited_fleet.first)
        if reply.status_code != 200:
            break
        spend += float(reply.headers["x-litellm-response-cost"])
    assert reply.status_code == 429
    assert spend >= 0.001
    limited_fleet.upstream.reset()

    def is_refused() -> bool:
        reply = chat(limited_fleet.second)
        return reply.status_code == 429 and "crossed budget" in reply.text

    # The proxy that made none of those calls learns of them within a second or two.
    wait_until(is_refused, lambda: "the second proxy does not know of the spent budget")
    limited_fleet.upstream.reset()
    assert is_refused()
    assert not limited_fleet.upstream.requests
