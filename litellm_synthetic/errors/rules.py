"""What a failure becomes: one table from status and text to LiteLLM's own exception classes.

Every exception names the provider, says what happened and the one thing that fixes
it, and keeps the upstream's headers on `.response`, where LiteLLM's Router looks for Retry-After.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from litellm import exceptions

from litellm_synthetic.config.credentials import KEY_VARIABLE, Secret, scrub_key_shaped
from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.errors.bodies import kept_headers
from litellm_synthetic.quota.header import HEADER as QUOTA_HEADER
from litellm_synthetic.quota.header import parse_quotas
from litellm_synthetic.transport.retries import PLAN_CAP, parse_retry_after

BILLING_URL: Final = "https://synthetic.new/billing"
_LONGEST_QUOTED_CHARACTERS: Final = 600
# A backend that only says "400 status code (no body)" has usually been sent too long a prompt; it
# is taken for an overflow where the counted prompt fills at least this share of the window
# (the local count is an estimate with another tokenizer).
_NEAR_WINDOW_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Origin:
    """Name the call that failed: the model as asked for, where it went, and what to hide.

    Attributes:
        remedies: what to say of a status in place of the table's advice, which is about models.
        or_else: what to do beside trying again, as the end of a sentence.
        only_deployment: LiteLLM's Router has no other deployment for the same model.
    """

    model: str
    base_url: str
    key: Secret | None = None
    context_window_tokens: int | None = None
    count_prompt_tokens: Callable[[], int | None] | None = None
    explain_model: Callable[[], str] | None = None
    remedies: Mapping[int, str] = field(default_factory=dict)
    or_else: str = ", or fall back to another model"
    only_deployment: bool = False

    def scrub(self, text: str) -> str:
        """Remove the key from a text of foreign origin."""
        return self.key.scrub(text) if self.key is not None else scrub_key_shaped(text)


@dataclass(frozen=True, slots=True)
class Failure:
    """Hold what the upstream answered: status 200 for an error event inside a stream."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


Build = Callable[[Failure, Origin, "re.Match[str] | None"], Exception]


@dataclass(frozen=True, slots=True)
class Rule:
    """Match a failure by status (None: any) and text (None: any)."""

    statuses: frozenset[int] | None
    pattern: re.Pattern[str] | None
    build: Build


def _own_headers(headers: Mapping[str, str], origin: Origin) -> dict[str, str]:
    return {name: origin.scrub(value) for name, value in kept_headers(headers).items()}


def to_exception(failure: Failure, origin: Origin) -> Exception:
    """Return the LiteLLM exception for a failed reply or for an error event."""
    # JSON may hold lone surrogates, which no log can write.
    text = origin.scrub(failure.text)[:_LONGEST_QUOTED_CHARACTERS]
    text = text.encode("utf-8", "replace").decode()
    failure = Failure(failure.status, text, _own_headers(failure.headers, origin))
    for rule in RULES:
        if rule.statuses is not None and failure.status not in rule.statuses:
            continue
        match = rule.pattern.search(text) if rule.pattern is not None else None
        if rule.pattern is None or match is not None:
            return rule.build(failure, origin, match)
    return _server_error(failure, origin, None)


def _encodable(headers: Mapping[str, str]) -> httpx.Headers:
    # httpx decodes a header's bytes leniently, and would encode its text as ASCII only.
    return httpx.Headers(
        [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    )


def _response(failure: Failure, origin: Origin, status: int | None = None) -> httpx.Response:
    return httpx.Response(
        status or failure.status,
        headers=_encodable(failure.headers),
        content=json.dumps({"error": failure.text}).encode(),
        request=httpx.Request("POST", origin.base_url),
    )


def _finish(error: Exception, failure: Failure, response: httpx.Response) -> Exception:
    """Put the headers where LiteLLM looks for them on the classes that take no `response`."""
    if not isinstance(getattr(error, "response", None), httpx.Response):
        error.response = response  # type: ignore[attr-defined]  # APIError and Timeout have none
    error.litellm_response_headers = _encodable(failure.headers)  # type: ignore[attr-defined]  # LiteLLM sets it the same way
    return error


def _raise_as(
    kind: Callable[..., Exception],
    message: str,
    failure: Failure,
    origin: Origin,
    status: int | None = None,
    **extra: Any,
) -> Exception:
    response = _response(failure, origin, status)
    if kind is exceptions.APIError:
        extra |= {"status_code": status or failure.status, "request": response.request}
    elif kind is exceptions.Timeout:
        extra |= {"exception_status_code": status or failure.status}
    else:
        extra |= {"response": response}
    error = kind(message=message, model=origin.model, llm_provider=PROVIDER, **extra)
    return _finish(error, failure, response)


def _said(failure: Failure) -> str:
    if failure.status == 200:  # noqa: PLR2004  # an error event inside a stream
        return f'Synthetic reported in the stream: "{failure.text.rstrip(".")}"'
    quoted = f': "{failure.text.rstrip(".")}"' if failure.text else " with an empty body"
    return f"Synthetic answered {failure.status}{quoted}"


def _overflow(failure: Failure, origin: Origin, match: re.Match[str] | None) -> Exception:
    groups = match.groupdict() if match else {}
    window = groups.get("window") or origin.context_window_tokens
    size = f"The prompt has {groups['prompt']} tokens" if groups.get("prompt") else "The prompt"
    limit = f"the context window of {window} tokens" if window else "the context window"
    verb = "; it exceeds" if groups.get("prompt") else " exceeds"
    return _raise_as(
        exceptions.ContextWindowExceededError,
        f"{size}{verb} {limit} of {origin.model}. {_said(failure)}. Shorten the conversation or "
        "use a model with a larger window (context_window_fallbacks does so by itself).",
        failure,
        origin,
        400,
    )


def _perhaps_overflow(failure: Failure, origin: Origin, match: re.Match[str] | None) -> Exception:
    window, count = origin.context_window_tokens, origin.count_prompt_tokens
    prompt = count() if window is not None and count is not None else None
    if window is not None and prompt is not None and prompt >= window * _NEAR_WINDOW_SHARE:
        return _overflow(failure, origin, match)
    about = (
        f"the prompt, about {prompt} tokens, is well within the window of {window}"
        if prompt is not None
        else "whether the prompt fits the context window is unknown here"
    )
    return _raise_as(
        exceptions.BadRequestError,
        f"{_said(failure)}. The backend gave no reason; {about}. Check the messages, the tools and "
        "the parameters against what the model accepts.",
        failure,
        origin,
        400,
    )


def _rate_limited(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
    if (told := origin.remedies.get(429)) is not None:
        seconds = parse_retry_after(failure.headers)
        remedy = f"Try again in {seconds:g} s. {told}" if seconds is not None else told
    elif PLAN_CAP.search(failure.text):
        quotas = parse_quotas(failure.headers.get(QUOTA_HEADER))
        reset = quotas.resets_at() if quotas is not None else None
        when = (
            f"It gives way at {reset:%Y-%m-%d %H:%M} UTC"
            if reset is not None
            else "When it gives way is not known from the reply"
        )
        remedy = f"{when}; until then use another model or upgrade at {BILLING_URL}."
    elif (seconds := parse_retry_after(failure.headers)) is not None:
        remedy = f"Try again in {seconds:g} s, or send fewer requests at a time."
    else:
        remedy = "Try again later, or send fewer requests at a time."
    error = _raise_as(
        exceptions.RateLimitError, f"{_said(failure)}. {remedy}", failure, origin, 429
    )
    if origin.only_deployment and PLAN_CAP.search(failure.text):
        # Router asks again after any 429, unless the error itself says how often (router.py:8079).
        # Where the model has siblings that is how one of them gets the request.
        error.num_retries = 0  # type: ignore[attr-defined]  # LiteLLM sets it on its errors too
    return error


def _payment_required(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
    remedy = origin.remedies.get(402, f"Add credit or upgrade the plan at {BILLING_URL}.")
    message = f"{_said(failure)}. {remedy}"
    # LiteLLM has a class of its own for 402 since 1.106.
    kind = getattr(exceptions, "PaymentRequiredError", exceptions.APIError)
    return _raise_as(kind, message, failure, origin, 402)


def _wrong_model(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
    explanation = origin.explain_model() if origin.explain_model is not None else ""
    explanation = origin.remedies.get(failure.status, explanation)
    kind = exceptions.NotFoundError if failure.status == 404 else exceptions.BadRequestError  # noqa: PLR2004  # Not Found
    return _raise_as(kind, f"{_said(failure)}. {explanation}".rstrip(), failure, origin)


def _redirect(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
    shown = _without_credentials(failure.headers.get("location", ""))
    return _raise_as(
        exceptions.APIError,
        f"{origin.base_url} redirects ({failure.status}) to {origin.scrub(shown) or 'nowhere'}. "
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
    shown = f"{target.scheme or 'https'}://{host}{target.path}" if host else target.path
    return shown[:_LONGEST_QUOTED_CHARACTERS]


def _plain(kind: Callable[..., Exception], remedy: str, status: int | None = None) -> Build:
    def build(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
        shown = remedy.format(base_url=origin.base_url, model=origin.model)
        shown = origin.remedies.get(failure.status, shown)
        return _raise_as(kind, f"{_said(failure)}. {shown}".rstrip(), failure, origin, status)

    return build


def _server_error(failure: Failure, origin: Origin, _: re.Match[str] | None) -> Exception:
    in_stream = failure.status == 200  # noqa: PLR2004  # an error event inside a stream
    return _raise_as(
        exceptions.InternalServerError,
        f"{_said(failure)}. Such failures are usually transient: try again{origin.or_else}.",
        failure,
        origin,
        500 if in_stream else None,
    )


def _rule(statuses: tuple[int, ...] | None, pattern: str | None, build: Build) -> Rule:
    return Rule(
        None if statuses is None else frozenset(statuses),
        None if pattern is None else re.compile(pattern, re.IGNORECASE),
        build,
    )


# Read from the top; 200 stands for an error event inside a stream. The texts were seen between
# January and September 2026.
RULES: Final[tuple[Rule, ...]] = (
    _rule(
        (200, 400, 413, 422, 500),
        r"input \((?P<prompt>[\d,]+) tokens\) is longer than the model's context length "
        r"\((?P<window>[\d,]+) tokens\)",
        _overflow,
    ),
    _rule(
        (200, 400, 413, 422, 500),
        r"maximum context length of (?P<window>[\d,]+)|"
        r"longer than the model's context|exceeds the (model's )?(maximum )?context",
        _overflow,
    ),
    _rule((200, 400, 413, 422, 500), r"context (limit|length|window) exceeded", _overflow),
    _rule((200, 400), r"400 status code \(no body\)", _perhaps_overflow),
    _rule(
        (400,),
        r"could not parse request as valid json",
        _plain(
            exceptions.BadRequestError,
            "Synthetic says this of a body over 10 MiB as well: shrink the images or the history.",
        ),
    ),
    _rule(
        (400,), r"model name should start with|no longer supported|model.*not found", _wrong_model
    ),
    _rule(
        (400,),
        r"does not (appear to )?support image",
        _plain(exceptions.BadRequestError, "Send the images to a model with image input."),
    ),
    _rule(
        (401,),
        None,
        _plain(
            exceptions.AuthenticationError,
            f"Check {KEY_VARIABLE} (or api_key=): a valid key starts with syn_.",
        ),
    ),
    _rule((402,), None, _payment_required),
    _rule((200,), r"insufficient quota", _payment_required),
    _rule(
        (403,),
        None,
        _plain(exceptions.PermissionDeniedError, "This key may not do that; check its plan."),
    ),
    _rule(
        (404,),
        r"api route not found",
        _plain(exceptions.NotFoundError, "Check the base URL, {base_url}."),
    ),
    _rule((404,), None, _wrong_model),
    _rule((405,), None, _plain(exceptions.BadRequestError, "Check the base URL, {base_url}.")),
    _rule((408,), None, _plain(exceptions.Timeout, "Try again.")),
    _rule((413,), None, _plain(exceptions.BadRequestError, "Shrink the request.")),
    _rule((429,), None, _rate_limited),
    _rule((200,), r"subscription rate limits|parallel requests|too many requests", _rate_limited),
    _rule(tuple(range(300, 400)), None, _redirect),
    _rule(tuple(range(400, 500)), None, _plain(exceptions.BadRequestError, "")),
    _rule(
        (502,),
        None,
        _plain(exceptions.BadGatewayError, "Too many requests at once cause this: retry."),
    ),
    # 529 is how Anthropic's API says that it is overloaded.
    _rule((503, 529), None, _plain(exceptions.ServiceUnavailableError, "Try again.")),
    # 524 is the edge giving up on a long round that is not streamed (seen 2026-09-08).
    _rule(
        (504, 524),
        None,
        _plain(exceptions.Timeout, "Ask for a stream: long replies then keep the line busy."),
    ),
)


def connection_failed(origin: Origin, reason: str) -> Exception:
    """Return the error for a connection that could not be made or broke."""
    return exceptions.APIConnectionError(
        message=f"The connection to {origin.base_url} failed: {origin.scrub(reason).rstrip('.')}. "
        "Check the network and the base URL, or try again.",
        model=origin.model,
        llm_provider=PROVIDER,
    )


def timed_out(origin: Origin, waited: str) -> Exception:
    """Return the error for a reply that did not come in time."""
    return exceptions.Timeout(
        message=f"Synthetic did not answer: {waited}. Raise the limit{origin.or_else}.",
        model=origin.model,
        llm_provider=PROVIDER,
    )


def stream_broken(origin: Origin, reason: str) -> Exception:
    """Return the error for a stream that ended early or cannot be read."""
    return exceptions.APIConnectionError(
        message=f"The stream from {origin.base_url} {origin.scrub(reason)}. What was received is "
        "incomplete; ask again.",
        model=origin.model,
        llm_provider=PROVIDER,
    )


def unreadable_reply(
    origin: Origin, reason: str, content_type: str, headers: Mapping[str, str]
) -> Exception:
    """Return the error for a 200 whose body is not the reply that was asked for."""
    return _raise_as(
        exceptions.APIError,
        f"{origin.base_url} answered 200, but {origin.scrub(reason)} (content type: "
        f"{content_type or 'none'}). Check the base URL.",
        Failure(502, reason, _own_headers(headers, origin)),
        origin,
        502,
    )


def refused(message: str, model: str) -> Exception:
    """Return the error for a request that is not sent because it cannot be right."""
    return exceptions.BadRequestError(message=message, model=model, llm_provider=PROVIDER)


def unsupported(message: str, model: str) -> Exception:
    """Return the error for parameters that are not sent because the surface lacks them."""
    return exceptions.UnsupportedParamsError(message=message, model=model, llm_provider=PROVIDER)


def no_key(model: str, reason: str | None = None) -> Exception:
    """Return the error for a call without a usable key."""
    return exceptions.AuthenticationError(
        message=reason
        or f"No Synthetic API key. Set {KEY_VARIABLE} or pass api_key=; keys are made at "
        "https://synthetic.new.",
        model=model,
        llm_provider=PROVIDER,
    )
