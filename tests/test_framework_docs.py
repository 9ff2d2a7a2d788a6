"""The documented recipes are the ones that the suite of frameworks runs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.frameworks.kinds import FRAMEWORKS, Framework
from tests.frameworks.page import BEGIN, END, PAGE, recipe, with_recipes

DOCS = Path(__file__).parents[1] / "docs"
each_framework = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda each: each.name)


def test_the_page_holds_the_recipes_that_the_suite_runs() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert with_recipes(page) == page, "run `python -m tests.frameworks.page`"


@each_framework
def test_a_recipe_registers_before_it_imports_its_framework(framework: Framework) -> None:
    text = recipe(framework)
    if not framework.in_process:
        assert "litellm-synthetic run " in text
        return
    first, second, *_ = ast.parse(text).body
    assert "\n".join(map(ast.unparse, (first, second))) == (
        "import litellm_synthetic\nlitellm_synthetic.register()"
    )


@each_framework
def test_every_framework_has_a_row_on_each_side_of_the_results(framework: Framework) -> None:
    results = (DOCS / "frameworks-results.md").read_text("utf-8")
    assert results.count(f"| {framework.title} |") == 2


@each_framework
def test_a_program_has_what_its_scenes_call(framework: Framework) -> None:
    tree = ast.parse(framework.program.read_text("utf-8"))
    functions = {
        each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert "ask" in functions
    assert ("stream" in functions) is framework.streams
    assert ("window" in functions) is (framework.window is not None)
