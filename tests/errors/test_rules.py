import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm import exceptions
from litellm.litellm_core_utils.exception_mapping_utils import exception_type

from litellm_synthetic.config.credentials import REDACTED, Secret
from litellm_synthetic.errors import local, plan
from litellm_synthetic.errors.bodies import message_of, read_body, reports_error, status_of
from litellm_synthetic.errors.failure import Failure, Origin
from litellm_synthetic.errors.rules import to_exception
from litellm_synthetic.quota.rest import Rest
from litellm_synthetic.quota.scope import scope_of
from litellm_synthetic.quota.state import STATE

passed_on: Any = exception_type
LITELLMS: Any = tuple(exceptions.LITELLM_EXCEPTION_TYPES)
KEY = "syn_0123456789abcdef"
MODEL = "hf:zai-org/GLM-5.3"
BASE_URL = "https://api.synthetic.new/openai/v1"
BILLING_URL = "https://synthetic.new/billing"
PLAN_CAP = (
    "You've exceeded your subscription rate limits. Upgrade, or try again later. You can view your "
    f"usage at {BILLING_URL}"
)
NO_BALANCE = (
    f"Insufficient quota and token balance: consider upgrading your subscription on {BILLING_URL}"
)
OVERFLOW = (
    "Error from inference backend: 400 The input (262,500 tokens) is longer than the model's "
    "context length (262144 tokens)."
)
NO_BODY = "Error from inference backend: 400 status code (no body)"
PAYMENT: Any = getattr(exceptions, "PaymentRequiredError", exceptions.APIError)


def origin(**facts: Any) -> Origin:
    return Origin(
        model=MODEL,
        base_url=BASE_URL,
        key=Secret(KEY),
        explain_model=lambda: "Did you mean hf:zai-org/GLM-5.3-Flash?",
        **facts,
    )


def make(status: int, text: str, headers: dict[str, str] | None = None, **facts: Any) -> Any:
    return to_exception(Failure(status, text, headers or {}), origin(**facts))


# Upstream status (200: an event inside a stream) and text; then the class, its status, and what
# the message says.
TABLE: list[tuple[int, str, type[Exception], int, list[str]]] = [
    (
        400,
        OVERFLOW,
        exceptions.ContextWindowExceededError,
        400,
        ["262500", "262144", "maximum context length", "larger"],
    ),
    (200, OVERFLOW, exceptions.ContextWindowExceededError, 400, ["262500", "200 with an error"]),
    (500, OVERFLOW, exceptions.ContextWindowExceededError, 400, ["262500", "answered 500"]),
    (
        400,
        "Context limit exceeded",
        exceptions.ContextWindowExceededError,
        400,
        ["Context limit exceeded", "context_window_fallbacks"],
    ),
    (200, "context length exceeded", exceptions.ContextWindowExceededError, 400, ["with an error"]),
    (
        400,
        (
            "Error from inference backend: 400 Requested token count exceeds the model's maximum "
            "context length of 131072 tokens"
        ),
        exceptions.ContextWindowExceededError,
        400,
        ["131072 tokens"],
    ),
    (400, NO_BODY, exceptions.BadRequestError, 400, ["gave no reason", "unknown"]),
    (400, "temperature?", exceptions.BadRequestError, 400, ['answered 400: "temperature?"']),
    (
        400,
        'Your model name should start with an hf: prefix; for example: "hf:gpt-3.5-turbo"',
        exceptions.BadRequestError,
        400,
        ["Did you mean"],
    ),
    (
        400,
        "Could not parse request as valid JSON. Unterminated string in JSON at position 10440000",
        exceptions.BadRequestError,
        400,
        ["10 MiB"],
    ),
    (
        400,
        "This model does not appear to support image inputs",
        exceptions.BadRequestError,
        400,
        ["model with image input"],
    ),
    (
        400,
        "Error from inference backend: 400 Kimi K3 tool messages need a resolvable tool name",
        exceptions.BadRequestError,
        400,
        ["resolvable tool name"],
    ),
    (
        401,
        "Invalid API Key.",
        exceptions.AuthenticationError,
        401,
        ["SYNTHETIC_API_KEY", "revoked"],
    ),
    (402, NO_BALANCE, PAYMENT, 402, [NO_BALANCE, f"at {BILLING_URL}"]),
    (200, NO_BALANCE, PAYMENT, 402, ["with an error", f"at {BILLING_URL}"]),
    (403, "no", exceptions.PermissionDeniedError, 403, ["plan"]),
    (404, "hf:x is no longer supported", exceptions.NotFoundError, 404, ["Did you mean"]),
    (
        404,
        "API route not found: '/v2/models'. (HINT: Is the URL spelled correctly?)",
        exceptions.NotFoundError,
        404,
        [BASE_URL, "route not found"],
    ),
    (405, "", exceptions.BadRequestError, 405, ["empty body", BASE_URL]),
    (408, "", exceptions.Timeout, 408, ["Try again"]),
    (413, "", exceptions.BadRequestError, 413, ["Shrink"]),
    (418, "teapot", exceptions.BadRequestError, 418, ["teapot"]),
    (
        429,
        PLAN_CAP,
        exceptions.RateLimitError,
        429,
        ["does not say when", BILLING_URL],
    ),
    (200, PLAN_CAP, exceptions.RateLimitError, 429, ["with an error", BILLING_URL]),
    (429, "max 4 parallel requests per model", exceptions.RateLimitError, 429, ["fewer requests"]),
    (429, "Too many requests, try again later", exceptions.RateLimitError, 429, ["fewer requests"]),
    (200, "too many requests", exceptions.RateLimitError, 429, ["with an error"]),
    (500, "Error from inference backend: boom", exceptions.InternalServerError, 500, ["boom"]),
    (501, "", exceptions.InternalServerError, 500, ["501"]),
    (200, "", exceptions.InternalServerError, 500, ["an error that has no text", "transient"]),
    (200, "boom", exceptions.InternalServerError, 500, ['with an error: "boom"', "transient"]),
    (502, "", exceptions.BadGatewayError, 502, ["at once"]),
    (503, "", exceptions.ServiceUnavailableError, 503, ["Try again"]),
    (504, "", exceptions.Timeout, 504, ["stream"]),
    (524, "", exceptions.Timeout, 524, ["stream"]),
]


@pytest.mark.parametrize(("status", "text", "kind", "shown_status", "message"), TABLE)
def test_each_failure_has_its_class_status_and_message(
    status: int, text: str, kind: type[Exception], shown_status: int, message: list[str]
) -> None:
    error = make(status, text, {"x-trace": "7"})
    assert type(error).__name__ == kind.__name__
    assert error.status_code == shown_status
    assert [part for part in message if part not in str(error)] == []
    assert error.llm_provider == "synthetic"
    assert error.model == MODEL
    assert error.response.status_code == shown_status
    assert error.response.headers["x-trace"] == "7"
    assert error.litellm_response_headers["x-trace"] == "7"


@pytest.mark.parametrize(("status", "text"), [row[:2] for row in TABLE])
def test_litellm_passes_each_of_them_on_unchanged(status: int, text: str) -> None:
    error = make(status, text)
    assert passed_on(MODEL, error, "synthetic") is error


# ---- context window


@pytest.mark.parametrize("share", [0.9, 1.0, 1.5])
def test_a_400_without_a_reason_is_an_overflow_if_the_prompt_fills_the_window(share: float) -> None:
    error = make(
        400,
        NO_BODY,
        context_window_tokens=1000,
        count_prompt_tokens=lambda: int(1000 * share),
    )
    assert type(error) is exceptions.ContextWindowExceededError
    assert "1000 tokens" in str(error)


@pytest.mark.parametrize("status", [200, 400])
def test_a_400_without_a_reason_is_no_overflow_if_the_prompt_is_short(status: int) -> None:
    error = make(status, NO_BODY, context_window_tokens=1000, count_prompt_tokens=lambda: 899)
    assert type(error) is exceptions.BadRequestError
    assert "about 899 tokens, is well within the window of 1000" in str(error)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"context_window_tokens": 1000},
        {"count_prompt_tokens": lambda: 5000},
        {"context_window_tokens": 1000, "count_prompt_tokens": lambda: None},
    ],
)
def test_a_400_without_a_reason_says_what_is_unknown(facts: dict[str, Any]) -> None:
    error = make(400, NO_BODY, **facts)
    assert type(error) is exceptions.BadRequestError
    assert "unknown here" in str(error)


def test_an_overflow_without_figures_names_the_window_that_is_known() -> None:
    error = make(400, "Context limit exceeded", context_window_tokens=1000)
    text = "maximum context length is 1000 tokens, and the request exceeds the context window"
    assert text in str(error)


# What Claude Code 2.1.332 reads an overflow's figures with.
CLAUDE_TOO_LONG = re.compile(r"prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)", re.IGNORECASE)
CLAUDE_NO_ROOM = re.compile(
    r"input length and `max_tokens` exceed context limit: (\d+) \+ (\d+) > (\d+)"
)


def test_an_overflow_is_in_anthropics_words_where_the_caller_speaks_messages() -> None:
    error = make(400, OVERFLOW, is_messages_call=True)
    figures = CLAUDE_TOO_LONG.search(str(error))
    assert figures is not None
    assert figures.groups() == ("262500", "262144")
    assert str(error).endswith("(context_window_fallbacks does so by itself).")
    assert "context window" in str(error)


def test_no_room_for_the_reply_is_in_anthropics_words_too() -> None:
    text = (
        "This model's maximum context length is 1000 tokens. However, you requested 400 output "
        "tokens and your prompt contains 700 input tokens"
    )
    error = make(400, text, is_messages_call=True)
    figures = CLAUDE_NO_ROOM.search(str(error))
    assert figures is not None
    assert figures.groups() == ("700", "400", "1000")
    assert "Lower max_tokens to 300" in str(error)


@pytest.mark.parametrize(
    ("prompt", "figures"),
    [
        (1000, "prompt is too long: it exceeds the context window of 1000 tokens"),
        (1200, "prompt is too long: 1200 tokens > 1000 maximum"),
    ],
)
def test_a_prompt_that_fills_the_window_is_too_long_whatever_the_reply_needs(
    prompt: int, figures: str
) -> None:
    text = (
        "This model's maximum context length is 1000 tokens. However, you requested 400 output "
        f"tokens and your prompt contains {prompt} input tokens"
    )
    error = make(400, text, is_messages_call=True)
    assert figures in str(error)
    assert "Lower max_tokens" not in str(error)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "prompt is too long: it exceeds the context window."),
        ({"context_window_tokens": 1000}, "exceeds the context window of 1000 tokens."),
        (
            {"context_window_tokens": 1000, "count_prompt_tokens": lambda: 900},
            "exceeds the context window of 1000 tokens.",
        ),
        (
            {"context_window_tokens": 1000, "count_prompt_tokens": lambda: 1200},
            "prompt is too long: 1200 tokens > 1000 maximum.",
        ),
    ],
)
def test_figures_that_the_upstream_leaves_out_are_counted_or_left_out(
    facts: dict[str, Any], text: str
) -> None:
    error = make(400, "Context limit exceeded", is_messages_call=True, **facts)
    assert "prompt is too long" in str(error)
    assert text in str(error)


def test_the_prompt_is_not_counted_where_its_length_does_not_matter() -> None:
    def count() -> int:
        pytest.fail("counted")

    make(400, OVERFLOW, context_window_tokens=1000, count_prompt_tokens=count)
    make(400, "temperature?", context_window_tokens=1000, count_prompt_tokens=count)


# ---- limits


def test_a_plan_cap_says_which_bucket_is_empty_and_when_it_gains() -> None:
    quotas = {
        "rollingFiveHourLimit": {
            "limited": True,
            "remaining": 0,
            "max": 500,
            "tickPercent": 0.05,
            "nextTickAt": "2026-08-25T01:19:00Z",
        }
    }
    headers = {"x-synthetic-quotas": json.dumps(quotas), "date": "Tue, 25 Aug 2026 01:07:00 GMT"}
    error = make(429, PLAN_CAP, headers)
    assert "The 5-hour requests are used up (0 of 500 left) and gain 25 in 12 min" in str(error)
    assert error.headers == {"retry-after": "720", "x-should-retry": "false"}
    assert error.response.headers["retry-after"] == "720"
    assert error.response.headers["x-synthetic-quotas"] == json.dumps(quotas)


def test_a_cap_whose_moment_has_passed_announces_none() -> None:
    quotas = {"rollingFiveHourLimit": {"limited": True, "nextTickAt": "2026-08-24T23:50:00Z"}}
    headers = {"x-synthetic-quotas": json.dumps(quotas), "date": "Tue, 25 Aug 2026 06:07:00 GMT"}
    error = make(429, PLAN_CAP, headers)
    assert "23:50" not in str(error)
    assert error.headers == {"x-should-retry": "false"}
    assert "retry-after" not in error.response.headers


@pytest.mark.parametrize("header", [None, "{}", "not json", "{", "x" * 20_000])
def test_a_cap_whose_reply_knows_nothing_waits_as_an_earlier_one_told(header: str | None) -> None:
    earlier = json.dumps(
        {"rollingFiveHourLimit": {"remaining": 0, "nextTickAt": "2026-08-25T01:19:00Z"}}
    )
    scope = scope_of(Secret(KEY), BASE_URL)
    STATE.note_text(scope, earlier, "Tue, 25 Aug 2026 01:07:00 GMT")
    error = make(429, PLAN_CAP, {} if header is None else {"x-synthetic-quotas": header})
    assert error.headers["x-should-retry"] == "false"
    assert 700 < int(error.headers["retry-after"]) <= 720


def test_a_missing_payment_and_a_passing_429_tell_when_to_come_back() -> None:
    assert make(402, NO_BALANCE).headers == {"retry-after": "60", "x-should-retry": "false"}
    passing = make(429, "max 4 parallel requests per model", {"Retry-After": "1"})
    assert passing.headers == {"retry-after": "1", "x-should-retry": "true"}
    unsaid = make(429, "Too many requests, try again later")
    assert unsaid.headers == {"retry-after": "2", "x-should-retry": "true"}


def test_too_many_at_once_says_and_keeps_how_long_to_wait() -> None:
    error = make(429, "max 4 parallel requests per model", {"Retry-After": "1"})
    assert "Try again in 1 s" in str(error)
    assert error.response.headers["retry-after"] == "1"
    assert error.litellm_response_headers["retry-after"] == "1"


@pytest.mark.parametrize("value", ["soon", "-5", "604800", "nan", ""])
def test_an_incredible_retry_after_is_not_handed_on(value: str) -> None:
    error = make(429, "max 4 parallel requests per model", {"Retry-After": value})
    assert "retry-after" not in error.response.headers
    assert "retry-after" not in error.litellm_response_headers


# ---- headers


def test_where_every_key_rests_the_first_to_be_tried_again_counts() -> None:
    now = STATE.clock.now()
    rests = {name: Rest("cap", now, seconds) for name, seconds in (("a", 600.0), ("b", 120.0))}
    error: Any = plan.refusal(MODEL, BASE_URL, rests)
    assert "each of 2 keys" in str(error)
    assert 1 < int(error.headers["retry-after"]) <= 120


def test_cookies_and_framing_are_not_kept() -> None:
    request = {
        "Set-Cookie": "S=1; Domain=synthetic.new",
        "Content-Encoding": "gzip",
        "Content-Length": "99",
        "Transfer-Encoding": "chunked",
        "Connection": "keep-alive",
        "X-Trace": "7",
    }
    error = make(400, "boom", request)
    assert dict(error.litellm_response_headers) == {"x-trace": "7"}
    assert error.response.json() == {"error": "boom"}


@pytest.mark.parametrize("value", ["café", "🐟", "\ud800", "a\tb", ""])
def test_a_header_of_any_text_leaves_the_error_as_it_is(value: str) -> None:
    error = make(503, "boom", {"x-note": value})
    assert type(error) is exceptions.ServiceUnavailableError
    assert "x-note" in error.response.headers


# ---- the key


@pytest.mark.parametrize("status", [200, 307, 400, 401, 402, 404, 429, 500, 502, 504])
def test_the_key_is_in_no_part_of_an_error(status: int) -> None:
    echo = f"Bearer {KEY} / {KEY} is wrong"
    headers = {
        "location": f"https://elsewhere.example/{KEY}?key={KEY}",
        "www-authenticate": f'Bearer realm="{KEY}"',
    }
    error = make(status, echo, headers)
    parts = [
        str(error),
        repr(error),
        str(error.args),
        error.message,
        error.response.text,
        str(error.response.headers),
        str(error.response.headers.raw),
        str(error.litellm_response_headers),
        str(vars(error)),
    ]
    assert [part for part in parts if KEY in part] == []
    assert status == 307 or REDACTED in str(error)


def test_a_key_across_the_cut_of_a_long_text_is_hidden_too() -> None:
    for before in range(560, 605):
        assert KEY[:12] not in str(make(400, "x" * before + KEY + "y" * 100))


def test_without_a_key_what_looks_like_one_is_hidden() -> None:
    error = to_exception(Failure(401, f"bad key {KEY}"), Origin(MODEL, BASE_URL))
    assert KEY not in str(error)


def test_a_long_text_is_quoted_in_part() -> None:
    assert len(str(make(400, "x" * 1_000_000))) < 1000


def test_only_a_key_of_another_form_is_told_how_keys_start() -> None:
    odd = Origin(MODEL, BASE_URL, key=Secret("sk-0123456789"))
    error = str(to_exception(Failure(401, "Invalid API Key."), odd))
    assert "Synthetic's keys start with syn_, and this one does not" in error
    assert "start with" not in str(make(401, "Invalid API Key."))


# ---- redirects


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (
            "https://elsewhere.example/v1/chat?token=s3cr3t#s3cr3t",
            "https://elsewhere.example/v1/chat.",
        ),
        ("https://user:s3cr3t@elsewhere.example/v1", "https://elsewhere.example/v1."),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1."),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1."),
        ("//elsewhere.example/v1?s3cr3t", "elsewhere.example/v1."),
        ("/other?s3cr3t", "/other."),
        ("http://[s3cr3t", "a malformed address."),
        ("http://elsewhere.example:99999/v1", "http://elsewhere.example:99999/v1."),
        ("", "nowhere."),
    ],
)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_shows_its_target_without_credentials_or_query(
    status: int, location: str, text: str
) -> None:
    error = make(status, "", {"location": location} if location else {})
    assert type(error) is exceptions.APIError
    assert error.status_code == 502
    assert f"{BASE_URL} redirects ({status}) to " in str(error)
    assert text in str(error)
    assert "s3cr3t" not in str(error)


# ---- bodies


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"error":"Invalid API Key."}', "Invalid API Key."),
        ('{"error":{"message":"boom","type":"x"}}', "boom"),
        ('{"error":{"type":"overloaded"}}', "overloaded"),
        ('{"error":{"reason":"x"}}', '{"reason": "x"}'),
        ('{"error":{"message":{"a":1}}}', '{"a": 1}'),
        ('{"error":["a"]}', '["a"]'),
        ('{"error":7}', "7"),
        ('{"message":"boom"}', "boom"),
        ('{"detail":"boom"}', "boom"),
        ('{"error":null,"detail":[{"msg":"boom"}]}', "boom"),
        ('{"error":""}', '{"error":""}'),
        ("{}", "{}"),
        ("[]", "[]"),
        ('"boom"', '"boom"'),
        ("", ""),
        ("  \n", ""),
        ("boom\n", "boom"),
        ('{"error":"cut o', '{"error":"cut o'),
        (
            "<html>\n<head><title>503 Service\nUnavailable</title></head></html>",
            "an HTML page (503 Service\nUnavailable)",
        ),
        ("<!DOCTYPE html><body>x</body>", "an HTML page"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_the_message_is_found_in_any_body(body: str, text: str) -> None:
    assert read_body(body).text == text
    assert read_body(body.encode()).text == text


def test_a_body_that_is_no_text_is_quoted_as_far_as_it_goes() -> None:
    assert read_body(b"\xff\xfeboom").text == "\ufffd\ufffdboom"


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"error": {"code": 429}}, 429),
        ({"error": {"code": "429"}}, 429),
        ({"error": {"status": 400, "code": 500}}, 400),
        ({"error": {"status_code": 503}}, 503),
        ({"error": "boom", "status": 502}, 502),
        ({"error": "boom", "code": "context_length_exceeded"}, None),
        ({"error": {"code": True}}, None),
        ({"error": {"code": 200}}, None),
        ({"error": {"code": 600}}, None),
        ({"error": {"code": "²"}}, None),
        ({"error": {"code": "٤٠٠"}}, None),
        ({"error": {"code": "9" * 5000}}, None),
        ({"error": {"code": 429.0}}, None),
        ({}, None),
        (["error"], None),
        (None, None),
    ],
)
def test_the_status_of_an_error_event_is_read_if_it_is_one(document: Any, status: int) -> None:
    assert status_of(document) == status


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"message": "boom", "code": 400}, True),
        ({"message": "boom", "type": "B", "param": None, "code": 400}, True),
        ({"message": "boom"}, False),
        ({"message": 5, "code": 400}, False),
        ({"code": 400}, False),
        ({"message": "boom", "code": 400, "choices": []}, False),
        ({"detail": "boom"}, True),
        ({"error": None}, True),
        ({"error": None, "choices": []}, False),
        ({"error": "boom", "choices": []}, True),
        ({"object": "error", "choices": []}, True),
        ({"type": "error", "choices": []}, True),
    ],
)
def test_a_document_is_an_error_by_its_fields(document: dict[str, Any], *, expected: bool) -> None:
    assert reports_error(document) is expected


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "type", "code", "status", "detail"]) | st.text(),
            children,
            max_size=3,
        )
    ),
)


@given(JSON_VALUES)
def test_no_document_breaks_the_reading_of_an_error(document: Any) -> None:
    assert isinstance(message_of(document), str)
    assert status_of(document) is None or status_of(document) in range(400, 600)
    assert isinstance(read_body(json.dumps(document)).text, str)


@given(
    st.just(200) | st.integers(300, 599),
    st.sampled_from(["", OVERFLOW, NO_BODY, PLAN_CAP, NO_BALANCE, KEY]),
    st.text(),
    st.dictionaries(
        st.sampled_from(["location", "retry-after", "x-synthetic-quotas", "Set-Cookie", "x-other"]),
        st.text(),
    ),
)
def test_any_failure_becomes_one_of_litellms_exceptions(
    status: int, base: str, text: str, headers: dict[str, str]
) -> None:
    error: Any = to_exception(Failure(status, base + text, headers), origin())
    assert any(isinstance(error, kind) for kind in LITELLMS)
    assert 400 <= error.status_code < 600
    assert error.llm_provider == "synthetic"
    assert isinstance(error.response, httpx.Response)
    assert KEY not in str(error).encode().decode()


# ---- what never got an answer


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            local.connection_failed(origin(), f"refused {KEY}"),
            exceptions.APIConnectionError,
            f"The connection to {BASE_URL} failed: refused {REDACTED}",
        ),
        (local.timed_out(origin(), "silence for 3 s"), exceptions.Timeout, "silence for 3 s"),
        (
            local.stream_broken(origin(), "ended early"),
            exceptions.APIConnectionError,
            f"The stream from {BASE_URL} ended early. What was received is incomplete",
        ),
        (
            local.unreadable_reply(
                origin(), "the body is not JSON", "text/html", {"set-cookie": "S=1", "x-echo": KEY}
            ),
            exceptions.APIError,
            f"{BASE_URL} answered 200, but the body is not JSON (content type: text/html)",
        ),
        (local.refused("No.", MODEL), exceptions.BadRequestError, "No."),
        (local.no_key(MODEL), exceptions.AuthenticationError, "Set SYNTHETIC_API_KEY or pass"),
        (local.no_key(MODEL, "Odd key."), exceptions.AuthenticationError, "Odd key."),
    ],
)
def test_local_failures_are_litellms_exceptions_too(
    error: Any, kind: type[Exception], message: str
) -> None:
    assert type(error).__name__ == kind.__name__
    assert message in str(error)
    assert error.llm_provider == "synthetic"
    assert error.model == MODEL
    assert KEY not in str(vars(error))
    assert "S=1" not in str(getattr(error, "litellm_response_headers", ""))
    assert passed_on(MODEL, error, "synthetic") is error


def test_causes_that_go_round_in_a_circle_have_an_end() -> None:
    inner, outer = ValueError("inner"), OSError("outer")
    inner.__cause__, outer.__context__ = outer, inner
    assert local.shown_cause(inner, origin()) is inner


@pytest.mark.parametrize("arguments", [(f"Bearer {KEY}",), ({"authorization": f"Bearer {KEY}"},)])
def test_nothing_is_chained_that_holds_the_key(arguments: tuple[Any, ...]) -> None:
    class Quiet(Exception):  # noqa: N818  # as aiohttp's, whose text hides what its arguments show
        def __str__(self) -> str:
            return "quiet"

    error = ValueError("fine")
    error.__cause__ = Quiet(*arguments)
    assert local.shown_cause(error, origin()) is None


@pytest.mark.parametrize("status", [200, 400, 500])
def test_control_characters_of_an_upstream_are_escaped(status: int) -> None:
    text = str(make(status, "\x1b[31mred\x00 and\r\n\tmore\x9b"))
    assert r"\x1b[31mred\x00 and" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
