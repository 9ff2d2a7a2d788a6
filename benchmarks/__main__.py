"""Measure what calls cost, side by side: `python -m benchmarks [--quick] [--sweeps]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks import document, goals, report, startup, sweeps
from benchmarks.cases import CASE_BY_NAME, CASES, QUICK_NAMES
from benchmarks.children import ChildError
from benchmarks.rounds import run

_ROUNDS: Final = 4
_MAX_STARTS: Final = 3
_QUICK_ROUNDS: Final = 3
_DOCS: Final = Path(__file__).resolve().parent.parent / "docs"


def main() -> int:
    """Run the benchmark and return the exit status: 1 if a contender lost data or failed.

    A missed goal is a figure, not a failure: it depends on the machine, too.
    """
    options = _parser().parse_args()
    rounds = options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS)
    names = options.case or (QUICK_NAMES if options.quick else [case.name for case in CASES])
    cases = [CASE_BY_NAME[name] for name in names]
    starts = None
    sweep_figures: list[sweeps.Swept] = []
    try:
        with Console(stderr=True).status("benchmark") as status:
            if not options.quick and not options.case:
                starts = startup.measure(min(rounds, _MAX_STARTS), status.update)
            measured = run(cases, rounds=rounds, progress=status.update)
    except ChildError as error:
        print(error, file=sys.stderr)
        return 1
    failures: list[ChildError] = []
    if options.sweeps:
        try:
            with Console(stderr=True).status("benchmark") as status:
                sweep_figures, failures = sweeps.run(rounds, status.update)
        except ChildError as error:  # what the rounds have measured stands all the same
            failures = [error]
    facts = {**report.context(rounds, cases, measured), "options": _shown(options, rounds)}
    results = goals.results(measured, starts)
    whole: dict[str, Any] = {
        **report.as_json(facts, results, measured, starts),
        "sweeps": [one.as_json() for one in sweep_figures],
    }
    if options.json is not None:
        options.json.write_text(json.dumps(whole), encoding="utf-8")
    if options.write_docs:
        document.write(_DOCS, facts, results, sweep_figures)
    report.show_cases(cases, measured)
    if sweep_figures:
        sweeps.show(sweep_figures)
    report.show_goals(results)
    for line in report.notes(facts, measured):
        print(line)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _shown(options: argparse.Namespace, rounds: int) -> str:
    """Return the options that measure the same again; where the figures go is not among them."""
    switches = [name for name in ("quick", "sweeps") if getattr(options, name)]
    cases = [f"case {name}" for name in options.case or ()]
    return " ".join(f"--{each}" for each in (f"rounds {rounds}", *switches, *cases, "write-docs"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the main cases, about a minute")
    parser.add_argument(
        "--sweeps",
        action="store_true",
        help="also measure growth and concurrency, several minutes more",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every batch's figures")
    parser.add_argument(
        "--write-docs", action="store_true", help="write docs/performance.md and its plots"
    )
    parser.add_argument("--rounds", type=int, help="rounds instead of the usual number")
    parser.add_argument(
        "--case", action="append", choices=list(CASE_BY_NAME), help="only this case; repeatable"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
