"""The worlds that tests live in: the route registered, a stand-in upstream, and no network."""

from __future__ import annotations

import copy
import functools
import gc
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.forks import ENVIRONMENT

# Read when LiteLLM is imported, which without them fetches its cost map from the network.
os.environ.update(ENVIRONMENT)

from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import settings
from litellm.integrations.custom_logger import CustomLogger

import litellm_synthetic
from litellm_synthetic.catalog import active
from litellm_synthetic.config.settings import SETTINGS
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.state import STATE
from tests.background_work import BackgroundWork
from tests.caller import Caller
from tests.gateway.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing import SyntheticServer

pytest_plugins = ["pytester"]

# A busy machine may take any time over an example, and the same commit passes or fails everywhere.
settings.register_profile("suite", max_examples=30, deadline=None, derandomize=True)
# `pytest --hypothesis-profile=search` looks for what those examples miss.
settings.register_profile("search", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let workers begin with the gateway: its files take longest, above all these."""
    if hasattr(config, "workerinput"):
        longest = ("redis", "workers", "keywords", "plan_redis", "documented", "hostile")
        first = (*(f"gateway/test_{name}" for name in longest), "gateway/")
        items.sort(key=lambda item: [part not in item.nodeid for part in first])


def pytest_collection_finish() -> None:
    """Spare the garbage collector everything that has been imported; some tests call it."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the adversarial suite to those who name it: it takes longer than all of the rest."""
    is_harden = collection_path.name == "harden" and collection_path.parent == Path(__file__).parent
    return True if is_harden and not any("harden" in str(each) for each in config.args) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep each file on one worker, unless told otherwise: its tests may share a proxy."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415  # runs without it

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


NewRouter = Callable[..., litellm.Router]
"""Make a Router from a model list and settings."""

_FOREIGN = (
    "OPENAI_API_KEY",
    "OPENAI_ORGANIZATION",
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
)


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Share the TLS contexts: a client reads all CA certificates, and most tests make a client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="module", autouse=True)
def garbage_collected() -> Iterator[None]:
    """Let what a file's tests leave open be reported there, not in a later file's test."""
    yield
    gc.collect()


@pytest.fixture
def list_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bill each call at list price, also those of the stand-in's key, which reports a plan."""
    monkeypatch.setenv("SYNTHETIC_BILLING", "list-price")


@pytest.fixture
def allowed_hosts(allowed_hosts: list[str]) -> list[str]:
    """Let processes be forked: Python's fork server listens on a socket in the file system."""
    return [*allowed_hosts, tempfile.gettempdir()]


@pytest.fixture(autouse=True)
def clean_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Hide the developer's own settings, and undo what a test set in LiteLLM."""
    for name in (*_FOREIGN, *(each.name for each in SETTINGS)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
    for name in (
        "callbacks",
        "success_callback",
        "failure_callback",
        "_async_success_callback",
        "_async_failure_callback",
    ):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm, "drop_params", False)
    monkeypatch.setattr(litellm, "headers", None)
    # Routers and registrations write into it; undone last, whatever a test has put in its place.
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
    yield
    litellm_synthetic.unregister()
    active.forget()
    STATE.forget()
    RESTS.forget()
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # LiteLLM caches look-ups


@pytest.fixture
def registered() -> None:
    """Own the route `synthetic/` for one test."""
    litellm_synthetic.register()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a Redis for one test."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def upstream(registered: None, synthetic_server: SyntheticServer) -> SyntheticServer:
    """Own the route, with the stand-in as Synthetic and its key in the environment."""
    del registered
    return synthetic_server


@pytest.fixture(params=["openai", "anthropic"])
def either_api(
    upstream: SyntheticServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> SyntheticServer:
    """Run a test over both APIs: a promise about a completion holds on each."""
    if request.param == "anthropic":
        monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    return upstream


@dataclass(frozen=True)
class Way:
    """One way to make a completion: over an API, sync or async, plain or streamed."""

    server: SyntheticServer
    caller: Caller
    stream: bool


@pytest.fixture(
    params=[
        ("openai", "sync", "plain"),
        ("openai", "async", "stream"),
        ("anthropic", "sync", "stream"),
        ("anthropic", "async", "plain"),
    ],
    ids="-".join,
)
def pairwise(
    upstream: SyntheticServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Way:
    """Run a long table over four of the eight ways, among which each two choices meet."""
    api, colour, kind = request.param
    if api == "anthropic":
        monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    return Way(upstream, Caller(is_async=colour == "async"), kind == "stream")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let back-off pass at once; that it is asked for is checked elsewhere."""
    monkeypatch.setattr("litellm_synthetic.transport.retries._FIRST_DELAY_SECONDS", 0.001)


@pytest.fixture
def new_router() -> Iterator[NewRouter]:
    """Own the route, and make Routers on a cost map that nobody else ever sees.

    A Router writes its deployments into LiteLLM's cost map, and nothing takes them out again.
    """
    litellm_synthetic.unregister()  # its rows are in the map that is copied
    before = litellm.model_cost
    litellm.model_cost = copy.deepcopy(before)
    litellm_synthetic.register()
    routers: list[Any] = []  # Any, because which name ends a Router depends on the version

    def make(model_list: list[Any], **settings: Any) -> litellm.Router:
        router = litellm.Router(model_list=model_list, **settings)
        routers.append(router)
        return router

    yield make
    # Its callbacks keep a Router alive, and LiteLLM replays the entries of each that is. 1.109 has
    # a new name for the end of one.
    while routers:
        router = routers.pop()
        (router.retire if hasattr(router, "retire") else router.discard)()
        del router
    gc.collect()
    litellm_synthetic.unregister()
    litellm.model_cost = before
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # LiteLLM caches look-ups


class Recorder(CustomLogger):
    """Keep what LiteLLM tells callbacks."""

    def __init__(self, background_work: BackgroundWork) -> None:
        super().__init__()
        self._background_work = background_work
        self.since = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
        self.costs: list[float | None] = []
        self.failures: list[str] = []

    async def settled_costs(self) -> list[float | None]:
        """Return the costs that were told, once LiteLLM has nothing left to tell."""
        await self._background_work.end()
        return self.costs

    async def settled_failures(self) -> list[str]:
        """Return the failures that were told, once LiteLLM has nothing left to tell."""
        await self._background_work.end()
        return self.failures

    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del response_obj, end_time
        # LiteLLM's worker may still be telling of an earlier test's calls.
        if start_time >= self.since:
            self.costs.append(kwargs.get("response_cost"))

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    def log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del response_obj, end_time
        if start_time >= self.since:
            self.failures.append(str(kwargs.get("exception")))

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_failure_event(kwargs, response_obj, start_time, end_time)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Listen to LiteLLM's callbacks during one test."""
    listener = Recorder(BackgroundWork(monkeypatch))
    litellm.callbacks = [listener]
    return listener


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Make the test's calls sync in one run and async in the other."""
    return Caller(is_async=request.param)
