"""Calls at a time per key and model: which calls are counted, how many, and how that is learnt."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from litellm_synthetic.errors import local
from litellm_synthetic.quota.slots import NO_SLOT, SLOTS, Place, Slot, SlotTimeoutError
from litellm_synthetic.transport.limits import min_timeout

if TYPE_CHECKING:
    from litellm_synthetic.client.request import Prepared
    from litellm_synthetic.transport.client import Reply

_TOO_MANY_REQUESTS: Final = 429
# "max 4 parallel requests per model", seen in September 2026.
_LIMIT_IN_REFUSAL: Final = re.compile(
    rb"max(?:imum)? (?:of )?([1-9][0-9]{0,3}) parallel requests", re.IGNORECASE
)
_QUOTED_BYTES: Final = 4096
# Shorter waits count for nothing, and a call has at least this long.
_MIN_SECONDS: Final = 0.01


def enter(prepared: Prepared) -> tuple[Slot, Prepared]:
    """Wait for a slot where `SYNTHETIC_MAX_PARALLEL` has calls wait.

    Returns:
        The slot, `NO_SLOT` where calls are not counted; and the request with what is left of its
        time.

    Raises:
        litellm.Timeout: none came free within the call's timeout.
    """
    place = _place(prepared)
    if place is None:
        return NO_SLOT, prepared
    began, seconds = time.monotonic(), _seconds(prepared)
    try:
        slot = SLOTS.take(place, _limit(prepared), seconds)
    except SlotTimeoutError as error:
        raise local.no_slot_free(prepared.origin, error.limit, seconds) from None
    return slot, _with_rest_of_time(prepared, time.monotonic() - began)


async def aenter(prepared: Prepared) -> tuple[Slot, Prepared]:
    """Do what `enter` does, on the running event loop."""
    place = _place(prepared)
    if place is None:
        return NO_SLOT, prepared
    began, seconds = time.monotonic(), _seconds(prepared)
    try:
        slot = await SLOTS.atake(place, _limit(prepared), seconds)
    except SlotTimeoutError as error:
        raise local.no_slot_free(prepared.origin, error.limit, seconds) from None
    return slot, _with_rest_of_time(prepared, time.monotonic() - began)


def learn(reply: Reply, prepared: Prepared) -> None:
    """Note how many calls at a time a refusal tells, where that is to be learnt."""
    if reply.status != _TOO_MANY_REQUESTS or prepared.max_parallel != "learn":
        return
    match, place = _LIMIT_IN_REFUSAL.search(reply.body[:_QUOTED_BYTES]), _place(prepared)
    if match is not None and place is not None:
        SLOTS.learn(place, int(match[1]))


def _limit(prepared: Prepared) -> int | None:
    return prepared.max_parallel if isinstance(prepared.max_parallel, int) else None


def _place(prepared: Prepared) -> Place | None:
    if prepared.max_parallel == "off" or not prepared.is_counted:
        return None
    scope = prepared.origin.scope
    if scope is None:
        return None
    facts, model = prepared.facts, str(prepared.body.get("model"))
    # An alias counts with the model that it stands for.
    return f"{scope}:{(facts.current_target if facts is not None else None) or model}"


def _seconds(prepared: Prepared) -> float | None:
    limits = prepared.outgoing.limits
    return min_timeout(limits.total_seconds, limits.silence_seconds)


def _with_rest_of_time(prepared: Prepared, waited: float) -> Prepared:
    limits = prepared.outgoing.limits
    if limits.total_seconds is None or waited < _MIN_SECONDS:
        return prepared
    left = max(limits.total_seconds - waited, _MIN_SECONDS)
    outgoing = replace(prepared.outgoing, limits=replace(limits, total_seconds=left))
    return replace(prepared, outgoing=outgoing)
