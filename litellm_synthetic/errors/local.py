"""Failures that no reply names: bad requests, broken connections, timeouts, unreadable replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import KEY_VARIABLE
from litellm_synthetic.errors.classes import make_exception
from litellm_synthetic.errors.failure import (
    Failure,
    Origin,
    error_of,
    make_error,
    shown_headers,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def shown_cause(error: BaseException, origin: Origin) -> BaseException | None:
    """Return what an exception may be chained to: nothing that would show the key in a traceback.

    A library's own message may quote what came over the wire.
    """
    waiting: list[BaseException | None] = [error]
    # A timeout that a library wrapped, and that was taken out again, comes from what came from it.
    visited: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in visited:
            continue
        visited.add(id(link))
        # aiohttp's exceptions hold the request, and with it the key, in their arguments. Ours hold
        # what came over the wire in their attributes.
        text = f"{link} {link!r} {link.args!r} {getattr(link, '__dict__', None)!r}"
        if origin.scrub(text) != text:
            return None
        waiting += (link.__cause__, link.__context__)
    return error


def connection_failed(origin: Origin, reason: str) -> Exception:
    """Return the error for a connection that could not be made or broke."""
    return make_error(
        "APIConnectionError",
        f"The connection to {origin.base_url} failed: {reason.rstrip('.')}. "
        "Check the network and the base URL, or try again.",
        origin,
    )


def timed_out(origin: Origin, duration: str) -> Exception:
    """Return the error for a reply that did not come in time."""
    return make_error(
        "Timeout",
        f"Synthetic did not answer: {duration}. Raise the limit{origin.or_else}.",
        origin,
    )


def no_slot_free(origin: Origin, limit: int | None, seconds: float | None) -> Exception:
    """Return the error for a call that waited in vain for fewer calls at a time."""
    slots = "every slot" if limit is None else f"each of the {limit} parallel requests"
    within = "" if seconds is None else f" within {seconds:g} s"
    return make_error(
        "Timeout",
        f"Nothing was sent: {slots} that this key may have of {origin.model} was taken, and none "
        f"ended{within}. Raise the timeout{origin.or_else}, or set {settings.MAX_PARALLEL.name} "
        "higher if the plan allows more.",
        origin,
    )


def stream_broken(origin: Origin, reason: str) -> Exception:
    """Return the error for a stream that ended early or cannot be read."""
    return make_error(
        "APIConnectionError",
        f"The stream from {origin.base_url} {reason}. What was received is incomplete; ask again.",
        origin,
    )


def text_repeated(origin: Origin, text: str) -> Exception:
    """Return the error for a stream that was given up because the model is in a loop.

    Its beginning is that of LiteLLM's own (streaming_handler.py:481).
    """
    return make_exception(
        "InternalServerError",
        f"The model is repeating the same chunk = {text}. Ask again, with a higher temperature or "
        "a frequency_penalty.",
        origin.model,
    )


def unreadable_reply(
    origin: Origin, reason: str, content_type: str, headers: Mapping[str, str]
) -> Exception:
    """Return the error for a 200 whose body is not the reply that was asked for."""
    return error_of(
        "APIError",
        f"{origin.base_url} answered 200, but {reason} (content type: {content_type or 'none'}). "
        "Check the base URL.",
        Failure(502, reason, shown_headers(headers, origin)),
        origin,
        502,
    )


def unusable_reply(origin: Origin, reason: str, *, is_too_large: bool) -> Exception:
    """Return the error for a reply that breaks the rules of HTTP, or one of our limits."""
    remedy = (
        "Ask for less in one request"
        if is_too_large
        else "Check the base URL, and the proxies in between"
    )
    return error_of(
        "APIError",
        f"The reply of {origin.base_url} cannot be used: {reason}. {remedy}.",
        Failure(502, reason),
        origin,
        502,
    )


def refused(message: str, model: str) -> Exception:
    """Return the error for a request that is not sent because it cannot be right."""
    return make_error("BadRequestError", message, Origin(model, ""))


def unsupported(message: str, model: str) -> Exception:
    """Return the error for parameters that are not sent because the API lacks them."""
    return make_error("UnsupportedParamsError", message, Origin(model, ""))


def no_key(model: str, reason: str | None = None) -> Exception:
    """Return the error for a call without a usable key."""
    misspelling = None if reason is not None else settings.mistaken_name_of(settings.API_KEY)
    if misspelling is not None:
        reason = (
            f"No Synthetic API key. {misspelling} is set, which is not a known setting. Rename "
            f"it to {KEY_VARIABLE}."
        )
    message = reason or (
        f"No Synthetic API key. Set {KEY_VARIABLE} or pass api_key=; keys are made at "
        "https://synthetic.new."
    )
    return make_error("AuthenticationError", message, Origin(model, ""))
