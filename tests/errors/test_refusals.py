"""Each engine's refusals, however they are wrapped: never less specific than stock LiteLLM's."""

from __future__ import annotations

import ast
import inspect
import json
import pathlib
import textwrap
from typing import TYPE_CHECKING, Any

import httpx
import litellm
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm import exceptions
from litellm.litellm_core_utils.exception_mapping_utils import ExceptionCheckers, exception_type
from litellm.llms.openai.common_utils import OpenAIError

from litellm_synthetic.errors.bodies import read_body, read_document
from litellm_synthetic.errors.failure import Origin, reported
from litellm_synthetic.errors.overflow_texts import Overflow, find_overflow
from litellm_synthetic.errors.refusal_texts import (
    CONTENT_POLICY,
    MAX_READ_CHARACTERS,
    backend_status,
    own_words,
)
from litellm_synthetic.errors.rules import to_exception
from litellm_synthetic.testing import RawJSON, Stream, fault, named_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller
    from tests.conftest import NewRouter

MODEL = "hf:zai-org/GLM-5.3"
ORIGIN = Origin(model=MODEL, base_url="https://api.synthetic.new/openai/v1")
CALLED: dict[str, Any] = {
    "model": f"synthetic/{MODEL}",
    "messages": [{"role": "user", "content": "hello"}],
}
STATUSES = (400, 413, 422, 500)
passed_on: Any = exception_type

REFUSALS: Any = json.loads(
    (pathlib.Path(__file__).parents[1] / "data" / "refusals.json").read_text("utf-8")
)
OVERFLOWS: dict[str, dict[str, Any]] = {row["engine"]: row for row in REFUSALS["overflows"]}

Kind = type[Exception]
KINDS: dict[str, Kind] = {
    "overflows": litellm.ContextWindowExceededError,
    "content_policy": litellm.ContentPolicyViolationError,
    "rate_limits": litellm.RateLimitError,
    "timeouts": litellm.Timeout,
}
TEXTS: dict[str, tuple[str, Kind]] = {
    f"{group}, {row['engine']}": (row["text"], kind)
    for group, kind in KINDS.items()
    for row in REFUSALS[group]
}
WRAPPINGS: dict[str, Callable[[str], Any]] = {
    "text": lambda text: {"error": text},
    "backend": lambda text: {"error": f"Error from inference backend: 400 {text}"},
    "backend, quoted": lambda text: {
        "error": f"Error from inference backend: 400 {json.dumps(text)}"
    },
    "backend, whole body": lambda text: {
        "error": "Error from inference backend: 400 "
        + json.dumps({"object": "error", "message": text, "type": "BadRequestError", "code": 400})
    },
    "OpenAI's SDK": lambda text: {
        "error": f"Error code: 400 - { {'error': {'message': text, 'code': None}} }"
    },
    "object": lambda text: {
        "error": {"message": text, "type": "BadRequestError", "param": None, "code": 400}
    },
    "OpenAI": lambda text: {"error": {"message": text, "type": "invalid_request_error"}},
    "Anthropic": lambda text: {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": text},
    },
    "bare object": lambda text: {
        "object": "error",
        "message": text,
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    },
    "detail": lambda text: {"detail": text},
    "validation": lambda text: {
        "detail": [{"type": "value_error", "loc": ["body"], "msg": text, "input": {"n": 1}}]
    },
}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare LiteLLM's mapping its advice on the terminal."""
    monkeypatch.setattr(litellm, "suppress_debug_info", True)


def ours(status: int, body: Any) -> Any:
    """Return what this package makes of a failed reply."""
    return to_exception(reported(read_body(json.dumps(body)), {}, status), ORIGIN)


def ours_in_stream(event: Any) -> Any:
    return to_exception(reported(read_document(event), {}, in_stream=True), ORIGIN)


def mapped(error: Exception) -> Exception:
    """Return what LiteLLM itself makes of a raw error of `synthetic`."""
    try:
        result: Exception = passed_on(MODEL, error, "synthetic")
    except Exception as raised:  # noqa: BLE001  # that is how it answers
        return raised
    return result


# Typed loosely, because version 3 of openai's SDK has a response type of its own.
SDK: Any = openai.OpenAI(api_key="x", base_url="http://127.0.0.1:9")
SDK_ERROR: Any = openai.APIError
REQUEST = httpx.Request("POST", "http://127.0.0.1:9")


def stock(status: int, body: Any) -> Exception:
    """Return what stock LiteLLM makes of a failed reply: openai's SDK reads it, LiteLLM maps it."""
    response = httpx.Response(status, json=body, request=REQUEST)
    error = SDK._make_status_error_from_response(response)  # noqa: SLF001  # where it reads them
    return mapped(OpenAIError(status, str(error), headers=response.headers, body=_dict(error.body)))


def stock_in_stream(event: Any) -> Exception | None:
    """Return what stock LiteLLM makes of an error event, or None where it sees no error in it."""
    error = event.get("error")
    if not error:
        return None
    message = error.get("message") if isinstance(error, dict) else None
    message = message or "An error occurred during streaming"
    return mapped(SDK_ERROR(message, request=REQUEST, body=error))


def _dict(body: object) -> dict[str, Any] | None:
    return body if isinstance(body, dict) else None


# What LiteLLM, and a caller, can do no more about than report it.
UNSPECIFIC: tuple[Kind, ...] = (exceptions.APIError, exceptions.APIConnectionError)
# One side is to blame, and no more is known; they differ by the status alone.
GENERIC: tuple[Kind, ...] = (
    exceptions.BadRequestError,
    exceptions.InternalServerError,
    exceptions.BadGatewayError,
    exceptions.ServiceUnavailableError,
)


def specificity(error: Exception) -> int:
    """Return 0 for an error of unknown kind, 1 for one of a side, 2 for one that names its cause.

    The cause is what fallbacks, cooldowns and retries of LiteLLM's Router go by.
    """
    if type(error) in UNSPECIFIC:
        return 0
    return 1 if type(error) in GENERIC else 2


def is_never_less_specific(own: Exception, stocks: Exception, *, names_status: bool) -> bool:
    """Tell whether an error is stock's class, a subclass, or says more.

    Only where the body names a status may it blame the other side than stock does.
    """
    if isinstance(own, type(stocks)) or specificity(own) > specificity(stocks):
        return True
    return names_status and specificity(own) == specificity(stocks) == 1


@pytest.mark.parametrize("name", TEXTS)
def test_no_refusal_is_less_specific_than_with_stock(name: str) -> None:
    text, kind = TEXTS[name]
    for wrap in WRAPPINGS.values():
        body = wrap(text)
        for status in STATUSES:
            error: Any = ours(status, body)
            assert error.llm_provider == "synthetic"
            assert type(error) is kind, (status, body)
            assert is_never_less_specific(error, stock(status, body), names_status=False)
        for spell in (str.upper, str.lower):
            assert type(ours(500, wrap(spell(text)))) is kind, body
        error = ours_in_stream(body)
        assert "in the stream" in str(error)
        assert type(error) is kind, body
        if (stocks := stock_in_stream(body)) is not None:
            assert is_never_less_specific(error, stocks, names_status=False)


def test_stock_knows_some_of_them_so_that_the_comparison_says_something() -> None:
    # openai's SDK 3 leaves a bare text out of its message, so stock needs an object.
    kinds = {
        type(stock(400, wrap(text))) for text, _ in TEXTS.values() for wrap in WRAPPINGS.values()
    }
    assert {litellm.ContextWindowExceededError, litellm.RateLimitError, litellm.Timeout} <= kinds


# ---- figures


@pytest.mark.parametrize("name", OVERFLOWS)
def test_the_figures_of_an_overflow_are_read_and_shown(name: str) -> None:
    row = OVERFLOWS[name]
    window, prompt = row.get("window"), row.get("prompt")
    overflow = find_overflow(own_words(row["text"]))
    assert overflow is not None
    assert overflow.window_tokens == window
    assert overflow.prompt_tokens == prompt
    assert overflow.output_tokens == row.get("output")
    assert overflow.total_tokens == row.get("total")
    message = str(ours(400, {"error": row["text"]}))
    assert "This model's maximum context length" in message
    assert "larger context window" in message
    assert window is None or f"maximum context length is {window} tokens, and" in message
    assert prompt is None or f"the prompt has {prompt}" in message.replace("at least ", "")


@pytest.mark.parametrize(
    "text",
    [
        # Texts of other vendors, as LiteLLM's mapping knows them (exception_mapping_utils.py:579,
        # :949, :1692 in 1.108.7).
        "prompt: length: 1..32768",
        "Malformed input request: expected maxLength: 2048, actual: 9000",
        "Input text length should not exceed 2048 tokens",
        # llama.cpp and programs around it
        "exceed_context_size_error",
        "the prompt is greater than the context length",
        "the request is greater than the model's context window",
        "the request is larger than the max context size",
    ],
)
def test_an_overflow_without_figures_is_one_too(text: str) -> None:
    assert find_overflow(own_words(text)) == Overflow()


@pytest.mark.parametrize("separator", ["", ",", "_", "'", "\u2019", "\u00a0", "\u202f"])
def test_thousands_may_be_separated(separator: str) -> None:
    number = separator.join(("1", "234", "567"))
    overflow = find_overflow(f"prompt is too long: {number} tokens > {number} maximum")
    assert overflow == Overflow(window_tokens=1234567, prompt_tokens=1234567)


def test_max_tokens_that_leave_no_room_are_named_with_what_would_fit() -> None:
    text = OVERFLOWS["vLLM, max_tokens"]["text"]
    message = str(ours(400, {"error": text}))
    assert "the prompt has 100000, with 65536 more for the reply" in message
    assert "Lower max_tokens to 31072, shorten the conversation, or use" in message


def test_a_count_that_stopped_at_the_limit_is_called_a_least() -> None:
    text = OVERFLOWS["vLLM v1"]["text"]
    assert "the prompt has at least 126977" in str(ours(400, {"error": text}))


@pytest.mark.parametrize("text", ["", " context length exceeded: 1", " 99999999999999999999 "])
@given(noise=st.text())
def test_no_text_breaks_the_reading_of_figures(text: str, noise: str) -> None:
    find_overflow(own_words(noise + text + noise))
    backend_status(noise + text)


# ---- the floor itself


def _phrases(checker: Callable[..., bool]) -> Iterator[str]:
    """Yield the phrases that one of LiteLLM's checkers lists."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(checker)))
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            yield from (str(one.value) for one in node.elts if isinstance(one, ast.Constant))


def test_each_phrase_in_litellms_checker_of_overflows_is_known() -> None:
    phrases = [*_phrases(ExceptionCheckers.is_error_str_context_window_exceeded)]
    phrases.append("Current length is 9000 while limit is 8192")
    phrases.append("maximum input length is 4096 tokens")
    assert len(phrases) > 5
    message = "The request was refused: {} 8192."
    assert [one for one in phrases if find_overflow(own_words(message.format(one))) is None] == []


def test_each_phrase_in_litellms_checker_of_content_policy_is_known() -> None:
    phrases = [*_phrases(ExceptionCheckers.is_azure_content_policy_violation_error)]
    assert len(phrases) > 3
    # OpenAI's words for a failure of the model, which a retry may heal. LiteLLM takes them for a
    # violation on Azure alone.
    new_phrases = [one for one in phrases if one != "the model produced invalid content"]
    assert [
        one for one in new_phrases if not CONTENT_POLICY.search(own_words(f"Refused: {one}."))
    ] == []


def test_the_mapping_that_is_compared_with_is_stocks_own(synthetic_server: SyntheticServer) -> None:
    for text in (
        OVERFLOWS["vLLM, new"]["text"],
        REFUSALS["rate_limits"][0]["text"],
        "temperature?",
    ):
        synthetic_server.respond_with(RawJSON(400, {"error": text}))
        with pytest.raises(Exception) as excinfo:  # noqa: PT011  # its class is the question
            litellm.completion(
                **CALLED, api_key="x", api_base=synthetic_server.openai_base, max_retries=0
            )
        assert type(excinfo.value) is type(stock(400, {"error": text}))


# ---- codes


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "context_length_exceeded"}, litellm.ContextWindowExceededError),
        ({"type": "exceed_context_size_error"}, litellm.ContextWindowExceededError),
        ({"code": "content_policy_violation"}, litellm.ContentPolicyViolationError),
        ({"code": "content_filter"}, litellm.ContentPolicyViolationError),
        (
            {"innererror": {"code": "ResponsibleAIPolicyViolation"}},
            litellm.ContentPolicyViolationError,
        ),
        ({"code": "rate_limit_exceeded"}, litellm.RateLimitError),
        ({"type": "rate_limit_error"}, litellm.RateLimitError),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, litellm.RateLimitError),
        ({"code": "model_not_found"}, litellm.NotFoundError),
        ({"code": "invalid_api_key"}, litellm.AuthenticationError),
        ({"type": "overloaded_error"}, litellm.ServiceUnavailableError),
        ({"code": 400}, litellm.BadRequestError),
        ({"code": 503}, litellm.ServiceUnavailableError),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_code_tells_what_the_text_does_not(status: int, error: Any, kind: Kind) -> None:
    for kind_of_request in ({}, {"type": "invalid_request_error"}):
        body = {"error": {"message": "No.", **kind_of_request, **error}}
        result = ours(status, body)
        assert type(result) is kind
        assert is_never_less_specific(result, stock(status, body), names_status=True)
        assert type(ours_in_stream(body)) is kind


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 408, 413, 429, 502, 503, 504])
def test_a_status_that_says_more_than_the_body_stays(status: int) -> None:
    body = {"error": {"message": "No.", "type": "invalid_request_error", "code": 400}}
    assert type(ours(status, body)) is type(ours(status, {"error": "No."}))


# ---- the backend's status


@pytest.mark.parametrize(
    ("backend", "kind", "status", "part"),
    [
        (400, litellm.BadRequestError, 400, "boom"),
        (401, litellm.ServiceUnavailableError, 503, "your key and your plan are not the cause"),
        (402, litellm.ServiceUnavailableError, 503, "your key and your plan are not the cause"),
        (403, litellm.ServiceUnavailableError, 503, "your key and your plan are not the cause"),
        (404, litellm.NotFoundError, 404, "boom"),
        (408, litellm.Timeout, 408, "Try again"),
        (413, litellm.BadRequestError, 413, "Shrink"),
        (422, litellm.BadRequestError, 422, "boom"),
        (429, litellm.RateLimitError, 429, "The backend is busy"),
        (500, litellm.InternalServerError, 500, "try again"),
        (502, litellm.BadGatewayError, 502, "retry"),
        (503, litellm.ServiceUnavailableError, 503, "Try again"),
        (504, litellm.Timeout, 504, "stream=True"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        "Error from inference backend: {} boom".format,
        "Error from inference backend: {} status code (no text)".format,
        'Error from inference backend: {} {{"error": {{"message": "boom"}}}}'.format,
        "Error code: {} - {{'error': 'boom'}}".format,
    ],
    ids=["text", "silent", "body", "SDK"],
)
def test_the_backends_status_tells_the_cause(
    backend: int, kind: Kind, status: int, part: str, wrap: Callable[[int], str]
) -> None:
    body = {"error": wrap(backend)}
    for outer in (400, 500, backend):
        error = ours(outer, body)
        assert (error.status_code, error.response.status_code) == (status, status)
        assert type(error) is kind, outer
        assert f"answered {outer}" in str(error)
        assert part in str(error) or "boom" not in body["error"]
        if backend not in (401, 402, 403) or outer != backend:
            # Stock has people change their own key where Synthetic's key is meant.
            assert is_never_less_specific(error, stock(outer, body), names_status=True)
    assert type(ours_in_stream(body)) is kind


def test_a_timeout_and_a_rate_limit_are_not_overruled_by_the_backends_status() -> None:
    body = {"error": "Error from inference backend: 400 boom"}
    assert [type(ours(status, body)) for status in (408, 429, 504, 524)] == [
        litellm.Timeout,
        litellm.RateLimitError,
        litellm.Timeout,
        litellm.Timeout,
    ]


# ---- what only sounds like it

PHRASE = "This model's maximum context length is 4096 tokens"


@pytest.mark.parametrize("text", REFUSALS["sound_alikes"])
def test_what_a_refusal_quotes_is_not_its_reason(text: str) -> None:
    for wrap in (WRAPPINGS["text"], WRAPPINGS["object"], WRAPPINGS["detail"]):
        assert type(ours(400, wrap(text))) is litellm.BadRequestError
        assert type(ours(422, wrap(text))) is litellm.BadRequestError


@pytest.mark.parametrize("quotes", ['""', "``", "\u201c\u201d", "''"], ids=str)
def test_a_quotation_is_left_out_unless_it_is_the_whole_refusal(quotes: str) -> None:
    quoted = f"{quotes[0]}context length exceeded{quotes[1]}"
    for whole in (quoted, f"  {quoted}\n"):
        assert own_words(whole) == whole
    assert own_words(f"Refused {quoted}") == "Refused \u2026"
    assert own_words(f"{quoted} was refused") == "\u2026 was refused"
    assert own_words(f"Refused {quoted} here") == "Refused \u2026 here"
    assert own_words(f"{quoted} {quoted}") == "\u2026 \u2026"


@pytest.mark.parametrize("field", ["messages", "input", "prompt", "instructions", "messages[0].x"])
def test_the_name_of_the_field_that_holds_the_prompt_is_kept(field: str) -> None:
    assert own_words(f"Refused '{field}' here") == f"Refused '{field}' here"
    assert own_words(f"Refused 'tool {field}' here") == "Refused \u2026 here"


@pytest.mark.parametrize("before", ["error: ", "message: ", "detail = ", "status 400 ", "code - "])
def test_a_quotation_that_is_announced_as_the_refusal_is_kept(before: str) -> None:
    assert own_words(f'{before}"{PHRASE}" (1)') == f'{before}"{PHRASE}" (1)'
    # The announcement is read from the 40 characters before the quotation.
    assert own_words(f'{before}{" " * 41}"x" (1)') == f"{before}{' ' * 41}\u2026 (1)"


def test_codes_are_appended_to_the_words_in_lower_case_and_in_order() -> None:
    assert own_words("No.", ["zed", "A_code"]) == "No. code:a_code code:zed"


def test_only_the_beginning_of_a_refusal_is_read() -> None:
    echo = "x" * (MAX_READ_CHARACTERS + 1)
    assert own_words(echo) == echo[:-1]


def test_the_input_that_a_validation_error_echoes_is_neither_read_nor_shown() -> None:
    row = {"type": "x", "loc": ["body", "messages", 0], "msg": "Field required", "input": PHRASE}
    error = ours(422, {"detail": [row]})
    assert type(error) is litellm.BadRequestError
    assert '"body.messages.0: Field required"' in str(error)
    assert PHRASE not in str(error)


# ---- through LiteLLM's public calls


@pytest.mark.parametrize("wrapping", ["backend", "OpenAI", "bare object", "detail"])
@pytest.mark.parametrize(
    "name", ["overflows, vLLM, new", "overflows, Fireworks", "content_policy, bare"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_call_ends_in_the_refusals_own_class(
    either_api: SyntheticServer, caller: Caller, name: str, wrapping: str, *, stream: bool
) -> None:
    text, kind = TEXTS[name]
    either_api.respond_with(RawJSON(500, WRAPPINGS[wrapping](text)))
    with pytest.raises(kind) as excinfo:
        await caller.completion(**CALLED, stream=stream)
    assert type(excinfo.value) is kind
    assert "answered 500" in str(excinfo.value)
    assert len(either_api.requests) == 1


@pytest.mark.parametrize("wrapping", ["backend", "OpenAI", "bare object", "detail"])
async def test_a_streams_first_event_is_the_calls_own_error(
    either_api: SyntheticServer, caller: Caller, wrapping: str
) -> None:
    event = WRAPPINGS[wrapping](OVERFLOWS["SGLang, requested"]["text"])
    either_api.respond_with(Stream([event]))
    with pytest.raises(litellm.ContextWindowExceededError, match="in the stream") as excinfo:
        await caller.completion(**CALLED, stream=True)
    assert "maximum context length is 131072 tokens" in str(excinfo.value)


@pytest.mark.parametrize("error", ["", None])
async def test_an_error_without_a_text_is_one_clear_error(
    either_api: SyntheticServer, caller: Caller, error: str | None
) -> None:
    either_api.respond_with(RawJSON(200, {"error": error}))
    with pytest.raises(litellm.InternalServerError, match="200 with an error that has no text"):
        await caller.completion(**CALLED)
    either_api.respond_with(Stream([{"error": error}]))
    with pytest.raises(Exception, match="error without a text in the stream"):
        await caller.stream(**CALLED)


@pytest.mark.usefixtures("no_waiting")
async def test_a_busy_backend_is_asked_again(either_api: SyntheticServer, caller: Caller) -> None:
    body = {"error": "Error from inference backend: 429 rate limited"}
    either_api.respond_with(RawJSON(400, body))
    with pytest.raises(litellm.RateLimitError, match="The backend is busy"):
        await caller.completion(**CALLED)
    assert len(either_api.requests) == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("context_overflow_event", litellm.ContextWindowExceededError),
        ("content_policy", litellm.ContentPolicyViolationError),
        ("backend_busy", litellm.RateLimitError),
    ],
)
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_native_messages_end_in_the_refusals_own_class_too(
    upstream: SyntheticServer,
    name: str,
    kind: Kind,
    *,
    stream: bool,
) -> None:
    upstream.respond_with(named_fault(name))
    with pytest.raises(kind) as excinfo:
        await litellm.anthropic_messages(**CALLED, max_tokens=10, stream=stream)
    assert type(excinfo.value) is kind


async def test_a_content_policy_violation_goes_to_its_fallbacks(
    upstream: SyntheticServer, new_router: NewRouter
) -> None:
    router = new_router(
        [
            {"model_name": "a", "litellm_params": {"model": "synthetic/hf:openai/gpt-oss-120b"}},
            {"model_name": "b", "litellm_params": {"model": CALLED["model"]}},
        ],
        content_policy_fallbacks=[{"a": ["b"]}],
        num_retries=0,
    )
    upstream.enqueue(fault("content_policy"))
    await router.acompletion(model="a", messages=CALLED["messages"])
    models = [request.json["model"] for request in upstream.requests]
    assert models == ["hf:openai/gpt-oss-120b", MODEL]
