"""A plan that will run out is reported once, and once that it lasts again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.quota.aliases import alias_of
from litellm_synthetic.quota.projection import MAX_AGE_SECONDS, Projections
from litellm_synthetic.quota.refusals import Refusals
from litellm_synthetic.quota.report import parse_quotas
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import KnownQuotas
from litellm_synthetic.testing.quotas import header_value, newest_form

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
# 25 requests come back every 15 minutes.
REFILL_PER_SECOND = 25 / 900
KEY = "syn_made_up_0123456789"


def known(
    used: int, per_second: float | None, *, age_seconds: float = 0.0, **options: Any
) -> KnownQuotas:
    document = newest_form(NOW.timestamp(), requests_used=used, **options)
    rates = {} if per_second is None else {"five_hours": per_second}
    return KnownQuotas(parse_quotas(header_value(document)), age_seconds, NOW, rates)


def kinds(projections: Projections, *states: KnownQuotas) -> list[list[str]]:
    return [[each.kind for each in projections.crossings("a", state, "K")] for state in states]


def test_a_crossing_is_told_once_and_so_is_the_recovery() -> None:
    fast, slow = known(400, 5 * REFILL_PER_SECOND), known(400, REFILL_PER_SECOND / 2)
    assert kinds(Projections(), slow, fast, fast, slow, slow, fast) == [
        [], ["runs_out"], [], ["recovered"], [], ["runs_out"],
    ]  # fmt: skip  # one series


def test_a_pace_that_moves_about_the_refill_is_told_of_once() -> None:
    about = [known(450, REFILL_PER_SECOND * share) for share in (1.5, 0.95, 1.5, 0.95)]
    told = [kind for each in kinds(Projections(), *about) for kind in each]
    assert told == ["runs_out"]


def test_an_empty_bucket_is_told_of_whatever_the_pace() -> None:
    (crossing,) = Projections().crossings("a", known(0, None, limited=True), "MY_KEY")
    assert crossing.kind == "runs_out"
    assert "MY_KEY" in crossing.text
    assert "are used up" in crossing.text
    assert "in 15 min" in crossing.text


def test_the_text_says_when_and_what_is_left_and_what_comes_back() -> None:
    (crossing,) = Projections().crossings("a", known(400, 1.0), "K")
    assert "will be used up in 2 min at this pace: 100 of 500 are left" in crossing.text
    assert "3600 an hour are used" in crossing.text
    assert "They gain 25 in 15 min." in crossing.text


def test_nothing_is_concluded_from_an_old_report() -> None:
    old = known(0, None, limited=True, age_seconds=MAX_AGE_SECONDS + 1)
    assert kinds(Projections(), old) == [[]]


def test_each_key_and_bucket_has_alerts_of_its_own() -> None:
    projections, empty = Projections(), known(0, None, limited=True)
    for scope in ("a", "b"):
        assert len(list(projections.crossings(scope, empty, "K"))) == 1
        assert not list(projections.crossings(scope, empty, "K"))


@given(
    st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), max_size=30),
)
def test_alerts_and_recoveries_take_turns(series: list[tuple[int, float]]) -> None:
    told = kinds(Projections(), *[known(used, rate) for used, rate in series])
    flat = [kind for each in told for kind in each]
    assert flat == (["runs_out", "recovered"] * len(series))[: len(flat)]


def test_a_key_is_called_by_its_variable_and_else_by_a_digest() -> None:
    scope = scope_of(Secret(KEY), "https://api.synthetic.new/openai/v1")
    environ = {"OTHER": KEY, "SYNTHETIC_KEY_B": f" {KEY} ", "SYNTHETIC_Z": "kein Schlüssel"}
    assert alias_of(scope, environ=environ) == "SYNTHETIC_KEY_B"
    anonymous = alias_of(scope, environ={"OTHER": KEY})
    assert anonymous == f"key-{scope[:8]}"
    assert KEY not in anonymous


def test_an_unusable_base_url_leaves_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_API_BASE", "ftp://nowhere")
    assert alias_of("0123456789", environ={"SYNTHETIC_API_KEY": KEY}) == "key-01234567"


def test_refusals_are_counted_by_key() -> None:
    refusals = Refusals()
    for scope in ("a", "b", "a"):
        refusals.note(scope)
    assert refusals.counts() == {"a": 2, "b": 1}


def test_moments_beyond_all_dates_raise_nothing() -> None:
    document = newest_form(NOW.timestamp(), requests_used=400)
    document["rollingFiveHourLimit"]["nextTickAt"] = "9999-12-31T23:59:59Z"
    state = KnownQuotas(
        parse_quotas(header_value(document)),
        0.0,
        datetime.max.replace(tzinfo=UTC) - timedelta(seconds=1),
        {"five_hours": 1e-9},
    )
    assert isinstance(list(Projections().crossings("a", state, "K")), list)
