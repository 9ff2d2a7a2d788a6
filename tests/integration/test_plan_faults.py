"""Refusals of the plan with every form of the quota header, and with any Retry-After."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import litellm_synthetic
from litellm_synthetic.quota.buckets import buckets_of
from litellm_synthetic.quota.cap import MAX_WAIT_SECONDS
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.report import parse_quotas
from litellm_synthetic.quota.request_limits import request_limit
from litellm_synthetic.testing import RawJSON, quotas
from tests.quota.samples import reports
from tests.quota.test_report import SAMPLES

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

pytestmark = pytest.mark.usefixtures("no_waiting")
ASKED: dict[str, Any] = {
    "model": "synthetic/hf:zai-org/GLM-5.3",
    "messages": [{"role": "user", "content": "hello"}],
}
CAP = "You've exceeded your subscription rate limits. Upgrade, or try again later."
UNPAID = "Insufficient quota and token balance: consider upgrading your subscription"
EMPTY = quotas.newest_form(time.time(), limited=True)
HEADERS: dict[str, str | None] = {
    "absent": None,
    "empty": "{}",
    "junk": "not { json",
    "2025": json.dumps(quotas.form_of_2025(time.time())),
    "limited": json.dumps(EMPTY),
    "numbers as texts": json.dumps(quotas.numbers_as_strings(EMPTY)),
    "16 kB": json.dumps({**EMPTY, "padding": "x" * 16_384}),
    "past": json.dumps(quotas.newest_form(1_000_000_000, limited=True)),
    "absurd": json.dumps(quotas.newest_form(250_000_000_000, limited=True)),
    **{f"sample {number}": text for number, (text, _) in enumerate(SAMPLES)},
}


async def refusal(
    server: SyntheticServer, caller: Caller, status: int, text: str, headers: dict[str, str]
) -> Any:
    """Return the error of a call that is refused, which made one request."""
    server.respond_with(RawJSON(status, {"error": text}, headers))
    with pytest.raises(openai.APIError) as caught:
        await caller.completion(**ASKED, max_retries=0)
    return caught.value


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
async def test_a_cap_is_one_request_and_waits_for_no_nonsense(
    upstream: SyntheticServer, caller: Caller, text: str | None
) -> None:
    headers = {} if text is None else {HEADER: text}
    error = await refusal(upstream, caller, 429, CAP, headers)
    assert issubclass(type(error), litellm.RateLimitError)
    assert len(upstream.requests) == 1
    assert error.headers["x-should-retry"] == "false"
    assert 1 <= int(error.headers.get("retry-after", 1)) <= MAX_WAIT_SECONDS


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
async def test_a_missing_payment_is_one_request_and_names_the_billing_page(
    upstream: SyntheticServer, caller: Caller, text: str | None
) -> None:
    headers = {} if text is None else {HEADER: text}
    error = await refusal(upstream, caller, 402, UNPAID, headers)
    assert error.status_code == 402
    assert "https://synthetic.new/billing" in str(error)
    assert len(upstream.requests) == 1
    assert error.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("1", 1), ("7", 7), ("soon", None), ("-5", None), ("1e9", None), ("9" * 30, None), ("", None)],
)
async def test_a_passing_429_keeps_the_time_that_it_names_and_no_nonsense(
    upstream: SyntheticServer, caller: Caller, after: str, seconds: int | None
) -> None:
    text = "max 4 parallel requests per model"
    error = await refusal(upstream, caller, 429, text, {"Retry-After": after})
    assert issubclass(type(error), litellm.RateLimitError)
    assert error.headers["x-should-retry"] == "true"
    told = int(error.headers["retry-after"])
    assert told == seconds if seconds is not None else 0 <= told <= MAX_WAIT_SECONDS
    known = litellm_synthetic.known_quotas()
    assert known is None or known.tightest is None or not known.tightest.exhausted


@pytest.mark.parametrize("text", [text for text, _ in SAMPLES])
def test_every_sample_has_the_limit_of_its_tightest_bucket(text: str) -> None:
    limit, report = request_limit(text), parse_quotas(text)
    if report is None:
        assert limit is None  # `{}`
        return
    capping = [bucket for bucket in buckets_of(report) if bucket.caps_calls]
    parts = [bucket.fraction_left for bucket in capping if bucket.fraction_left is not None]
    assert limit is not None
    assert limit.limit in {bucket.limit for bucket in capping if bucket.unit == "requests"}
    assert limit.remaining / limit.limit == pytest.approx(min(parts), abs=1 / limit.limit)


@given(reports())
def test_a_limit_is_known_where_a_bucket_that_caps_calls_is(text: str) -> None:
    report = parse_quotas(text)
    buckets = () if report is None else buckets_of(report)
    parts = [bucket.fraction_left for bucket in buckets if bucket.caps_calls]
    is_known = any(part is not None for part in parts)
    assert (request_limit(text) is not None) is is_known


@given(st.text())
def test_what_is_no_report_has_no_limit(text: str) -> None:
    assert request_limit(text) is None or parse_quotas(text) is not None
