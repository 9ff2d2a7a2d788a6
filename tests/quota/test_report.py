import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from litellm_synthetic.quota.header import MAX_HEADER_CHARACTERS
from litellm_synthetic.quota.report import (
    Allowance,
    Quotas,
    RollingLimit,
    WeeklyCredits,
    parse_quotas,
    read_report,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def allowance(limit: Any, used: Any, renews_at: datetime | None) -> Allowance:
    return Allowance(limit=limit, used=used, renews_at=renews_at)


def rolling(maximum: Any, remaining: Any, next_tick_at: datetime | None) -> RollingLimit:
    return RollingLimit(
        maximum=maximum,
        remaining=remaining,
        limited=False,
        next_tick_at=next_tick_at,
        tick_percent=0.05,
    )


def week(
    maximum: Any, remaining: Any, percent: Any, next_at: datetime | None, gain: Any = None
) -> WeeklyCredits:
    return WeeklyCredits(
        maximum_usd=maximum,
        remaining_usd=remaining,
        percent_remaining=percent,
        next_regeneration_at=next_at,
        next_regeneration_usd=gain,
    )


def quotas_of(*parts: Any) -> Quotas:
    names = (
        "subscription",
        "search_hourly",
        "free_tool_calls",
        "rolling_five_hours",
        "weekly_credits",
    )
    return Quotas(**dict(zip(names, parts, strict=True)))


# What accounts were told between September 2025 and August 2026, as documents, tests and a
# recording of a reply show it.
SAMPLES: list[tuple[str, Quotas | None]] = [
    (
        '{"subscription":{"limit":135,"requests":0,"renewsAt":"2025-09-21T14:36:14.288Z"}}',
        quotas_of(allowance(135, 0, at("2025-09-21T14:36:14.288")), None, None, None, None),
    ),
    (
        '{"subscription":{"limit":1350,"requests":73.8,"renewsAt":"2026-01-11T11:23:38.600Z"}}',
        quotas_of(allowance(1350, 73.8, at("2026-01-11T11:23:38.600")), None, None, None, None),
    ),
    ("{}", None),
    (
        (
            '{"subscription":{"limit":135,"requests":33,"renewsAt":"2026-01-30T20:20:59.408Z"},'
            '"search":{"hourly":{"limit":250,"requests":0,"renewsAt":"2026-01-30T20:25:50.409Z"}},'
            '"freeToolCalls":{"limit":1620,"requests":271,"renewsAt":"2026-01-31T10:17:00.411Z"}}'
        ),
        quotas_of(
            allowance(135, 33, at("2026-01-30T20:20:59.408")),
            allowance(250, 0, at("2026-01-30T20:25:50.409")),
            allowance(1620, 271, at("2026-01-31T10:17:00.411")),
            None,
            None,
        ),
    ),
    (
        (
            '{"subscription":{"limit":1350,"requests":52,"renewsAt":"2026-02-22T10:41:43.956Z"},'
            '"search":{"hourly":{"limit":250,"requests":0,"renewsAt":"2026-02-22T09:47:15.956Z"}},'
            '"freeToolCalls":{"limit":2500,"requests":733,"renewsAt":"2026-02-22T23:05:44.963Z"}}'
        ),
        quotas_of(
            allowance(1350, 52, at("2026-02-22T10:41:43.956")),
            allowance(250, 0, at("2026-02-22T09:47:15.956")),
            allowance(2500, 733, at("2026-02-22T23:05:44.963")),
            None,
            None,
        ),
    ),
    (
        (
            '{"subscription":{"limit":600,"requests":0,"renewsAt":"2026-04-30T20:18:54.144Z"},'
            '"search":{"hourly":{"limit":250,"requests":0,"renewsAt":"2026-03-30T16:18:54.145Z"}},'
            '"weeklyTokenLimit":{"nextRegenAt":"2026-03-30T16:20:39.000Z","percentRemaining":100},'
            '"rollingFiveHourLimit":{"nextTickAt":"2026-03-30T15:30:29.000Z","tickPercent":0.05,'
            '"remaining":600,"max":600,"limited":false}}'
        ),
        quotas_of(
            allowance(600, 0, at("2026-04-30T20:18:54.144")),
            allowance(250, 0, at("2026-03-30T16:18:54.145")),
            None,
            rolling(600, 600, at("2026-03-30T15:30:29")),
            week(None, None, 100, at("2026-03-30T16:20:39")),
        ),
    ),
    (
        (
            '{"subscription":{"limit":750,"requests":0,"renewsAt":"2026-04-17T08:35:49.493Z"},'
            '"weeklyTokenLimit":{"nextRegenAt":"2026-04-17T05:19:30.000Z",'
            '"percentRemaining":98.05884722222223,"maxCredits":"$36.00",'
            '"remainingCredits":"$35.30","nextRegenCredits":"$0.72"},'
            '"rollingFiveHourLimit":{"nextTickAt":"2026-04-17T03:44:11.000Z","tickPercent":0.05,'
            '"remaining":750,"max":750,"limited":false},'
            '"search":{"hourly":{"limit":250,"requests":2,"renewsAt":"2026-04-17T04:30:01.494Z"}}}'
        ),
        quotas_of(
            allowance(750, 0, at("2026-04-17T08:35:49.493")),
            allowance(250, 2, at("2026-04-17T04:30:01.494")),
            None,
            rolling(750, 750, at("2026-04-17T03:44:11")),
            week("36", "35.30", 98.05884722222223, at("2026-04-17T05:19:30"), "0.72"),
        ),
    ),
    (
        (
            '{"subscription":{"limit":1000,"requests":0,"renewsAt":"2026-08-09T18:41:11.774Z"},'
            '"weeklyTokenLimit":{"nextRegenAt":"2026-08-09T16:32:59.000Z","percentRemaining":38.8886,'
            '"maxCredits":"$48.00","remainingCredits":"$18.66","nextRegenCredits":"$0.96"},'
            '"rollingFiveHourLimit":{"nextTickAt":"2026-08-09T13:47:57.000Z","tickPercent":0.05,'
            '"remaining":987.4,"max":1000,"limited":false}}'
        ),
        quotas_of(
            allowance(1000, 0, at("2026-08-09T18:41:11.774")),
            None,
            None,
            rolling(1000, 987.4, at("2026-08-09T13:47:57")),
            week("48", "18.66", 38.8886, at("2026-08-09T16:32:59"), "0.96"),
        ),
    ),
    (
        (
            '{"subscription":{"limit":500,"requests":0,"renewsAt":"2026-08-25T06:17:51.747Z"},'
            '"search":{"hourly":{"limit":250,"requests":0,"renewsAt":"2026-08-25T02:17:51.751Z"}},'
            '"freeToolCalls":{"limit":0,"requests":0,"renewsAt":"2026-08-26T01:17:51.756Z"},'
            '"weeklyTokenLimit":{"nextRegenAt":"2026-08-25T02:15:17.000Z","percentRemaining":46.7,'
            '"maxCredits":"$24.00","remainingCredits":"$11.20"},'
            '"rollingFiveHourLimit":{"nextTickAt":"2026-08-25T01:19:00.000Z","tickPercent":0.05,'
            '"remaining":364,"max":500,"limited":false}}'
        ),
        quotas_of(
            allowance(500, 0, at("2026-08-25T06:17:51.747")),
            allowance(250, 0, at("2026-08-25T02:17:51.751")),
            allowance(0, 0, at("2026-08-26T01:17:51.756")),
            rolling(500, 364, at("2026-08-25T01:19:00")),
            week("24", "11.20", 46.7, at("2026-08-25T02:15:17")),
        ),
    ),
]


@pytest.mark.parametrize(("header", "quotas"), SAMPLES)
def test_every_form_seen_is_read(header: str, quotas: Quotas | None) -> None:
    assert parse_quotas(header) == quotas


@pytest.mark.parametrize("header", [header for header, _ in SAMPLES])
def test_an_account_with_something_left_has_no_reset_to_wait_for(header: str) -> None:
    quotas = parse_quotas(header)
    assert quotas is None or quotas.resets_at() is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "{}",
        "null",
        "[]",
        '"text"',
        "7",
        "{",
        "not JSON",
        "[" * 10_000,
        '{"subscription":{"limit":' + "9" * 5000 + "}}",
        '{"subscription":{"note":"' + "x" * 1_000_000 + '"}}',
    ],
)
def test_what_is_no_quota_is_unknown(header: str | None) -> None:
    assert parse_quotas(header) is None


def test_the_longest_header_believed_is_still_read() -> None:
    start = '{"subscription":{"limit":5,"note":"'
    header = start + "x" * (MAX_HEADER_CHARACTERS - len(start) - 3) + '"}}'
    assert parse_quotas(header) is not None
    assert parse_quotas(header + " ") is None


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (5, 5.0),
        (5.5, 5.5),
        ("5.5", 5.5),
        (" 5 ", 5.0),
        ("$5.50", 5.5),
        ("", None),
        ("free", None),
        ("$", None),
        (True, None),
        (None, None),
        ([5], None),
        ({"value": 5}, None),
        ("nan", None),
        ("inf", None),
        (10**400, None),
    ],
)
def test_numbers_may_be_text_and_what_is_none_is_unknown(text: Any, result: float | None) -> None:
    quotas = parse_quotas(json.dumps({"weeklyTokenLimit": {"remainingCredits": text}}))
    assert quotas is not None
    assert quotas.weekly_credits == week(None, None if result is None else str(result), None, None)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2026-08-25T06:17:51Z", at("2026-08-25T06:17:51")),
        ("2026-08-25T08:17:51+02:00", at("2026-08-25T06:17:51")),
        ("2026-08-25T06:17:51", at("2026-08-25T06:17:51")),
        ("tomorrow", None),
        ("", None),
        (1787638671, None),
        ("0001-01-01T00:00:00+23:59", None),
    ],
)
def test_moments_are_utc_or_unknown(text: Any, result: datetime | None) -> None:
    quotas = parse_quotas(json.dumps({"subscription": {"renewsAt": text}}))
    assert quotas == quotas_of(allowance(None, None, result), None, None, None, None)


def test_the_older_name_of_free_tool_calls_is_read() -> None:
    quotas = parse_quotas('{"toolCallDiscounts":{"limit":500,"requests":3}}')
    assert quotas is not None
    assert quotas.free_tool_calls == allowance(500, 3, None)


MORNING, NOON, EVENING = (at(f"2026-08-25T{hour}:00:00") for hour in ("08", "12", "20"))


@pytest.mark.parametrize(
    ("document", "reset"),
    [
        ({"rollingFiveHourLimit": {"limited": True, "nextTickAt": NOON}}, NOON),
        ({"rollingFiveHourLimit": {"remaining": 0, "nextTickAt": NOON}}, NOON),
        ({"rollingFiveHourLimit": {"remaining": -1.5, "nextTickAt": NOON}}, NOON),
        ({"rollingFiveHourLimit": {"remaining": 3, "nextTickAt": NOON}}, None),
        ({"rollingFiveHourLimit": {"limited": True}}, None),
        ({"weeklyTokenLimit": {"remainingCredits": "$0.00", "nextRegenAt": NOON}}, NOON),
        ({"weeklyTokenLimit": {"remainingCredits": "$-0.12", "nextRegenAt": NOON}}, NOON),
        ({"weeklyTokenLimit": {"percentRemaining": 0, "nextRegenAt": NOON}}, NOON),
        ({"weeklyTokenLimit": {"nextRegenAt": NOON}}, None),
        ({"subscription": {"limit": 135, "requests": 135, "renewsAt": NOON}}, NOON),
        ({"subscription": {"limit": 135, "requests": 135.4, "renewsAt": NOON}}, NOON),
        ({"subscription": {"limit": 0, "requests": 0, "renewsAt": NOON}}, None),
        ({"subscription": {"limit": -1, "requests": 7, "renewsAt": NOON}}, None),
        ({"subscription": {"requests": 7, "renewsAt": NOON}}, None),
        ({"search": {"hourly": {"limit": 250, "requests": 250, "renewsAt": NOON}}}, None),
        (
            {
                "rollingFiveHourLimit": {"limited": True, "nextTickAt": MORNING},
                "weeklyTokenLimit": {"percentRemaining": 0, "nextRegenAt": EVENING},
                "subscription": {"limit": 1, "requests": 1, "renewsAt": NOON},
            },
            EVENING,
        ),
    ],
)
def test_the_reset_is_that_of_the_cap_that_is_reached(
    document: dict[str, Any], reset: datetime | None
) -> None:
    quotas = parse_quotas(json.dumps(document, default=datetime.isoformat))
    assert quotas is not None
    assert quotas.resets_at() == reset


NAMES = st.sampled_from(
    [
        "subscription", "search", "hourly", "freeToolCalls", "rollingFiveHourLimit", "limit",
        "weeklyTokenLimit", "requests", "renewsAt", "nextTickAt", "nextRegenAt", "remaining",
        "max", "limited", "maxCredits", "remainingCredits", "percentRemaining",
    ]
)  # fmt: skip  # one list, read as one
HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
    | st.integers(-(10**18), 10**18).map(lambda seconds: f"${seconds}"),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(NAMES, children),
)


@given(st.dictionaries(NAMES, HOSTILE).map(json.dumps) | st.text())
def test_no_header_breaks_the_reading(header: str) -> None:
    quotas = parse_quotas(header)
    if quotas is not None:
        reset = quotas.resets_at()
        assert reset is None or reset.utcoffset() == timedelta(0)


def test_a_report_cannot_be_changed_and_dumps_to_plain_values() -> None:
    quotas = parse_quotas(SAMPLES[6][0])
    assert quotas is not None
    with pytest.raises(ValidationError, match="frozen"):
        quotas.subscription = None
    dumped = quotas.model_dump()
    assert dumped["weekly_credits"]["remaining_usd"] == Decimal("35.30")
    assert dumped["rolling_five_hours"]["tick_percent"] == 0.05
    assert Quotas.model_validate_json(quotas.model_dump_json()) == quotas


def test_an_empty_report_is_read_as_telling_nothing() -> None:
    quotas = read_report("{}")
    assert quotas is not None
    assert quotas.is_empty
    assert parse_quotas("{}") is None
