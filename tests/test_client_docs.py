"""The documented recipes are the ones that the suite of real clients runs."""

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.clients.page import BEGIN, END, PAGE, with_recipes
from tests.clients.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_holds_the_recipes_that_the_suite_runs() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert with_recipes(page) == page, "run `python -m tests.clients.page`"


def test_every_client_has_a_row_on_each_side_of_the_results() -> None:
    results = (DOCS / "clients-results.md").read_text("utf-8")
    for recipe in RECIPES:
        row = f"| {recipe.title} | {recipe.release.version} |"
        assert results.count(row) == 2, "run `tox run -e clients -- --write-results`"


def test_the_files_of_the_recipes_are_well_formed() -> None:
    readers: dict[str, Callable[[str], Any]] = {
        ".json": yaml.safe_load,
        ".yaml": yaml.safe_load,
        ".toml": tomllib.loads,
    }
    for recipe in RECIPES:
        for name, text in recipe.files.items():
            assert readers[Path(name).suffix](recipe.filled(text, "http://localhost", "key"))


def test_the_commands_of_the_page_are_read_by_a_shell() -> None:
    shell = shutil.which("bash") or "sh"
    blocks = PAGE.read_text("utf-8").split("```bash\n")[1:]
    for block in blocks:
        done = subprocess.run(  # noqa: S603  # only reads it
            [shell, "-n"],
            input=block.partition("```")[0],
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
