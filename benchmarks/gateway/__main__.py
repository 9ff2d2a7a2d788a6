"""Measure a proxy with our route beside one with stock's: `python -m benchmarks.gateway`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from benchmarks.children import ChildError
from benchmarks.gateway import report
from benchmarks.gateway.cases import CASE_BY_NAME, FULL, QUICK
from benchmarks.gateway.rounds import Batch, complete_pairs, run


def main() -> int:
    """Run the benchmark and return the exit status: 1 if a proxy failed or lost data."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no proxy is left behind
    plan = QUICK if options.quick else FULL
    if options.pairs:
        plan = replace(plan, pairs=options.pairs)
    if options.workers:
        plan = replace(plan, workers=tuple(options.workers))
    if options.case:
        plan = replace(plan, cases=tuple(CASE_BY_NAME[name] for name in options.case))
    measured: list[Batch] = []
    try:
        with Console(stderr=True).status("benchmark") as status:
            measured.extend(run(plan, status.update))
    except ChildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # a busy machine takes long, and what is complete says something
        measured = complete_pairs(measured)
    facts = report.context(plan)
    ratios = [asdict(one) for one in report.ratios(measured)]
    batches = [asdict(one) for one in measured]
    figures = json.dumps({"context": facts, "ratios": ratios, "batches": batches})
    if options.save:
        options.save.write_text(figures)
    if options.json:
        print(figures)
    else:
        report.show(measured, facts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one worker, four pairs")
    parser.add_argument("--json", action="store_true", help="print ratios and raw figures")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write that JSON to a file, too")
    parser.add_argument("--pairs", type=int, help="pairs of batches instead of the plan's own")
    parser.add_argument(
        "--workers", type=int, action="append", help="workers of a proxy; repeatable"
    )
    parser.add_argument(
        "--case", action="append", choices=list(CASE_BY_NAME), help="only this case; repeatable"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
