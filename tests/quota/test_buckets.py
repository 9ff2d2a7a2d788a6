"""The buckets of a report: how full each is, what it gains and when, when it is empty."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.quota.buckets import Bucket, buckets_of, tightest
from litellm_synthetic.quota.cap import MAX_WAIT_SECONDS, Cap, cap_of
from litellm_synthetic.quota.pace import per_second, used_between
from litellm_synthetic.quota.report import parse_quotas
from litellm_synthetic.quota.state import KnownQuotas
from litellm_synthetic.quota.wording import cap_sentence, gain_phrase, quotas_sentence
from tests.quota.samples import START, newest, reports
from tests.quota.test_report import SAMPLES


def buckets(header: str) -> dict[str, Bucket]:
    quotas = parse_quotas(header)
    return {} if quotas is None else {bucket.name: bucket for bucket in buckets_of(quotas)}


def known(header: str, *, age_seconds: float = 0.0) -> KnownQuotas:
    return KnownQuotas(parse_quotas(header), age_seconds, START)


def test_the_newest_form_has_two_buckets_that_cap_calls() -> None:
    found = buckets(newest())
    assert [name for name in found if found[name].caps_calls] == ["five_hours", "week"]
    five = found["five_hours"]
    assert (five.limit, five.remaining, five.next_gain) == (500, 364, 25)
    assert five.step == timedelta(minutes=15)
    assert five.seconds_to_gain(START) == 720
    assert five.elapsed_fraction(START) == pytest.approx(0.2)
    week = found["week"]
    assert (week.unit, week.limit, week.remaining, week.next_gain) == ("usd", 24, 11.2, 0.48)
    assert week.step == timedelta(hours=3, minutes=21, seconds=36)
    assert tightest(tuple(found.values())) is week


def test_a_plan_of_2025_is_one_window() -> None:
    (plan,) = buckets(SAMPLES[1][0]).values()
    assert (plan.name, plan.limit, plan.is_stepwise) == ("subscription", 1350, False)
    assert plan.remaining == pytest.approx(1276.2)
    renewal = datetime.fromisoformat("2026-01-11T11:23:38.600Z")
    assert plan.at(renewal).remaining == 1350


def test_an_allowance_of_nothing_is_no_bucket() -> None:
    assert "tool_calls" not in buckets(newest())


@pytest.mark.parametrize("header", [header for header, _ in SAMPLES])
def test_no_account_that_was_seen_is_capped(header: str) -> None:
    assert not any(bucket.exhausted for bucket in buckets(header).values())


def test_a_bucket_gains_tick_by_tick_up_to_its_limit() -> None:
    five = buckets(newest(rollingFiveHourLimit={"remaining": 0, "limited": True}))["five_hours"]
    tick = datetime.fromisoformat("2026-08-25T01:19:00Z")
    assert five.at(tick - timedelta(seconds=1)).exhausted
    assert five.at(tick).remaining == 25
    assert five.at(tick + timedelta(minutes=31)).remaining == 75
    full = five.at(tick + timedelta(days=30))
    assert (full.remaining, full.exhausted) == (500, False)


def test_what_comes_back_is_counted_in_the_pace() -> None:
    before = buckets(newest())["five_hours"]
    after = buckets(newest(rollingFiveHourLimit={"remaining": 349}))["five_hours"]
    then = START + timedelta(minutes=20)
    assert used_between((START, before), (then, after)) == 40
    assert per_second([(START, before), (then, after)]) == pytest.approx(40 / 1200)
    assert per_second([(START, before)]) is None


def test_a_bucket_is_projected_to_run_out_only_if_it_is_used_faster_than_it_gains() -> None:
    five = buckets(newest())["five_hours"]
    gained_per_second = 25 / 900
    assert five.runs_out_at(gained_per_second * 0.9, START) is None
    assert five.runs_out_at(1.0, START) == START + timedelta(seconds=364)
    assert five.runs_out_at(None, START) is None
    # 4 requests a minute: 364 last 91 minutes, in which 6 ticks bring 150 more, in which 2 more.
    moment = five.runs_out_at(4 / 60, START)
    assert moment is not None
    assert timedelta(minutes=91) < moment - START < timedelta(minutes=200)


def test_an_empty_bucket_is_waited_for_until_it_gains() -> None:
    cap = cap_of(known(newest(rollingFiveHourLimit={"limited": True, "remaining": 0})))
    assert cap is not None
    assert (cap.bucket.name, cap.seconds) == ("five_hours", 720)
    assert cap_sentence(cap) == (
        "The 5-hour requests are used up (0 of 500 left) and gain 25 in 12 min (01:19 UTC)"
    )


def test_of_two_empty_buckets_the_last_to_gain_is_waited_for() -> None:
    header = newest(
        rollingFiveHourLimit={"limited": True}, weeklyTokenLimit={"remainingCredits": "$0.00"}
    )
    cap = cap_of(known(header))
    assert cap is not None
    assert (cap.bucket.name, cap.seconds) == ("week", 4097)


def test_a_weighted_cap_waits_for_the_tightest_buckets_tick() -> None:
    cap = cap_of(known(newest(rollingFiveHourLimit={"remaining": 0.4})))
    assert cap is not None
    assert (cap.bucket.name, cap.seconds) == ("five_hours", 720)
    assert "0.4 of 500 are left, which is too little for this call" in cap_sentence(cap)


def test_a_moment_in_the_past_is_not_announced() -> None:
    header = newest(rollingFiveHourLimit={"limited": True, "remaining": 0})
    cap = cap_of(known(header, age_seconds=24 * 3600))
    assert cap is not None
    assert cap.seconds is None
    assert "UTC" not in cap_sentence(cap)
    five = buckets(header)["five_hours"]
    assert gain_phrase(five, START + timedelta(days=1)) == ""
    assert gain_phrase(five, START) == "+25 in 12 min"


def test_what_is_left_is_said_in_a_sentence() -> None:
    assert quotas_sentence(parse_quotas(newest()), START) == (
        "Left of the plan: 5-hour requests: 364 of 500 (+25 in 12 min); "
        "weekly credits: $11.20 of $24.00 (+$0.48 in 1 h 9 min)."
    )
    assert quotas_sentence(None) == "No subscription is reported: prepaid, or none."


@given(reports(), st.floats(0, 10**7))
def test_whatever_is_reported_makes_sense(header: str, age_seconds: float) -> None:
    state = known(header, age_seconds=age_seconds)
    for bucket in state.buckets:
        assert bucket.fraction_left is None or 0 <= bucket.fraction_left <= 1
        elapsed = bucket.elapsed_fraction(state.now)
        assert elapsed is None or 0 <= elapsed <= 1
        later = bucket.at(state.now)
        assert (
            later.remaining is None
            or bucket.remaining is None
            or later.remaining >= min(bucket.remaining, bucket.limit or 0)
        )
        empty_at = bucket.runs_out_at(0.01, state.now)
        assert empty_at is None or empty_at >= state.now
        assert "reset" not in gain_phrase(bucket, state.now)
    cap = cap_of(state)
    assert cap is None or is_sensible(cap)
    assert cap_sentence(cap)
    assert quotas_sentence(state.quotas, state.now)


def is_sensible(cap: Cap) -> bool:
    return cap.seconds is None or 1 <= cap.seconds <= MAX_WAIT_SECONDS
