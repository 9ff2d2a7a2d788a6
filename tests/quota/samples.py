"""The reports that accounts were sent, and generated ones of the same forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

START: Final = datetime(2026, 8, 25, 1, 7, tzinfo=UTC)

# The newest form, with the week's gain, which one of the accounts was not told.
NEWEST: Final[dict[str, Any]] = {
    "subscription": {"limit": 500, "requests": 0, "renewsAt": "2026-08-25T06:17:51.747Z"},
    "search": {
        "hourly": {"limit": 250, "requests": 0, "renewsAt": "2026-08-25T02:17:51.751Z"},
    },
    "freeToolCalls": {"limit": 0, "requests": 0, "renewsAt": "2026-08-26T01:17:51.756Z"},
    "weeklyTokenLimit": {
        "nextRegenAt": "2026-08-25T02:15:17.000Z",
        "percentRemaining": 46.7,
        "maxCredits": "$24.00",
        "remainingCredits": "$11.20",
        "nextRegenCredits": "$0.48",
    },
    "rollingFiveHourLimit": {
        "nextTickAt": "2026-08-25T01:19:00.000Z",
        "tickPercent": 0.05,
        "remaining": 364,
        "max": 500,
        "limited": False,
    },
}


def newest(**changes: dict[str, Any]) -> str:
    """Return the newest form with some fields of its parts changed, as a header."""
    return json.dumps({**NEWEST, **{name: {**NEWEST[name], **changes[name]} for name in changes}})


def moments() -> st.SearchStrategy[str]:
    """Return moments as a service writes them: most near `START`, some absurd."""
    near = st.timedeltas(timedelta(days=-2), timedelta(days=9)).map(lambda passed: START + passed)
    anywhere = st.datetimes(timezones=st.just(UTC))
    return (near | anywhere).map(lambda moment: moment.isoformat().replace("+00:00", "Z"))


def figures() -> st.SearchStrategy[Any]:
    """Return figures: numbers, numbers as texts, and what is none."""
    numbers = st.floats(-10, 3000, allow_nan=False) | st.integers(-3, 3000)
    return numbers | numbers.map(str) | st.sampled_from(["", "free", None, True, 1e300])


def usd() -> st.SearchStrategy[Any]:
    """Return credits as the service writes them, and otherwise."""
    return st.decimals(-2, 200, places=2).map(lambda amount: f"${amount}") | figures()


def reports() -> st.SearchStrategy[str]:
    """Return whole reports, with any of their parts and fields."""
    allowance = st.fixed_dictionaries(
        {}, optional={"limit": figures(), "requests": figures(), "renewsAt": moments()}
    )
    rolling = st.fixed_dictionaries(
        {},
        optional={
            "nextTickAt": moments(),
            "tickPercent": st.just(0.05) | figures(),
            "remaining": figures(),
            "max": figures(),
            "limited": st.booleans() | st.sampled_from(["true", None, 1]),
        },
    )
    week = st.fixed_dictionaries(
        {},
        optional={
            "nextRegenAt": moments(),
            "percentRemaining": figures(),
            "maxCredits": usd(),
            "remainingCredits": usd(),
            "nextRegenCredits": usd(),
        },
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "subscription": allowance,
            "search": st.fixed_dictionaries({"hourly": allowance}),
            "freeToolCalls": allowance,
            "rollingFiveHourLimit": rolling,
            "weeklyTokenLimit": week,
        },
    ).map(json.dumps)
