"""The table of what every client did, ours beside stock LiteLLM's."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients.expectations import EXCEPTIONS
from tests.clients.recipes import RECIPES, Recipe
from tests.clients.scenes import LOOP, MAX_SECONDS, SCENES, Outcome, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "clients-results.md"


class Results:
    """Gather the outcomes of the suite; a run of a part adds to those of earlier runs.

    Args:
        kept: the file that holds them between runs.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._cells: dict[str, str] = {}

    def add(
        self, recipe: Recipe, scene: Scene, outcome: Outcome, *, is_stock: bool = False
    ) -> None:
        """Keep what one run of a client came to."""
        self._cells[_key(recipe, scene, is_stock=is_stock)] = _cell(scene, outcome)

    def write(self) -> None:
        """Write the page, from this run and what is kept of earlier ones."""
        earlier = json.loads(self._kept.read_text("utf-8")) if self._kept.exists() else {}
        self._cells = {**earlier, **self._cells}
        self._kept.write_text(json.dumps(self._cells, indent=2), "utf-8")
        PAGE.write_text("\n".join(self._lines()) + "\n", "utf-8")

    def _lines(self) -> Iterator[str]:
        yield "# What real clients do\n"
        yield (
            "Written by `tox run -e clients -- --write-results`, which drives each client through\n"
            f"a LiteLLM {version('litellm')} proxy on the stand-in server: without a person, from\n"
            "an empty home, as [clients.md](clients.md) says. Numbers are of calls that reached\n"
            f'the upstream within {MAX_SECONDS} seconds; "+" means that the client had not ended\n'
            'by then. "shown" means that what went wrong is in what the client printed.\n'
        )
        for is_stock in (False, True):
            yield f"## {'Stock LiteLLM' if is_stock else 'With litellm-synthetic'}\n"
            yield f"| client | release | API | {' | '.join(scene.title for scene in SCENES)} |"
            yield f"|---|---|---|{'---|' * len(SCENES)}"
            for recipe in RECIPES:
                cells = [
                    self._cells.get(_key(recipe, scene, is_stock=is_stock), "not run")
                    for scene in SCENES
                ]
                yield (
                    f"| {recipe.title} | {recipe.release.version} | `{recipe.api}` "
                    f"| {' | '.join(cells)} |"
                )
            yield ""
        yield "## Where a client goes its own way\n"
        yield "The rule is two calls at most, and the text shown.\n"
        for why, clients in _reasons().items():
            yield f"- {why} ({', '.join(clients)})."


def _reasons() -> dict[str, list[str]]:
    """Return why clients go other ways than the rule, each with the clients."""
    reasons: dict[str, list[str]] = {}
    for (client, _), case in EXCEPTIONS.items():
        clients = reasons.setdefault(case.why, [])
        if client not in clients:
            clients.append(client)
    return reasons


def _key(recipe: Recipe, scene: Scene, *, is_stock: bool) -> str:
    """Return what an outcome is kept under: that of another release is another's."""
    side = "stock" if is_stock else "ours"
    return f"{recipe.name} {recipe.release.version}, {version('litellm')}, {side}, {scene.name}"


def _cell(scene: Scene, outcome: Outcome) -> str:
    calls = f"{len(outcome.requests)}{'' if outcome.ended else '+'}"
    if scene is LOOP:
        if outcome.wrote:
            return f"yes, {calls}"
        return f"**no**, {calls}"
    shown = "shown" if outcome.shows(scene.words) else "not shown"
    return f"{calls}, {shown}"
