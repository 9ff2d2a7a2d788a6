"""Every case over every entry: a right answer or one of LiteLLM's errors, and no secret."""

from __future__ import annotations

import logging
import zlib
from typing import TYPE_CHECKING, Final

import pytest

from tests.harden.body_cases import BODIES
from tests.harden.entry_points import ENTRY_POINTS
from tests.harden.framing_cases import FRAMING
from tests.harden.stream_cases import STREAMING

if TYPE_CHECKING:
    from tests.harden.cases import Case
    from tests.harden.entry_points import EntryPoint
    from tests.harden.harness import Harness

CASES: Final = [*FRAMING, *BODIES, *STREAMING]
_SHORT_COUNT: Final = 2


def chosen(case: Case, *, is_short: bool) -> list[EntryPoint]:
    """Return the entry points of a case; in the short form a few that differ from case to case."""
    fitting = [one for one in ENTRY_POINTS if one.kind in case.kinds]
    if not is_short:
        return fitting
    start = zlib.crc32(case.name.encode())
    step = max(len(fitting) // _SHORT_COUNT, 1)
    return [fitting[(start + number * step) % len(fitting)] for number in range(_SHORT_COUNT)]


def test_the_names_of_the_cases_differ() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_ends_well(case: Case, harness: Harness, *, is_short: bool) -> None:
    harness.hear_from(logging.DEBUG if "the key" in case.name else logging.INFO)
    outcomes = harness.run(case, chosen(case, is_short=is_short))
    complaints = harness.judge(case, outcomes) + harness.canaries(case)
    assert not complaints, "\n".join(["", *complaints])


def test_no_callback_is_told_twice(harness: Harness) -> None:
    harness.settle()
    assert harness.miscounted() == []
