"""The options and environments of the suite of frameworks, which nothing else runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.frameworks.environments import Environments, build_wheel
from tests.frameworks.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

# Without its options this folder was not asked for: `tox run -e py` leaves it out.
collect_ignore_glob = ["test_*.py"]


def pytest_addoption(parser: pytest.Parser) -> None:
    collect_ignore_glob.clear()
    group = parser.getgroup("frameworks")
    group.addoption("--environments", type=Path, default=Path(".tox/framework-environments"))
    group.addoption("--upgrade", action="store_true", help="install the newest releases again")
    group.addoption(
        "--no-stock", action="store_true", help="leave out LiteLLM without this package"
    )
    group.addoption("--write-results", action="store_true", help="write docs/frameworks-results.md")


@pytest.fixture(scope="session")
def environments(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Environments:
    """Return where the frameworks are installed, with this commit's wheel."""
    root = pytestconfig.getoption("--environments").absolute()
    upgrade = bool(pytestconfig.getoption("--upgrade"))
    return Environments(root, build_wheel(tmp_path_factory.mktemp("wheel")), upgrade)


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config, environments: Environments) -> Iterator[Results]:
    """Gather what every framework did, and write it down at the end if that is asked for."""
    gathered = Results(environments.root / "results.json")
    yield gathered
    if pytestconfig.getoption("--write-results"):
        gathered.write()
