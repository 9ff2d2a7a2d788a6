"""The proxies and the options of the suite of real clients, which nothing else runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import SyntheticServer
from tests.clients.results import Results
from tests.gateway.running import LOADING, Proxy, run_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Without its options this folder was not asked for: `tox run -e py` leaves it out.
collect_ignore_glob = ["test_*.py"]
GROUPS = ("large", "small")
# A scene's spent plan must not rest the key for the next one.
UNSTEERED = {"SYNTHETIC_STEER": "off"}


def pytest_addoption(parser: pytest.Parser) -> None:
    collect_ignore_glob.clear()
    group = parser.getgroup("clients")
    group.addoption("--install-into", type=Path, default=Path(".tox/client-releases"))
    group.addoption(
        "--no-stock", action="store_true", help="leave out LiteLLM without this package"
    )
    group.addoption("--record", action="store_true", help="write tests/data/clients")
    group.addoption("--write-results", action="store_true", help="write docs/clients-results.md")


@pytest.fixture(scope="session")
def releases(pytestconfig: pytest.Config) -> Path:
    """Return the folder of the installed releases."""
    folder: Path = pytestconfig.getoption("--install-into")
    return folder.absolute()


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config, releases: Path) -> Iterator[Results]:
    """Gather what every client did, and write it down at the end if that is asked for."""
    gathered = Results(releases / "results.json")
    yield gathered
    if pytestconfig.getoption("--write-results"):
        gathered.write()


def _config(extra: Mapping[str, Any], **params: Any) -> dict[str, Any]:
    models = {"large": "synthetic/hf:zai-org/GLM-5.3", "small": "synthetic/syn:small:text"}
    return {
        **extra,
        "model_list": [
            {"model_name": name, "litellm_params": {"model": models[name], **params}}
            for name in GROUPS
        ],
        # A scene's failure must not cool the next one's model down.
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy with this package."""
    folder = tmp_path_factory.mktemp("ours")
    with (
        SyntheticServer() as upstream,
        run_proxy(folder, _config(LOADING), upstream, environment=UNSTEERED) as proxy,
    ):
        yield proxy


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy without it; stock LiteLLM reads no base URL from the environment."""
    folder = tmp_path_factory.mktemp("stock")
    with SyntheticServer() as upstream:
        config = _config({}, api_base=upstream.openai_base)
        with run_proxy(folder, config, upstream, from_scratch=True) as proxy:
            yield proxy
