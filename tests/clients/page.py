"""Write the recipes into `docs/clients.md`: `python -m tests.clients.page`."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
BEGIN = "<!-- Written by `python -m tests.clients.page` from tests/clients/recipes.py. -->"
END = "<!-- End of what is written by `python -m tests.clients.page`. -->"
URL = "http://localhost:4000"
# Where a client reads no variable.
KEY = "sk-your-key-of-the-proxy"
_LANGUAGES = {".json": "json", ".toml": "toml", ".yaml": "yaml"}


def rendered() -> str:
    """Return the recipes in Markdown."""
    return "\n\n".join("\n\n".join(_section(recipe)) for recipe in RECIPES)


def _section(recipe: Recipe) -> Iterator[str]:
    yield f"### {recipe.title}"
    note = textwrap.fill(
        recipe.filled(recipe.note, URL, KEY), 104, break_long_words=False, break_on_hyphens=False
    )
    if not recipe.arguments:
        yield note
        return
    yield f"`{recipe.api}`; tried with {recipe.release} from {recipe.release.registry}."
    for name, text in recipe.files.items():
        language = _LANGUAGES[Path(name).suffix]
        yield f"`{name}`:\n\n```{language}\n{recipe.filled(text, URL, KEY)}```"
    exports = [
        f"export {name}={_quoted(recipe.filled(text, URL, '$LITELLM_KEY'))}"
        for name, text in recipe.variables.items()
        if text != "{key}" or name != "LITELLM_KEY"
    ]
    command = shlex.join(
        [recipe.release.command, *(recipe.filled(text, URL, "") for text in recipe.arguments)]
    )
    yield "\n".join(["```bash", *exports, command, "```"])
    if note:
        yield note


def _quoted(text: str) -> str:
    return f'"{text}"' if "$" in text else shlex.quote(text)


def with_recipes(page: str) -> str:
    """Return a page with the recipes between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{rendered()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_recipes(PAGE.read_text("utf-8")), "utf-8")
