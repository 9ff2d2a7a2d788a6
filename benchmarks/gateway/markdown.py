"""The table of ratios and goals for the docs: `python -m benchmarks.gateway.markdown FILE`.

The file is one that `python -m benchmarks.gateway --save FILE` has written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.gateway.cases import CASE_BY_NAME
from benchmarks.gateway.report import Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VERDICTS = {True: "met", False: "**missed**", None: ""}


def table(ratios: Sequence[Ratio]) -> Iterator[str]:
    """Return the lines of a Markdown table: a row per case and figure, columns per worker count."""
    counts = list(dict.fromkeys(one.workers for one in ratios))
    titles = [f"{count} worker{'' if count == 1 else 's'}" for count in counts]
    yield f"| call | ratio of | {' | '.join(titles)} | goal | is |"
    yield "|---" * (len(counts) + 4) + "|"
    by_row: dict[tuple[str, str], dict[int, Ratio]] = {}
    for one in ratios:
        by_row.setdefault((one.case, one.figure), {})[one.workers] = one
    for (case, figure), row in by_row.items():
        cells = [_cell(row[count]) if count in row else "" for count in counts]
        goal = next((one.goal for one in row.values() if one.goal), "")
        verdicts = list(dict.fromkeys(_VERDICTS[one.is_met] for one in row.values()))
        yield (
            f"| {CASE_BY_NAME[case].title} | {figure} | {' | '.join(cells)} | {goal} "
            f"| {', '.join(verdicts)} |"
        )


def _cell(one: Ratio) -> str:
    spread = f" ({one.low:.2f} to {one.high:.2f})" if one.low != one.high else ""
    return f"{one.ratio:.2f}{spread}"


def main() -> None:
    """Print the table of one file."""
    figures = json.loads(Path(sys.argv[1]).read_text())
    for line in table([Ratio(**one) for one in figures["ratios"]]):
        print(line)


if __name__ == "__main__":
    main()
