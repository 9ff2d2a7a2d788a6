"""The faults of the quota header on an answer that is otherwise fine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import quotas
from litellm_synthetic.testing.replies import Answer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.testing.replies import FaultRow


def _quota_header(report: Callable[[], Mapping[str, Any] | str | None]) -> Callable[[], Reply]:
    def make() -> Reply:
        quotas_report = report()
        value = (
            quotas_report
            if isinstance(quotas_report, str | None)
            else quotas.header_value(quotas_report)
        )
        return Answer(headers={"x-synthetic-quotas": value})

    return make


def _huge_quota_header(size: int = 1_000_000) -> Reply:
    report = quotas.newest_form(time.time())
    long_header = quotas.header_value({**report, "padding": ""})
    value = quotas.header_value({**report, "padding": "x" * max(size - len(long_header), 0)})
    return Answer(headers={"x-synthetic-quotas": value})


QUOTA_FAULTS: tuple[FaultRow, ...] = (
    ("quota_absent", "no quota header", _quota_header(lambda: None)),
    ("quota_empty", "quota header {}", _quota_header(dict)),
    ("quota_junk", "quota header that is not JSON", _quota_header(lambda: "not { json")),
    (
        "quota_2025",
        "quota header of 2025",
        _quota_header(lambda: quotas.form_of_2025(time.time())),
    ),
    (
        "quota_strings",
        "quota header, numbers as texts",
        _quota_header(lambda: quotas.numbers_as_strings(quotas.newest_form(time.time()))),
    ),
    ("quota_huge", "quota header of 1 MB", _huge_quota_header),
)
