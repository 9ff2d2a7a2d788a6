"""The worlds that tests live in: the route registered, a stand-in upstream, and no network."""

from __future__ import annotations

import copy
import gc
import os
from collections.abc import Callable
from datetime import datetime

# LiteLLM fetches its cost map from the network when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger

import litellm_synthetic
from litellm_synthetic.catalog import active
from litellm_synthetic.config.settings import SETTINGS
from tests.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litellm_synthetic.testing import SyntheticServer

pytest_plugins = ["pytester"]

NewRouter = Callable[..., litellm.Router]
"""Make a Router from a model list and settings."""

_FOREIGN = (
    "OPENAI_API_KEY",
    "OPENAI_ORGANIZATION",
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
)


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
    yield
    litellm_synthetic.unregister()
    active.forget()


@pytest.fixture
def registered() -> None:
    """Own the route `synthetic/` for one test."""
    litellm_synthetic.register()


@pytest.fixture
def upstream(registered: None, synthetic_server: SyntheticServer) -> SyntheticServer:
    """Own the route, with the stand-in as Synthetic and its key in the environment."""
    del registered
    return synthetic_server


@pytest.fixture(params=["openai", "anthropic"])
def either_surface(
    upstream: SyntheticServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> SyntheticServer:
    """Run a test over both surfaces: a promise about a completion holds on each."""
    if request.param == "anthropic":
        monkeypatch.setenv("SYNTHETIC_API_BASE", upstream.anthropic_base)
    return upstream


@pytest.fixture
def new_router() -> Iterator[NewRouter]:
    """Own the route, and make Routers on a cost map that nobody else ever sees.

    A Router writes its deployments into LiteLLM's cost map, and nothing takes them out again.
    """
    before = litellm.model_cost
    litellm.model_cost = copy.deepcopy(before)
    litellm_synthetic.register()
    made: list[Any] = []  # Any, because which name ends a Router depends on the version

    def make(model_list: list[Any], **settings: Any) -> litellm.Router:
        router = litellm.Router(model_list=model_list, **settings)
        made.append(router)
        return router

    yield make
    # Its callbacks keep a Router alive, and LiteLLM replays the entries of each that is. 1.109 has
    # a new name for the end of one.
    while made:
        router = made.pop()
        (router.retire if hasattr(router, "retire") else router.discard)()
        del router
    gc.collect()
    litellm_synthetic.unregister()
    litellm.model_cost = before
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # LiteLLM caches look-ups


class Recorder(CustomLogger):
    """Keep what LiteLLM tells callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.since = datetime.now()  # noqa: DTZ005  # LiteLLM's own times are naive
        self.costs: list[float | None] = []
        self.failures: list[str] = []

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
def recorder() -> Recorder:
    """Listen to LiteLLM's callbacks during one test."""
    listener = Recorder()
    litellm.callbacks = [listener]
    return listener


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Make the test's calls sync in one run and async in the other."""
    return Caller(is_async=request.param)
