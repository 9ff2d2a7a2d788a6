"""Measure what calls cost, side by side: `python -m benchmarks [--quick] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace

from rich.console import Console

from benchmarks import report
from benchmarks.children import ChildError
from benchmarks.rounds import run
from benchmarks.workload import CASE_BY_NAME, FULL, QUICK


def main() -> int:
    """Run the benchmark and return the exit status: 1 if a contender lost data or failed."""
    options = _parser().parse_args()
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = replace(plan, rounds=options.rounds)
    if options.case:
        plan = replace(plan, cases=tuple(CASE_BY_NAME[name] for name in options.case))
    messages = Console(stderr=True)
    try:
        with messages.status("benchmark") as status:
            measured = run(plan, pace_ms=options.pace_ms, progress=status.update)
    except ChildError as error:
        print(error, file=sys.stderr)
        return 1
    facts = report.context(plan, options.pace_ms)
    if options.json:
        print(json.dumps({"context": facts, "measured": [asdict(one) for one in measured]}))
    else:
        report.show(measured, facts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="only the main cases, well under a minute"
    )
    parser.add_argument("--json", action="store_true", help="print every round's raw figures")
    parser.add_argument("--rounds", type=int, help="rounds instead of the plan's own")
    parser.add_argument(
        "--case", action="append", choices=list(CASE_BY_NAME), help="only this case; repeatable"
    )
    parser.add_argument(
        "--pace-ms",
        type=float,
        default=0.0,
        help="pause between a stream's chunks in milliseconds, as a model makes one",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
