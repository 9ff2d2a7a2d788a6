"""The table of what every framework did, ours beside stock LiteLLM's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tests.frameworks.kinds import FRAMEWORKS, LAST_WORDS, Framework
from tests.frameworks.scenes import CAP, MAX_SECONDS, OVERFLOW, Outcome, Scene
from tests.frameworks.upstream import USD_PER_CALL

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "frameworks-results.md"
_COLUMNS = ("works", "streaming", "tools", "cost", "context window", "overflow", "spent plan")
_HALF_A_MICRODOLLAR = 5e-7
_LEGEND = """\
## How to read it

- works: the agent ends with the upstream's answer.
- streaming: the number of pieces that the program got; pieces that arrive together are one.
- tools: whether the agent called its tool because the model did. Instructor's tool is the shape of
  its answer; DSPy writes its tools into the prompt.
- cost: what LiteLLM tells callbacks, beside what the calls cost; "own" is the framework's figure.
- context window: what the framework takes it for; a dash where it does not ask.
- overflow: the first call after the tool is refused as too long.
- spent plan: whether the text of the 429 is shown, and what the framework raises.
"""


class Results:
    """Gather the outcomes of the suite; a run of a part adds to those of earlier runs.

    Args:
        kept: the file that holds them between runs.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._rows: dict[str, dict[str, str]] = {}

    def add(
        self,
        framework: Framework,
        release: str,
        scene: Scene,
        outcome: Outcome,
        *,
        is_stock: bool = False,
    ) -> None:
        """Keep what one run of a framework came to."""
        row = self._rows.setdefault(_key(framework, is_stock=is_stock), {})
        row |= {"release": release, **_cells(framework, scene, outcome)}
        with FileLock(f"{self._kept}.lock"):  # of other workers
            self._keep()

    def _keep(self) -> None:
        """Write the file that holds them, with what it holds of other runs."""
        earlier = json.loads(self._kept.read_text("utf-8")) if self._kept.exists() else {}
        rows = {
            name: _later(earlier.get(name, {}), self._rows.get(name, {}))
            for name in {**earlier, **self._rows}
        }
        self._kept.write_text(json.dumps(rows, indent=2), "utf-8")

    def write(self) -> None:
        """Write the page, from what all runs have kept."""
        self._rows = json.loads(self._kept.read_text("utf-8"))
        PAGE.write_text("\n".join(self._lines()), "utf-8")

    def _lines(self) -> Iterator[str]:
        yield "# What agent frameworks do\n"
        yield (
            "Written by `tox run -e frameworks -- --write-results`, which runs each framework's\n"
            "newest release in an environment of its own, with the recipe of\n"
            "[frameworks.md](frameworks.md), on the stand-in server. Numbers are of calls that\n"
            'reached the upstream; "+" means that the program had not ended '
            f"{MAX_SECONDS} seconds\n"
            "after the first one. Stock is the same program in the same environment without\n"
            "`register()`; the stand-in's address is written into LiteLLM's own entry.\n"
        )
        for is_stock in (False, True):
            yield f"## {'Stock LiteLLM' if is_stock else 'With litellm-synthetic'}\n"
            yield f"| framework | release | LiteLLM | {' | '.join(_COLUMNS)} |"
            yield f"|---|---|---|{'---|' * len(_COLUMNS)}"
            for framework in FRAMEWORKS:
                row = self._rows.get(_key(framework, is_stock=is_stock), {})
                cells = [row.get(column, "not run") for column in ("release", "litellm", *_COLUMNS)]
                yield f"| {framework.title} | {' | '.join(cells)} |"
            yield ""
        yield _LEGEND


def _later(earlier: dict[str, str], later: dict[str, str]) -> dict[str, str]:
    """Return a row with what is new; what another release did is forgotten."""
    names = ("release", "litellm")
    is_same = all(earlier.get(name) == later.get(name, earlier.get(name)) for name in names)
    return {**earlier, **later} if is_same else later


def _key(framework: Framework, *, is_stock: bool) -> str:
    return f"{framework.name}, {'stock' if is_stock else 'ours'}"


def _cells(framework: Framework, scene: Scene, outcome: Outcome) -> dict[str, str]:
    """Return the cells that a scene fills."""
    cells = {} if outcome.version == "unknown" else {"litellm": outcome.version}
    calls = f"{len(outcome.calls)}{'' if outcome.ended else '+'}"
    failure = f", {outcome.error()[0]}" if outcome.error() else ""
    if scene is CAP:
        shown = "shown" if outcome.shows(scene.words) else "not shown"
        return {**cells, "spent plan": f"{calls}, {shown}{failure}"}
    if scene is OVERFLOW:
        is_over = answered(outcome)
        return {**cells, "overflow": f"{calls}, {'recovers' if is_over else 'stops'}{failure}"}
    window = outcome.result("window")
    return {
        **cells,
        "works": "yes" if answered(outcome) else f"**no**{failure}",
        "streaming": _streaming(framework, outcome),
        "tools": "yes" if calls_tool(framework, outcome) else "**no**",
        "cost": _cost(outcome),
        "context window": f"{window:,}" if isinstance(window, int) else "-",
    }


def answered(outcome: Outcome) -> bool:
    """Tell whether an agent came to the upstream's answer."""
    return str(outcome.result()).strip() == LAST_WORDS


def calls_tool(framework: Framework, outcome: Outcome) -> bool:
    """Tell whether a framework called its tool because the model did."""
    bodies = json.dumps([body.get("messages") for body in outcome.calls])
    if not framework.has_loop:
        return answered(outcome)
    return '"role": "tool"' in bodies or "18 degrees in" in bodies


def exact_costs(outcome: Outcome) -> bool:
    """Tell whether callbacks were told of each call, and of what it costs."""
    costs = outcome.report.get("costs", ())
    exact = [cost for cost in costs if _is_close(cost, USD_PER_CALL)]
    return bool(exact) and len(exact) == len(costs) == len(outcome.calls)


def exact_spent(outcome: Outcome) -> bool:
    """Tell whether the framework's own figure is what its calls cost; True where it has none."""
    spent = outcome.report.get("ask", {}).get("spent")
    return spent is None or (
        spent > 0 and _is_close(spent / USD_PER_CALL, round(spent / USD_PER_CALL))
    )


def _is_close(one: Any, other: float) -> bool:
    return isinstance(one, (int, float)) and abs(one - other) < _HALF_A_MICRODOLLAR


def _cost(outcome: Outcome) -> str:
    spent = outcome.report.get("ask", {}).get("spent")
    own = (
        ""
        if spent is None
        else f"own {'exact' if spent and exact_spent(outcome) else f'{spent:g}'}"
    )
    if not outcome.report.get("costs") and own:
        return own
    told = "exact" if exact_costs(outcome) else "**none**"
    return f"{told}, {own}" if own else told


def _streaming(framework: Framework, outcome: Outcome) -> str:
    if not framework.streams:
        return "-"
    pieces = outcome.result("stream")
    return f"yes, {len(pieces)}" if pieces else "**no**"
