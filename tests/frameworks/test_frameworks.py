"""Every framework does its work on the route, and shows what went wrong when something did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frameworks.environments import Environments, UnavailableError
from tests.frameworks.kinds import FRAMEWORKS, Framework
from tests.frameworks.results import Results, answered, calls_tool, exact_costs, exact_spent
from tests.frameworks.scenes import CAP, OVERFLOW, SCENES, WORK, Outcome, Scene, play

if TYPE_CHECKING:
    from pathlib import Path

each_framework = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda each: each.name)


@pytest.fixture
def python(framework: Framework, environments: Environments) -> Path:
    """Return the interpreter of the framework's environment."""
    try:
        return environments.python(framework)
    except UnavailableError as error:
        pytest.skip(str(error))


def tail(outcome: Outcome) -> str:
    return f"{outcome.report}\n{outcome.output[-2000:]}"


@each_framework
def test_a_framework_does_its_work(
    framework: Framework,
    python: Path,
    environments: Environments,
    tmp_path: Path,
    results: Results,
) -> None:
    outcome = play(framework, WORK, python, tmp_path)
    results.add(framework, environments.version(framework), WORK, outcome)
    assert answered(outcome), tail(outcome)
    assert calls_tool(framework, outcome)
    # What runs in a process of its own tells this one's callbacks nothing.
    assert exact_costs(outcome) or not framework.in_process, tail(outcome)
    assert exact_spent(outcome), tail(outcome)
    assert not framework.streams or outcome.result("stream"), tail(outcome)
    assert outcome.result("window") == framework.window, tail(outcome)


@each_framework
def test_a_framework_recovers_from_an_overflow_or_says_so(
    framework: Framework,
    python: Path,
    environments: Environments,
    tmp_path: Path,
    results: Results,
) -> None:
    outcome = play(framework, OVERFLOW, python, tmp_path)
    results.add(framework, environments.version(framework), OVERFLOW, outcome)
    assert answered(outcome) == framework.recovers, tail(outcome)
    assert answered(outcome) or outcome.shows(OVERFLOW.words), tail(outcome)


@each_framework
def test_a_framework_asks_of_a_spent_plan_as_often_as_is_known(
    framework: Framework,
    python: Path,
    environments: Environments,
    tmp_path: Path,
    results: Results,
) -> None:
    outcome = play(framework, CAP, python, tmp_path)
    results.add(framework, environments.version(framework), CAP, outcome)
    assert 0 < len(outcome.calls) <= framework.max_cap_calls, tail(outcome)
    assert outcome.ended != framework.waits, tail(outcome)
    assert framework.waits or outcome.shows(CAP.words), tail(outcome)


@each_framework
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_what_stock_litellm_comes_to_is_noted(
    framework: Framework,
    scene: Scene,
    python: Path,
    environments: Environments,
    tmp_path: Path,
    results: Results,
    pytestconfig: pytest.Config,
) -> None:
    if pytestconfig.getoption("--no-stock"):
        pytest.skip("--no-stock")
    outcome = play(framework, scene, python, tmp_path, is_stock=True)
    results.add(framework, environments.version(framework), scene, outcome, is_stock=True)
    assert outcome.ended or outcome.calls
