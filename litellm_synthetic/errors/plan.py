"""What a refusal by the plan tells: why, when it ends, and whether asking again helps.

Clients hammer a proxy that tells them neither to stop nor when to come back, so the exceptions of
a cap, a missing payment and a passing 429 carry `Retry-After` and `x-should-retry` as headers of
their own. LiteLLM's Router takes its cooldown from there, and its proxy hands them on.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.state import STATE, Sighting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.quota.cap import Cap
    from litellm_synthetic.quota.scope import Scope

RETRY_AFTER: Final = "retry-after"
# Anthropic's and OpenAI's clients heed it before anything else.
SHOULD_RETRY: Final = "x-should-retry"
# What a passing 429 is worth waiting for where it does not say; its limit is of calls at a time.
PASSING_SECONDS: Final = 2.0
# A key without credit is tried again after a minute at the earliest.
UNPAID_SECONDS: Final = 60.0


def cap_in(headers: Mapping[str, str], scope: Scope | None) -> Cap | None:
    """Return what a capped call waits for: as its reply tells, else as an earlier one did.

    Args:
        headers: those of the reply, with names in lower case.
        scope: whose plan it is; None for unknown.
    """
    from litellm_synthetic.quota.cap import cap_of  # noqa: PLC0415  # for refusals only
    from litellm_synthetic.quota.report import parse_quotas  # noqa: PLC0415  # as above
    from litellm_synthetic.quota.state import KnownQuotas  # noqa: PLC0415  # as above

    text = headers.get(HEADER)
    quotas = parse_quotas(text)
    if quotas is not None and text is not None:
        sighting = Sighting(text, headers.get("date"), STATE.clock.now())
        if (told := cap_of(KnownQuotas(quotas, 0.0, sighting.sent_at()))) is not None:
            return told
    return None if scope is None else cap_of(STATE.known(scope))


def told(retry_after_seconds: float | None, *, should_retry: bool) -> dict[str, str]:
    """Return the headers that tell a client whether, and when, to come back."""
    headers = {SHOULD_RETRY: "true" if should_retry else "false"}
    if retry_after_seconds is not None:
        headers[RETRY_AFTER] = str(max(ceil(retry_after_seconds), 0))
    return headers
