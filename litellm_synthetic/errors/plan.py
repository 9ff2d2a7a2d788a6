"""Refusals by the plan: the reason, the end, and whether a retry helps.

Clients hammer a proxy that tells them neither to stop nor when to come back, so the exceptions of
a cap, a missing payment and a passing 429 carry `Retry-After` and `x-should-retry` as headers of
their own. LiteLLM's Router takes its cooldown from there, and its proxy hands them on.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from litellm_synthetic.errors.classes import FailedReply, make_exception
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.rest import FIRST_UNPAID_SECONDS, RESTS
from litellm_synthetic.quota.state import STATE, Sighting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.errors.classes import Kind
    from litellm_synthetic.quota.cap import Cap
    from litellm_synthetic.quota.rest import Rest
    from litellm_synthetic.quota.scope import Scope

RETRY_AFTER: Final = "retry-after"
# Anthropic's and OpenAI's clients heed it before anything else.
SHOULD_RETRY: Final = "x-should-retry"
# What a passing 429 is worth waiting for where it does not say; its limit is of calls at a time.
PASSING_SECONDS: Final = 2.0
BILLING_URL: Final = "https://synthetic.new/billing"
_TOO_MANY_REQUESTS: Final = 429
_PAYMENT_REQUIRED: Final = 402


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


def refusal(model: str, base_url: str, rests: Mapping[Scope, Rest]) -> Exception:
    """Return the error for a call that is not sent, because every key that could take it rests.

    It is of the class that Synthetic's own refusal would have, and LiteLLM's fallbacks take it.

    Args:
        model: the model as LiteLLM's users know it.
        base_url: where the call would have gone.
        rests: the keys and their rests, at least one.
    """
    from litellm_synthetic.quota.cap import cap_of  # noqa: PLC0415  # for refusals only
    from litellm_synthetic.quota.wording import cap_sentence, duration  # noqa: PLC0415  # as above

    now = STATE.clock.now()
    scope, rest = min(rests.items(), key=lambda each: each[1].seconds_left(now))
    seconds = max(rest.seconds_left(now), 1.0)
    keys = "this key" if len(rests) == 1 else f"each of {len(rests)} keys"
    if rest.reason == "payment":
        status = _PAYMENT_REQUIRED
        message = (
            f"Nothing was sent: {keys} was refused for lack of payment, and the next one to be "
            f"tried again is so in {duration(seconds)}. Add credit or upgrade the plan at "
            f"{BILLING_URL}."
        )
    else:
        status = _TOO_MANY_REQUESTS
        cap = cap_of(STATE.known(scope))
        why = (
            f"{cap_sentence(cap)}"
            if cap is not None and cap.seconds is not None
            else f"The next attempt is in {duration(seconds)}"
        )
        message = (
            f"Nothing was sent: the plan of {keys} is used up. {why}. Until then use another key, "
            f"or upgrade at {BILLING_URL}."
        )
    headers = told(seconds, should_retry=False)
    reply = FailedReply(status, base_url, message, headers)
    kind: Kind = "PaymentRequiredError" if status == _PAYMENT_REQUIRED else "RateLimitError"
    error = make_exception(kind, message, model, reply)
    error.headers = dict(headers)  # type: ignore[attr-defined]  # where LiteLLM's proxy looks
    error.num_retries = 0  # type: ignore[attr-defined]  # Router would ask again at once
    return error


def note_capped(scope: Scope | None, seconds: float | None, message: str) -> None:
    """Note that a call was refused because its key's plan is used up."""
    if scope is not None:
        RESTS.capped(scope, seconds, message)


def note_unpaid(scope: Scope | None, message: str) -> float:
    """Note that a call was refused for lack of payment; return when its key is tried again."""
    return FIRST_UNPAID_SECONDS if scope is None else RESTS.unpaid(scope, message)
