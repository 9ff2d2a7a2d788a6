"""A plan's tightest bucket as a limit of requests, and how a key pays, by the report alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.quota.header import MAX_HEADER_CHARACTERS, payment_of
from litellm_synthetic.quota.request_limits import RequestLimit, request_limit
from tests.quota.samples import newest, reports


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The week is tighter: 46.7 % of $24.00, taken of the 500 requests.
        (newest(), RequestLimit(500, 233)),
        (newest(rollingFiveHourLimit={"remaining": 12.6}), RequestLimit(500, 12)),
        (newest(rollingFiveHourLimit={"limited": True}), RequestLimit(500, 0)),
        (newest(weeklyTokenLimit={"remainingCredits": "$-0.12"}), RequestLimit(500, 0)),
        ('{"subscription": {"limit": 135, "requests": 33}}', RequestLimit(135, 102)),
        ('{"weeklyTokenLimit": {"percentRemaining": 46.7}}', RequestLimit(100, 46)),
        ('{"search": {"hourly": {"limit": 250, "requests": 250}}}', None),
        ("{}", None),
        ("", None),
        ("not a report", None),
        (None, None),
    ],
)
def test_the_tightest_bucket_is_told_in_requests(
    text: str | None, expected: RequestLimit | None
) -> None:
    assert request_limit(text) == expected


@given(reports() | st.text())
def test_a_limit_is_whole_and_never_negative(text: str) -> None:
    limit = request_limit(text)
    assert limit is None or 0 <= limit.remaining <= limit.limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (newest(), "plan"),
        (
            '{"subscription":{"limit":135,"requests":0,"renewsAt":"2025-09-21T14:36:14.288Z"}}',
            "plan",
        ),
        ('{"subscription": {"requests": "33", "limit": "0.5"}}', "plan"),
        ('{"weeklyTokenLimit": {"percentRemaining": 100}}', "plan"),
        ("{}", "prepaid"),
        (" { } ", "prepaid"),
        ('{"subscription": {"limit": 0, "requests": 0}}', None),
        ('{"search": {"hourly": {"limit": 250}}}', None),
        ('{"subscription": "rollingFiveHourLimit"}', None),
        ("[]", None),
        ("", None),
        (None, None),
        (json.dumps({"rollingFiveHourLimit": {"note": "x" * MAX_HEADER_CHARACTERS}}), None),
    ],
)
def test_the_report_tells_how_its_key_pays(text: str | None, expected: str | None) -> None:
    assert payment_of(text) == expected


@given(reports())
def test_who_pays_by_plan_has_a_bucket_and_who_has_none_is_unknown(text: str) -> None:
    document = json.loads(text)
    named = {"rollingFiveHourLimit", "weeklyTokenLimit", "subscription"} & document.keys()
    if payment_of(text) == "plan":
        assert named
    else:
        assert not {"rollingFiveHourLimit", "weeklyTokenLimit"} & document.keys()
    assert (payment_of(text) == "prepaid") is (document == {})
