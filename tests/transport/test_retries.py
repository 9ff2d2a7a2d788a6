from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport.retries import (
    MAX_CREDIBLE_RETRY_AFTER_SECONDS,
    MAX_RETRY_AFTER_SECONDS,
    RetryPolicy,
    is_retryable,
    parse_retry_after,
)

NOW = datetime(2026, 9, 1, 12, 0, 0, tzinfo=UTC)
PLAN_CAP = (
    "You've exceeded your subscription rate limits. Upgrade, or try again later. You can view your "
    "usage at https://synthetic.new/billing"
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (" 30 ", 30.0),
        ("86400", 86400.0),
        ("Tue, 01 Sep 2026 12:00:30 GMT", 30.0),
        ("Tue, 01 Sep 2026 14:00:30 +0200", 30.0),
        ("Tue, 01 Sep 2026 12:00:30", 30.0),
        ("Tue, 01 Sep 2026 11:59:59 GMT", None),
        ("Tue, 08 Sep 2026 12:00:00 GMT", None),
        ("86401", None),
        ("604800", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e400", None),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        ("   ", None),
        ("Tue, 99 Sep 2026 12:00:30 GMT", None),
        ("Tue, 01 Sep 99999 12:00:30 GMT", None),
        ("Tue, 01 Sep 2026 12:00:30 +9999", None),
    ],
)
def test_retry_after_is_read_or_ignored(value: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": value}, NOW) == seconds


def test_no_header_means_nothing_was_said() -> None:
    assert parse_retry_after({}) is None


def test_a_date_counts_from_now() -> None:
    assert parse_retry_after({"retry-after": "Tue, 01 Sep 2020 12:00:30 GMT"}) is None


@given(st.text() | st.floats().map(str) | st.datetimes().map("{:%a, %d %b %Y %H:%M:%S} GMT".format))
def test_any_value_is_a_credible_wait_or_none(value: str) -> None:
    seconds = parse_retry_after({"retry-after": value}, NOW)
    assert seconds is None or 0 <= seconds <= MAX_CREDIBLE_RETRY_AFTER_SECONDS


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 520, 524, 599])
def test_failures_of_the_server_are_retried(status: int) -> None:
    assert is_retryable(status, "", None)


@pytest.mark.parametrize("status", [200, 307, 400, 401, 402, 403, 404, 405, 409, 413, 422, 600])
def test_what_will_be_answered_alike_is_sent_once(status: int) -> None:
    assert not is_retryable(status, "", 1.0)


@pytest.mark.parametrize(
    ("text", "retry_after_seconds", "again"),
    [
        ("max 4 parallel requests per model", 1.0, True),
        ("max 4 parallel requests per model", 0.0, True),
        ("max 4 parallel requests per model", 60.0, True),
        ("max 4 parallel requests per model", 60.1, False),
        ("max 4 parallel requests per model", None, False),
        ("Too many requests, try again later", None, False),
        (PLAN_CAP, None, False),
        (PLAN_CAP, 1.0, False),
        (PLAN_CAP.upper(), 1.0, False),
    ],
)
def test_a_429_is_retried_only_if_it_says_when_and_is_no_plan_cap(
    text: str, retry_after_seconds: float | None, *, again: bool
) -> None:
    assert is_retryable(429, text, retry_after_seconds) is again


@pytest.mark.parametrize(
    ("status", "text", "retry_after_seconds", "again"),
    [
        (400, "Error from inference backend: 429 rate limited", None, True),
        (429, "Error from inference backend: 429 rate limited", None, True),
        (500, "Error from inference backend: 429 rate limited", 60.0, True),
        (500, "Error from inference backend: 429 rate limited", 61.0, False),
        (400, f"Error from inference backend: 429 {PLAN_CAP}", None, False),
        (400, "Error from inference backend: 503 busy", None, True),
        (400, '{"error":"Error from inference backend: 503 busy"}', None, True),
        (500, '{"error":"Error from inference backend: 400 no"}', None, False),
        (500, '{"error":{"message":"Error from inference backend: 401 no"}}', None, False),
        (500, '{"object":"error","message":"prompt is too long"}', None, False),
        (500, '{"detail":"content_policy_violation"}', None, False),
    ],
)
def test_the_backends_own_words_decide_where_they_say_more(
    status: int, text: str, retry_after_seconds: float | None, *, again: bool
) -> None:
    assert is_retryable(status, text, retry_after_seconds) is again


@pytest.mark.parametrize(
    ("retry", "min_seconds", "max_seconds"),
    [(0, 0.25, 0.5), (1, 0.5, 1.0), (2, 1.0, 2.0), (4, 4.0, 8.0), (9, 4.0, 8.0), (5000, 4.0, 8.0)],
)
def test_delays_double_up_to_eight_seconds_with_jitter(
    retry: int, min_seconds: float, max_seconds: float
) -> None:
    delays = [RetryPolicy().delay_seconds(retry, None) for _ in range(200)]
    assert all(min_seconds <= delay <= max_seconds for delay in delays)
    assert len(set(delays)) > 1


@given(st.integers(0, 100), st.floats(0, MAX_RETRY_AFTER_SECONDS))
def test_a_pause_is_never_shorter_than_told_and_hardly_longer(retry: int, message: float) -> None:
    assert message <= RetryPolicy().delay_seconds(retry, message) <= message + 0.8 + 1e-9


def test_a_wait_longer_than_a_minute_is_not_sat_out() -> None:
    assert RetryPolicy().delay_seconds(0, 61.0) <= 0.5


def test_two_retries_unless_said() -> None:
    assert RetryPolicy().max_retries == 2
