"""The command `quotas`: what is left of the plan, and when it gains what."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from litellm_synthetic.cli.environment import load_dotenv_as_litellm_does
from litellm_synthetic.cli.json_document import FORMAT, as_json
from litellm_synthetic.cli.quotas_history import History, Look, UnusableHistoryError, paces
from litellm_synthetic.cli.quotas_view import (
    LOW_FRACTION,
    as_rows,
    bars,
    history_lines,
    status_line,
)
from litellm_synthetic.cli.terminal import Screen, error, remark, working
from litellm_synthetic.cli.usage_errors import INTERRUPTED
from litellm_synthetic.client import quotas as account
from litellm_synthetic.errors.classes import CallFailedError, plain_failures
from litellm_synthetic.quota.latest import named_scope
from litellm_synthetic.quota.state import STATE, KnownQuotas
from litellm_synthetic.quota.wording import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.quota.scope import Scope

PlanState = Literal["fine", "low", "empty", "unknown"]

FINE: Final = 0
LOW: Final = 1
EMPTY: Final = 2
UNKNOWN: Final = 3
CODES: Final[dict[PlanState, int]] = {
    "fine": FINE,
    "low": LOW,
    "empty": EMPTY,
    "unknown": UNKNOWN,
}
TIMEOUT_SECONDS: Final = 30.0


def run(
    *,
    is_json: bool,
    template: str | None,
    shows_history: bool,
    watch_seconds: float | None,
    max_age_seconds: float,
) -> int:
    """Print what is left and return the exit code; an error is one line on stderr.

    Args:
        is_json: print one JSON document, one a line with `watch_seconds`.
        template: print this line instead, for a status bar.
        shows_history: print the last two weeks instead; nothing is asked.
        watch_seconds: ask again after so long, until Ctrl-C.
        max_age_seconds: how old an answer may be that is shown without asking.

    Returns:
        0: fine; 1: less than a fifth is left of something that calls need; 2: nothing is; 3:
        unknown, because the call failed or no plan is reported.
    """
    load_dotenv_as_litellm_does()
    try:
        scope = named_scope(None, None)
    except ValueError as failure:
        error(f"{failure}")
        return UNKNOWN
    history = History(scope)
    if shows_history:
        return _print_history(history, is_json=is_json)
    if watch_seconds is None:
        known = _recent(history, max_age_seconds) or _asked(scope, history)
        return _print(known, is_json=is_json, template=template)
    return _watch(scope, history, watch_seconds, is_json=is_json, template=template)


def state_of(known: KnownQuotas | None) -> PlanState:
    """Return how a plan stands, by the fullest of what calls need that is least full."""
    if known is None or known.quotas is None:
        return "unknown"
    capping = [each for each in known.buckets if each.caps_calls]
    if any(each.exhausted for each in capping):
        return "empty"
    fractions = [left for each in capping if (left := each.fraction_left) is not None]
    if not fractions:
        return "unknown"
    return "low" if min(fractions) < LOW_FRACTION else "fine"


def _asked(scope: Scope, history: History) -> KnownQuotas | None:
    """Ask, and add the answer to the history; None after an error, which is told."""
    try:
        with plain_failures(), working("Asking for the quotas"):
            account.quotas(timeout=TIMEOUT_SECONDS)
    except CallFailedError as failure:
        error(str(failure))
        return None
    sighting, known = STATE.latest(scope), STATE.known(scope)
    if sighting is None or known is None:  # a reply that is not a report has raised
        return None
    now = datetime.now(UTC)
    looks: Sequence[Look] = ()
    try:
        history.add(Look(now, sighting.text))
        looks = history.looks()
    except UnusableHistoryError as failure:
        remark(f"The history is not kept: {failure}.")
    return KnownQuotas(known.quotas, known.age_seconds, known.received_at, paces(looks, now))


def _recent(history: History, max_age_seconds: float) -> KnownQuotas | None:
    """Return the last answer if it is young enough."""
    if max_age_seconds <= 0:
        return None
    try:
        looks = history.looks()
    except UnusableHistoryError:
        return None  # asking says so
    now = datetime.now(UTC)
    if not looks or not 0 <= (age := (now - looks[-1].at).total_seconds()) <= max_age_seconds:
        return None
    return KnownQuotas(looks[-1].quotas, age, looks[-1].at, paces(looks, now))


def _print(known: KnownQuotas | None, *, is_json: bool, template: str | None) -> int:
    state = state_of(known)
    if template is not None:
        click.echo(status_line(known, template, state))
    elif is_json:
        click.echo(as_json(_document(known, state)))
    elif known is not None:
        screen = Screen.of_stdout()
        screen.write(bars(known, screen))
        if known.quotas is None:
            remark("No subscription is reported: prepaid, or none. What is left is not known.")
        elif known.age_seconds >= 1:
            remark(f"As of {duration(known.age_seconds)} ago.")
    return CODES[state]


def _document(known: KnownQuotas | None, state: PlanState) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "state": state,
        "received_at": None if known is None else known.received_at,
        "age_seconds": None if known is None else known.age_seconds,
        "buckets": [] if known is None else as_rows(known),
        "quotas": None
        if known is None or known.quotas is None
        else known.quotas.model_dump(mode="json"),
    }


def _watch(
    scope: Scope, history: History, seconds: float, *, is_json: bool, template: str | None
) -> int:
    """Ask again and again until Ctrl-C; on a terminal each answer takes the place of the last."""
    screen = Screen.of_stdout()
    redraws = screen.console is not None and not is_json
    code = INTERRUPTED
    try:
        while True:
            known = _asked(scope, history)
            if redraws:
                click.clear()
            code = _print(known, is_json=is_json, template=template)
            sys.stdout.flush()
            if redraws:
                remark(f"Asked again every {duration(seconds)}; Ctrl-C ends it.", dim=True)
            time.sleep(seconds)
    except KeyboardInterrupt:
        return code


def _print_history(history: History, *, is_json: bool) -> int:
    try:
        looks = history.looks()
    except UnusableHistoryError as failure:
        error(f"The history cannot be read: {failure}.")
        return UNKNOWN
    if is_json:
        rows = [{"at": each.at, "quotas": each.quotas} for each in looks]
        click.echo(as_json({"format": FORMAT, "looks": rows}))
    else:
        screen = Screen.of_stdout()
        screen.write(history_lines(looks, datetime.now(UTC), screen))
    return FINE if looks else UNKNOWN
