from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.transport.retries import (
    MAX_CREDIBLE_RETRY_AFTER_SECONDS,
    MAX_RETRY_AFTER_SECONDS,
    RetryPolicy,
    parse_retry_after,
)

NOW = datetime(2026, 9, 1, 12, 0, 0, tzinfo=UTC)


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
