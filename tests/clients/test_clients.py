"""Every client writes a file through the proxy, and shows what went wrong when something did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients import recorded
from tests.clients.expectations import expected
from tests.clients.recipes import RECIPES, Recipe
from tests.clients.relay import relay_to
from tests.clients.releases import UnavailableError
from tests.clients.scenes import LOOP, SCENES, Outcome, Scene, play

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.results import Results
    from tests.gateway.running import Proxy

FAILURES = [scene for scene in SCENES if scene is not LOOP]
each_client = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def _played(  # what a run is made of, each named
    recipe: Recipe,
    scene: Scene,
    proxy: Proxy,
    releases: Path,
    folder: Path,
    *,
    record: bool = False,
) -> Outcome:
    try:
        installed = recipe.release.install(releases)
    except UnavailableError as error:
        pytest.skip(str(error))
    if not record:
        return play(recipe, scene, proxy, installed, folder)
    with relay_to(proxy.url) as (url, requests):
        outcome = play(recipe, scene, proxy, installed, folder, url=url)
    recorded.write(recipe.name, requests)
    return outcome


@each_client
def test_a_client_writes_a_file(  # fixtures
    recipe: Recipe,
    ours: Proxy,
    releases: Path,
    tmp_path: Path,
    results: Results,
    pytestconfig: pytest.Config,
) -> None:
    record = bool(pytestconfig.getoption("--record"))
    outcome = _played(recipe, LOOP, ours, releases, tmp_path, record=record)
    results.add(recipe, LOOP, outcome)
    assert outcome.wrote, outcome.output[-2000:]
    assert outcome.shows(LOOP.words)
    with_tools = [one for one in outcome.requests if one.json.get("tools")]
    assert len(with_tools) == (2 if recipe.does_tools else 0)
    assert all(one.json.get("stream") for one in outcome.requests)


@each_client
@pytest.mark.parametrize("scene", FAILURES, ids=lambda scene: scene.name)
def test_a_client_stops_and_shows_what_went_wrong(  # fixtures
    recipe: Recipe, scene: Scene, ours: Proxy, releases: Path, tmp_path: Path, results: Results
) -> None:
    outcome = _played(recipe, scene, ours, releases, tmp_path)
    results.add(recipe, scene, outcome)
    case = expected(recipe.name, scene)
    assert not outcome.wrote
    assert 0 < len(outcome.requests) <= case.max_calls, outcome.output[-2000:]
    if outcome.ended and case.words is not None:
        assert outcome.shows(case.words or scene.words), outcome.output[-2000:]


@each_client
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_what_stock_litellm_comes_to_is_noted(  # fixtures
    recipe: Recipe,
    scene: Scene,
    request: pytest.FixtureRequest,
    releases: Path,
    tmp_path: Path,
    results: Results,
) -> None:
    if request.config.getoption("--no-stock"):
        pytest.skip("--no-stock")
    proxy = request.getfixturevalue("stock")
    outcome = _played(recipe, scene, proxy, releases, tmp_path)
    results.add(recipe, scene, outcome, is_stock=True)
    assert outcome.seconds > 0
