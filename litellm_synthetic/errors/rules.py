"""The table of failures: from status and text to LiteLLM's own exception classes.

Every exception names the provider, says what happened and the one thing that fixes
it, and keeps the upstream's headers on `.response`, where LiteLLM's Router looks for Retry-After.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.lazy_pattern import LazyPattern
from litellm_synthetic.errors.builders import (
    Build,
    overflow,
    payment_required,
    perhaps_overflow,
    plain,
    rate_limited,
    redirect,
    server_error,
    unauthorized,
    unavailable,
    wrong_model,
)
from litellm_synthetic.errors.failure import (
    CERTAIN_STATUSES,
    Failure,
    Origin,
    shown_headers,
)
from litellm_synthetic.errors.overflow_texts import find_overflow
from litellm_synthetic.errors.refusal_texts import (
    CONTENT_POLICY,
    MAX_READ_CHARACTERS,
    RATE_LIMIT,
    TIMED_OUT,
    own_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_BAD_REQUEST: Final = 400


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
    return server_error(failure, origin, None)


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
    _rule((429,), None, rate_limited),
    _rule(_TELLING | {403}, RATE_LIMIT, rate_limited),
    _rule(_TELLING, find_overflow, overflow),
    _rule((200, 400), r"400 status code \(no body\)", perhaps_overflow),
    _rule(
        _TELLING | {403, 451},
        CONTENT_POLICY,
        plain(
            "ContentPolicyViolationError",
            "Change the prompt, or use another model (content_policy_fallbacks does so by itself).",
            _BAD_REQUEST,
        ),
    ),
    _rule(_TELLING - CERTAIN_STATUSES, TIMED_OUT, plain("Timeout", "Try again.", 408)),
    _rule(
        (400,),
        r"could not parse request as valid json",
        plain(
            "BadRequestError",
            "Synthetic says this of a body over 10 MiB as well: shrink the images or the history.",
        ),
    ),
    _rule(
        (400,),
        r"model name should start with|no longer supported|model.*(not found|does not exist)",
        wrong_model,
    ),
    _rule(
        (400,),
        r"does not (appear to )?support image",
        plain("BadRequestError", "Send the images to a model with image input."),
    ),
    _rule((401,), None, unauthorized),
    _rule((402,), None, payment_required),
    _rule((200,), r"insufficient quota", payment_required),
    _rule(
        (403,),
        None,
        plain("PermissionDeniedError", "This key may not do that; check its plan."),
    ),
    _rule(
        (404,),
        r"api route not found",
        plain("NotFoundError", "Check the base URL, {base_url}."),
    ),
    _rule((404,), None, wrong_model),
    _rule((405,), None, plain("BadRequestError", "Check the base URL, {base_url}.")),
    _rule((408,), None, plain("Timeout", "Try again.")),
    _rule((413,), None, plain("BadRequestError", "Shrink the request.")),
    _rule(
        (304,),  # names no other address
        None,
        plain("APIError", "Check what is between here and {base_url}.", 502),
    ),
    _rule(tuple(range(300, 400)), None, redirect),
    _rule(tuple(range(400, 500)), None, plain("BadRequestError", "")),
    _rule(
        (502,),
        None,
        plain("BadGatewayError", "Too many requests at once cause this: retry."),
    ),
    # 529 is how Anthropic's API says that it is overloaded.
    _rule((503, 529), None, unavailable),
    # 524 is the edge giving up on a long round that is not streamed (seen 2026-09-08).
    _rule(
        (504, 524),
        None,
        plain("Timeout", "Use stream=True, which keeps the connection of a long reply busy."),
    ),
)
