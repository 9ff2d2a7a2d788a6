"""A made-up day with three keys, two plans and one prepaid: what reaches Synthetic, and its cost.

    python -m benchmarks.plan_day

Plays the same calls three times: steered, not steered, and stock, which is LiteLLM's `openai/`
provider with Synthetic's address, without this package. Calls, Router and HTTP are real; Synthetic
is the stand-in, and the time is made up, so a day passes in the time that the calls take. Nothing
waits: where Router would sleep, the clock moves on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm
import openai
from litellm.types.router import RouterRateLimitError

import litellm_synthetic
from litellm_synthetic.integration.quota_question import Questions
from litellm_synthetic.quota.clock import Clock
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.testing import Account, SyntheticServer

PLANS: Final = ("syn_plan_one_0123456789", "syn_plan_two_0123456789")
PREPAID: Final = "syn_prepaid_0123456789"
MODEL: Final = "synthetic/hf:zai-org/GLM-5.3"
MODES: Final = ("steered", "unsteered", "stock")
_DAY_SECONDS: Final = 86_400
SEED: Final = 11
START_SECONDS: Final = 1_790_000_000.0  # September 2026
_ROW: Final = "{:<12}{:>7}{:>8}{:>11}{:>7}{:>9}{:>7}{:>9}{:>9}{:>9}"


class MadeUpTime:
    """A clock that a simulation moves; everything in the process reads it."""

    def __init__(self) -> None:
        self.now = START_SECONDS
        self.real_sleep = asyncio.sleep

    def clock(self) -> float:
        """Return the present in seconds since the epoch."""
        return self.now

    def monotonic(self) -> float:
        """Return the same as of a machine that never sleeps; both clocks are the day's."""
        return self.now

    def sleep(self, seconds: float, result: Any = None) -> Any:
        """Move on instead of waiting, where Router waits; others, such as workers, do wait."""
        caller = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001  # there is no other way
        if caller != "litellm.router":
            return self.real_sleep(seconds, result)
        self.now += max(seconds, 0.0)
        return self.real_sleep(0, result)


@dataclass
class Tally:
    """Count what became of a day's calls."""

    calls: int = 0
    served: int = 0
    failed_with_room: int = 0
    failed_without_room: int = 0
    emptyings: int = 0
    in_a_row: int = 0
    _row: dict[str, tuple[int, int]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def look(self) -> None:
        """Note how many 429s a plan has had since it last served a call."""
        for plan in PLANS:
            account = self.accounts[plan]
            served, refusals = self._row.get(plan, (0, 0))
            if account.calls > served:
                self._row[plan] = (account.calls, account.refusals)
            else:
                self.in_a_row = max(self.in_a_row, account.refusals - refusals)

    @property
    def capped(self) -> int:
        """Return how many requests got a 429 of Synthetic."""
        return sum(self.accounts[plan].refusals for plan in PLANS)

    @property
    def unpaid(self) -> int:
        """Return how many requests got a 402 of Synthetic."""
        return self.accounts[PREPAID].refusals

    @property
    def prepaid_usd(self) -> float:
        """Return what was paid beside the plans."""
        account = self.accounts[PREPAID]
        return account.calls * account.usd_per_call


def accounts(count: int) -> dict[str, Account]:
    """Return the day's accounts: two plans, and a balance, that together last for most of it."""
    return {
        PLANS[0]: Account(requests=0.075 * count, credits_usd=24.0, usd_per_call=0.02),
        PLANS[1]: Account(requests=0.05 * count, credits_usd=24.0, usd_per_call=0.02),
        PREPAID: Account(requests=None, credits_usd=0.004 * count, usd_per_call=0.02),
    }


def moments(count: int, start: float, seed: int) -> list[float]:
    """Return when the calls of a day come: a quiet night, and bursts by day."""
    chance = random.Random(seed)  # noqa: S311  # the same day each time
    bursts = [start + _DAY_SECONDS * (0.3 + 0.5 * chance.random()) for _ in range(12)]
    alone = [start + _DAY_SECONDS * chance.random() for _ in range(count // 3)]
    crowded = [chance.choice(bursts) + chance.uniform(0, 1800) for _ in range(count - len(alone))]
    return sorted((*alone, *crowded))


async def play(mode: str, count: int, seed: int = SEED) -> Tally:
    """Play the day once; a Router picks by `random`, so that is seeded too."""
    random.seed(seed)
    day = MadeUpTime()
    tally = Tally(accounts=accounts(count))
    originals = asyncio.sleep, time.time
    if mode == "steered":
        litellm_synthetic.register(steer=True)
    elif mode == "unsteered":
        litellm_synthetic.register()
    STATE.clock = Clock(day.clock, day.monotonic)
    Questions.ask_soon = _ask_in_line(Questions.ask_soon)  # type: ignore[method-assign]  # so that the day is the same each time
    try:
        with SyntheticServer(clock=day.clock) as server:
            served = server.serve_accounts(tally.accounts)
            params: dict[str, Any] = {"model": MODEL, "api_base": server.openai_base}
            if mode == "stock":
                params |= {"model": "openai/hf:zai-org/GLM-5.3", "max_retries": 0}
            router = litellm.Router(
                model_list=[
                    {"model_name": "m", "litellm_params": {**params, "api_key": key}}
                    for key in (*PLANS, PREPAID)
                ],
                num_retries=2,
            )
            asyncio.sleep = day.sleep  # type: ignore[assignment]  # Router's waits
            time.time = day.clock
            for moment in moments(count, day.now, seed):
                day.now = max(day.now, moment)
                tally.calls += 1
                had_room = served.have_room()
                with_room = [plan for plan in PLANS if tally.accounts[plan].has_room]
                try:
                    await router.acompletion(
                        model="m", messages=[{"role": "user", "content": "hello"}]
                    )
                    tally.served += 1
                # Every exception of a call is the first; stock's Router refuses with the second.
                except (openai.APIError, RouterRateLimitError):
                    if had_room:
                        tally.failed_with_room += 1
                    else:
                        tally.failed_without_room += 1
                tally.look()
                tally.emptyings += sum(not tally.accounts[plan].has_room for plan in with_room)
    finally:
        asyncio.sleep, time.time = originals
        STATE.clock = Clock()
        STATE.forget()
        RESTS.forget()
        litellm_synthetic.unregister()
    return tally


def _ask_in_line(ask_soon: Any) -> Any:
    def ask(self: Questions, account: Any) -> None:
        thread = ask_soon(self, account)
        if thread is not None:
            thread.join()

    return ask


def main() -> None:
    """Play the day in each way and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=400, help="calls of the day")
    parser.add_argument("--seed", type=int, default=SEED, help="the day's chance")
    parser.add_argument("--mode", choices=MODES, action="append", help="all, by default")
    arguments = parser.parse_args()
    count = arguments.calls
    print(
        _ROW.format(
            "",
            "calls",
            "served",
            "a plan's",
            "429s",
            "most in",
            "402s",
            "failed,",
            "failed,",
            "prepaid",
        )
    )
    print(_ROW.format("", "", "", "emptyings", "", "a row", "", "room", "no room", "USD"))
    for mode in arguments.mode or MODES:
        tally = asyncio.run(play(mode, count, arguments.seed))
        figures = (
            tally.calls,
            tally.served,
            tally.emptyings,
            tally.capped,
            tally.in_a_row,
            tally.unpaid,
        )
        failures = (tally.failed_with_room, tally.failed_without_room)
        paid = f"{tally.prepaid_usd:.2f}"
        print(_ROW.format(mode, *figures, *failures, paid), flush=True)


if __name__ == "__main__":
    main()
