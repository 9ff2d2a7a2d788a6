"""The table of failures: from status and text to LiteLLM's own exception classes.

Every exception names the provider, says what happened and the one thing that fixes
it, and keeps the upstream's headers on `.response`, where LiteLLM's Router looks for Retry-After.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litellm_synthetic.config.credentials import KEY_PREFIX, KEY_VARIABLE
from litellm_synthetic.errors import plan
from litellm_synthetic.errors.failure import (
    CERTAIN_STATUSES,
    REFUSALS_OF_SYNTHETIC,
    Failure,
    Origin,
    error_of,
    shown_headers,
)
from litellm_synthetic.errors.lazy_pattern import LazyPattern
from litellm_synthetic.errors.overflow_texts import Overflow, find_overflow
from litellm_synthetic.errors.refusal_texts import (
    CONTENT_POLICY,
    MAX_READ_CHARACTERS,
    RATE_LIMIT,
    TIMED_OUT,
    backend_status,
    own_words,
)
from litellm_synthetic.errors.retryable import PLAN_CAP
from litellm_synthetic.transport.retries import parse_retry_after

if TYPE_CHECKING:
    from litellm_synthetic.errors.classes import Kind

BILLING_URL: Final = plan.BILLING_URL
_SUCCESS: Final = 200
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_TOO_MANY_REQUESTS: Final = 429
_INTERNAL_SERVER_ERROR: Final = 500
_MAX_QUOTED_CHARACTERS: Final = 600
# A backend that only says "400 status code (no body)" has usually been sent too long a prompt; it
# is taken for an overflow where the counted prompt fills at least this share of the window
# (the local count is an estimate with another tokenizer).
_NEAR_WINDOW_SHARE: Final = 0.9


Build = Callable[[Failure, Origin, Any], Exception]


@dataclass(frozen=True, slots=True)
class Rule:
    """Match a failure by its decisive status (None: any) and its own words (None: any).

    `find` returns what `build` has to know of them, or None where it does not apply.
    """

    statuses: frozenset[int] | None
    find: Callable[[str], object | None] | None
    build: Build


def to_exception(failure: Failure, origin: Origin) -> Exception:
    """Return the LiteLLM exception for a failed reply or for an error event."""
    # JSON may hold lone surrogates, which no log can write.
    text = origin.scrub(failure.text)[:MAX_READ_CHARACTERS].encode("utf-8", "replace").decode()
    words = own_words(text, failure.codes)
    failure = replace(failure, text=text, headers=shown_headers(failure.headers, origin))
    status = failure.decisive_status
    for rule in RULES:
        if rule.statuses is not None and status not in rule.statuses:
            continue
        match = rule.find(words) if rule.find is not None else None
        if rule.find is None or match is not None:
            return rule.build(failure, origin, match)
    return _server_error(failure, origin, None)


def _quoted_reply(failure: Failure) -> str:
    text = failure.text[:_MAX_QUOTED_CHARACTERS].rstrip(".")
    if failure.in_stream:
        return (
            f'Synthetic reported in the stream: "{text}"'
            if text
            else ("Synthetic reported an error without a text in the stream")
        )
    if failure.status == _SUCCESS:
        with_text = f': "{text}"' if text else " that has no text"
        return f"Synthetic answered 200 with an error{with_text}"
    return f"Synthetic answered {failure.status}" + (
        f': "{text}"' if text else " with an empty body"
    )


def _overflow(failure: Failure, origin: Origin, overflow: Overflow) -> Exception:
    window = overflow.window_tokens or origin.context_window_tokens
    words = _messages_overflow if origin.is_messages_call else _chat_overflow
    size, shorten = words(overflow, window, origin)
    return error_of(
        "ContextWindowExceededError",
        f"{size}. {_quoted_reply(failure)}. {shorten}, or use a model with a larger context window "
        f"than {origin.model} (context_window_fallbacks does so by itself).",
        failure,
        origin,
        _BAD_REQUEST,
    )


def _messages_overflow(overflow: Overflow, window: int | None, origin: Origin) -> tuple[str, str]:
    """Return the words of Anthropic's API, which its clients read the figures from, and a remedy.

    Claude Code compacts on the first form, and lowers `max_tokens` on the second.
    """
    prompt, output = overflow.prompt_tokens, overflow.output_tokens
    if prompt is not None and output is not None and window is not None and prompt < window:
        size = (
            f"input length and `max_tokens` exceed context limit: {prompt} + {output} > {window}, "
            "decrease input length or `max_tokens` and try again"
        )
        return size, f"Lower max_tokens to {window - prompt}, shorten the conversation"
    prompt = prompt if prompt is not None else overflow.total_tokens
    if prompt is None and origin.count_prompt_tokens is not None:
        prompt = origin.count_prompt_tokens()
    if window is None:
        size = "prompt is too long: it exceeds the context window"
    elif prompt is None or prompt <= window:
        size = f"prompt is too long: it exceeds the context window of {window} tokens"
    else:
        size = f"prompt is too long: {prompt} tokens > {window} maximum"
    return size, "Shorten the conversation"


def _chat_overflow(overflow: Overflow, window: int | None, _: Origin) -> tuple[str, str]:
    """Return OpenAI's words, which LiteLLM and many frameworks look for, and a remedy."""
    prompt, output = overflow.prompt_tokens, overflow.output_tokens
    shorten = "Shorten the conversation"
    if prompt is not None:
        about = "at least " if overflow.prompt_is_at_least else ""
        size = f"the prompt has {about}{prompt}"
        if output is not None:
            size += f", with {output} more for the reply"
            if window is not None and prompt < window and not overflow.prompt_is_at_least:
                shorten = f"Lower max_tokens to {window - prompt}, shorten the conversation"
    elif overflow.total_tokens is not None:
        size = f"the request needs {overflow.total_tokens}"
    else:
        size = "the request exceeds the context window"
    limit = f" is {window} tokens, and" if window is not None else " is exceeded:"
    return f"This model's maximum context length{limit} {size}", shorten


def _perhaps_overflow(failure: Failure, origin: Origin, _: object) -> Exception:
    window, count = origin.context_window_tokens, origin.count_prompt_tokens
    prompt = count() if window is not None and count is not None else None
    if window is not None and prompt is not None and prompt >= window * _NEAR_WINDOW_SHARE:
        return _overflow(failure, origin, Overflow())
    about = (
        f"the prompt, about {prompt} tokens, is well within the window of {window}"
        if prompt is not None
        else "whether the prompt fits the context window is unknown here"
    )
    return error_of(
        "BadRequestError",
        f"{_quoted_reply(failure)}. The backend gave no reason; {about}. Check the messages, the "
        "tools and the parameters against what the model accepts.",
        failure,
        origin,
        400,
    )


def _rate_limited(failure: Failure, origin: Origin, _: object) -> Exception:
    seconds = parse_retry_after(failure.headers)
    if (advice := origin.remedies.get(_TOO_MANY_REQUESTS)) is not None:
        remedy = f"Try again in {seconds:g} s. {advice}" if seconds is not None else advice
    elif PLAN_CAP.search(failure.text):
        return _capped(failure, origin, seconds)
    elif seconds is not None:
        remedy = f"Try again in {seconds:g} s, or send fewer requests at a time."
    elif backend_status(failure.text) == _TOO_MANY_REQUESTS:
        remedy = f"The backend is busy, and not your plan used up: try again{origin.or_else}."
    else:
        remedy = "Try again later, or send fewer requests at a time."
    error = error_of("RateLimitError", f"{_quoted_reply(failure)}. {remedy}", failure, origin, 429)
    wait = plan.PASSING_SECONDS if seconds is None else seconds
    return _telling(error, plan.told(wait, should_retry=True))


def _capped(failure: Failure, origin: Origin, told_seconds: float | None) -> Exception:
    from litellm_synthetic.quota.wording import cap_sentence  # noqa: PLC0415  # for 429s

    cap = plan.cap_in(failure.headers, origin.scope)
    seconds = told_seconds if told_seconds is not None or cap is None else cap.seconds
    message = (
        f"{_quoted_reply(failure)}. {cap_sentence(cap)}. Until then use another key, or upgrade at "
        f"{BILLING_URL}."
    )
    plan.note_capped(origin.scope, seconds, message)
    headers = plan.told(seconds, should_retry=False)
    # Router reads the response for how long to wait before it tries again (router.py:8371).
    failure = replace(failure, headers={**failure.headers, **headers})
    error = error_of("RateLimitError", message, failure, origin, 429)
    if origin.only_deployment:
        # Router asks again after any 429, unless the error itself says how often (router.py:8079).
        # Where the model has siblings that is how one of them gets the request.
        error.num_retries = 0  # type: ignore[attr-defined]  # LiteLLM sets it on its errors too
    return _telling(error, headers)


def _telling(error: Exception, headers: Mapping[str, str]) -> Exception:
    """Give an exception the headers that LiteLLM's proxy hands on under their own names.

    It looks for `headers` before it looks at the response (common_request_processing.py:4155), and
    so does Router for the time of a cooldown (exception_mapping_utils.py:215).
    """
    error.headers = dict(headers)  # type: ignore[attr-defined]  # LiteLLM's own have it too
    return error


def _payment_required(failure: Failure, origin: Origin, _: object) -> Exception:
    remedy = origin.remedies.get(402, f"Add credit or upgrade the plan at {BILLING_URL}.")
    message = f"{_quoted_reply(failure)}. {remedy}"
    error = error_of("PaymentRequiredError", message, failure, origin, 402)
    # Where the call has its own remedy it is a search, which only plans have: that is no balance.
    scope = None if 402 in origin.remedies else origin.scope  # noqa: PLR2004  # the status itself
    seconds = plan.note_unpaid(scope, message)
    return _telling(error, plan.told(seconds, should_retry=False))


def _wrong_model(failure: Failure, origin: Origin, _: object) -> Exception:
    explanation = origin.explain_model() if origin.explain_model is not None else ""
    status = failure.decisive_status
    explanation = origin.remedies.get(status, explanation)
    kind: Kind = "NotFoundError" if status == _NOT_FOUND else "BadRequestError"
    return error_of(kind, f"{_quoted_reply(failure)}. {explanation}".rstrip(), failure, origin)


def _redirect(failure: Failure, origin: Origin, _: object) -> Exception:
    target = _without_credentials(failure.headers.get("location", ""))
    return error_of(
        "APIError",
        f"{origin.base_url} redirects ({failure.status}) to {target or 'nowhere'}. "
        "Nothing is sent on to another address; if that one is right, set it as api_base.",
        failure,
        origin,
        # 3xx would make LiteLLM's proxy answer its own client with a redirect.
        502,
    )


def _without_credentials(location: str) -> str:
    """Return a redirect's target without user name, password, query and fragment."""
    try:
        target = urlsplit(location)
    except ValueError:
        return "a malformed address"
    host = target.netloc.rpartition("@")[2]
    url = f"{target.scheme or 'https'}://{host}{target.path}" if host else target.path
    return url[:_MAX_QUOTED_CHARACTERS]


def _plain(kind: Kind, remedy: str, status: int | None = None) -> Build:
    def build(failure: Failure, origin: Origin, _: object) -> Exception:
        fix = remedy.format(base_url=origin.base_url, model=origin.model)
        fix = origin.remedies.get(failure.decisive_status, fix)
        return error_of(kind, f"{_quoted_reply(failure)}. {fix}".rstrip(), failure, origin, status)

    return build


def _unauthorized(failure: Failure, origin: Origin, _: object) -> Exception:
    is_odd = origin.key is not None and not origin.key.has_usual_prefix
    remedy = (
        f"Check {KEY_VARIABLE} (or api_key=): Synthetic's keys start with {KEY_PREFIX}, and this "
        "one does not."
        if is_odd
        else f"Check {KEY_VARIABLE} (or api_key=): this key is mistyped, revoked or not for this "
        "base URL. Keys are made at https://synthetic.new."
    )
    return _plain("AuthenticationError", remedy)(failure, origin, None)


def _unavailable(failure: Failure, origin: Origin, _: object) -> Exception:
    remedy = "Try again."
    if backend_status(failure.text) in REFUSALS_OF_SYNTHETIC:
        remedy = (
            "The backend refuses Synthetic itself; your key and your plan are not the cause. Use "
            "another model until Synthetic has put it right."
        )
    return _plain("ServiceUnavailableError", remedy)(failure, origin, None)


def _server_error(failure: Failure, origin: Origin, _: object) -> Exception:
    status = failure.decisive_status
    return error_of(
        "InternalServerError",
        f"{_quoted_reply(failure)}. Such failures are usually transient: try again"
        f"{origin.or_else}.",
        failure,
        origin,
        _INTERNAL_SERVER_ERROR if status == _SUCCESS else None,
    )


def _rule(
    statuses: Iterable[int] | None,
    words: str | LazyPattern | Callable[[str], object | None] | None,
    build: Build,
) -> Rule:
    if isinstance(words, str):
        words = LazyPattern(words, re.IGNORECASE)
    find = words.search if isinstance(words, LazyPattern) else words
    return Rule(None if statuses is None else frozenset(statuses), find, build)


# Where the text tells more than the status, as LiteLLM reads it too: a gateway in front of the
# engine may have put its own status on the engine's refusal.
_TELLING: Final = frozenset((200, 400, 404, 409, 413, 422, 424, *range(500, 600)))
# Read from the top; 200 stands for an error that names no status. Synthetic's own texts were seen
# between January and September 2026.
RULES: Final[tuple[Rule, ...]] = (
    _rule((429,), None, _rate_limited),
    _rule(_TELLING | {403}, RATE_LIMIT, _rate_limited),
    _rule(_TELLING, find_overflow, _overflow),
    _rule((200, 400), r"400 status code \(no body\)", _perhaps_overflow),
    _rule(
        _TELLING | {403, 451},
        CONTENT_POLICY,
        _plain(
            "ContentPolicyViolationError",
            "Change the prompt, or use another model (content_policy_fallbacks does so by itself).",
            _BAD_REQUEST,
        ),
    ),
    _rule(_TELLING - CERTAIN_STATUSES, TIMED_OUT, _plain("Timeout", "Try again.", 408)),
    _rule(
        (400,),
        r"could not parse request as valid json",
        _plain(
            "BadRequestError",
            "Synthetic says this of a body over 10 MiB as well: shrink the images or the history.",
        ),
    ),
    _rule(
        (400,),
        r"model name should start with|no longer supported|model.*(not found|does not exist)",
        _wrong_model,
    ),
    _rule(
        (400,),
        r"does not (appear to )?support image",
        _plain("BadRequestError", "Send the images to a model with image input."),
    ),
    _rule((401,), None, _unauthorized),
    _rule((402,), None, _payment_required),
    _rule((200,), r"insufficient quota", _payment_required),
    _rule(
        (403,),
        None,
        _plain("PermissionDeniedError", "This key may not do that; check its plan."),
    ),
    _rule(
        (404,),
        r"api route not found",
        _plain("NotFoundError", "Check the base URL, {base_url}."),
    ),
    _rule((404,), None, _wrong_model),
    _rule((405,), None, _plain("BadRequestError", "Check the base URL, {base_url}.")),
    _rule((408,), None, _plain("Timeout", "Try again.")),
    _rule((413,), None, _plain("BadRequestError", "Shrink the request.")),
    _rule(
        (304,),  # names no other address
        None,
        _plain("APIError", "Check what is between here and {base_url}.", 502),
    ),
    _rule(tuple(range(300, 400)), None, _redirect),
    _rule(tuple(range(400, 500)), None, _plain("BadRequestError", "")),
    _rule(
        (502,),
        None,
        _plain("BadGatewayError", "Too many requests at once cause this: retry."),
    ),
    # 529 is how Anthropic's API says that it is overloaded.
    _rule((503, 529), None, _unavailable),
    # 524 is the edge giving up on a long round that is not streamed (seen 2026-09-08).
    _rule(
        (504, 524),
        None,
        _plain("Timeout", "Use stream=True, which keeps the connection of a long reply busy."),
    ),
)
