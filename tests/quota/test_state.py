"""Reports on a plan are kept: the latest, per key and origin, bounded, with its age."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.quota.clock import Clock
from litellm_synthetic.quota.header import HEADER, MAX_HEADER_CHARACTERS
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import MAX_SAMPLES, MAX_SCOPES, KnownQuotas, QuotaState
from tests.quota.samples import START, newest, reports

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = "Tue, 25 Aug 2026 01:07:00 GMT"
KEY = "syn_0123456789abcdef"


class Time:
    """A machine's two clocks, which a test moves."""

    def __init__(self, wall: float = START.timestamp()) -> None:
        self.wall = wall
        self.monotonic = 1000.0
        self.clock = Clock(lambda: self.wall, lambda: self.monotonic)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def state(time: Time) -> QuotaState:
    return QuotaState(time.clock)


def noted(state: QuotaState, text: str, date: str | None = DATE) -> KnownQuotas | None:
    headers = {HEADER: text} if date is None else {HEADER: text, "date": date}
    state.note("scope", headers)
    return state.known("scope")


def left(known: KnownQuotas | None) -> Any:
    assert known is not None
    assert known.quotas is not None
    assert known.quotas.rolling_five_hours is not None
    return known.quotas.rolling_five_hours.remaining


def test_the_latest_report_counts_with_its_age(state: QuotaState, time: Time) -> None:
    assert state.known("scope") is None
    noted(state, newest())
    time.pass_(30)
    noted(state, newest(rollingFiveHourLimit={"remaining": 363}))
    time.pass_(90)
    known = state.known("scope")
    assert left(known) == 363
    assert known is not None
    assert known.age_seconds == 90
    assert known.received_at == START
    assert (known.now - START).total_seconds() == 90


def test_an_empty_report_is_known_and_tells_nothing_of_a_plan(state: QuotaState) -> None:
    known = noted(state, "{}")
    assert known is not None
    assert known.quotas is None
    assert known.buckets == ()
    assert known.tightest is None


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "not { json", "{", '{"a":', "{" + "x" * MAX_HEADER_CHARACTERS, "{}" * 9000],
)
def test_what_is_no_report_leaves_the_last_one_in_force(state: QuotaState, text: str) -> None:
    noted(state, newest())
    assert left(noted(state, text)) == 364


def test_a_reply_without_the_header_leaves_the_last_one_in_force(state: QuotaState) -> None:
    noted(state, newest())
    state.note("scope", {"date": DATE})
    assert left(state.known("scope")) == 364


def test_nothing_is_parsed_when_a_report_comes(
    state: QuotaState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("json.loads", lambda *_: pytest.fail("a report was parsed"))
    state.note("scope", {HEADER: newest(), "date": DATE})


@pytest.mark.parametrize("minutes", [-600, -7, 7, 600])
def test_a_machine_whose_clock_is_wrong_still_knows_when_a_bucket_gains(minutes: float) -> None:
    time = Time(START.timestamp() + 60 * minutes)
    known = noted(QuotaState(time.clock), newest())
    assert known is not None
    assert known.buckets[0].seconds_to_gain(known.now) == 720


@pytest.mark.parametrize(
    "date", [None, "yesterday", "", "x" * 9999, "Tue, 25 Aug 1926 01:07:00 GMT", "\ud800"]
)
def test_without_a_credible_date_the_machines_clock_counts(
    state: QuotaState, date: str | None
) -> None:
    known = noted(state, newest(), date)
    assert known is not None
    assert known.received_at == START


def test_a_machine_whose_clock_was_never_set_believes_the_reply() -> None:
    known = noted(QuotaState(Time(0.0).clock), newest())
    assert known is not None
    assert known.received_at == START


@given(st.lists(st.integers(-(10**9), 10**9), max_size=5), st.integers(0, 10**5))
def test_a_wall_clock_that_is_set_back_makes_nothing_younger(jumps: list[int], passed: int) -> None:
    time = Time()
    state = QuotaState(time.clock)
    noted(state, newest())
    for jump in jumps:
        time.wall = max(time.wall + jump, 0.0)
    time.pass_(passed)
    known = state.known("scope")
    assert known is not None
    assert known.age_seconds >= passed
    assert known.now >= known.received_at


def test_a_machine_that_slept_has_not_stopped_the_time(state: QuotaState, time: Time) -> None:
    noted(state, newest())
    time.wall += 3600
    known = state.known("scope")
    assert known is not None
    assert known.age_seconds == 3600


def test_what_is_kept_is_bounded(state: QuotaState, time: Time) -> None:
    for number in range(MAX_SCOPES + 50):
        state.note(f"scope {number}", {HEADER: newest()})
    for _ in range(3 * MAX_SAMPLES):
        time.pass_(120)
        noted(state, newest())
    assert len(state.scopes()) == MAX_SCOPES
    assert state.known("scope 0") is None
    assert state.known_with_pace("scope") is not None


def test_the_pace_is_told_by_reports_a_minute_apart(state: QuotaState, time: Time) -> None:
    for minute in range(5):
        noted(state, newest(rollingFiveHourLimit={"remaining": 364 - 3 * minute}), None)
        time.pass_(60)
    known = state.known_with_pace("scope")
    assert known is not None
    assert known.per_second["five_hours"] == pytest.approx(3 / 60)
    runs_out_at = known.runs_out_at(known.buckets[0])
    assert runs_out_at is not None
    assert runs_out_at > known.now


def test_a_scope_is_a_key_at_an_origin_and_shows_neither() -> None:
    base = "https://api.synthetic.new/openai/v1"
    scope = scope_of(Secret(KEY), base)
    assert scope == scope_of(Secret(KEY), "https://api.synthetic.new:443/anthropic/v1")
    assert scope != scope_of(Secret(KEY + "0"), base)
    assert scope != scope_of(Secret(KEY), "https://gateway.example/openai/v1")
    assert KEY not in scope
    assert len(scope) == 24


@given(reports())
def test_any_report_can_be_known(text: str) -> None:
    known = noted(QuotaState(Time().clock), text)
    assert known is not None
    assert known.received_at == START


def test_threads_may_note_and_ask_at_once(state: QuotaState) -> None:
    def hammer(text: str) -> Callable[[], None]:
        def run() -> None:
            for _ in range(300):
                noted(state, text)

        return run

    threads = [
        threading.Thread(target=hammer(text)) for text in (newest(), "{}", "not json", "{broken")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.known("scope") is not None
