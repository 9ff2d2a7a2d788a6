"""Write the recipes into `docs/frameworks.md`: `python -m tests.frameworks.page`."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tests.frameworks.kinds import FRAMEWORKS, Framework

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
BEGIN = "<!-- Written by `python -m tests.frameworks.page` from tests/frameworks/programs. -->"
END = "<!-- End of what is written by `python -m tests.frameworks.page`. -->"
_RECIPE = re.compile(r"^# Recipe\n(.*?)^# End of the recipe$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r'COMMAND = "(.*)"\n')


def rendered() -> str:
    """Return the recipes in Markdown."""
    return "\n\n".join("\n\n".join(_section(framework)) for framework in FRAMEWORKS)


def recipe(framework: Framework) -> str:
    """Return the part of a framework's program that shows how it is used.

    Raises:
        ValueError: the program marks none.
    """
    match = _RECIPE.search(framework.program.read_text("utf-8"))
    if match is None:
        raise ValueError(f"{framework.program} has no recipe")
    return match[1].strip() + "\n"


def _section(framework: Framework) -> Iterator[str]:
    yield f"### {framework.title}"
    names = " ".join(f"'{name}'" if "[" in name else name for name in framework.requirements)
    yield f"```bash\npip install {names} litellm-synthetic\n```"
    text = recipe(framework)
    if (command := _COMMAND.fullmatch(text)) is not None:
        yield f"```bash\n{command[1]} 'write a test'\n```"
    else:
        yield f"```python\n{text}```"
    if framework.note:
        yield textwrap.fill(framework.note, 104, break_long_words=False, break_on_hyphens=False)


def with_recipes(page: str) -> str:
    """Return a page with the recipes between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{rendered()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_recipes(PAGE.read_text("utf-8")), "utf-8")
