"""The header `x-synthetic-quotas`: its name, the longest that is believed, and who sends which."""

from __future__ import annotations

import re
from typing import Final, Literal

Payment = Literal["plan", "prepaid"]

HEADER: Final = "x-synthetic-quotas"
# The longest form seen is under 700 characters; a header of a megabyte is not a quota.
MAX_HEADER_CHARACTERS: Final = 16_384
# Every reply is asked this, so it is not parsed: what caps calls is there by name. A subscription
# of 0 requests is none.
_PLAN: Final = re.compile(
    r'"(?:rollingFiveHourLimit|weeklyTokenLimit)"\s*:\s*\{'
    r'|"subscription"\s*:\s*\{[^{}]{0,200}?"limit"\s*:\s*"?\s*0*\.?0*[1-9]'
)
_EMPTY: Final = re.compile(r"\s*\{\s*\}\s*")


def payment_of(text: str | None) -> Payment | None:
    """Return how the key of a reply pays, by the reply's header; None for unknown.

    Prepaid accounts report `{}` (seen live on 2026-01-30).
    """
    if text is None or len(text) > MAX_HEADER_CHARACTERS:
        return None
    if _PLAN.search(text) is not None:
        return "plan"
    return "prepaid" if _EMPTY.fullmatch(text) is not None else None
