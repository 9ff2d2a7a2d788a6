"""Builders of LiteLLM's exceptions: what happened in words, and the one thing that fixes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litellm_synthetic.config.credentials import KEY_PREFIX, KEY_VARIABLE
from litellm_synthetic.errors import plan
from litellm_synthetic.errors.failure import (
    REFUSALS_OF_SYNTHETIC,
    Failure,
    Origin,
    error_of,
)
from litellm_synthetic.errors.overflow_texts import Overflow
from litellm_synthetic.errors.refusal_texts import (
    backend_status,
)
from litellm_synthetic.errors.retryable import PLAN_CAP
from litellm_synthetic.transport.retries import parse_retry_after

if TYPE_CHECKING:
    from litellm_synthetic.errors.classes import Kind

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

# What makes the exception of a failure; the last argument is what a rule read in its text.
Build = Callable[[Failure, Origin, Any], Exception]


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


def overflow(failure: Failure, origin: Origin, overflow: Overflow) -> Exception:
    """Return the error of a request that exceeds the context window."""
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


def perhaps_overflow(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a refusal that gives no reason, or of an overflow."""
    window, count = origin.context_window_tokens, origin.count_prompt_tokens
    prompt = count() if window is not None and count is not None else None
    if window is not None and prompt is not None and prompt >= window * _NEAR_WINDOW_SHARE:
        return overflow(failure, origin, Overflow())
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


def rate_limited(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a 429: the plan's cap, a busy backend, or too many requests at a time."""
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
        f"{plan.BILLING_URL}."
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


def payment_required(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a 402, and note that the key cannot pay."""
    remedy = origin.remedies.get(402, f"Add credit or upgrade the plan at {plan.BILLING_URL}.")
    message = f"{_quoted_reply(failure)}. {remedy}"
    error = error_of("PaymentRequiredError", message, failure, origin, 402)
    # Where the call has its own remedy it is a search, which only plans have: not about a balance.
    scope = None if 402 in origin.remedies else origin.scope  # noqa: PLR2004  # the status itself
    seconds = plan.note_unpaid(scope, message)
    return _telling(error, plan.told(seconds, should_retry=False))


def wrong_model(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a model that is not served, with what is known of it."""
    explanation = origin.explain_model() if origin.explain_model is not None else ""
    status = failure.decisive_status
    explanation = origin.remedies.get(status, explanation)
    kind: Kind = "NotFoundError" if status == _NOT_FOUND else "BadRequestError"
    return error_of(kind, f"{_quoted_reply(failure)}. {explanation}".rstrip(), failure, origin)


def redirect(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a redirect, which is never followed."""
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


def plain(kind: Kind, remedy: str, status: int | None = None) -> Build:
    """Return what builds an error of a class with a fixed remedy."""

    def build(failure: Failure, origin: Origin, _: object) -> Exception:
        fix = remedy.format(base_url=origin.base_url, model=origin.model)
        fix = origin.remedies.get(failure.decisive_status, fix)
        return error_of(kind, f"{_quoted_reply(failure)}. {fix}".rstrip(), failure, origin, status)

    return build


def unauthorized(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a key that is refused."""
    is_odd = origin.key is not None and not origin.key.has_usual_prefix
    remedy = (
        f"Check {KEY_VARIABLE} (or api_key=): Synthetic's keys start with {KEY_PREFIX}, and this "
        "one does not."
        if is_odd
        else f"Check {KEY_VARIABLE} (or api_key=): this key is mistyped, revoked or not for this "
        "base URL. Keys are made at https://synthetic.new."
    )
    return plain("AuthenticationError", remedy)(failure, origin, None)


def unavailable(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of a backend that is down, or that refuses Synthetic itself."""
    remedy = "Try again."
    if backend_status(failure.text) in REFUSALS_OF_SYNTHETIC:
        remedy = (
            "The backend refuses Synthetic itself; your key and your plan are not the cause. Use "
            "another model until Synthetic has put it right."
        )
    return plain("ServiceUnavailableError", remedy)(failure, origin, None)


def server_error(failure: Failure, origin: Origin, _: object) -> Exception:
    """Return the error of any other failure of the server."""
    status = failure.decisive_status
    return error_of(
        "InternalServerError",
        f"{_quoted_reply(failure)}. Such failures are usually transient: try again"
        f"{origin.or_else}.",
        failure,
        origin,
        _INTERNAL_SERVER_ERROR if status == _SUCCESS else None,
    )
