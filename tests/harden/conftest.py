"""The world of the adversarial suite, which `tox run -e harden` runs and nothing else does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import litellm
import pytest

import litellm_synthetic
from litellm_synthetic.catalog import active
from tests.harden.cases import KEY
from tests.harden.entry_points import own_client, router
from tests.harden.harness import Harness
from tests.harden.upstream import RawUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

# Without its options this folder was not asked for: `tox run -e py` leaves it out.
collect_ignore_glob = ["test_*.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    collect_ignore_glob.clear()
    group = parser.getgroup("harden")
    group.addoption("--short", action="store_true", help="a short form of each part")
    group.addoption("--soak", action="store_true", help="the soak only")
    group.addoption("--minutes", type=float, default=None, help="how long the soak runs (2)")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # First, because it takes longest and counts what its process has open.
    items.sort(key=lambda item: "test_soak" not in item.nodeid)
    if config.getoption("--soak", default=False):
        items[:] = [one for one in items if "test_soak" in one.nodeid]


@pytest.fixture(scope="session")
def is_short(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--short"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Own the route for the whole session: these tests share connections on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("OPENAI_", "ANTHROPIC_", "SYNTHETIC_")) or name == "SSL_VERIFY":
                patch.delenv(name)
        patch.setenv("SYNTHETIC_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("SYNTHETIC_CATALOG", "offline")
        patch.setenv("SYNTHETIC_API_KEY", KEY)
        patch.setattr(litellm, "callbacks", [])
        litellm_synthetic.register()
        yield
        litellm_synthetic.unregister()
        active.forget()


@pytest.fixture(autouse=True)
def clean_world(world: None) -> None:
    """Take the place of the fixture that gives every other test a route of its own."""
    del world


@pytest.fixture(scope="session")
def upstream() -> Iterator[RawUpstream]:
    with RawUpstream() as server:
        yield server


@pytest.fixture(scope="session")
def harness(world: None, upstream: RawUpstream) -> Iterator[Harness]:
    del world
    with pytest.MonkeyPatch.context() as patch:
        # `search` sends the environment's key to the environment's host only.
        patch.setenv("SYNTHETIC_API_BASE", upstream.base("nobody"))
        made = Harness(upstream)
        router()
        own_client()
        made.listen()
        made.warm_up()
        yield made
        made.close()
