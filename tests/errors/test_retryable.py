import pytest

from litellm_synthetic.errors.retryable import is_retryable

PLAN_CAP = (
    "You've exceeded your subscription rate limits. Upgrade, or try again later. You can view your "
    "usage at https://synthetic.new/billing"
)


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
